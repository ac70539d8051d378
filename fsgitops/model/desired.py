"""What the user wants: all that is declared, validated and normalised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsgitops.phone import USUAL_LENGTHS, Lengths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.findings import Position
    from fsgitops.model.noun import N, Noun
    from fsgitops.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Desired:
    """All that is declared, by kind and name, sorted; `sources` tells where each was written.

    A resource that is declared again is kept once, as it was declared first; `repeats` has the
    places of the others. `rejected` names what has a wrong value: where there is any, an error was
    found, and this Desired is for finding more of them and never for compiling. `own_variables`
    are the names, in small letters, that the project declares as its own. `sharded` tells that the
    target's layout is for large sites. `lengths` are those of the project's extensions, `region`
    is whose national numbers are meant (two letters).
    """

    nouns: Mapping[str, Mapping[str, Noun]] = field(default_factory=dict)
    sources: Mapping[Resource, Position] = field(default_factory=dict)
    repeats: tuple[tuple[Resource, Position], ...] = ()
    rejected: frozenset[Resource] = frozenset()
    own_variables: frozenset[str] = frozenset()
    sharded: bool = False
    lengths: Lengths = USUAL_LENGTHS
    region: str | None = None

    def of(self, noun: type[N]) -> tuple[N, ...]:
        """Return all resources of a kind, sorted by name: `desired.of(Agent)`."""
        found: Any = self.nouns.get(noun.kind, {}).values()
        return tuple(found)

    def get(self, resource: Resource) -> Noun | None:
        """Return a declared resource, or None where it is none."""
        return self.nouns.get(resource.kind, {}).get(resource.name)
