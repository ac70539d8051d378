"""Turn recorded revisions back into a compiled configuration: what stood before them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fsgitops.homes.pieces import part_of
from fsgitops.model.compiled import CompiledConfig, CompiledFile
from fsgitops.model.live import LiveConfig, ManifestEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Earlier:
    """What stood at one path: its bytes (None for nothing), and whose it was (None: nobody's).

    `left` is the hash of what the apply left in somebody else's file, "" where nothing.
    """

    path: str
    content: bytes | None
    entry: ManifestEntry | None
    left: str = ""


def rewind_config(earlier: Iterable[Earlier]) -> CompiledConfig:
    """Return the earlier files as if they had been compiled. Paths with nothing are left out."""
    files: dict[str, CompiledFile] = {}
    for item in earlier:
        if item.content is None or item.entry is None:
            continue
        digest = hashlib.sha256(item.content).hexdigest()
        parts = tuple(map(part_of, item.entry.records))
        if item.entry.sha256 != digest:
            # The digest of the inputs is only true of the bytes that were compiled from them.
            parts = tuple(part._replace(inputs="") for part in parts)
        foreign = item.entry.foreign
        files[item.path] = CompiledFile(
            item.path, item.content, parts, sha256=digest, foreign=foreign
        )
    return CompiledConfig(files)


def own_foreign(live: LiveConfig, earlier: Iterable[Earlier]) -> LiveConfig:
    """Return what is live, where somebody else's files are ours to put elements back into.

    They are so where they are as the apply left them: what was written into them since stays.
    """
    entries = dict(live.manifest.entries)
    for item in earlier:
        if item.entry and item.entry.foreign:
            known = entries.pop(item.path, None)
            if item.left and live.files[item.path].sha256 == item.left:
                entries[item.path] = known or ManifestEntry(item.left, (), foreign=True)
    return replace(live, manifest=replace(live.manifest, entries=entries))


def narrow_live(live: LiveConfig, paths: Iterable[str]) -> LiveConfig:
    """Return only what concerns these paths: a plan made from it leaves all others alone."""
    wanted = set(paths)
    entries = {path: entry for path, entry in live.manifest.entries.items() if path in wanted}
    files = {path: file for path, file in live.files.items() if path in wanted}
    return LiveConfig(replace(live.manifest, entries=entries), files, live.unmanaged)


def keep_rest(plan: Plan, live: LiveConfig) -> Plan:
    """Return the plan with the managed files that it leaves alone counted as unchanged."""
    touched = {change.path for change in plan.changes} | {item.path for item in plan.hazards}
    return replace(plan, unchanged=len(set(live.manifest.entries).difference(touched)))
