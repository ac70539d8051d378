"""The example of each kind, tests/kinds/KIND/example.yaml, and others that are like it.

An example is a file as a person writes it. The first resource in the kind's section is the one
that is asked about; it has a text in every place that takes one.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from fsgitops.commands.schema import read_schema
from fsgitops.kinds import BUILT_IN
from fsgitops.model.reading import key_field
from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "kinds"
NAME = "(name)"
"""Stands in a place for the name of an entry, where its value would be."""

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Example:
    """A kind, and a file that declares one resource of it with all that it leads to."""

    word: str

    @cached_property
    def kind(self) -> Any:
        return BUILT_IN[self.word]

    @cached_property
    def folder(self) -> Path:
        names = (self.word, *self.kind.aliases)
        found = [FOLDER / name for name in names if (FOLDER / name / "example.yaml").exists()]
        assert found, f"a kind has an example: tests/kinds/{names[-1]}/example.yaml"
        return found[0]

    @cached_property
    def declared(self) -> dict[str, Any]:
        read: dict[str, Any] = yaml.safe_load((self.folder / "example.yaml").read_text("utf-8"))
        return read

    @property
    def subject(self) -> dict[str, Any]:
        """The values of the resource that is asked about."""
        values: dict[str, Any] = copy.deepcopy(self.declared[self.kind.section][0])
        return values

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The schema of its fields."""
        section = read_schema("desired", BUILT_IN)["properties"][self.kind.section]
        fields: dict[str, Any] = section["items"]["properties"]
        return fields

    @cached_property
    def key(self) -> str:
        """The field that names it."""
        return key_field(self.kind.noun)

    @property
    def resource(self) -> str:
        return str(Resource(self.word, str(self.subject[self.key])))

    def written(self, subject: dict[str, Any] | None, *, alone: bool = False) -> str:
        """Return the file with another resource in place of the subject, or with none."""
        whole = {} if alone else copy.deepcopy(self.declared)
        others = [] if alone else self.declared[self.kind.section][1:]
        whole[self.kind.section] = [*([] if subject is None else [subject]), *others]
        return yaml.safe_dump(whole, sort_keys=False, allow_unicode=False, width=10_000)

    def named(self, number: int) -> dict[str, Any]:
        """Return the subject under another name that is as good: the number at its end goes up.

        What phones register as is nobody else's, either, and what carriers dial.
        """
        found = re.fullmatch(r"(.*?)([0-9]*)", str(self.subject[self.key]), re.DOTALL)
        assert found is not None
        text, digits = found.groups()
        last = str(int(digits or 0) + number).zfill(len(digits))
        other = {**self.subject, self.key: f"{text}{last}"}
        if "user" in other:
            other["user"] = f"{other['user']}{number}"
        if "also" in other:
            other["also"] = [f"{name}{number}" for name in other["also"]]
        return other

    def least(self, values: dict[str, Any], *more: str) -> dict[str, Any]:
        """Return what must be declared of some values, and some fields more."""
        fields = self.kind.noun.model_fields
        return {
            name: value
            for name, value in values.items()
            if name in more or fields[name].is_required()
        }

    def places(self) -> list[Place]:
        """Return every place that takes a text, secrets left out."""
        return list(_places({"type": "object", "properties": self.schema}, self.subject, ()))


def is_secret(schema: Any) -> bool:
    """Tell whether a field holds where a secret is found."""
    return isinstance(schema, dict) and any(
        "env" in item.get("properties", ()) for item in schema.get("oneOf", ())
    )


def _places(schema: Any, example: Any, place: Place) -> Iterator[Place]:
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if is_secret(schema):
        return
    for inner in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _places(inner, example, place)
    if "array" in kinds:
        inside = example[0] if isinstance(example, list) and example else None
        yield from _places(schema.get("items", {}), inside, (*place, 0))
    elif "string" in kinds:
        yield place
    elif "object" in kinds and "properties" in schema:
        for name, inner in schema["properties"].items():
            inside = example.get(name) if isinstance(example, dict) else None
            yield from _places(inner, inside, (*place, name))
    elif "object" in kinds and isinstance(example, dict):
        for name in example:
            yield (*place, name)
            yield (*place, name, NAME)


def text_at(values: Any, place: Place) -> str:
    """Return the text at a place; KeyError, IndexError or TypeError where there is none."""
    if place[-1:] == (NAME,):
        return str(place[-2])
    for step in place:
        values = values[step]
    return str(values)


def put(values: dict[str, Any], place: Place, text: str) -> dict[str, Any]:
    """Return the values with another text at a place."""
    changed: Any = copy.deepcopy(values)
    inner = changed
    named = place[-1:] == (NAME,)
    way = place[:-1] if named else place
    for step in way[:-1]:
        inner = inner[step]
    if named:
        inner[text] = inner.pop(way[-1])
    else:
        inner[way[-1]] = text
    return changed  # type: ignore[no-any-return]


EXAMPLES = [Example(word) for word in BUILT_IN]
