"""`fsgitops schema` and `fsgitops explain`: what may be written, for editors and for people."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsgitops.model.kind import Kinds

SCHEMAS = (
    "desired", "settings", "plan", "adopted", "applied", "calls", "credentials", "dial", "doctor",
    "drift", "error", "findings", "fmt", "get", "graph", "hangup", "history", "import", "keys",
    "kick", "layout", "lint", "list", "notice", "numbers", "registrations", "released", "revision",
    "rules", "state", "status", "tests", "token", "tokens", "trace", "transfer",
)  # fmt: skip
"""What is declared, a plan, and every other format that is printed as JSON."""


@cache
def read_schema(name: str, kinds: Kinds) -> dict[str, Any]:
    """Return one of SCHEMAS as a JSON Schema (draft 7), made once: not to be changed.

    `kinds` are those that may be declared.
    """
    if name == "desired":
        from fsgitops.model.schema import desired_schema

        return _put_words(desired_schema(kinds))
    if name == "settings":
        return settings_schema(kinds)
    from fsgitops.commands.schema_outputs import output_schema

    found = output_schema(name)
    return _count_kinds(found, kinds) if name == "findings" else found


def _count_kinds(schema: dict[str, Any], kinds: Kinds) -> dict[str, Any]:
    """Put in how many resources of each kind are declared, behind whether they are valid."""
    from fsgitops.schema_parts import count

    said = list(schema["properties"].items())
    at = 1 + list(schema["properties"]).index("valid")
    counts = [(section, count("How many are declared.")) for section in kinds.sections()]
    properties = dict([*said[:at], *counts, *said[at:]])
    return {**schema, "properties": properties, "required": list(properties)}


def settings_schema(kinds: Kinds) -> dict[str, Any]:
    """Return the JSON Schema of `fsgitops.yaml`; a short name stands for no value anywhere."""
    from fsgitops.model.schema import desired_schema
    from fsgitops.schema_parts import DIALECT
    from fsgitops.settings.shapes import Settings

    schema = Settings.model_json_schema()
    definitions = schema.pop("$defs", {})
    whole: dict[str, Any] = _inline(schema, definitions)
    whole["patternProperties"] = {"^x-": {"description": "Anchors to refer to."}}
    _describe(whole, "")
    defaults = desired_schema(kinds)["properties"]["defaults"]
    whole["properties"]["defaults"] = {
        "additionalProperties": False,
        "description": "Fields that declared resources leave out; the same names as in the desired "
        "files.",
        "properties": defaults["properties"],
        "type": "object",
    }
    return _put_words({"$schema": DIALECT, **whole, "title": "fsgitops: settings"})


def _put_words(schema: dict[str, Any]) -> dict[str, Any]:
    """Say beside every pattern what it means; editors show `patternErrorMessage` to people."""
    from fsgitops.expectation import noun as expectation
    from fsgitops.model import fields
    from fsgitops.settings import shapes

    words = {**shapes.IN_WORDS, **fields.IN_WORDS, **expectation.IN_WORDS}

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
    from fsgitops.settings.texts import SETTINGS_TEXTS

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
        described = {"description": value["description"]} if "description" in value else {}
        return {**_inline(referred, definitions), **described}
    kept = {}
    for name, item in value.items():
        if name == "title" and isinstance(item, str):
            continue
        if name == "properties":
            kept[name] = {key: _inline(inner, definitions) for key, inner in item.items()}
        else:
            kept[name] = _inline(item, definitions)
    return kept
