"""What an evaluation learns of the dialled number, so that others are known to fare alike.

The number goes through the evaluator dyed: each of its characters is one that stands for a byte and
for where it came from. Whatever looks at dyed text is noted here as a fact, and what a match
captures of it is dyed anew. So a text that comes out tells how it is made from the number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.match import Match, perform
from fsgitops.routing.call.words import DYE, DyedError, is_dyed
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.search import read
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.routing.call.extensions import Contents
    from fsgitops.routing.numbers.program import Program

DIALLED: Final = 0
"""The source that is the number as it was dialled."""
MOST_SOURCES: Final = (0x110000 - DYE) // 256
_RUN: Final = re.compile(rf"[{chr(DYE)}-\U0010ffff]+")

Parts = tuple[bytes | int, ...]
"""A text: bytes that are the same for every number, and sources that stand there whole."""


class Source(NamedTuple):
    """Where dyed text came from: a group of a match, or (no expression) the dialled number.

    With `kin`, it is a run of digits (`group`) of a `member` of the extensions that name a number.
    """

    text: str
    parts: Parts = ()
    expression: str = ""
    group: int = 0
    kin: Kin | None = None
    member: int = 0


class Matched(NamedTuple):
    """A text was held against an expression."""

    parts: Parts
    expression: str
    held: bool


class Captured(NamedTuple):
    """A group of a match was empty, or not."""

    parts: Parts
    expression: str
    group: int
    empty: bool


class Listed(NamedTuple):
    """A text was looked up in a table: which entry it has; None: it is not in there."""

    parts: Parts
    table: Table
    key: object


class Table:
    """Texts, and for each what it means: two with one meaning fare alike.

    Without `folded`, the texts are compared byte by byte.
    """

    def __init__(self, meanings: Mapping[str, object], *, folded: bool = False) -> None:
        self.meanings = meanings
        self.folded = folded
        self.groups: dict[object, list[str]] = {}
        for text, meaning in meanings.items():
            self.groups.setdefault(meaning, []).append(text)

    def find(self, text: str) -> object:
        """Return what a text means."""
        return self.meanings.get(fold(text) if self.folded else text)


class Kin(Table):
    """For each number that extensions of a context name, which ones these are.

    Those that differ in their digits alone (call/mould.py) mean the same.
    """

    def __init__(self, contents: Contents) -> None:
        super().__init__({})
        self.contents = contents

    def find(self, text: str) -> object:
        """Return what names a number; None: nothing does."""
        return tuple(map(self._tell, self.contents.list_taking(text))) or None

    def _tell(self, place: int) -> tuple[object, ...]:
        cast = self.contents.find_cast(place)
        if cast is None:
            return (place,)
        rest = (cast.runs[at] for at in cast.mould.rest)
        return (self.contents.count_others(place), id(cast.mould), *rest)

    def list_runs(self, text: str, member: int) -> tuple[str, ...]:
        """Return the runs of digits of one of those that name a number."""
        cast = self.contents.find_cast(self.contents.list_taking(text)[member])
        return cast.runs if cast else ()


Fact = Matched | Captured | Listed


class Witness:
    """Facts of the evaluation of one number, in the order in which they mattered."""

    def __init__(self, number: str) -> None:
        self.sources = [Source(number)]
        self.facts: dict[Fact, None] = {}
        self.stops: dict[tuple[int, int, str], int] = {}
        """Where searches of contexts stopped, as far as the number alone tells."""
        self._known: dict[Source, int] = {}

    @property
    def number(self) -> str:
        """Return the dialled number, dyed."""
        return self.dye(self.sources[DIALLED].text, DIALLED)

    @staticmethod
    def dye(text: str, source: int) -> str:
        """Return a raw text as it comes from a source."""
        first = DYE + source * 256
        return "".join([chr(first + ord(char)) for char in text])

    @staticmethod
    def plain(text: str) -> str:
        """Return what a text holds for the number that is evaluated."""
        if not is_dyed(text):
            return text
        return "".join([chr(ord(char) & 255) if ord(char) >= DYE else char for char in text])

    def read(self, text: str) -> Parts:
        """Return what a raw text is made of. Raises DyedError as `split`."""
        return tuple(
            [part.encode("latin-1") if isinstance(part, str) else part for part in self.split(text)]
        )

    def split(self, text: str) -> tuple[str | int, ...]:
        """Return what a text is made of: texts that are the same for every number, and sources.

        Raises DyedError where a source does not stand whole.
        """
        parts: list[str | int] = []
        at = 0
        for run in _RUN.finditer(text):
            if run.start() > at:
                parts.append(text[at : run.start()])
            parts += self._split(run[0])
            at = run.end()
        if at < len(text):
            parts.append(text[at:])
        return tuple(parts)

    def _split(self, run: str) -> list[int]:
        sources: list[int] = []
        while run:
            source = (ord(run[0]) - DYE) // 256
            size = len(self.sources[source].text)
            if run[:size] != self.dye(self.sources[source].text, source):
                raise DyedError("a part of it is taken")
            sources.append(source)
            run = run[size:]
        return sources

    def search(self, field: str, expression: str) -> Match | None:
        """Hold a text against an expression, and note it. Raises TooManyStepsError, DyedError."""
        if is_dyed(expression):
            raise DyedError("an expression is made from it")
        if not is_dyed(field):
            return perform(field, expression)
        parts = self.read(field)
        found = perform(self.plain(field), expression)
        self.facts[Matched(parts, expression, found is not None)] = None
        if found is None:
            return None
        groups = [
            self._dye_group(field, parts, expression, group, text)
            for group, text in enumerate(found.groups)
        ]
        return Match(tuple(groups), found.reach)

    def _dye_group(
        self, field: str, parts: Parts, expression: str, group: int, text: str | None
    ) -> str | None:
        program = _read(expression)
        if program is not None and program.offsets.get(group) == 0:
            return field
        if group:
            self.facts[Captured(parts, expression, group, not text)] = None
        if not text:
            return text
        return self.dye_from(Source(text, parts, expression, group))

    def dye_from(self, source: Source) -> str:
        """Return the text of a source as it comes from there."""
        if source not in self._known:
            if len(self.sources) >= MOST_SOURCES:
                raise DyedError("too much is captured of it")
            self._known[source] = len(self.sources)
            self.sources.append(source)
        return self.dye(source.text, self._known[source])

    def holder(self, field: str) -> Callable[[str], bool]:
        """Return what tells whether a text matches an expression, and notes it."""
        plain, facts = self.plain(field), self.facts
        parts = self.read(field) if is_dyed(field) else ()

        def hold(expression: str) -> bool:
            held = perform(plain, expression) is not None
            if parts:
                facts[Matched(parts, expression, held)] = None
            return held

        return hold

    def look_up(self, text: str, table: Table) -> object:
        """Return what a text means in a table, and note it. Raises DyedError."""
        meaning = table.find(self.plain(text))
        if is_dyed(text):
            self.facts[Listed(self.read(text), table, meaning)] = None
        return meaning

    def tell(self, text: str) -> str:
        """Return a text in terms of the dialled number, in `<>` where that is a part of a word."""
        return _RUN.sub(self._tell_run, text)

    def _tell_run(self, run: re.Match[str]) -> str:
        try:
            told = [self._tell_source(source) for source in self._split(run[0])]
        except DyedError:
            told = ["a part of the number dialled"]
        around = run.string[run.start() - 1 : run.start()] + run.string[run.end() : run.end() + 1]
        alone = len(told) == 1 and not around.strip(" ,")
        return told[0] if alone else "".join(f"<{item}>" for item in told)

    def _tell_source(self, source: int) -> str:
        if source == DIALLED:
            return "the number dialled"
        found = self.sources[source]
        if found.kin is not None:
            return found.text
        program = _read(found.expression)
        left = program.offsets.get(found.group) if program else None
        if left and found.parts == (DIALLED,):
            many = f"{left} characters" if left > 1 else "character"
            return f"the number dialled without its first {many}"
        return f"${found.group} of {found.expression}"


def _read(expression: str) -> Program | None:
    try:
        return read(expression)
    except NotRegularError:
        return None
