"""Facts about a number (witness.py) as sets of numbers: those of which the same is true."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

from fsgitops.routing.numbers.automaton import TooLargeError
from fsgitops.routing.numbers.expression import EXACTLY, LOOSELY, UP_TO, NotRegularError
from fsgitops.routing.numbers.witness import DIALLED, Listed, Matched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.routing.numbers.automaton import Store
    from fsgitops.routing.numbers.search import Piece, Searches
    from fsgitops.routing.numbers.witness import Fact, Parts, Source, Table

_WHOLE = r"^([^\n]*)\z"
FEW: Final = 4
"""Numbers that are evaluated one by one."""
Numbers = int | tuple[bytes, ...]
"""A set of numbers: one of the store, or a few texts."""
_ANY = object()
"""Stands for every meaning that a table has."""


class UnclearError(Exception):
    """Of which numbers a fact is true cannot be said; the text says why.

    `left` are those of which it may be, None: any of them; `others` are to be asked again. Without
    a text, it is true of all that are left.
    """

    def __init__(self, why: str, left: int | None = None, others: Sequence[Numbers] = ()) -> None:
        super().__init__(why)
        self.left, self.others = left, others


class Weighing:
    """Splits sets of numbers by facts; what was found is kept."""

    def __init__(self, store: Store, searches: Searches) -> None:
        self._store = store
        self._searches = searches
        self._listed: dict[tuple[Table, object], int] = {}

    def split(
        self, numbers: int, fact: Fact, sources: Sequence[Source]
    ) -> tuple[int, list[Numbers]]:
        """Return the numbers of which a fact is true, and the others.

        The others are in several sets, where a table tells them apart. `sources` are those of the
        witness. Raises UnclearError, with the sets where they can be told, NotRegularError,
        TooLargeError.
        """
        store = self._store
        if isinstance(fact, Listed):
            return self._split_by_table(numbers, fact, sources)
        if isinstance(fact, Matched):
            try:
                wanted = self._searches.matching(fact.expression)
            except NotRegularError as problem:
                self._split_loosely(numbers, fact, sources, str(problem))
            alike = self.trace(fact.parts, wanted, sources)
            if fact.held:
                return store.both(numbers, alike), [store.without(numbers, alike)]
            return store.without(numbers, alike), [store.both(numbers, alike)]
        empty = self._searches.making(fact.expression, (fact.group,), store.texts([b""]))
        alike = self.trace(fact.parts, empty, sources)
        left = store.both(numbers, alike) if fact.empty else store.without(numbers, alike)
        return left, [store.without(numbers, left)]

    def _split_loosely(
        self, numbers: int, fact: Matched, sources: Sequence[Source], why: str
    ) -> NoReturn:
        """Split numbers by an expression that is not regular: which may match is known at least."""
        store = self._store
        may = self.trace(fact.parts, self._searches.matching(fact.expression, LOOSELY), sources)
        inside, outside = store.both(numbers, may), store.without(numbers, may)
        if not fact.held and store.holds(outside, sources[0].text.encode("latin-1")):
            raise UnclearError("", outside, [inside])
        raise UnclearError(why, inside, [outside])

    def sample(self, numbers: int, facts: Iterable[Fact], sources: Sequence[Source]) -> list[bytes]:
        """Return numbers of a set that may fare otherwise, as facts about one of them tell."""
        regions = [numbers]
        for fact in facts:
            if not isinstance(fact, Matched):
                continue
            for how in (UP_TO, LOOSELY):
                try:
                    wanted = self._searches.matching(fact.expression, how)
                    same = wanted == self._searches.matching(fact.expression, EXACTLY)
                except NotRegularError:
                    same = False
                except TooLargeError:
                    break
                if same:
                    break
                with suppress(UnclearError, NotRegularError, TooLargeError):
                    may = self.trace(fact.parts, wanted, sources)
                    regions.append(self._store.both(numbers, may))
        return list(dict.fromkeys(text for region in regions for text in self._pick(region)))

    def _pick(self, numbers: int) -> Iterator[bytes]:
        """Yield some numbers of a set: the shortest ones, and longer ones."""
        store = self._store
        for at in range(2 * FEW):
            found = store.shortest(numbers)
            if found is None:
                return
            yield found
            known = store.texts([found])
            if at >= FEW:
                known = self._searches.matching(rf"^[^\n]{{0,{len(found)}}}\z")
            numbers = store.without(numbers, known)

    def _split_by_table(
        self, numbers: int, fact: Listed, sources: Sequence[Source]
    ) -> tuple[int, list[Numbers]]:
        store, table = self._store, fact.table
        if fact.parts != (DIALLED,):
            key = _ANY if fact.key is None else fact.key
            alike = self.trace(fact.parts, self._list(table, key), sources)
            inside, outside = store.both(numbers, alike), store.without(numbers, alike)
            return (outside, [inside]) if fact.key is None else (inside, [outside])
        listed = self._list(table, _ANY)
        outside = store.without(numbers, listed)
        split: dict[object, list[bytes]] = {}
        for text in store.walk(store.both(numbers, listed)):
            split.setdefault(table.find(text.decode("latin-1")), []).append(text)
        if fact.key is None:
            return outside, [self._keep(texts) for texts in split.values()]
        left = store.texts(split.pop(fact.key, ()))
        return left, [*map(self._keep, split.values()), outside]

    def _keep(self, texts: list[bytes]) -> Numbers:
        return tuple(texts) if len(texts) <= FEW else self._store.texts(texts)

    def _list(self, table: Table, meaning: object) -> int:
        """Return the texts that a table gives a meaning, or all that are in it."""
        key = (table, meaning)
        if key not in self._listed:
            texts = table.meanings if meaning is _ANY else table.groups[meaning]
            self._listed[key] = self._gather(list(texts), folded=table.folded)
        return self._listed[key]

    def _gather(self, texts: list[str], *, folded: bool) -> int:
        lettered = [text for text in texts if folded and any(map(str.isalpha, text))]
        rest = set(texts).difference(lettered)
        found = self._store.texts(text.encode("latin-1", "replace") for text in rest)
        for text in lettered:
            quoted = "".join(f"\\x{ord(char):02x}" for char in text)
            same = self._searches.matching(f"/^{quoted}\\z/i")
            found = self._store.either(found, same)
        return found

    def trace(self, parts: Parts, wanted: int, sources: Sequence[Source]) -> int:
        """Return the numbers from which a text is made that is in a set.

        Only numbers are meant that make the text in the same manner, as earlier facts tell.
        """
        while parts != (DIALLED,):
            origins = {sources[part][1:3] for part in parts if isinstance(part, int)}
            if len(origins) != 1:
                raise UnclearError("a text is made of several that came from the number")
            ((before, expression),) = origins
            if not expression:
                before, expression = (DIALLED,), _WHOLE
                if sum(part == DIALLED for part in parts) > 1:
                    raise UnclearError("the number stands twice in a text")
                pieces: list[Piece] = [1 if isinstance(part, int) else part for part in parts]
            else:
                pieces = [sources[part].group if isinstance(part, int) else part for part in parts]
            wanted = self._searches.making(expression, pieces, wanted)
            parts = before
        return wanted
