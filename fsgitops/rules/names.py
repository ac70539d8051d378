"""A name belongs to one resource, and a file to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import Severity
from fsgitops.model.kind import Site
from fsgitops.model.reading import key_field, key_mark, resource_of
from fsgitops.model.rule import Breach, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds
    from fsgitops.model.resource import Resource


def name_rules(kinds: Kinds) -> tuple[Rule, ...]:
    """Return the rules that find a name which is declared again: what a kind's key field says."""
    marks = (key_mark(kind.noun) for kind in kinds.values())
    return tuple(
        Rule(name, Severity.ERROR, _again(name), about, fixed=True)
        for name, about in {mark.rule: mark.about for mark in marks}.items()
    )


def _again(rule: str) -> Callable[[Desired, Kinds], Iterator[Breach]]:
    def check(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
        for resource, place in desired.repeats:
            noun = kinds[resource.kind].noun
            mark = key_mark(noun)
            if mark.rule == rule:
                first = desired.sources[resource]
                message = mark.again.format(name=resource.name, first=first)
                yield Breach(resource, (key_field(noun),), message, mark.remedy, place=place)

    return check


def check_paths(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every resource whose file another one has, on file systems that ignore case as well."""
    taken: dict[str, Resource] = {}
    for kind in kinds.values():
        taken.update((shared.path.casefold(), shared.resource) for shared in kind.shared)
    site = Site()
    for kind in kinds.values():
        for noun in desired.of(kind.noun):
            resource = resource_of(noun)
            for path in kind.paths(noun, site):
                first = taken.setdefault(path.casefold(), resource)
                if first != resource and not (kind.joint and first.kind == kind.word):
                    yield Breach(
                        resource,
                        (key_field(kind.noun),),
                        f"{resource} and {first} would both be written to {path}",
                        "Rename or remove one of the two.",
                    )
