"""What a person declares: one frozen class for each kind, and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    TypeAlias,
    TypeVar,
    get_origin,
)

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

FaultKind: TypeAlias = Literal["missing", "unknown", "word", "value"]
"""A field left out, a field that does not exist, a word for true or false, any other value."""


class Part(BaseModel):
    """A mapping inside a noun: frozen, and a key that it does not know is an error.

    `short` is the field that a text or a word stands for: `voicemail: true` is
    `voicemail: {enabled: true}`. `slips` are keys that people write by mistake, and what to do.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        json_schema_extra=lambda schema, part: schema.update(short=part.short),
    )

    short: ClassVar[str] = ""
    slips: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, value: Any) -> Any:
        return {cls.short: value} if cls.short and isinstance(value, str | bool) else value


class Noun(BaseModel):
    """A declared thing: frozen, and a key that it does not know is an error.

    `kind` is the word of its kind, `called` what messages call one. `slips` as for a part. Each
    class declares `enabled` and `protect` itself: the order of the fields is that of `fmt`.
    """

    # What validates a noun is built with the first one: nobody waits for kinds that are not used.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: ClassVar[str]
    called: ClassVar[str]
    slips: ClassVar[Mapping[str, str]] = {}

    if TYPE_CHECKING:
        enabled: bool
        protect: bool


class Fault(NamedTuple):
    """One thing that a noun refused: where in its values, of what kind, and what stood there."""

    path: tuple[str | int, ...]
    kind: FaultKind
    value: object


_FAULT_KINDS: dict[str, FaultKind] = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "bool_word": "word",
}

N = TypeVar("N", bound=Noun)
M = TypeVar("M", bound=Noun | Part)


def slim(made: M, seen: dict[tuple[str, ...], tuple[str, ...]]) -> M:
    """Return the same noun, or part of one, in a third of the memory that pydantic takes: 2 KB.

    Where attributes are set one by one, Python keeps their names once for the class. Which fields
    were given is not told: nobody asks. `seen` has the lists of names that nouns share.
    """
    model: Any = type(made)
    names, large = _fields_of(model)
    values = made.__dict__  # nobody else has it
    for name, default in large:
        value = values[name]
        if value is default:
            continue
        if type(value) is not tuple:
            values[name] = slim(value, seen)
        elif value and type(value[0]) is str:
            values[name] = seen.setdefault(value, value)
    new: M = model.__new__(model)
    _keep(new, "__pydantic_fields_set__", names)
    _keep(new, "__pydantic_extra__", None)
    _keep(new, "__pydantic_private__", None)
    for name, value in values.items():
        _keep(new, name, value)
    return new


_keep = object.__setattr__


@cache
def _fields_of(model: type[BaseModel]) -> tuple[set[str], tuple[tuple[str, object], ...]]:
    """Return the fields of a class, and those that hold a list or a part with their defaults.

    One instance gets all attributes meanwhile: CPython does not share the names of a class of
    which it first sees many instances without any, and pydantic makes such.
    """
    first = model.__new__(model)
    fields = model.model_fields
    for name in fields:
        _keep(first, name, None)
    kinds = (
        (name, get_origin(info.annotation) or info.annotation) for name, info in fields.items()
    )
    large = [
        (name, fields[name].default)
        for name, kind in kinds
        if kind is tuple or (isinstance(kind, type) and issubclass(kind, Part))
    ]
    return set(fields), tuple(large)


def make_noun(model: type[N], values: Mapping[str, object]) -> tuple[N | None, list[Fault]]:
    """Return the noun that `values` describe, or everything in them that it refuses."""
    try:
        return model.model_validate(values), []
    except ValidationError as refused:
        return None, [
            Fault(item["loc"], _FAULT_KINDS.get(item["type"], "value"), item["input"])
            for item in refused.errors(include_url=False, include_context=False)
        ]
