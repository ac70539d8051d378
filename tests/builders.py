"""Nouns, desired states, files, changes and plans by a kind's word, from plain values.

A test that builds what it needs here goes on when a class moves to another room.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from fsgitops.findings import Position
from fsgitops.kinds import BUILT_IN
from fsgitops.model.compiled import CompiledConfig, CompiledFile, Part
from fsgitops.model.desired import Desired
from fsgitops.model.plan import Action, AttributeChange, Change, Plan
from fsgitops.model.reading import name_of
from fsgitops.model.resource import Resource
from fsgitops.steps.load.events import parse_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.document import Document
    from fsgitops.model.rule import Breach, Rule


def noun(word: str, **values: Any) -> Any:
    """Return a resource of a kind, its values checked: `noun("agent", extension="1020", …)`."""
    return BUILT_IN[word].noun.model_validate(values)


def unchecked(word: str, **values: Any) -> Any:
    """Return a resource that may hold what a desired file may not: for what must defend itself."""
    return _construct(BUILT_IN[word].noun, values)


def _construct(model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    parts = {name: field.annotation for name, field in model.model_fields.items()}
    return model.model_construct(
        **{name: _part(parts.get(name), value) for name, value in values.items()}
    )


def _part(part: Any, value: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(part, type) or not issubclass(part, BaseModel):
        return value
    try:
        return part.model_validate(value)
    except ValidationError:
        return _construct(part, value)


def desired(*nouns: Any, **fields: Any) -> Desired:
    """Return a desired state of nouns of any kinds; `fields` are those of `Desired`."""
    found: dict[str, dict[str, Any]] = {}
    for item in nouns:
        found.setdefault(item.kind, {}).setdefault(name_of(item), item)
    return Desired({word: dict(sorted(found[word].items())) for word in sorted(found)}, **fields)


def resource(named: str | Resource) -> Resource:
    """Return the resource that is named as `agent:1020` is."""
    return named if isinstance(named, Resource) else Resource.parse(named)


def compiled_file(path: str, content: bytes, *named: str, **fields: Any) -> CompiledFile:
    """Return a file that holds the resources `named`; `fields` are those of `CompiledFile`."""
    parts = tuple(Part(resource(item), Position("a.yaml", 3, 5), "inputs") for item in named)
    return CompiledFile(
        path, content, parts, **{"sha256": hashlib.sha256(content).hexdigest(), **fields}
    )


def compiled_config(*files: CompiledFile) -> CompiledConfig:
    """Return what is compiled."""
    return CompiledConfig({file.path: file for file in files})


def attribute(name: str, before: str | None, after: str | None) -> AttributeChange:
    """Return an attribute before and after."""
    return AttributeChange(name, before, after)


def secret(name: str) -> AttributeChange:
    """Return an attribute that is a secret, and differs."""
    return AttributeChange(name, "(secret)", "(secret)", secret=True)


def change(
    action: str, named: str | Resource, *attributes: AttributeChange, path: str = "", **fields: Any
) -> Change:
    """Return a change of a resource: `change("update", "agent:1020", secret("param a1-hash"))`."""
    item = resource(named)
    where = path or f"{item.name}.xml"
    return Change(Action(action), item, where, attributes=attributes, **fields)


def plan(*changes: Change, **fields: Any) -> Plan:
    """Return a plan of these changes; `fields` are those of `Plan`."""
    about = {"project": "p", "target": "t", "conf_dir": "/c", "domain": "d"}
    return Plan(**{**about, **fields}, changes=changes)


def document(text: str, path: str = "a.yaml") -> Document:
    """Return a desired file as it is read."""
    parsed, findings = parse_document(path, text.encode())
    assert findings == []
    assert parsed is not None
    return parsed


def agent(extension: str = "1020", **fields: Any) -> Any:
    """Return an agent of whom nothing else is said."""
    return noun("agent", extension=extension, **{"name": "Ann", **fields})


def route(destination: str = "1020", number: str = "+19495431333", **fields: Any) -> Any:
    """Return a DID route."""
    return noun("did", did_number=number, destination_extension=destination, **fields)


def breaches(rules: Iterable[Rule], name: str, *nouns: Any, **fields: Any) -> list[Breach]:
    """Return what the rule of this name finds in a desired state."""
    [rule] = [rule for rule in rules if rule.name == name]
    return list(rule.check(desired(*nouns, **fields), BUILT_IN))
