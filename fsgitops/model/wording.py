"""How values are put into words, the same in every format, and a line for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsgitops.visible import make_visible, to_json

if TYPE_CHECKING:
    from fsgitops.model.plan import AttributeChange


class Line(NamedTuple):
    """One line, and what it says: the terminal chooses a colour for that."""

    text: str
    style: str = ""


def label_attribute(name: str) -> str:
    """Return the attribute's name as a reader knows it."""
    return make_visible(name.removeprefix("variable ").removeprefix("param "))


def show_value(value: str | None, limit: int = 0) -> str:
    """Return a value in double quotes, on one line; `(none)` where there is none."""
    return "(none)" if value is None else make_visible(to_json(value), limit)


def show_side(attribute: AttributeChange, *, after: bool, limit: int = 0) -> str:
    """Return one side of an attribute: what stands for a secret is not quoted."""
    value = attribute.after if after else attribute.before
    if attribute.secret and value is not None:
        return make_visible(value, limit)
    return show_value(value, limit)


def describe_attribute(attribute: AttributeChange, *, created: bool = False) -> str:
    """Return `name: before -> after`; of a resource that is `created`, `name: value`."""
    after = show_side(attribute, after=True)
    before = "" if created else f"{show_side(attribute, after=False)} -> "
    return f"{label_attribute(attribute.name)}: {before}{after}"
