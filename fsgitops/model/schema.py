"""The JSON Schema of desired files, for editors: what they may hold, told while typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsgitops.model.fields import ALONE, WRITTEN
from fsgitops.schema_parts import DIALECT

if TYPE_CHECKING:
    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun

_BOUNDS = ("minimum", "maximum", "minItems", "maxItems")


def desired_schema(kinds: Kinds) -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of one desired file.

    Editors read `1020` as a number where fsgitops keeps the text, so text fields admit numbers;
    the rules that need the whole project are `fsgitops validate`'s.
    """
    *titles, last = (f"{kind.told}s" for kind in kinds.values())
    items = {kind.section: _item(kind.noun) for kind in kinds.values()}
    return {
        "$schema": DIALECT,
        "title": f"fsgitops: {', '.join(titles)} and {last}",
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {"^x-": {"description": "Anchors to refer to; not read otherwise."}},
        "properties": {
            **{
                kind.section: {
                    "type": "array",
                    "items": items[kind.section],
                    "description": kind.lists,
                }
                for kind in kinds.values()
            },
            "defaults": {
                "type": "object",
                "description": "Fields that this file's items leave out.",
                "additionalProperties": False,
                "properties": {
                    section: {
                        **item,
                        "required": [],
                        "description": "Fields that this file's items leave out.",
                    }
                    for section, item in items.items()
                },
            },
        },
    }


def _item(noun: type[Noun]) -> dict[str, Any]:
    schema = noun.model_json_schema()
    definitions = schema.pop("$defs", {})
    properties = {
        field: {**_field(value, definitions), "examples": value.get("examples", [])}
        for field, value in schema["properties"].items()
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": schema.get("required", []),
        "properties": properties,
    }


def _field(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        **_loosen(schema, definitions),
        **{bound: schema[bound] for bound in _BOUNDS if bound in schema},
        **_default(schema),
        "description": schema.get("description", ""),
        **({"examples": schema["examples"]} if schema.get("examples") else {}),
    }


def _default(schema: dict[str, Any]) -> dict[str, Any]:
    default = schema.get("default")
    return {} if default in (None, {}, []) or "$ref" in schema else {"default": default}


def _loosen(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Say the same of what people write as the model says of what it became."""
    if "$ref" in schema:
        return _loosen_part(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "oneOf" in schema:
        return {"oneOf": schema["oneOf"]}
    if "anyOf" in schema:
        return {"anyOf": [_loosen(item, definitions) for item in schema["anyOf"]]}
    if "enum" in schema:
        return {"enum": schema["enum"]}
    if schema.get("type") == "string":
        pattern = schema.get(WRITTEN) or schema.get("pattern", "")
        kept = {"pattern": pattern} if pattern and "\\+" not in pattern else {}
        return {"type": ["string", "number"], **kept}
    if "$ref" in schema.get("items", {}):
        items = _loosen(schema["items"], definitions)
        listed = {"type": "array", "items": items}
        return {"oneOf": [items, listed]} if schema.get(ALONE) else listed
    if schema.get("type") == "array":
        return {"type": ["array", "string", "number"], "items": {"type": ["string", "number"]}}
    return {key: value for key, value in schema.items() if key in ("type", *_BOUNDS)}


def _loosen_part(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    fields = {name: _field(value, definitions) for name, value in part["properties"].items()}
    shape = {"type": "object", "additionalProperties": False, "properties": fields}
    if part.get("required"):
        shape["required"] = part["required"]
    short = part.get("short")
    return {"oneOf": [_loosen(part["properties"][short], definitions), shape]} if short else shape
