"""The pieces that JSON Schemas of our output are made of (draft 7)."""

from __future__ import annotations

from typing import Any

DIALECT = "http://json-schema.org/draft-07/schema#"
TEXT: dict[str, Any] = {"type": "string"}


def text(description: str, **more: Any) -> dict[str, Any]:
    """Return the schema of a text."""
    return {"type": "string", "description": description, **more}


def maybe_text(description: str) -> dict[str, Any]:
    """Return the schema of a text or null."""
    return {"type": ["string", "null"], "description": description}


def flag(description: str) -> dict[str, Any]:
    """Return the schema of true or false."""
    return {"type": "boolean", "description": description}


def count(description: str) -> dict[str, Any]:
    """Return the schema of a number from 0."""
    return {"type": "integer", "minimum": 0, "description": description}


def word(description: str, *words: str) -> dict[str, Any]:
    """Return the schema of one of some words."""
    return {"enum": list(words), "description": description}


def list_of(items: dict[str, Any], description: str) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": items, "description": description}


def objects(
    description: str = "", optional: tuple[str, ...] = (), /, **properties: dict[str, Any]
) -> dict[str, Any]:
    """Return the schema of an object; every property is there but the optional ones."""
    described = {"description": description} if description else {}
    return {
        "type": "object",
        **described,
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def rows(description: str, /, **properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list of objects."""
    return list_of(objects(**properties), description)


def by_name(description: str, items: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object whose names are data."""
    return {"type": "object", "additionalProperties": items, "description": description}
