"""The changes as numbers into one table of strings: ten thousand of them stay a small page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fsgitops.model.review import Contents, list_changes, name_change, tell_source, word_change
from fsgitops.model.wording import label_attribute, show_side
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.model.plan import AttributeChange, Change
    from fsgitops.model.review import Review

_ACTIONS = {"create": 0, "update": 1, "delete": 2, "rename": 3}
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_NONE = Contents()

Row = list[int | list[int]]


def rows_to_json(review: Review) -> str:
    """Return the page's data as JSON that holds no character of HTML markup.

    A change is: action, kind, name, path, source, drifted, its attributes (label, before, after,
    ...), its live lines, its compiled lines. All but the first two and `drifted` are numbers of
    strings; -1 is none.
    """
    strings = _Strings()
    changes = list_changes(review.plan) if review.plan else []
    kinds = sorted({str(change.resource.kind) for change in changes})
    numbers = {kind: number for number, kind in enumerate(kinds)}
    rows = [_row(change, numbers, strings, review) for change in changes]
    data = {"kinds": kinds, "changes": rows, "strings": list(strings.numbers)}
    text = json.dumps(data, separators=(",", ":"))
    for char, escaped in _UNSAFE.items():
        text = text.replace(char, escaped)
    return text


class _Strings:
    """Each string once, with its number. What cannot be printed is made visible."""

    __slots__ = ("numbers", "raw")

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.raw: dict[str, int] = {}

    def add(self, text: str) -> int:
        number = self.raw.get(text)
        if number is None:
            number = self.raw[text] = self.add_shown(make_visible(text))
        return number

    def add_shown(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def add_lines(self, lines: Iterable[str]) -> list[int]:
        return [self.add(line) for line in lines]


def _row(change: Change, kinds: dict[str, int], strings: _Strings, review: Review) -> Row:
    contents = review.contents.get((change.path, change.resource), _NONE)
    return [
        _ACTIONS[word_change(change)],
        kinds[str(change.resource.kind)],
        strings.add(name_change(change).partition(" ")[2]),
        strings.add(change.path),
        strings.add(tell_source(change)),
        int(change.drifted),
        _attributes(change.attributes, strings),
        strings.add_lines(contents.live),
        strings.add_lines(contents.compiled),
    ]


def _attributes(attributes: Iterable[AttributeChange], strings: _Strings) -> list[int]:
    flat: list[int] = []
    for item in attributes:
        flat.append(strings.add_shown(label_attribute(item.name)))
        for after, value in ((False, item.before), (True, item.after)):
            shown = -1 if value is None else strings.add_shown(show_side(item, after=after))
            flat.append(shown)
    return flat
