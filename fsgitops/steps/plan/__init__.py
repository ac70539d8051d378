"""Compare what is compiled with what is live: the plan, explained by attribute."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.homes.keeping import Keeping
from fsgitops.steps.plan.changes import find_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from fsgitops.findings import Position
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Change, Hazard, Plan
    from fsgitops.model.resource import Resource


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan is made for: `blank` names that for the reader, and has no change yet."""

    blank: Plan
    survey: Callable[[Sequence[Change], Collection[str]], Survey] = lambda *_: Survey()
    """Looks at what is not ours on the disk, beside the changes and the paths that we manage."""
    declared: Mapping[Resource, Position] = field(default_factory=dict)
    """Where each resource is declared now, those that are disabled among them."""
    secretive: Collection[str] = ()
    """The kinds whose files hold secrets."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands in the way of the changes elsewhere in the configuration, and what to know."""

    hazards: tuple[Hazard, ...] = ()
    warnings: tuple[str, ...] = ()


def compare_config(
    compiled: CompiledConfig,
    live: LiveConfig,
    context: PlanContext,
    digest: Callable[[bytes], str],
) -> Plan:
    """Return every change that makes live equal to compiled, and what stands in the way.

    It says neither what the changes cost nor how they are loaded.
    `digest` is a keyed digest: no hash of a file that holds secrets leaves this function bare.
    """
    changes, hazards = find_changes(
        compiled, live, context.declared, digest, Keeping(context.blank)
    )
    survey = context.survey(changes, live.manifest.ours)
    hazards += survey.hazards
    touched = {change.path for change in changes} | {hazard.path for hazard in hazards}
    return replace(
        context.blank,
        changes=tuple(changes),
        hazards=tuple(hazards),
        unchanged=len(set(compiled.files).difference(touched)),
        warnings=(
            *context.blank.warnings,
            *survey.warnings,
            *_find_exposed(compiled, live, context.secretive),
        ),
        unmanaged=live.unmanaged,
        live_digest=digest_live(live, digest),
    )


def digest_live(live: LiveConfig, digest: Callable[[bytes], str]) -> str:
    """Return the digest of all that a plan was compared with: contents, kinds and ownership."""
    state = hashlib.sha256()
    for path, file in live.files.items():
        entry = live.manifest.entries.get(path)
        owned = entry.sha256 if entry else ""
        state.update(f"{path}\0{file.kind}\0{file.sha256}\0{owned}\n".encode())
    for path in sorted(live.manifest.unloaded):
        state.update(f"{path}\0not loaded\n".encode())
    return digest(state.digest())


def finish_plan(plan: Plan) -> Plan:
    """Return the plan in its order: nothing but its needs may change now."""
    return replace(plan, hazards=tuple(sorted(plan.hazards, key=lambda hazard: hazard.path)))


def _find_exposed(
    compiled: CompiledConfig, live: LiveConfig, secretive: Collection[str]
) -> Iterator[str]:
    """Yield a warning for each file whose secrets every user of the machine may read.

    A mode is never changed: whether FreeSWITCH reads a file as its owner, by its group or as
    anybody is not known here.
    """
    for path, file in compiled.files.items():
        if live.files[path].exposed and any(part.resource.kind in secretive for part in file.parts):
            yield (
                f"{path}: every user of that machine may read this file and its secrets "
                "[secret-exposed]; run chmod o-rwx, once FreeSWITCH may read it as its owner or by "
                "its group"
            )
