"""What is declared of a resource, as people may see it: texts without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from fsgitops.model.fields import Hidden
from fsgitops.model.plan import MASK, is_secret_attribute
from fsgitops.model.reading import ITEM, spots, values_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.model.noun import Noun

FieldValue: TypeAlias = "str | tuple[str, ...]"
Values: TypeAlias = "Mapping[str, FieldValue]"
"""Field (dotted where nested) -> its text, or its texts; what is not set is not in it.

MASK stands for a secret, or for where one is fetched from.
"""


def shown_fields(noun: Noun) -> dict[str, FieldValue]:
    """Return what is declared of a resource, defaults too, as texts without secrets (`Values`)."""
    values: dict[str, FieldValue] = {}
    for spot in spots(type(noun)):
        if not spot.is_leaf:
            continue
        for path, value in values_at(noun, spot.steps):
            name = ".".join(step for step in path if isinstance(step, str))
            text = _shown_field(name, value, hidden=Hidden in spot.marks)
            before = values.get(name, ())
            values[name] = (*before, text) if ITEM in spot.steps else text
    return values


def hides_value(name: str) -> bool:
    """Tell whether the value of a field may be a secret for its name: a variable's, say."""
    return is_secret_attribute(f"user 1/variable {name.removeprefix('variables.')}")


def _shown_field(name: str, value: Any, *, hidden: bool) -> str:
    if (
        hidden
        or (isinstance(value, str) and hides_value(name))
        or not isinstance(value, str | bool | int)
    ):
        return MASK
    return str(value).lower() if isinstance(value, bool) else str(value)
