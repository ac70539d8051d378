"""`fsgitops drift`: what is live and is not what was applied. Nothing is changed."""

from __future__ import annotations

import os
import time
from functools import cache, partial
from typing import TYPE_CHECKING

from fsgitops.durable import replace_file
from fsgitops.errors import DesiredInvalidError, FsgitopsError, SecretError, SwitchError
from fsgitops.homes.compare import Memory
from fsgitops.homes.pieces import split_compiled, split_entry, take_apart
from fsgitops.live.connect import address_of, connect_target, prepare_conf_dir
from fsgitops.live.recover import recover_unfinished
from fsgitops.model.drift import DriftReport
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.veil import Veil
from fsgitops.routing.whereabouts import Whereabouts
from fsgitops.steps.drift import Applied, find_drift, find_edited, ignore_expected, veil_drift
from fsgitops.steps.read_live import read_live
from fsgitops.steps.render_drift import render_metrics
from fsgitops.workspace.declare import compile_declared, declare_desired

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fsgitops.homes.home import Flat, Home
    from fsgitops.model.compiled import CompiledFile
    from fsgitops.model.drift import DriftItem
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.resource import Resource
    from fsgitops.workspace.open import Workspace

METRICS_MODE = 0o644


def run_drift(workspace: Workspace, *, offline: bool = False) -> DriftReport:
    """Compare what was applied, what stands on disk and what the switch holds.

    Needs no project key and writes nothing but what recovering an interrupted apply writes. A
    switch that cannot be asked is told in the report. Raises FsgitopsError when the disk cannot
    be read.
    """
    target = workspace.target
    prepare_conf_dir(target)
    notes = recover_unfinished(workspace)
    live = read_live(target.conf_dir, target.state_dir, {})
    applied, said = _find_applied(workspace, live)
    problem = ""
    try:
        found = _compare(workspace, live, applied, asked=not offline)
    except (SwitchError, SecretError, ConnectionError) as refused:
        problem = str(refused)
        found = _compare(workspace, live, applied, asked=False)
    expected = [(rule.resource, rule.attribute) for rule in workspace.settings.drift.ignore]
    items, ignored = ignore_expected(found, expected)
    return DriftReport(
        target=target.name,
        conf_dir=str(target.conf_dir),
        domain=target.domain,
        managed=len(live.manifest.entries),
        ignored=ignored,
        switch_asked=not (offline or problem),
        switch_problem=problem,
        notes=(*notes, *said),
        simulated=target.simulated,
        drift=tuple(items),
    )


def write_metrics(path: Path, report: DriftReport, seconds: float) -> None:
    """Write the report, made in `seconds`, for Prometheus; a reader never sees half a file."""
    text = render_metrics(report, checked_at=time.time(), seconds=seconds)
    replace_file(path, text.encode("utf-8"), mode=METRICS_MODE)


def _compare(
    workspace: Workspace, live: LiveConfig, applied: Applied, *, asked: bool
) -> list[DriftItem]:
    conf_dir, address = workspace.target.conf_dir, address_of(workspace.target)

    @cache
    def places() -> Whereabouts:
        return Whereabouts(load_merged(conf_dir))

    def declares(home: Home, name: str, place: str) -> bool:
        try:
            return bool(home.where(places(), name, place, address))
        except (FsgitopsError, OSError):
            return True  # that cannot be told, so nothing is said of it

    find = partial(
        find_drift, live, applied, exists=lambda path: os.path.lexists(conf_dir / path),
        kinds=workspace.kinds, address=address, declares=declares,
    )  # fmt: skip
    if not asked:
        return find(None)
    with connect_target(workspace.target, workspace.root) as switch:
        found = find(Memory(switch, address))
        return veil_drift(found, Veil(switch.global_variables())) if found else []


def _find_applied(workspace: Workspace, live: LiveConfig) -> tuple[Applied, list[str]]:
    """Return what was applied to the edited files, where what is declared still compiles to it.

    The manifest has hashes only. Without the project key, secrets are UNKNOWN and the hash cannot
    tell, so what is declared now stands for what was applied.
    """
    edited = find_edited(live)
    if not edited:
        return Applied(), []
    try:
        compiled = compile_declared(workspace, declare_desired(workspace)).compiled
    except DesiredInvalidError:
        return Applied(), ["the declared files have errors (run `fsgitops validate`), so the "
        "applied contents of edited files are unknown"]  # fmt: skip
    except FsgitopsError as problem:
        return Applied(), [f"the applied contents of edited files are unknown: {problem}"]
    applied: dict[tuple[str, Resource], bytes] = {}
    around: dict[str, Flat] = {}
    guessed = False
    for path in edited:
        file, entry = compiled.files.get(path), live.manifest.entries[path]
        own: Mapping[Resource, CompiledFile] = {}
        if file and not entry.alone:
            own = split_compiled(file)
            around[path] = take_apart(file.content, path).spans.flatten_rest()
        if file and entry.alone and len(file.parts) == 1:
            own = {entry.records[0].resource: file}
        for resource, known in split_entry(entry).items():
            part = own.get(resource)
            if part and (part.unknown or part.sha256 == known.sha256):
                applied[path, resource] = part.content
                guessed = guessed or part.unknown
    note = (
        "no project key here: edited files are compared with the declared state of now, and their "
        "secrets only between disk and switch"
    )
    return Applied(applied, around), [note] if guessed else []
