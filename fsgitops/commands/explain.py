"""`fsgitops explain`: what a kind, a field, an output or a rule is, in words."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from fsgitops.commands.schema import SCHEMAS, read_schema
from fsgitops.console.stream import draw_lines, wrap
from fsgitops.errors import UsageError
from fsgitops.expectation import READABLE
from fsgitops.rules.told import TOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsgitops.commands.validate import RuleState
    from fsgitops.model.kind import Kinds

ALIASES = {
    "setting": "settings",
    "config": "settings",
    "fsgitops.yaml": "settings",
    "target": "settings.targets",
    "plans": "plan",
}
"""Other words that people use, and what they mean."""


class _Known:
    """What can be explained, for the kinds that there are."""

    def __init__(self, kinds: Kinds) -> None:
        self.kinds = kinds
        self.declared = (*kinds, "settings")
        """Where a field that is named alone is looked for."""
        others = (name for name in SCHEMAS if name not in ("desired", "settings"))
        self.tops = (*self.declared, *others)
        also = {
            word: kind.word
            for kind in kinds.values()
            for word in (kind.section, *kind.aliases, *kind.also)
        }
        self.aliases = {**also, **ALIASES}

    def top(self, name: str) -> dict[str, Any]:
        """Return the schema of one of `tops`."""
        kind = self.kinds.get(name)
        if kind is None:
            return read_schema(name, self.kinds)
        section = read_schema("desired", self.kinds)["properties"][kind.section]
        return {**section["items"], "description": kind.about}

    def spell(self, words: str) -> str:
        """Return a path as it is spelt here, with the kind's own word."""
        first, dot, rest = words.partition(".")
        first = _fold(first)
        return self.aliases.get(first, first) + dot + rest


def explain(
    path: str,
    *,
    kinds: Kinds = READABLE,
    width: int | None = None,
    rules: Callable[[], Sequence[RuleState]] = lambda: (),
) -> list[str]:
    """Return what is known about a kind, a field, an output, a rule or a finding, as lines.

    `path` is like `agent`, `agents.voicemail.pin`, `caller_id_number`, `settings.targets` or
    `unknown-destination`, where hyphens and underscores are the same; `rules` gives the rules,
    where they are needed; lines are wrapped at `width` columns. Raises UsageError for something
    that does not exist.
    """
    known = _Known(kinds)
    words = path.strip().lower().replace(" ", ".")
    words = words.removeprefix("[").removesuffix("]")
    for rule in rules() if "-" in words else ():
        if rule.name == words:
            return list(_explain_rule(rule, width))
    top, *rest = (known.aliases.get(words) or known.spell(words)).split(".")
    if top in known.tops:
        return list(_find(known, top, rest, width))
    found = [
        line
        for kind in known.declared
        if top in _fields(known.top(kind))
        for line in ["", *_find(known, kind, [top, *rest], width)]
    ]
    if found:
        return found[1:]
    for rule in rules():
        if _fold(rule.name) == _fold(words):
            return list(_explain_rule(rule, width))
    for name, about in TOLD.items():
        if _fold(name) == _fold(words):
            text = f"{name}  a finding of no rule that has a level"
            return [text, "", *wrap(f"  {about}", width, hang=2)]
    raise UsageError(_unknown(known, words, [rule.name for rule in rules()]))


def list_names(kinds: Kinds) -> list[str]:
    """Return everything that can be explained, but for rules: kinds, their fields, findings."""
    known = _Known(kinds)
    found = list(known.tops)
    for kind in known.declared:
        pending = [(kind, known.top(kind))]
        while pending:
            walked, schema = pending.pop()
            for name, inner in _fields(schema).items():
                if name:
                    found.append(f"{walked}.{name}")
                    pending.append((found[-1], inner))
    return [*found, *TOLD]


def _fold(name: str) -> str:
    return name.replace("-", "_")


def _unknown(known: _Known, word: str, rules: Sequence[str]) -> str:
    fields = (name for kind in known.declared for name in _fields(known.top(kind)))
    names = [*known.tops, *fields, *rules, *TOLD]
    near = get_close_matches(word, names, n=1) or get_close_matches(known.spell(word), names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    tops = ", ".join(known.tops[: len(known.declared) + 1])
    return f"nothing is called {word!r}; {hint}say one of {tops}, a field, a rule or a finding"


def _find(known: _Known, top: str, rest: Sequence[str], width: int | None) -> Iterator[str]:
    schema, required = known.top(top), True
    walked = top
    for word in rest:
        fields = _fields(schema)
        spelt = {_fold(field): field for field in fields if field}
        near = (_fold(word), _fold(word).removesuffix("s"), f"{_fold(word)}s")
        name = next((spelt[one] for one in near if one in spelt), word)
        if name in fields:
            required = name in _needed(schema)
            schema = fields[name]
        elif "" in fields:
            name, schema, required = word, fields[""], False
        else:
            meant = get_close_matches(_fold(word), spelt, n=1)
            others = f"known: {', '.join(fields) or 'none'}"
            hint = f"did you mean {spelt[meant[0]]!r}?" if meant else others
            raise UsageError(f"`{walked}` has no field {word!r}; {hint}")
        walked += f".{name}"
    yield from _explain(walked, schema, width, required=required)


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields below, by name; "" stands for any name that a user chooses."""
    if properties := _holder(schema).get("properties"):
        return dict(properties)
    for part in _branches(schema):
        for free in ("additionalProperties", "patternProperties"):
            inner = part.get(free)
            if isinstance(inner, dict) and inner:
                return {"": inner if free == "additionalProperties" else next(iter(inner.values()))}
    return {}


def _needed(schema: dict[str, Any]) -> list[str]:
    return list(_holder(schema).get("required", ()))


def _holder(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the mapping with named fields that is there, or of which there is a list."""
    for part in _branches(schema):
        for found in (part, *_branches(part.get("items", {}))):
            if found.get("properties"):
                return found
    return {}


def _branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]


def _explain(
    path: str, schema: dict[str, Any], width: int | None, *, required: bool
) -> Iterator[str]:
    yield f"{path}  {_kind(schema)}{'' if '.' not in path or not required else ', required'}"
    if schema.get("description"):
        yield ""
        yield from wrap(f"  {' '.join(schema['description'].split())}", width, hang=2)
    facts = list(_facts(schema))
    if facts:
        yield ""
        for name, text in facts:
            yield from wrap(f"  {name + ':':12} {text}", width, hang=15)
    fields = _fields(schema)
    if fields:
        yield ""
        yield from _list_fields(fields, _needed(schema), width)


def _list_fields(
    fields: dict[str, dict[str, Any]], needed: Sequence[str], width: int | None
) -> Iterator[str]:
    rows = [
        [
            f"  {name or 'NAME'}{' *' if name in needed else ''}",
            _kind(inner),
            " ".join(str(inner.get("description", "")).split()),
        ]
        for name, inner in fields.items()
    ]
    yield from draw_lines(("Fields:", "", ""), rows, width=width)
    if needed:
        yield "  (* required)"


def _explain_rule(rule: RuleState, width: int | None) -> Iterator[str]:
    yield f"{rule.name}  rule, {rule.level}{' (fixed)' if rule.fixed else ''}"
    yield ""
    yield from wrap(f"  {rule.description}", width, hang=2)
    if rule.fixed:
        return
    yield ""
    told = (
        ("level:", f"`rules: {{{rule.name}: error}}` in fsgitops.yaml (or warning, or off)"),
        ("on one line:", f"# fsgitops: ignore[{rule.name}] because it says why"),
    )
    for name, text in told:
        yield from wrap(f"  {name:12} {text}", width, hang=15)


def _facts(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "const" in schema:
        yield "always", str(schema["const"])
    values = schema.get("enum")
    if values:
        yield "one of", ", ".join(map(str, values))
    if "default" in schema and schema["default"] not in (None, {}, []):
        default = schema["default"]
        text = ", ".join(map(str, default)) if isinstance(default, list) else str(default)
        yield "default", text.lower() if isinstance(default, bool) else text
    for part in _branches(schema):
        if part.get("patternErrorMessage"):
            yield "must be", part["patternErrorMessage"].removeprefix("expected ")
        elif part.get("pattern"):
            yield "pattern", part["pattern"]
        if "minimum" in part:
            yield "at least", str(part["minimum"])
        if "maximum" in part:
            yield "at most", str(part["maximum"])
    if schema.get("examples"):
        yield "for example", " | ".join(_show(item) for item in schema["examples"])


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_show(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_show(item)}" for key, item in value.items()) + "}"
    return str(value)


def _kind(schema: dict[str, Any]) -> str:
    names = {"string": "text", "boolean": "true or false", "integer": "number", "array": "list",
             "object": "mapping", "number": "number", "null": "nothing"}  # fmt: skip
    if "enum" in schema or "const" in schema:
        return "word"
    kinds: dict[str, None] = {}
    for part in _branches(schema):
        declared = part.get("type", [])
        for name in [declared] if isinstance(declared, str) else declared:
            kinds[names[name]] = None
    kinds.pop("nothing", None)
    if "text" in kinds:
        kinds.pop("number", None)  # an editor reads a number where fsgitops keeps the text
    return " or ".join(kinds) or "anything"
