"""Write declared items as YAML, in the canonical way from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsgitops.steps.format_source.scalars import write_scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Item(NamedTuple):
    """One item of a section: its fields in their order, and the comment lines above it."""

    fields: Mapping[str, object]
    comments: tuple[str, ...] = ()


def write_section(section: str, items: Iterable[Item]) -> str:
    """Return a file of one section: fields are texts, booleans, lists of texts, or mappings.

    A mapping of one text, such as `{env: NAME}`, stands on one line; others below their name.
    """
    lines = [f"{section}:"]
    for item in items:
        lines += [f"  # {comment}" for comment in item.comments]
        fields = [line for name, value in item.fields.items() for line in _field(name, value)]
        lines += [f"  - {fields[0]}", *(f"    {line}" for line in fields[1:])]
    return "\n".join(lines) + "\n"


def write_flow(value: object) -> str:
    """Return a value on one line."""
    return _write(value, flow=True)


def _field(name: str, value: object) -> Iterator[str]:
    key = write_scalar(name)
    if not isinstance(value, dict) or _is_small(value):
        yield f"{key}: {_write(value)}"
        return
    yield f"{key}:"
    for inner, item in value.items():
        for line in _field(inner, item):
            yield f"  {line}"


def _is_small(value: Mapping[str, object]) -> bool:
    return not value or (len(value) == 1 and next(iter(value)) in ("age", "env", "a1"))


def _write(value: object, *, flow: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = (f"{name}: {_write(item, flow=True)}" for name, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_write(item, flow=True) for item in value) + "]"
    return write_scalar(str(value), flow=flow)
