"""Build values straight from YAML's event stream, so that every scalar keeps its text.

Events come one by one, so nesting is counted here before anything can recurse too deep.
"""

from __future__ import annotations

import re
from typing import NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from fsgitops.findings import Finding, Position, error, quote_value
from fsgitops.model.document import Document, Value
from fsgitops.steps.load.source import describe_syntax_error
from fsgitops.steps.load.stream import MERGE, NULLS, Event, is_plain, new_parser, scan_marks

MAX_DEPTH = 32
"""How deep lists and mappings may nest; what is declared here needs 5 levels."""

MAX_ALIAS_VALUES = 1_000_000
"""How many values all aliases of one file may stand for together."""

MAX_FINDINGS = 100
"""After so many faults a file is not read any further."""

_NO_NAMES = NULLS | MERGE
"""What a key may be that is more than its text; nearly every other is that."""
STR_TAG = "tag:yaml.org,2002:str"
_KNOWN_TAG = re.compile(
    r"!!(python/[a-z_/]+|binary|bool|float|int|map|merge|null|omap|pairs|seq|set|timestamp)"
    r"(:[\w.]+)?"
)


class _RefusedError(Exception):
    """The file cannot be used from here on; it carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class _Builder:
    """Builds the tree of one file, and gathers what is wrong and does not stop the reading."""

    def __init__(self, path: str, data: bytes, findings: list[Finding]) -> None:
        self.path = path
        self.next = new_parser(data).get_event
        self.findings = findings
        self.item_positions: dict[str, tuple[Position, ...]] = {}
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.open_anchors: set[str] = set()
        self.values = 0
        self.alias_values = 0
        self.strings: dict[str, str] = {}

    def build(self) -> dict[str, Value]:
        """Return the one document that says something, or an empty mapping."""
        result: dict[str, Value] | None = None
        while not isinstance(event := self.next(), StreamEndEvent):
            if not isinstance(event, DocumentStartEvent):
                continue
            first = self.next()
            if is_plain(first, NULLS) and first.anchor is None:
                continue
            if result is not None:
                self.stop(
                    first,
                    "several-documents",
                    "a second YAML document begins here; one per file is expected",
                    "Remove the `---` line, or put the second document in a file of its own.",
                )
            self.anchors.clear()
            result = self.top(first)
        return result or {}

    def top(self, first: Event) -> dict[str, Value]:
        if not isinstance(first, MappingStartEvent):
            found = "a list" if isinstance(first, SequenceStartEvent) else "a single value"
            self.stop(
                first,
                "top-level",
                f"the file holds {found}; a mapping is expected",
                "Begin with a key, such as `agents:`, and indent what belongs to it.",
            )
        value = self.value(first, 0)
        assert isinstance(value, dict)
        return value

    def value(self, event: Event, depth: int, starts: list[Position] | None = None) -> Value:
        """Build what `event` begins; `starts` takes the places of a list's items."""
        kind = event.__class__
        if kind is AliasEvent:
            return self.alias(event)
        self.values += 1
        if kind is ScalarEvent:
            return self.scalar(event)
        if depth >= MAX_DEPTH:
            self.stop(
                event,
                "nesting",
                f"lists and mappings nest deeper than {MAX_DEPTH} levels here",
                "Check the indentation and the brackets; nothing declared here nests so deep.",
            )
        if event.tag is not None:
            self.tag(event)
        anchor, before = event.anchor, self.values
        if anchor is not None:
            self.open_anchors.add(anchor)
        is_map = kind is MappingStartEvent
        built: Value = self.mapping(depth) if is_map else self.sequence(depth, starts)
        if anchor is not None:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (built, self.values - before + 1)
        return built

    def scalar(self, event: Event) -> str | None:
        if event.tag is not None and event.tag != STR_TAG:
            self.tag(event)
        text: str | None = None if is_plain(event, NULLS) else event.value
        if event.anchor is not None:
            self.anchors[event.anchor] = (text, 1)
        return text

    def alias(self, event: Event) -> Value:
        name = event.anchor
        if name in self.open_anchors:
            hint = "Write the value out: an alias can only name a value that ends before it."
            message = f"the alias `*{name}` stands inside the very value that it names"
            self.stop(event, "alias-cycle", message, hint)
        if name not in self.anchors:
            # Its name is not shown: a password may begin with an asterisk.
            hint = "Put a value that begins with `*` in quotes, or its anchor (`&…`) above."
            message = "the alias (`*…`) names no anchor above it"
            self.stop(event, "unknown-alias", message, hint)
        value, size = self.anchors[name]
        self.values += size
        self.alias_values += size
        if self.alias_values > MAX_ALIAS_VALUES:
            self.stop(
                event,
                "alias-bomb",
                f"the aliases of this file stand for more than {MAX_ALIAS_VALUES:,} values",
                "Write the values out, or share less with each alias.",
            )
        return value

    def mapping(self, depth: int) -> dict[str, Value]:
        result: dict[str, Value] = {}
        merged: list[dict[str, Value]] = []
        get, intern = self.next, self.strings.setdefault
        while (event := get()).__class__ is not MappingEndEvent:
            self.values += 1
            key: str | None
            if (
                event.__class__ is ScalarEvent
                and event.tag is None
                and event.anchor is None
                and event.value not in _NO_NAMES
            ):
                key = event.value
            elif is_plain(event, MERGE):
                self.merge(get(), depth, merged, event)
                continue
            else:
                key = self.key(event, depth)
            item = get()
            if item.__class__ is ScalarEvent and item.anchor is None and item.tag is None:
                text = item.value
                value: Value = None if text in NULLS and is_plain(item, NULLS) else text
            elif depth == 0 and key is not None and key not in result:
                starts: list[Position] = []
                value = self.value(item, 1, starts)
                self.item_positions[key] = tuple(starts)
            else:
                value = self.value(item, depth + 1)
            if key is not None:
                key = intern(key, key)
                if key in result:
                    message = f"the key {quote_value(key)} is declared again"
                    self.note(event, "duplicate-key", message, "Remove or rename one of them.")
                else:
                    result[key] = value
        for other in merged:
            for key, value in other.items():
                result.setdefault(key, value)
        return result

    def sequence(self, depth: int, starts: list[Position] | None = None) -> list[Value]:
        result: list[Value] = []
        while (event := self.next()).__class__ is not SequenceEndEvent:
            if starts is not None:
                mark = event.start_mark
                starts.append(Position(self.path, mark.line + 1, mark.column + 1))
            result.append(self.value(event, depth + 1))
        return result

    def key(self, event: Event, depth: int) -> str | None:
        """Return the text of a key; None, with a finding, for a key that is not text."""
        if event.__class__ is ScalarEvent and not is_plain(event, NULLS):
            if event.tag is not None or event.anchor is not None:
                self.scalar(event)
            return str(event.value)
        value = self.value(event, depth + 1)
        if isinstance(value, str):
            return value
        found = "empty" if value is None else "a list" if isinstance(value, list) else "a mapping"
        self.note(
            event,
            "key-kind",
            f"this key is {found}; text is expected before the `:`",
            "Write a name there; put it in quotes if it should be an empty text or `~` or `null`.",
        )
        return None

    def merge(self, event: Event, depth: int, merged: list[dict[str, Value]], key: Event) -> None:
        """Take in what a `<<` brings: earlier mappings win, and the mapping's own keys most."""
        value = self.value(event, depth + 1)
        parts = value if isinstance(value, list) else [value]
        maps = [part for part in parts if isinstance(part, dict)]
        if len(maps) != len(parts):
            hint = "Write `<<: *name`, or `<<: [*one, *two]`, with anchors of mappings."
            message = "`<<` merges mappings, and this is not a mapping or a list of mappings"
            # What is missing at the end of a file has a place behind the file's last line.
            missing = value is None and event.start_mark.line > key.end_mark.line
            self.note(key if missing else event, "merge-kind", message, hint)
        if merged:
            hint = "Write one `<<: [*one, *two]`; the first of them wins."
            self.note(key, "duplicate-key", "a second `<<` in the same mapping", hint)
        merged.extend(maps)

    def tag(self, event: Event) -> None:
        name = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        # Any other is not shown: a password may begin with an exclamation mark.
        shown = quote_value(name) if _KNOWN_TAG.fullmatch(name) else "`!…`"
        self.note(
            event,
            "yaml-tag",
            f"the tag {shown} is not allowed; only `!!str` is",
            "Remove the tag: every value is taken as the text that is written.",
        )

    def note(self, event: Event, rule: str, message: str, hint: str) -> None:
        finding = error(rule, _position(self.path, event), message, hint)
        if len(self.findings) >= MAX_FINDINGS:
            raise _RefusedError(finding)
        self.findings.append(finding)

    def stop(self, event: Event, rule: str, message: str, hint: str) -> NoReturn:
        raise _RefusedError(error(rule, _position(self.path, event), message, hint))


def parse_document(path: str, data: bytes) -> tuple[Document | None, list[Finding]]:
    """Parse checked bytes (UTF-8, no byte order mark) into a Document and findings."""
    findings: list[Finding] = []
    try:
        builder = _Builder(path, data, findings)
        tree = builder.build()
    except _RefusedError as refused:
        return None, [*findings, refused.finding]
    except (yaml.YAMLError, ValueError, OverflowError) as problem:
        if (shorter := _before_limit(data, problem)) is not None:
            return parse_document(path, shorter)
        return None, [*findings, describe_syntax_error(path, data, problem)]
    return Document(path, tree, data, builder.item_positions, scan_marks), findings


def _before_limit(data: bytes, problem: Exception) -> bytes | None:
    """Return what stands before a limit of libyaml, which reads ahead of the depth counted here.

    Newer ones stop at 1,000 open brackets before they hand out the first (PyYAML 6.0.4). What is
    left nests far deeper than MAX_DEPTH, and so gets the finding that any deep file gets.
    """
    mark = getattr(problem, "problem_mark", None)
    if mark is None or "maximum nesting depth" not in str(getattr(problem, "problem", "")):
        return None
    shorter = data.decode("utf-8", "replace")[: mark.index].encode()
    return shorter if len(shorter) < len(data) else None


def _position(path: str, event: Event) -> Position:
    return Position(path, event.start_mark.line + 1, event.start_mark.column + 1)


def write_yaml(data: object) -> str:
    """Return JSON values as YAML, in their order."""
    return yaml.safe_dump(data, sort_keys=False)
