"""The pieces that JSON Schemas of our output are made of (draft 7), and what follows from them.

A dataclass that is printed has the schema of each field in the field's metadata; a field without
one is not printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

DIALECT = "http://json-schema.org/draft-07/schema#"
TEXT: dict[str, Any] = {"type": "string"}


def text(description: str, **more: Any) -> dict[str, Any]:
    """Return the schema of a text."""
    return {"type": "string", "description": description, **more}


def maybe_text(description: str) -> dict[str, Any]:
    """Return the schema of a text or null."""
    return {"type": ["string", "null"], "description": description}


def maybe_number(description: str) -> dict[str, Any]:
    """Return the schema of a number or null."""
    return {"type": ["number", "null"], "description": description}


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


def shape(kind: type[Any], description: str = "") -> dict[str, Any]:
    """Return the schema of a dataclass that is printed."""
    return objects(
        description, **{item.name: dict(item.metadata) for item in fields(kind) if item.metadata}
    )


def rows_of(description: str, kind: type[Any]) -> dict[str, Any]:
    """Return the schema of a list of values of a dataclass."""
    return list_of(shape(kind), description)


def json_values(value: Any) -> Any:
    """Return a value that is printed as JSON values."""
    if type(value) in _PLAIN:
        return value
    if hasattr(value, "_fields"):  # a named tuple, as a resource is: it is printed as its text
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [json_values(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if not is_dataclass(value):
        return dict(value) if isinstance(value, Mapping) else value
    kind: Any = type(value)
    # Of 100,000 changes, a call for each text in them would be felt.
    return {
        name: item if type(item := getattr(value, name)) in _PLAIN else json_values(item)
        for name in _printed(kind)
    }


_PLAIN = frozenset((str, bool, int, float, type(None)))


@cache
def _printed(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind) if item.metadata)


def by_name(description: str, items: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object whose names are data."""
    return {"type": "object", "additionalProperties": items, "description": description}
