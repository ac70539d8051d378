"""A file that a kind asks for, as data: to render, prove and mask it is the compiler's work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from fsgitops.model.document import Path

Leaf: TypeAlias = "str | Mapping[str, Leaf] | Sequence[Leaf]"
"""A text, or texts by name or in order. The names and the lengths are the shape of a draft."""

Elements: TypeAlias = Sequence[tuple[tuple[str, ...], Mapping[str, str]]]
"""The elements of a rendering, in order: each path of tags, and its attributes."""

Choice: TypeAlias = str | bool | int


class Global(str):
    """A text in which `$${name}` may stand: what FreeSWITCH's preprocessor knows by that name."""

    __slots__ = ()


class DraftError(Exception):
    """A resource must not be written; `reasons` has a sentence for each thing in its way."""

    def __init__(self, reasons: Sequence[str], hint: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)
        self.hint = hint


def ask_nothing(_elements: Elements, _values: Mapping[str, Leaf]) -> list[str]:
    """Prove nothing beyond what is asked of every file."""
    return []


@dataclass(frozen=True, slots=True)
class Templates:
    """Template name -> source text, and the file that each was read from, for messages."""

    sources: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)

    def file(self, name: str) -> str:
        """Return the file to name in a message about the template `name`."""
        return self.files.get(name, f"templates/{name}")


class Draft(NamedTuple):
    """One file that a kind asks for.

    Attributes:
        path: Where it goes, below the conf directory.
        template: What it is made with.
        values: Texts that may be anything. Each must come out of the template unaltered, in an
            attribute; a template that decides on one is refused. Names in them are declared or
            fixed, and safe as they are.
        choices: Words of a closed set, on which a template may decide. Each combination that
            occurs is proved on its own, so there must be few.
        hidden: The values that are secret, by their paths.
        prove: Says what is wrong with the elements that the template makes of made-up words, which
            it is given in the shape of `values`.
        frame: What stands before and behind all that lies in the file, where its resources share
            an element around them: names in it are fixed, or made of digits.
        dialled: The numbers that an expression of it has to match.
    """

    path: str
    template: str
    values: Mapping[str, Leaf]
    choices: Mapping[str, Choice] = MappingProxyType({})
    hidden: frozenset[Path] = frozenset()
    prove: Callable[[Elements, Mapping[str, Leaf]], list[str]] = ask_nothing
    frame: tuple[str, str] = ("", "")
    dialled: tuple[str, ...] = ()

    def read(self) -> tuple[Hashable, list[str]]:
        """Return what a template may decide on, and the texts in the values, in order.

        Drafts of one shape differ in texts alone.
        """
        found: list[str] = []
        return (_read(self.values, found), tuple(self.choices.items())), found


def _read(leaf: Leaf, found: list[str]) -> Hashable:
    """Add the texts in a leaf to those found; return its names and lengths, None for a text."""
    if isinstance(leaf, str):
        found.append(leaf)
        return None
    names: Iterable[Hashable] = (len(leaf),)
    items: Collection[Any] = leaf
    if type(leaf) is dict or isinstance(leaf, Mapping):
        names, items = leaf, leaf.values()
    if _TEXTS.issuperset(map(type, items)):
        found += items
        return (*names,)
    return (*names, None, *[_read(item, found) for item in items])


_TEXTS: Final = frozenset((str, Global))


def texts_of(leaf: Leaf) -> list[str]:
    """Return the texts in a leaf, in order."""
    found: list[str] = []
    _read(leaf, found)
    return found


def paths_of(leaf: Leaf, above: Path = ()) -> Iterator[Path]:
    """Yield the path of each text in a leaf, in order."""
    if isinstance(leaf, str):
        yield above
        return
    for step, item in leaf.items() if isinstance(leaf, Mapping) else enumerate(leaf):
        yield from paths_of(item, (*above, step))


def refill(leaf: Leaf, words: Iterator[str]) -> Leaf:
    """Return a leaf of the same shape, with the next word in the place of each text."""
    if isinstance(leaf, str):
        return next(words)
    if isinstance(leaf, Mapping):
        return {name: refill(item, words) for name, item in leaf.items()}
    return [refill(item, words) for item in leaf]
