"""What a condition may ask of a resource: its fields by name, as the texts that people write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from fsgitops.model.desired import Agent, DidRoute, Voicemail
from fsgitops.model.plan import is_secret_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

FieldValue: TypeAlias = "str | tuple[str, ...]"
Values: TypeAlias = "Mapping[str, FieldValue]"
"""Field (dotted where nested) -> its text, or its texts; what is not set is not in it."""


MASKED = "(secret)"
"""Stands for a secret, or for where one is fetched from: a rule can ask whether it is there."""


def agent_values(agent: Agent) -> Values:
    """Return the fields of an agent, `voicemail.pin` and `variables.NAME` among them."""
    return _flatten(agent)


def route_values(route: DidRoute, destination: Agent | None) -> Values:
    """Return the fields of a route, and those of the agent it leads to as `destination.FIELD`."""
    values = dict(_flatten(route))
    if destination is not None:
        values |= {f"destination.{key}": value for key, value in _flatten(destination).items()}
    return values


def is_known_field(kind: str, field: str) -> bool:
    """Tell whether resources of this kind can have the field."""
    head, dot, rest = field.partition(".")
    if kind == "did":
        if head == "destination" and dot:
            return is_known_field("agent", rest)
        return field in DidRoute.model_fields
    if head == "voicemail" and dot:
        return rest in Voicemail.model_fields
    if head == "variables" and dot:
        return bool(rest)
    return field in Agent.model_fields and field not in ("voicemail", "variables")


def is_secret_field(field: str) -> bool:
    """Tell whether the value of a field must not be shown."""
    name = field.removeprefix("destination.")
    return name == "voicemail.pin" or is_secret_attribute(
        f"user 1/variable {name.removeprefix('variables.')}"
    )


def _flatten(noun: Agent | DidRoute) -> dict[str, FieldValue]:
    values: dict[str, FieldValue] = {}
    for name, value in noun:
        if isinstance(value, Voicemail):
            _put_all(values, name, dict(value))
        elif isinstance(value, dict):
            _put_all(values, name, value)
        else:
            _put(values, name, value)
    return values


def _put_all(values: dict[str, FieldValue], prefix: str, items: Mapping[str, Any]) -> None:
    for name, value in items.items():
        _put(values, f"{prefix}.{name}", value)


def _put(values: dict[str, FieldValue], name: str, value: Any) -> None:
    if value is None or value == ():
        return
    if is_secret_field(name) or not isinstance(value, str | bool | int | tuple):
        values[name] = MASKED
    elif isinstance(value, tuple):
        values[name] = tuple(str(part) for part in value)
    else:
        values[name] = str(value).lower() if isinstance(value, bool) else str(value)
