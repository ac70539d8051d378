"""A YAML file as it was read: a plain tree, its source, and where everything in it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from fsgitops.findings import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Value: TypeAlias = str | list["Value"] | dict[str, "Value"] | None
"""What a YAML node becomes: scalars keep their text, only an unquoted null is None."""

Path: TypeAlias = tuple["str | int", ...]
"""The keys and indexes that lead from the top of a document to a value."""


_COLUMNS: Final = 24
"""The bits of a place that are its column: no file that is read has a line of 16 MB."""


def place_of(line: int, column: int) -> int:
    """Return a line and a column, both from 1, as one number: 100,000 items have millions."""
    return line << _COLUMNS | column


@dataclass(slots=True)
class Mark:
    """Where a mapping or a list begins, where its keys do, and what is below it.

    What a merge key or an alias brings in keeps the place where it is written.
    """

    place: int
    keys: dict[str, int]
    children: dict[str, Marks] | list[Marks]

    def child(self, step: str | int) -> Marks | None:
        """Return what is at a key or an index, or None where nothing is."""
        below = self.children
        if isinstance(below, dict):
            return below.get(step) if isinstance(step, str) else None
        return below[step] if isinstance(step, int) and step < len(below) else None


Marks: TypeAlias = "Mark | int"
"""A Mark, or the place of a single value."""


@dataclass(frozen=True)
class Document:
    """One YAML file below the root: `path` is relative to it, with `/`.

    `item_positions` has, for each top-level list, where its items begin. `scan` finds all
    other places; it runs at most once, and only when somebody asks for a position, so that a
    run without findings never pays for it. `marked` says that a byte order mark stands before
    `text`. `bare` says that the tree was dropped: places are all that is left to ask for.
    """

    path: str
    data: dict[str, Value]
    text: bytes = field(repr=False)
    item_positions: Mapping[str, tuple[Position, ...]] = field(default_factory=dict, repr=False)
    scan: Callable[[bytes], Marks] | None = field(default=None, repr=False, compare=False)
    marked: bool = False
    bare: bool = False

    def without_tree(self) -> Document:
        """Return what is enough to say where something stands: a tree is ten times its text."""
        return replace(self, data={}, bare=True)

    def forget_places(self) -> None:
        """Drop what was found of places: the next question goes through the file again."""
        self.__dict__.pop("_marks", None)

    @cached_property
    def _marks(self) -> Marks:
        return self.scan(self.text) if self.scan else place_of(1, 1)

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Return where the value at `path` begins, or with `key` its key in the mapping above.

        Where nothing stands at `path`, the answer is the nearest value above it.
        """
        mark = self._marks
        for number, step in enumerate(path, 1):
            if not isinstance(mark, Mark):
                break
            if key and number == len(path) and step in mark.keys:
                return self._position(mark.keys[str(step)])
            below = mark.child(step)
            if below is None:
                break
            mark = below
        return self._position(mark.place if isinstance(mark, Mark) else mark)

    def _position(self, place: int) -> Position:
        return Position(self.path, place >> _COLUMNS, place & (1 << _COLUMNS) - 1)

    def has(self, path: Path) -> bool:
        """Tell whether the document itself says anything at `path`."""
        if self.bare:
            mark: Marks | None = self._marks
            for step in path:
                mark = mark.child(step) if isinstance(mark, Mark) else None
            return mark is not None
        value: Value = self.data
        for step in path:
            if isinstance(step, str):
                if not isinstance(value, dict) or step not in value:
                    return False
                value = value[step]
            else:
                if not isinstance(value, list) or step >= len(value):
                    return False
                value = value[step]
        return True


NO_SETTINGS = Document("fsgitops.yaml", {}, b"")
"""What stands for the settings file of a project that has none."""


def find_place(
    places: Iterable[tuple[Document, Path]], path: Path, *, key: bool
) -> Position | None:
    """Return where the first of some places says what is at `path` below it, or above that."""
    for length in range(len(path), 0, -1):
        for document, prefix in places:
            candidate = (*prefix, *path[:length])
            if document.has(candidate):
                return document.position(candidate, key=key and length == len(path))
    return None


class Sources:
    """Finds where a field of a declared resource is written, from the place of the resource."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = {document.path: document for document in documents}
        self._indexes: dict[tuple[str, str], dict[Position, int]] = {}

    def locate(self, source: Position, section: str, path: Path, *, key: bool = False) -> Position:
        """Return where `path` of the item of the list `section` that begins at `source` stands.

        With `key`, that is where the field's name stands. A value that came from the file's own
        `defaults` is found there; anything else that the item does not say itself is answered
        with `source`.
        """
        document = self._documents.get(source.file)
        if document is None or not path:
            return source
        index = self._index(document, section).get(source)
        if index is None:
            return source
        prefixes: tuple[Path, ...] = ((section, index), ("defaults", section))
        places = [(document, prefix) for prefix in prefixes]
        return find_place(places, path, key=key) or source

    def leave(self, file: str) -> None:
        """Drop what was found of the places in a file: no other question is about it."""
        if file in self._documents:
            self._documents[file].forget_places()

    def _index(self, document: Document, section: str) -> dict[Position, int]:
        name = (document.path, section)
        if name not in self._indexes:
            places = document.item_positions.get(section, ())
            self._indexes[name] = {place: number for number, place in enumerate(places)}
        return self._indexes[name]
