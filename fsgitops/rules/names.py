"""A name belongs to one resource, and so does a file, and a number that is dialled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fsgitops.findings import Severity, quote_value
from fsgitops.model.fields import Dialled
from fsgitops.model.kind import Site
from fsgitops.model.reading import find_all, key_field, key_mark, name_of, resource_of
from fsgitops.model.resource import Resource
from fsgitops.model.rule import Breach, Rule
from fsgitops.phone import is_emergency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kind, Kinds
    from fsgitops.model.noun import Noun

LONGEST_EMERGENCY = 3
"""Digits of the longest number that calls for help."""


def name_rules(kinds: Kinds) -> tuple[Rule, ...]:
    """Return the rules that find a name which is declared again: what a kind's key field says."""
    marks = (key_mark(kind.noun) for kind in kinds.values())
    return tuple(
        Rule(name, Severity.ERROR, partial(_again, name), about, fixed=True)
        for name, about in {mark.rule: mark.about for mark in marks}.items()
    )


def _again(rule: str, desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    for resource, place in desired.repeats:
        noun = kinds[resource.kind].noun
        mark = key_mark(noun)
        if mark.rule == rule:
            first = desired.sources[resource]
            message = mark.again.format(name=resource.name, first=first)
            yield Breach(resource, (key_field(noun),), message, mark.remedy, place=place)


def check_paths(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every resource whose file another one has, on file systems that ignore case as well."""
    taken: dict[str, Resource | Noun] = {}
    site = Site()
    for kind in kinds.values():
        taken.update((shared.path(site).casefold(), shared.resource) for shared in kind.shared)
    for kind in kinds.values():
        for noun in desired.of(kind.noun):
            for path in kind.paths(noun, site):
                other = taken.setdefault(path.casefold(), noun)
                if other is noun or (kind.joint(site) and other.kind == kind.word):
                    continue
                resource = resource_of(noun)
                first = other if isinstance(other, Resource) else resource_of(other)
                if first != resource:
                    yield Breach(
                        resource,
                        (key_field(kind.noun),),
                        f"{resource} and {first} would both be written to {path}",
                        "Rename or remove one of the two.",
                    )


def check_numbers(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every resource that has a number by which another one is called, in one context."""
    reached = [kind for kind in kinds.values() if kind.reach and desired.nouns.get(kind.word)]
    if len(reached) == 1 and _goes_by_name(reached[0], desired):
        return  # Names differ: of 100,000 agents, none has to be asked.
    taken: dict[tuple[str, str], Resource] = {}
    for kind in reached:
        for noun in desired.of(kind.noun):
            resource = resource_of(noun)
            for context, number in _called_by(noun, kind):
                first = taken.setdefault((context, number), resource)
                if first != resource:
                    yield Breach(
                        resource,
                        (_field_of(noun, number),),
                        f"{first} has the number {number} already",
                        "Give one of the two another number.",
                    )


def _called_by(noun: Noun, kind: Kind[Any]) -> set[tuple[str, str]]:
    """Return the context and the number of each way to call a resource."""
    reach = kind.reach(noun) if kind.reach else None
    return (
        {(reach.context, number) for number in (reach.number, *kind.dialled(noun))}
        if reach
        else set()
    )


def _goes_by_name(kind: Kind[Any], desired: Desired) -> bool:
    noun = next(iter(desired.of(kind.noun)))
    return {number for _, number in _called_by(noun, kind)} == {name_of(noun)}


def _field_of(noun: Noun, number: str) -> str:
    """Return the field that a number stands in, or the one that it is made of."""
    found = (name for name in type(noun).model_fields if getattr(noun, name) == number)
    return next(found, key_field(type(noun)))


def check_lengths(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every extension with more or fewer digits than those of the project have."""
    lengths = desired.lengths
    for kind in kinds.values():
        for noun, path, text, _ in find_all(desired.of(kind.noun), Dialled):
            if text.isdigit() and not lengths.hold(text):
                name = ".".join(step for step in path if isinstance(step, str))
                yield Breach(
                    resource_of(noun),
                    path,
                    f"`{name}` is {quote_value(text)}; expected {lengths}",
                    "Correct it, or say in fsgitops.yaml how many digits extensions have, such as "
                    "`extensions: {digits: [3, 7]}`.",
                )


def check_emergencies(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every resource that people would get who dial for help."""
    if desired.lengths.shortest > LONGEST_EMERGENCY:
        return
    for kind in kinds.values():
        for noun in desired.of(kind.noun):
            for number in kind.dialled(noun):
                if len(number) <= LONGEST_EMERGENCY and is_emergency(number, desired.region):
                    yield Breach(
                        resource_of(noun),
                        (),
                        f"{number} is an emergency number",
                        "Choose another extension: who dials this one must get help.",
                    )
