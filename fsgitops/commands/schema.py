"""`fsgitops schema` and `fsgitops explain`: what may be written, for editors and for people."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from fsgitops.commands.settings_texts import SETTINGS_TEXTS
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = (
    "desired", "settings", "plan", "adopted", "applied", "calls", "credentials", "dial", "doctor",
    "drift", "error", "findings", "fmt", "hangup", "history", "keys", "kick", "lint", "notice",
    "registrations", "released", "revision", "rules", "state", "status", "token", "tokens",
    "transfer",
)  # fmt: skip
"""What is declared, a plan, and every other format that is printed as JSON."""

_TOPS = ("agent", "did", "settings", "plan")


def read_schema(name: str) -> dict[str, Any]:
    """Return one of SCHEMAS as a JSON Schema (draft 7)."""
    if name == "desired":
        from fsgitops.model.schema import desired_schema

        return _put_words(desired_schema())
    if name == "plan":
        from fsgitops.model.schema_plan import plan_schema

        return plan_schema()
    if name != "settings":
        from fsgitops.model.schema_outputs import output_schema

        return output_schema(name)
    return settings_schema()


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of `fsgitops.yaml`; a short name stands for no value anywhere."""
    from fsgitops.model.schema import SCHEMA_DIALECT, desired_schema
    from fsgitops.settings import Settings

    schema = Settings.model_json_schema()
    definitions = schema.pop("$defs", {})
    whole: dict[str, Any] = _inline(schema, definitions)
    whole["patternProperties"] = {"^x-": {"description": "Anchors to refer to."}}
    _describe(whole, "")
    defaults = desired_schema()["properties"]["defaults"]["properties"]
    whole["properties"]["defaults"]["properties"] = defaults
    return _put_words({"$schema": SCHEMA_DIALECT, **whole, "title": "fsgitops: settings"})


def _put_words(schema: dict[str, Any]) -> dict[str, Any]:
    """Say beside every pattern what it means; editors show `patternErrorMessage` to people."""
    from fsgitops.model import desired
    from fsgitops.settings import shapes

    words = {**shapes.IN_WORDS, **desired.IN_WORDS}

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(item) for item in value]
        if not isinstance(value, dict):
            return value
        said = {name: put(item) for name, item in value.items()}
        pattern = value.get("pattern")
        if isinstance(pattern, str) and pattern in words:
            said["patternErrorMessage"] = f"expected {words[pattern]}"
        return said

    return {name: put(item) for name, item in schema.items()}


def _describe(schema: dict[str, Any], path: str) -> None:
    """Put the descriptions of settings in, where they are known."""
    for name, inner in schema.get("properties", {}).items():
        place = f"{path}.{name}".lstrip(".")
        if place in SETTINGS_TEXTS:
            inner["description"], inner["examples"] = SETTINGS_TEXTS[place]
        _describe(inner, place)
        for part in [inner.get("items"), *inner.get("anyOf", ())]:
            if isinstance(part, dict):
                _describe(part, place)
    free = schema.get("additionalProperties")
    for inner in [free, *schema.get("patternProperties", {}).values()]:
        if isinstance(inner, dict):
            _describe(inner, path)


def _inline(value: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema without references, titles and defaults that only say so much again."""
    if isinstance(value, list):
        return [_inline(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        referred = definitions[value["$ref"].rpartition("/")[2]]
        return {**_inline(referred, definitions), **_described(value)}
    kept = {}
    for name, item in value.items():
        if name == "title" and isinstance(item, str):
            continue
        if name == "properties":
            kept[name] = {key: _inline(inner, definitions) for key, inner in item.items()}
        else:
            kept[name] = _inline(item, definitions)
    return kept


def _described(value: dict[str, Any]) -> dict[str, Any]:
    return {name: value[name] for name in ("description",) if name in value}


def explain(path: str) -> list[str]:
    """Return what is known about a kind or a field, as lines.

    `path` is like `agent`, `agent.voicemail.pin`, `did.did_number` or `settings.targets`. Raises
    UsageError for something that does not exist.
    """
    top, *rest = path.split(".")
    if top not in _TOPS:
        raise UsageError(f"nothing is called {top!r}; say one of {', '.join(_TOPS)}, or a field")
    schema, required = _top(top), True
    walked = top
    for name in rest:
        fields = _fields(schema)
        if name not in fields and "" in fields:
            schema, required = fields[""], False
        elif name in fields:
            required = name in _needed(schema)
            schema = fields[name]
        else:
            near = get_close_matches(name, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(fields) or 'none'}"
            raise UsageError(f"`{walked}` has no field {name!r}; {hint}")
        walked += f".{name}"
    return list(_explain(walked, schema, required=required))


def _top(top: str) -> dict[str, Any]:
    if top in ("settings", "plan"):
        return read_schema(top)
    sections = read_schema("desired")["properties"]
    section = sections["agents" if top == "agent" else "did_routes"]
    items: dict[str, Any] = section["items"]
    texts = {"agent": "A SIP extension: somebody's phone.", "did": "A public number's route."}
    return {**items, "description": texts[top]}


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields below, by name; "" stands for any name that a user chooses."""
    for part in _branches(schema):
        if part.get("properties"):
            found: dict[str, dict[str, Any]] = part["properties"]
            return found
        items = part.get("items")
        if isinstance(items, dict) and items.get("properties"):
            return dict(items["properties"])
        for free in ("additionalProperties", "patternProperties"):
            inner = part.get(free)
            if isinstance(inner, dict) and inner:
                return {"": inner if free == "additionalProperties" else next(iter(inner.values()))}
    return {}


def _needed(schema: dict[str, Any]) -> list[str]:
    for part in _branches(schema):
        holder = part if part.get("properties") else part.get("items")
        if isinstance(holder, dict) and holder.get("properties"):
            return list(holder.get("required", []))
    return []


def _branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]


def _explain(path: str, schema: dict[str, Any], *, required: bool) -> Iterator[str]:
    yield f"{path}  {_kind(schema)}{'' if '.' not in path or not required else ', required'}"
    if schema.get("description"):
        yield ""
        yield f"  {' '.join(schema['description'].split())}"
    facts = list(_facts(schema))
    if facts:
        yield ""
        yield from (f"  {name + ':':10} {text}" for name, text in facts)
    fields = _fields(schema)
    if fields:
        yield ""
        yield "Fields:"
        needed = _needed(schema)
        for name, inner in fields.items():
            mark = " *" if name in needed else ""
            text = " ".join(str(inner.get("description", "")).split())
            yield f"  {(name or 'NAME') + mark:24} {_kind(inner):18} {text}".rstrip()
        if needed:
            yield "  (* required)"


def _facts(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "const" in schema:
        yield "always", str(schema["const"])
    values = schema.get("enum")
    if values:
        yield "one of", ", ".join(map(str, values))
    if "default" in schema and schema["default"] not in (None, {}, []):
        default = schema["default"]
        text = ", ".join(default) if isinstance(default, list) else str(default)
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
    if "text" in kinds and len({*kinds} - {"number"}) == 1:
        return "text"
    return " or ".join(kinds) or "anything"
