"""What a condition may ask of a resource: its fields by name, as the texts that people write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from fsgitops.model.fields import Hidden
from fsgitops.model.plan import is_secret_attribute
from fsgitops.model.reading import ENTRY, ITEM, called_references, read_reference, spots, values_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.reading import Spot

FieldValue: TypeAlias = "str | tuple[str, ...]"
Values: TypeAlias = "Mapping[str, FieldValue]"
"""Field (dotted where nested) -> its text, or its texts; what is not set is not in it."""


MASKED = "(secret)"
"""Stands for a secret, or for where one is fetched from: a rule can ask whether it is there."""


def values_of(noun: Noun, desired: Desired) -> Values:
    """Return the fields of a resource, and those of each that it refers to, as `CALLED.FIELD`."""
    values = _flatten(noun)
    for called, (field, mark) in called_references(type(noun)).items():
        other = desired.get(read_reference(mark, getattr(noun, field) or ""))
        if other is not None:
            values |= {f"{called}.{name}": value for name, value in _flatten(other).items()}
    return values


def is_known_field(model: type[Noun], field: str, kinds: Kinds) -> bool:
    """Tell whether resources of this class can have the field."""
    if _find(model, field) is not None:
        return True
    called, _, rest = field.partition(".")
    reference = called_references(model).get(called)
    if reference is None or not rest:
        return False
    mark = reference[1]
    others = kinds if mark.anything else mark.kinds
    return any(_find(kinds[word].noun, rest) is not None for word in others)


def _find(model: type[Noun], field: str) -> Spot | None:
    """Return the leaf that a field is; below a mapping, any name is one."""
    for spot in spots(model):
        above, below = spot.name.removesuffix(ENTRY), spot.name.endswith(ENTRY)
        if spot.is_leaf and (
            field.startswith(above) and field != above if below else field == above
        ):
            return spot
    return None


def _flatten(noun: Noun) -> dict[str, FieldValue]:
    values: dict[str, FieldValue] = {}
    for spot in spots(type(noun)):
        if not spot.is_leaf:
            continue
        for path, value in values_at(noun, spot.steps):
            name = ".".join(step for step in path if isinstance(step, str))
            text = _write(name, value, hidden=Hidden in spot.marks)
            before = values.get(name, ())
            values[name] = (*before, text) if ITEM in spot.steps else text
    return values


def _write(name: str, value: Any, *, hidden: bool) -> str:
    secret = hidden or is_secret_attribute(f"user 1/variable {name.removeprefix('variables.')}")
    if secret or not isinstance(value, str | bool | int):
        return MASKED
    return str(value).lower() if isinstance(value, bool) else str(value)
