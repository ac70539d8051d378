"""What a new resource says: of 100,000, nobody is shown the most, and all are in a fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quote
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, overload

from fsgitops.model.plan import (
    HASH_LENGTH,
    MASK,
    SECRET_WORDS,
    AttributeChange,
    compare_attribute,
    is_secret,
    is_secret_attribute,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Span: TypeAlias = tuple[int, int]

_BETWEEN: Final = "\x1f"
_ESCAPED: Final = r"\u001f"
_NAMED: Final = "\0"
"""Stands for the first value in the name of an attribute."""
_DECIDING: Final = ("param", "variable", "user")
"""What a first value may hold that decides whether an attribute named after it is a secret."""


class _Frame(NamedTuple):
    """What is encoded of every resource of one shape: texts, with a gap for each value between."""

    texts: list[str]
    shown: Callable[[Sequence[str]], tuple[str, ...]]


class Outline:
    """What resources of one shape say, in order: each key with its value, or the number of one.

    Where it is `named`, all keys go by the first value, which is a word: they are kept without it.
    """

    __slots__ = ("_frame", "_items", "named")

    def __init__(self, items: Iterable[tuple[str, int | str]], *, named: bool = False) -> None:
        self._items = tuple(items)
        self.named = named
        self._frame: _Frame | None = None

    def pairs(self, values: Sequence[str]) -> list[tuple[str, str]]:
        """Return the keys and values of one resource, which has these values."""
        name = values[0] if self.named else ""
        return [(name + key, at if isinstance(at, str) else values[at]) for key, at in self._items]

    def encode(self, values: Sequence[str]) -> str:
        """Return what `json.dumps` makes of it as attributes, without blanks, with sorted keys."""
        return self._fill(values) or _encode(self.pairs(values))

    def _fill(self, values: Sequence[str]) -> str:
        """Return the same of values that are no secrets themselves; "" where that is not sure."""
        frame = self._frame = self._frame or self._make_frame()
        shown = frame.shown(values)
        joined = _BETWEEN.join(shown)
        if _ESCAPED in joined or HASH_LENGTH in map(len, shown) or _may_assign(joined):
            return ""
        name = values[0] if self.named else ""
        if name[:1] == "X" or any(word in name.lower() for word in _DECIDING):
            return ""
        quoted = quote(joined)[1:-1].split(_ESCAPED)
        if not shown or len(quoted) > len(shown):
            return ""
        filled = frame.texts.copy()
        filled[1::2] = quoted
        return "".join(filled).replace(_NAMED, name)

    def _make_frame(self) -> _Frame:
        texts, holes, text = list[str](), list[int](), "["
        for number, (key, at) in enumerate(self._items):
            told = f'"{_NAMED}{quote(key)[1:]}' if self.named else quote(key)
            name = f"name{key}" if self.named else key
            hidden = is_secret_attribute(name) if isinstance(at, int) else is_secret(name, at)
            text += ',{"after":"' if number else '{"after":"'
            if isinstance(at, int) and not hidden:
                if name.startswith("X"):  # what a line of the preprocessor does, its value decides
                    return _Frame([], pick(()))
                texts.append(text)
                holes.append(at)
                text = ""
            else:
                text += MASK if hidden else quote(str(at))[1:-1]
            text += f'","before":null,"name":{told},"secret":{"true" if hidden else "false"}}}'
        texts.append(f"{text}]")
        gaps = [""] * (2 * len(texts) - 1)
        gaps[::2] = texts
        return _Frame(gaps, pick(holes))


def pick(numbers: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what picks the items of these numbers."""
    if len(numbers) > 1:
        return itemgetter(*numbers)
    return lambda items: tuple(items[at] for at in numbers)


def _may_assign(text: str) -> bool:
    """Tell whether there may be an assignment to a name that tells of a secret in a text."""
    if "=" not in text:
        return False
    lower = text.lower()
    return not text.isascii() or any(word in lower for word in SECRET_WORDS)


def _encode(pairs: Iterable[tuple[str, str]]) -> str:
    texts = []
    for name, value in pairs:
        hidden = is_secret(name, value)
        after = f'"{MASK}"' if hidden else quote(value)
        told = f'"before":null,"name":{quote(name)},"secret":{"true" if hidden else "false"}'
        texts.append(f'{{"after":{after},{told}}}')
    return f"[{','.join(texts)}]"


Read: TypeAlias = "Callable[[bytes, Span | None], tuple[Outline, Sequence[str]]]"
"""Reads a file, or a part of it: what resources of its shape say, and its values."""


class Created(Sequence[AttributeChange]):
    """What a new resource says, read when it is asked for."""

    __slots__ = ("_content", "_read", "_span")

    def __init__(self, read: Read, content: bytes, span: Span | None = None) -> None:
        self._read = read
        self._content = content
        self._span = span

    def __iter__(self) -> Iterator[AttributeChange]:
        outline, values = self._read(self._content, self._span)
        return (compare_attribute(name, None, value) for name, value in outline.pairs(values))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    @overload
    def __getitem__(self, at: int) -> AttributeChange: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[AttributeChange, ...]: ...
    def __getitem__(self, at: int | slice) -> AttributeChange | tuple[AttributeChange, ...]:
        return tuple(self)[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def encode(self) -> str:
        """Return what `json.dumps` makes of all of them, without blanks and with sorted keys."""
        outline, values = self._read(self._content, self._span)
        return outline.encode(values)
