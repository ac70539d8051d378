"""A world and a state that note what they are asked about the dialled number (witness.py)."""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from fsgitops.routing.call.applications import follow
from fsgitops.routing.call.contents import NUMBER
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.functions import call_function
from fsgitops.routing.call.match import TooManyStepsError
from fsgitops.routing.call.state import CallEndedError, Question, State
from fsgitops.routing.call.words import DyedError, is_dyed, is_true
from fsgitops.routing.call.world import GLOBAL_CONTEXT, World
from fsgitops.routing.directory import LocatedUser, list_keys, walk_users
from fsgitops.routing.numbers.beside import (
    ENDS,
    Beside,
    list_hooks,
    list_leg_hooks,
    run_command,
)
from fsgitops.routing.numbers.noticed import list_besides
from fsgitops.routing.numbers.witness import Table
from fsgitops.routing.tree import Element, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fsgitops.model.trace import End
    from fsgitops.routing.call.extensions import Contents
    from fsgitops.routing.call.leg import Leg
    from fsgitops.routing.call.match import Match
    from fsgitops.routing.numbers.witness import Witness

_SAFE: Final = frozenset((
    "db", "echo", "eval", "hash", "regex", "sofia_contact", "user_data", "user_exists",
    "verto_contact",
))  # fmt: skip
"""Functions that take dyed text for what it is."""
Answered: TypeAlias = "tuple[End, tuple[tuple[Question, int], ...]]"
"""Where a way ends, and what was asked on it, with the answers that it takes."""
_ONLY: Final = frozenset((NUMBER,))


class Tables:
    """The tables of one world: users by what is asked of them, contexts, literal numbers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[tuple[Any, ...], Any] = {}

    def users(self, domain: str, keys: tuple[str, ...]) -> dict[str, LocatedUser]:
        """Return the users of a domain by the names that find them (`World.user`).

        Raises DyedError where nobody can list them.
        """
        if self._world.asks_one_by_one:
            raise DyedError("the users of the directory are asked for one by one")
        token = ("users", fold(domain), *keys)
        if token not in self._known:
            found: dict[str, LocatedUser] = {}
            home = self._world.find("directory", "domain", domain)
            for key in keys or ("id",):
                for user, group in walk_users(home) if home else ():
                    for name in list_keys(user, key):
                        if name == "*":
                            raise DyedError("a user of the directory answers to every name")
                        found.setdefault(name[1:], LocatedUser(user, group, home or user))
            self._known[token] = found
        return self._known[token]  # type: ignore[no-any-return]

    def table(
        self, token: tuple[Any, ...], names: Iterable[str], read: Callable[[str], object]
    ) -> Table:
        """Return a table of names, in small letters, and what is read of each; made once."""
        if token not in self._known:
            self._known[token] = self.make(names, read)
        return self._known[token]  # type: ignore[no-any-return]

    def make(self, names: Iterable[str], read: Callable[[str], object]) -> Table:
        """Return a table of texts that are compared as names are."""
        return Table({name: read(name) for name in names}, folded=True)

    def contexts(self) -> Table:
        """Return the contexts by their names. Raises DyedError where nobody can list them."""
        names = self._world.contexts
        if names is None:
            raise DyedError("the name of a context is made from it")
        return self.table(("contexts",), map(fold, names), str)

    def others(self, contents: Contents) -> list[tuple[int, str | None, str]]:
        """Return the places of all other extensions, with the field and expression that decide.

        A field of None: nothing decides alone.
        """
        token = ("others", id(contents))
        if token not in self._known:
            self._known[token] = [
                (place, quick.field, quick.expression.decode("latin-1"))
                if quick
                else (place, None, "")
                for place, (_, quick) in enumerate(contents.extensions)
                if quick is None or quick.texts is None or quick.field != NUMBER
            ]
        return self._known[token]  # type: ignore[no-any-return]

    def find_stop(
        self, contents: Contents, at: int, end: int, leg: Leg, witness: Witness
    ) -> tuple[int, bool | None]:
        """Return which extension from `at` on may take the call; `end` where none before it does.

        With it, whether the number alone has told that. None: a limit of PCRE2 was met, so the
        call has to be held against that extension in full.
        """
        others = self.others(contents)
        read: dict[str, Callable[[str], bool] | None] = {}
        for place, field, expression in islice(others, bisect_left(others, (at,)), None):
            if place >= end:
                break
            if field is None:
                return place, read.keys() <= _ONLY
            if field not in read:
                asked = leg.read_field(field) or Value("")
                read[field] = None if asked.why else witness.holder(asked.text)
            holds = read[field]
            try:
                if holds is None or holds(expression):
                    return place, read.keys() <= _ONLY
            except TooManyStepsError:
                return place, None
        return end, read.keys() <= _ONLY

    def choices(self, contents: Contents, at: int) -> Table:
        """Return, for each text of an expression that is a choice of texts, the first that has it.

        Only extensions from `at` on count.
        """
        token = ("choices", id(contents), at)
        if token not in self._known:
            found: dict[str, object] = {}
            for place, (_, quick) in enumerate(contents.extensions):
                if place >= at and quick and quick.texts is not None and quick.field == NUMBER:
                    for text in quick.texts:
                        found.setdefault(text, place)
            self._known[token] = Table(found)
        return self._known[token]  # type: ignore[no-any-return]


class WatchedWorld(World):
    """A world that may be asked with dyed names; it shares all that the other has read."""

    def __init__(self, world: World, tables: Tables, witness: Witness) -> None:
        self.__dict__.update(world.__dict__)
        self._tables = tables
        self._witness = witness

    def find(self, section: str, tag: str, name: str) -> Element | None:
        """Return the first element of a name. Raises DyedError."""
        if is_dyed(name):
            raise DyedError(f"the name of a {tag} is made from it")
        return super().find(section, tag, name)

    def context(self, name: str) -> Element | None:
        """Return what a call in a context is held against."""
        if not is_dyed(name):
            return super().context(name)
        found = self._witness.look_up(name, self._tables.contexts())
        return super().context(GLOBAL_CONTEXT if found is None else str(found))

    def user(self, name: str, domain: str, *keys: str) -> LocatedUser | None:
        """Return a user of the directory."""
        if is_dyed(domain):
            raise DyedError("the name of a domain is made from it")
        if not is_dyed(name):
            return super().user(name, domain, *keys)
        users = self._tables.users(domain, keys)
        token = ("user", fold(domain), *keys)
        exists = self._tables.table(token, users, users.__contains__)
        if self._witness.look_up(name, exists) is None:
            return None
        found = _WatchedUser(*users[fold(self._witness.plain(name))])
        found.watch(name, token, users, self._tables, self._witness)
        return found

    def group(self, name: str, domain: str) -> Element | None:
        """Return a group of the directory. Raises DyedError."""
        if is_dyed(name):
            raise DyedError("the name of a group is made from it")
        return super().group(name, domain)

    @property
    def gateways(self) -> frozenset[str]:
        """Return the names of all gateways that files define."""
        return _Names(super().gateways)


class _Names(frozenset[str]):
    """Names that are not looked for with dyed text."""

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str) and is_dyed(name):
            raise DyedError("the name of a gateway is made from it")
        return super().__contains__(name)


class _WatchedUser(LocatedUser):
    """A user whom the dialled number named: what is read of him is noted."""

    def watch(
        self, name: str, token: tuple[Any, ...], users: Mapping[str, LocatedUser],
        tables: Tables, witness: Witness,
    ) -> None:  # fmt: skip
        """Say by which dyed name he was found, and among whom."""
        self.name, self.token, self.users = name, token, users
        self.tables, self.witness = tables, witness

    @property
    def element(self) -> NoReturn:
        """Raise DyedError: all that he is would be read."""
        raise DyedError("all variables of the user are set")

    def attribute(self, name: str) -> str:
        """Return an attribute of the merged user, or nothing."""
        return str(self._ask(("attr", name), lambda user: user.attribute(name)) or "")

    def value(self, container: str, name: str) -> str | None:
        """Return a value of a container; None: there is none."""
        return self._ask((container, fold(name)), lambda user: user.value(container, name))

    def _ask(self, asked: tuple[str, ...], read: Callable[[LocatedUser], str | None]) -> str | None:
        """Return what is read of him, with his own number dyed where it stands in it."""

        def generalise(key: str) -> tuple[str | None]:
            user = self.users[key]
            return _generalise(read(user), user.element.attributes.get("id", ""), key)

        table = self.tables.table((*self.token, *asked), self.users, generalise)
        meaning = self.witness.look_up(self.name, table)
        assert isinstance(meaning, tuple)
        text = meaning[0]
        return text if text is None else self.name.join(text.split(_OWN))


_OWN: Final = "\0"


def _generalise(text: str | None, number: str, key: str) -> tuple[str | None]:
    """Return a text with a mark for the number of the user that it is read of."""
    if text is None or number != key or not number.isdecimal():
        return (text,)
    return (text.replace(number, _OWN),)


class WatchedState(State):
    """A state whose dialled number is dyed."""

    def __init__(self, witness: Witness, tables: Tables, *given: Any) -> None:
        super().__init__(*given, keeps=False)
        self.witness = witness
        self.tables = tables
        self.taker: Element | None = None
        """The extension that takes the call where it comes in, or at least does something."""
        self.answered: list[Answered] = []
        """Where it ends on ways that are not followed any further, and what they assume."""
        self._taken = False
        self._hunts = 0

    def search(self, field: str, expression: str) -> Match | None:
        """Hold a text against an expression."""
        return self.witness.search(field, expression)

    def note_taken(self, extension: Element, *, ends: bool) -> None:
        """Hear that an extension did something."""
        if self._hunts == 1 and not self._taken:
            self.taker = extension if ends else self.taker or extension
            self._taken = ends

    def offer(
        self, end: End, subject: str, answers: Sequence[str], shorts: Sequence[str] = ()
    ) -> None:
        """Note where the call ends if somebody answers, and go on where nobody does."""
        first = self.answers.decline(Question(subject, tuple(answers)))
        if first is None:
            super().offer(end, subject, answers, shorts)
            return
        self.answered.append((end, first))

    def follow(self) -> End:
        """Evaluate the call until it ends."""
        return follow(self)

    def find_next(self, contents: Contents, at: int) -> int:
        """Return the first extension from one on that does not pass the call on for certain."""
        self._hunts += at == 0
        hunted = self.leg.get("auto_hunt")
        if hunted is not None and is_true(hunted.text):
            raise DyedError("auto_hunt looks for it among the names of extensions")
        value = self.leg.read_field(NUMBER) or Value("")
        if value.why:
            return at  # each extension is held against the call in full
        found = self.witness.look_up(value.text, self.tables.choices(contents, at))
        end = len(contents.extensions) if found is None else found
        assert isinstance(end, int)
        key = (id(contents), at, value.text)
        if key in self.witness.stops:
            return self.witness.stops[key]
        stop, only = self.tables.find_stop(contents, at, end, self.leg, self.witness)
        if only:
            self.witness.stops[key] = stop
        return stop


class ThoroughState(WatchedState):
    """One that asks for all that a call can set off besides where the dialplan leads it."""

    thorough = True

    def __init__(self, witness: Witness, tables: Tables, *given: Any) -> None:
        super().__init__(witness, tables, *given)
        self._later: dict[str, Beside] = {}
        """What may happen until the call is over."""
        self._done: set[str] = set()
        """What has happened on this way."""

    def offer(
        self, end: End, subject: str, answers: Sequence[str], shorts: Sequence[str] = ()
    ) -> None:
        """Note where the call ends if somebody answers, and go on where nobody does."""
        self._happen()
        super().offer(end, subject, answers, shorts)

    def follow(self) -> End:
        """Evaluate the call until it ends, and then what it has set off besides."""
        end = follow(self)

        def go_on(_state: State) -> NoReturn:
            self._happen()
            raise CallEndedError(end)

        return follow(self, go_on)

    def _happen(self) -> None:
        """Go where something leads that happens on this way. Raises CallEndedError."""
        for item in [*list_hooks(self.leg, self.fired), *self._later.values()]:
            if item.told not in self._done and self.happens(item.told):
                self._done.add(item.told)
                # What else was to happen is followed on ways of its own.
                self._later.clear()
                books = (self.leg.globals_, self.leg.variables)
                self.fired.update((name, it.text) for book in books for name, it in book.items())
                item.happens(self)
                raise CallEndedError(ENDS)

    def note_end(self, end: End) -> None:
        """Note where something ends that the call has set off besides."""
        self.answered.append((end, tuple(self.answers.asked)))

    def command(self, name: str, argument: Value) -> None:
        """Follow a command of the switch where it is executed on this way."""
        told = f"FreeSWITCH executes {name} {argument.text}".strip()
        if told not in self._done and self.happens(told):
            self._done.add(told)
            run_command(self, name, argument)

    def notice(self, name: str, data: Value) -> None:
        """Keep what an application may lead to for the end of the call."""
        for item in list_besides(self, name, data):
            self._later[item.told] = item

    def notice_legs(self, given: Sequence[str]) -> None:
        """Keep what variables of other legs have executed for the end of the call."""
        for brackets in dict.fromkeys(given):
            for item in list_leg_hooks(self, brackets):
                self._later[item.told] = item


def call_watched(state: State, name: str, argument: Value) -> Value | None:
    """Return what a function answers (functions.py). Raises DyedError."""
    key = fold(name.strip())
    if is_dyed(argument.text) and key not in _SAFE:
        raise DyedError(f"{key} is asked about it")
    return call_function(state, name, argument)
