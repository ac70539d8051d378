"""A world and a state that follow a call of which all that is alike can be said of others.

As in watched.py, but whoever follows a call here asks what FreeSWITCH does, and nothing besides.
Extensions that differ in their digits alone are one: whom they lead to is dyed as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.routing.call.applications import route
from fsgitops.routing.call.contents import NUMBER
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.match import TooManyStepsError
from fsgitops.routing.call.outcome import ForkedState
from fsgitops.routing.call.state import CallEndedError, CallMovedError
from fsgitops.routing.call.words import DyedError, is_dyed, is_true
from fsgitops.routing.numbers.watched import Tables, WatchedWorld, call_watched
from fsgitops.routing.numbers.witness import Kin, Source, Table, Witness
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from fsgitops.model.trace import End
    from fsgitops.routing.call.contents import Condition
    from fsgitops.routing.call.extensions import Contents
    from fsgitops.routing.call.match import Match
    from fsgitops.routing.call.state import Took
    from fsgitops.routing.directory import LocatedUser
    from fsgitops.routing.numbers.witness import Parts
    from fsgitops.routing.tree import Element


class LazyTable(Table):
    """A table that reads what a name means when somebody asks."""

    def __init__(self, names: Container[str], read: Callable[[str], object]) -> None:
        super().__init__({}, folded=True)
        self._names, self._read = names, read

    def find(self, text: str) -> object:
        """Return what a text means."""
        key = fold(text)
        return self._read(key) if key in self._names else None


class LazyTables(Tables):
    """Tables of which only what is asked for is read."""

    def make(self, names: Iterable[str], read: Callable[[str], object]) -> Table:
        """Return a table of texts that are compared as names are."""
        return LazyTable(names if isinstance(names, dict) else set(names), read)

    def kin(self, contents: Contents) -> Kin:
        """Return which extensions name a number."""
        token = ("kin", id(contents))
        if token not in self._known:
            self._known[token] = Kin(contents)
        return self._known[token]  # type: ignore[no-any-return]


class Own(NamedTuple):
    """One of those that name a number (`Kin`), which is made from these parts."""

    kin: Kin
    parts: Parts
    member: int

    def read(self, number: str) -> Element:
        """Return the extension for another number."""
        contents = self.kin.contents
        return contents.extensions[contents.list_taking(number)[self.member]][0]


class DyedWorld(WatchedWorld):
    """A world in which the extension that takes the number speaks of whom it leads to in dye."""

    own: tuple[Element, Condition, int] | None = None
    """That extension, its condition, and its place among the `owns` of the state."""

    def user(self, name: str, domain: str, *keys: str) -> LocatedUser | None:
        """Return a user of the directory."""
        self.note("user", name)
        return super().user(name, domain, *keys)

    def conditions(self, parent: Element, tag: str = "condition") -> list[Condition]:
        """Return the conditions of an element."""
        if self.own is not None and self.own[0] is parent:
            return [self.own[1]]
        return super().conditions(parent, tag)


class _Memory(dict[str, str | None]):
    """What a call has put away. Raises DyedError where another might find it, or might not."""

    def __contains__(self, key: object) -> bool:
        if any(map(is_dyed, (*self, str(key)))):
            raise DyedError("it is put away under a name that is made from it")
        return super().__contains__(key)


class DyedState(ForkedState):
    """A state whose dialled number is dyed; `owns` are the extensions of Took with `line` < 0."""

    def __init__(self, witness: Witness, tables: LazyTables, owns: list[Own], *given: Any) -> None:
        super().__init__(*given, keeps=False)
        self.functions = call_watched
        self.memory = _Memory()
        self._witness, self._tables, self._owns = witness, tables, owns
        self._before: tuple[Took, ...] = ()

    def follow(self) -> End:
        """Evaluate the call until it ends. Raises DyedError."""
        while True:
            try:
                route(self)
            except CallEndedError as ended:
                return ended.end
            except CallMovedError:
                # What acts from here on is told of what takes the call from here on.
                self._before = self.list_took()
                self.took.clear()
                self.acted.clear()

    def list_took(self) -> tuple[Took, ...]:
        """Return what took the call, and what of that was executed."""
        return self._before + super().list_took()

    def search(self, field: str, expression: str) -> Match | None:
        """Hold a text against an expression. Raises DyedError."""
        try:
            return self._witness.search(field, expression)
        except TooManyStepsError:
            raise DyedError("PCRE2 gave up on an expression") from None

    def note_taken(self, extension: Element, *, ends: bool) -> None:
        """Hear that an extension did something, and whether it ends the search."""
        super().note_taken(extension, ends=ends)
        assert isinstance(self.world, DyedWorld)
        if self.world.own is not None and self.world.own[0] is extension:
            took, _ = self.took[-1]
            self.took[-1] = took._replace(line=-1 - self.world.own[2]), extension

    def find_next(self, contents: Contents, at: int) -> int:
        """Return the first extension from one on that does not pass the call on for certain."""
        assert isinstance(self.world, DyedWorld)
        self.world.own = None
        hunted = self.leg.get("auto_hunt")
        value = self.leg.read_field(NUMBER) or Value("")
        if value.why:
            return at  # each extension is held against the call in full
        number = self._witness.plain(value.text)
        dyed = number != value.text
        if number.endswith("\n") or (dyed and hunted is not None and is_true(hunted.text)):
            raise DyedError("more than its digits decides")
        kin = self._tables.kin(contents)
        if dyed:
            self._witness.look_up(value.text, kin)
        own = contents.list_taking(number, at)
        end = own[0] if own else len(contents.extensions)
        stop, told = self._tables.find_stop(contents, at, end, self.leg, self._witness)
        if told is None:
            raise DyedError("PCRE2 gave up on an expression")
        if dyed and own and stop == end:
            self.world.own = self._dye(kin, self._witness.read(value.text), number, stop)
        return stop

    def _dye(
        self, kin: Kin, parts: Parts, number: str, at: int
    ) -> tuple[Element, Condition, int] | None:
        """Return the extension in a place, which names the number, with whom it leads to dyed."""
        contents = kin.contents
        cast = contents.find_cast(at)
        if cast is None:
            return None
        own = Own(kin, parts, contents.list_taking(number).index(at))
        if own not in self._owns:
            self._owns.append(own)

        def dye(run: int) -> str:
            source = Source(cast.runs[run], parts, "", run, kin, own.member)
            return self._witness.dye_from(source)

        condition = cast.mould.fill_condition(dye, cast.runs)
        return contents.extensions[at][0], condition, self._owns.index(own)
