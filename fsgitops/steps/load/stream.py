"""YAML's event stream, and where everything stands in it.

The parser is libyaml's where PyYAML has it, and PyYAML's own otherwise.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from fsgitops.model.document import Mark, Marks, place_of

CParser: Any
try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined,no-redef,unused-ignore]
except ImportError:  # PyYAML was built without libyaml
    CParser = None

NULLS = frozenset({"", "~", "null"})
MERGE = frozenset({"<<"})
_PLAIN = frozenset({"", None})

Event: TypeAlias = Any


class _PureParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's own parser without its loader, for where libyaml is missing."""

    def __init__(self, stream: bytes) -> None:
        yaml.reader.Reader.__init__(self, stream)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


def new_parser(data: bytes) -> Any:
    """Return what hands out the events of a file, with `get_event`."""
    return (CParser or _PureParser)(data)


def is_plain(event: Event, words: frozenset[str]) -> bool:
    """Tell whether one of these words stands there, with nothing that makes it a text."""
    return (
        event.__class__ is ScalarEvent
        and event.value in words
        and event.style in _PLAIN
        and event.tag is None
    )


class _Marker:
    """Goes through a file that was built without being stopped, and notes where things begin."""

    def __init__(self, data: bytes) -> None:
        self.next = new_parser(data).get_event
        self.anchors: dict[str, Marks] = {}
        self.names: dict[str, str] = {}
        """The texts that have anchors: an alias to one may be a key."""

    def scan(self) -> Marks:
        while not isinstance(event := self.next(), StreamEndEvent):
            if isinstance(event, MappingStartEvent):
                return self.mark(event)
        return place_of(1, 1)

    def mark(self, event: Event) -> Marks:
        kind, start = event.__class__, event.start_mark
        here = place_of(start.line + 1, start.column + 1)
        mark: Marks = here
        if kind is AliasEvent:
            meant = self.anchors[event.anchor]
            return Mark(here, meant.keys, meant.children) if isinstance(meant, Mark) else here
        if kind is MappingStartEvent:
            mark = self.mapping(here)
        elif kind is SequenceStartEvent:
            items = []
            while (item := self.next()).__class__ is not SequenceEndEvent:
                items.append(self.mark(item))
            mark = Mark(here, {}, items)
        if event.anchor is not None:
            self.anchors[event.anchor] = mark
            if kind is ScalarEvent and not is_plain(event, NULLS):
                self.names[event.anchor] = event.value
            else:
                self.names.pop(event.anchor, None)
        return mark

    def mapping(self, here: int) -> Mark:
        keys: dict[str, int] = {}
        children: dict[str, Marks] = {}
        merged: list[Marks] = []
        while (event := self.next()).__class__ is not MappingEndEvent:
            key = self.mark(event)
            # Before the value is read: it may give the anchor to something else.
            name = self.name(event)
            value = self.mark(self.next())
            if is_plain(event, MERGE):
                listed = isinstance(value, Mark) and value.children
                merged += listed if isinstance(listed, list) else [value]
                continue
            if name is not None and name not in keys:
                keys[name] = key if isinstance(key, int) else key.place
                children[name] = value
        for other in merged:
            if isinstance(other, Mark) and isinstance(other.children, dict):
                for name, child in other.children.items():
                    if name not in keys:
                        keys[name], children[name] = other.keys[name], child
        return Mark(here, keys, children)

    def name(self, event: Event) -> str | None:
        """Return the text that a key is, or None for one that is none."""
        if event.__class__ is ScalarEvent:
            return None if is_plain(event, NULLS) else str(event.value)
        return self.names.get(event.anchor or "") if event.__class__ is AliasEvent else None


def scan_marks(data: bytes) -> Marks:
    """Return where everything stands in a file that `parse_document` made a Document of."""
    return _Marker(data).scan()


def find_literals(data: bytes) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where quoted and block scalars begin and end (line and column, both from 1).

    A `#` inside one of them begins no comment. `data` is a file that `parse_document` took.
    """
    get = new_parser(data).get_event
    found = []
    while (event := get()).__class__ is not StreamEndEvent:
        if event.__class__ is ScalarEvent and event.style not in _PLAIN:
            start: Any = event.start_mark
            end: Any = event.end_mark
            found.append(((start.line + 1, start.column + 1), (end.line + 1, end.column + 1)))
    return found
