"""`fsgitops export-state`, and plans against what it wrote: no switch, conf directory or key."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fsgitops.commands.plan import read_saved
from fsgitops.durable import write_output
from fsgitops.errors import UsageError
from fsgitops.homes.pieces import split_entry, split_live
from fsgitops.live.connect import prepare_conf_dir
from fsgitops.live.recover import recover_unfinished
from fsgitops.model.live import FileKind
from fsgitops.model.plan import Baseline
from fsgitops.model.state import RecordedFile, RecordedState
from fsgitops.planning.planned import Planned, keyed, plan_compiled
from fsgitops.routing.recorded import digest_secrets, mask_attributes
from fsgitops.steps.read_live import read_live
from fsgitops.visible import count_noun, to_json
from fsgitops.workspace.declare import compile_declared, declare_desired
from fsgitops.workspace.open import find_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.model.live import LiveConfig, LiveFile, ManifestEntry
    from fsgitops.planning.shape import Demands
    from fsgitops.secret.key import ProjectKey
    from fsgitops.workspace.open import Workspace

KEY_LABEL = b"fsgitops: which key is this"


def run_export_state(workspace: Workspace, now: datetime) -> RecordedState:
    """Record the live side of the target. Raises FsgitopsError when it cannot be read."""
    target = workspace.target
    prepare_conf_dir(target)
    recover_unfinished(workspace)
    live = read_live(target.conf_dir, target.state_dir, {})
    key = find_key(workspace)
    commits = {record.commit for record in live.manifest.records()}
    return RecordedState(
        target=target.name,
        domain=target.domain,
        conf_dir=str(target.conf_dir),
        taken_at=now.astimezone(UTC).replace(microsecond=0),
        key_id=_key_id(key),
        commit=commits.pop() if len(commits) == 1 else "",
        files=_record_files(live, keyed(key)),
        foreign=_find_foreign(target.conf_dir, live),
        owner=live.manifest.owner,
    )


def save_state(state: RecordedState, path: Path) -> None:
    """Write the recording, compressed where the name ends with `.gz`."""
    content = (to_json(state.to_json(), indent=1) + "\n").encode()
    write_output(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def load_state(path: Path) -> RecordedState:
    """Return a recording. Raises UsageError when the file is not one."""

    def read(content: bytes) -> RecordedState:
        text = gzip.decompress(content) if path.suffix == ".gz" else content
        return RecordedState.from_json(json.loads(text))

    return read_saved(path, read, "export-state --output FILE")


def plan_against(
    workspace: Workspace, state: RecordedState, now: datetime, demands: Demands | None = None
) -> Planned:
    """Plan against a recording of the target. Such a plan is for reading: no apply takes it.

    No secret is fetched: what is declared may come from somebody whose pull request this is.

    Raises UsageError when it is a recording of another target.
    """
    target = workspace.target
    if (state.target, state.domain) != (target.name, target.domain):
        raise UsageError(
            f"this state was recorded on target `{state.target}` ({state.domain}), and the target "
            f"here is `{target.name}` ({target.domain}); name the right one with --target"
        )
    compilation = compile_declared(workspace, declare_desired(workspace), fetch=False)
    same_key = bool(state.key_id) and state.key_id == _key_id(compilation.key)
    live = state.to_live(compilation.compiled.files, same_key=same_key)
    notes = [f"compared with the state recorded {describe_age(state.taken_at, now)}"]
    if not same_key:
        notes.append("recorded with another project key: changes of secrets alone are not seen")
    planned = plan_compiled(workspace, compilation, live, tuple(notes), demands)
    return replace(planned, plan=replace(planned.plan, baseline=Baseline.RECORDING))


def describe_age(taken_at: datetime, now: datetime) -> str:
    """Return how long ago that was, and when: `3 hours ago (2026-01-31 12:00 UTC)`."""
    seconds = max(0, int((now - taken_at).total_seconds()))
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            ago = f"{count_noun(count, noun)} ago"
            break
    else:
        ago = "less than a minute ago"
    return f"{ago} ({taken_at:%Y-%m-%d %H:%M} UTC)"


def _record_files(
    live: LiveConfig, digest: Callable[[bytes], str]
) -> dict[str, tuple[RecordedFile, ...]]:
    files: dict[str, tuple[RecordedFile, ...]] = {}
    for path, entry in live.manifest.entries.items():
        found = live.files[path]
        if entry.alone:
            files[path] = (_record_file(found, entry, digest),)
            continue
        there, _ = split_live(found, path, entry)
        absent = replace(found, kind=FileKind.MISSING, sha256="", content=None)
        absent = absent if found.kind is FileKind.REGULAR else found
        files[path] = tuple(
            _record_file(there.get(resource, absent), own, digest)
            for resource, own in split_entry(entry).items()
        )
    return files


def _record_file(
    found: LiveFile, entry: ManifestEntry, digest: Callable[[bytes], str]
) -> RecordedFile:
    content, record = found.content, entry.records[0]
    return RecordedFile(
        kind=found.kind,
        resource=record.resource,
        source=record.source,
        drifted=found.sha256 != entry.sha256,
        digest=digest(found.sha256.encode()) if content is not None else "",
        secrets=digest_secrets(content, digest) if content is not None else "",
        attributes=mask_attributes(content) if content is not None else {},
    )


def _find_foreign(conf_dir: Path, live: LiveConfig) -> tuple[str, ...]:
    folders = {path.rpartition("/")[0] for path in live.files}
    return tuple(
        sorted(
            f"{folder}/{entry.name}"
            for folder in folders
            if (conf_dir / folder).is_dir()
            for entry in (conf_dir / folder).iterdir()
            if entry.suffix == ".xml" and f"{folder}/{entry.name}" not in live.files
        )
    )


def _key_id(key: ProjectKey | None) -> str:
    return keyed(key)(KEY_LABEL)[:16]
