"""Drift: where what was applied, what stands on disk and what the switch holds are not the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from fsgitops.schema_parts import (
    TEXT,
    count,
    flag,
    list_of,
    maybe_text,
    rows_of,
    text,
    word,
)

if TYPE_CHECKING:
    from fsgitops.model.resource import Resource


class DriftKind(StrEnum):
    """What happened to a managed resource."""

    EDITED = "edited"
    DELETED = "deleted"
    REPLACED = "replaced"
    NOT_LOADED = "not-loaded"
    LEFT_OVER = "left-over"


class Direction(StrEnum):
    """Which side has a thing: what is live (disk or switch), what was applied, or both, unlike."""

    ONLY_LIVE = "only-live"
    ONLY_DECLARED = "only-declared"
    BOTH_DIFFER = "both-differ"


@dataclass(frozen=True, slots=True)
class AttributeDrift:
    """One attribute as it was applied, as it stands on disk, and as the switch holds it.

    None is absent, or not known: `asked` tells whether the switch was asked for it. A secret's
    values are never held, only that they differ.
    """

    name: str = field(metadata=text("The attribute."))
    direction: Direction = field(metadata=word("Which side has it.", *Direction))
    declared: str | None = field(metadata=maybe_text("What was applied."))
    disk: str | None = field(metadata=maybe_text("What the file says."))
    loaded: str | None = field(metadata=maybe_text("What the switch holds."))
    secret: bool = field(default=False, metadata=flag("The values are masked."))
    asked: bool = True


@dataclass(frozen=True, slots=True)
class DriftItem:
    """One resource that drifted: in which ways, and in which of its attributes."""

    resource: Resource = field(metadata=text("KIND:NAME"))
    path: str = field(metadata=text("The file, below the conf directory."))
    kinds: tuple[DriftKind, ...] = field(
        metadata=list_of({"enum": list(DriftKind)}, "What happened.")
    )
    direction: Direction = field(metadata=word("Which side has it.", *Direction))
    message: str = field(metadata=text("A sentence."))
    attributes: tuple[AttributeDrift, ...] = field(
        default=(), metadata=rows_of("What differs.", AttributeDrift)
    )


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Everything that drifted. It holds no secret.

    `switch_asked` tells whether the switch's memory is part of the comparison, and `switch_problem`
    why it could not be asked, if so; `ignored` counts the resources whose only drift is expected.
    """

    target: str = field(metadata=text("The target's name."))
    conf_dir: str = field(metadata=text("Its conf directory."))
    domain: str = field(metadata=text("Its SIP domain."))
    simulated: bool = field(metadata=flag("The target is the embedded switch."))
    managed: int = field(metadata=count("Managed files."))
    ignored: int = field(metadata=count("Resources whose only drift is expected."))
    switch_asked: bool = field(metadata=flag("The switch's memory was compared."))
    switch_problem: str = field(metadata=text('Why the switch could not be asked; "": no problem.'))
    notes: tuple[str, ...] = field(metadata=list_of(TEXT, "Sentences."))
    drift: tuple[DriftItem, ...] = field(metadata=rows_of("What drifted.", DriftItem))
