"""Remember that nothing was to change, and know it again by what that followed from.

A plan follows from the files that are declared, the settings, the key, the program, the manifest
and the conf directory. Of what is small, that is all but the live files, the bytes count. A live
file is known by its status, as git knows one: by inode, size, mode, and the times of its last
write (mtime) and of the last change to any of these (ctime), which no program can set back. One
that changed within RACY of a look may change again without that being seen, so nothing is
remembered of it.

Only what can be told so is remembered. A plan with changes, hazards or needs is made each time.
So is one of a part, one that an installed rule judges, one without a key, and one of a conf
directory that includes files of other places. An apply neither asks nor tells this module.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fsgitops.errors import FsgitopsError
from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.impact import Impact
from fsgitops.model.plan import Plan
from fsgitops.model.verdict import Tests
from fsgitops.planning.impact import FILE as HEARINGS
from fsgitops.planning.planned import Unchanged, make_context
from fsgitops.schema_parts import json_values
from fsgitops.secret.key import keyed_digest
from fsgitops.secret.source import read_source
from fsgitops.steps.load import find_files, read_bytes
from fsgitops.steps.plan import finish_plan
from fsgitops.steps.read_templates import read_templates
from fsgitops.transaction.journal import MANIFEST
from fsgitops.transaction.places import FOLDER, mounts_below
from fsgitops.transaction.state import open_state_folder
from fsgitops.workspace.cache import Cache
from fsgitops.workspace.looks import State, UnsuitedError, walk
from fsgitops.workspace.open import make_fetcher
from fsgitops.workspace.secrets import find_keys
from fsgitops.workspace.trees import ROOM as TREE_ROOM
from fsgitops.workspace.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.planning.planned import Planned
    from fsgitops.planning.shape import Demands
    from fsgitops.secret.key import ProjectKey
    from fsgitops.secret.value import Secret
    from fsgitops.settings.target import Target
    from fsgitops.workspace.open import Workspace
    from fsgitops.workspace.secrets import Keys

ROOM: Final = 8 << 20
"""Bytes of the cache: a thousand plans."""
RACY: Final = 2_000_000_000
"""Nanoseconds: file systems that count whole seconds, or two of them, are told apart by that."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a plan follows from, at a moment: digests of `declared` and `live`.

    `stamps` is the digest of the states of the declared files and their folders: it differs from
    another look's where one was written meanwhile, and written back, or came and went. `settled`
    says that no file which is known by its status had changed shortly before.
    """

    declared: bytes
    stamps: bytes
    live: bytes
    settled: bool

    @property
    def subject(self) -> bytes:
        return self.declared + self.live


class Memory:
    """What is known of earlier plans for a target; a plan without one is made as always."""

    def __init__(
        self, workspace: Workspace, demands: Demands, keys: Keys, key: ProjectKey, cache: Cache
    ) -> None:
        self._workspace = workspace
        self._demands = demands
        self._keys = keys
        self._key = key
        self._cache = cache
        self._before: _Look | None = None

    def recall(self, *, renew: bool = False) -> Unchanged | None:
        """Return the plan if it is known that nothing changes. With `renew`, it never is."""
        self._before = self._look()
        if self._before is None or renew:
            return None
        kept = self._cache.read(self._before.subject)
        known = None if kept is None else json.loads(kept)
        if known is None or self._digest_secrets(known["sources"]) != known["secrets"]:
            return None
        blank = make_context(self._workspace).blank
        return _make_again(known, blank, kick_rotated=self._demands.kick_rotated)

    def watch(self) -> None:
        """Look again, now that the declared files are read and the live ones are about to be."""
        before = self._before
        if before is None or before.settled:
            return
        again = self._look()
        same = again and (again.declared, again.stamps) == (before.declared, before.stamps)
        self._before = again if same else None

    def keep(self, planned: Planned) -> None:
        """Remember a plan if all that it follows from can be known again."""
        before, compilation, plan = self._before, planned.compilation, planned.plan
        if before is None or not before.settled or compilation.unavailable:
            return
        target, look = self._workspace.target, planned.look
        asked = None if look is None else look.includes()
        if asked is None or not all(_is_inside(target, pattern) for pattern in asked):
            return
        findings = [astuple(item) for item in compilation.declared.findings]
        known = {
            "unchanged": plan.unchanged,
            "unmanaged": plan.unmanaged,
            "live_digest": plan.live_digest,
            "warnings": plan.warnings,
            "impact": None if plan.impact is None else json_values(plan.impact),
            "tests": plan.tests and plan.tests.held,
            "findings": findings,
            "sources": [asdict(source) for source in compilation.fetched],
            "secrets": _digest_values(self._key, compilation.fetched.values()),
        }
        blank = Plan(
            plan.project, plan.target, plan.conf_dir, plan.domain,
            commit=plan.commit, dirty=plan.dirty, simulated=plan.simulated,
        )  # fmt: skip
        text = json.dumps(known, separators=(",", ":"))
        # The very plan has to come of it: one with changes, say, does not.
        again = _make_again(json.loads(text), blank, kick_rotated=self._demands.kick_rotated)
        same = again.plan == plan and again.findings == compilation.declared.findings
        if same and self._look() == before:
            self._cache.write(before.subject, text.encode())
            self._cache.tidy()

    def _look(self) -> _Look | None:
        try:
            return _look_at(self._workspace, self._keys)
        except (UnsuitedError, FsgitopsError, OSError):
            return None

    def _digest_secrets(self, sources: list[dict[str, Any]]) -> str | None:
        """Return the digest of what stands at these sources now, None where one has nothing."""
        found: list[Secret] = []
        if sources:
            settings, root = self._workspace.settings, self._workspace.root
            fetcher = make_fetcher(settings.secrets, root, settings.key_file)
            try:
                found = [fetcher.fetch(read_source(source)) for source in sources]
            except (FsgitopsError, ValueError):
                return None
        return _digest_values(self._key, found)


def open_memory(workspace: Workspace, demands: Demands) -> tuple[Memory | None, Trees | None]:
    """Return what is known of earlier plans, and of YAML files; None where that is of no use."""
    try:
        keys = find_keys(workspace)
        if keys.current is None:
            return None, None
        cache = partial(Cache, workspace.root, keys.current, os.environ)
        trees = Trees(cache("trees", TREE_ROOM))
        if demands.only or demands.exclude or workspace.settings.policy.entry_points:
            return None, trees
        return Memory(workspace, demands, keys, keys.current, cache("plans", ROOM)), trees
    except (FsgitopsError, UnsuitedError, OSError):
        return None, None


def _make_again(known: Mapping[str, Any], blank: Plan, *, kick_rotated: bool) -> Unchanged:
    plan = replace(
        blank,
        unchanged=known["unchanged"],
        unmanaged=known["unmanaged"],
        live_digest=known["live_digest"],
        warnings=tuple(known["warnings"]),
        impact=None if known["impact"] is None else Impact.from_json(known["impact"]),
        tests=None if known["tests"] is None else Tests(known["tests"]),
        kick_rotated=kick_rotated,
    )
    findings = tuple(
        Finding(rule, Severity(severity), Position(*position), message, hint, group)
        for rule, severity, position, message, hint, group in known["findings"]
    )
    return Unchanged(finish_plan(plan), findings)


def _digest_values(key: ProjectKey, values: Iterable[Secret]) -> str | None:
    return keyed_digest(key, json.dumps([value.reveal() for value in values]).encode())


def _look_at(workspace: Workspace, keys: Keys) -> _Look:
    now, declared, stamps, live = time.time_ns(), State(), State(), State()
    declared.add(*(key and key.id for key in (keys.current, keys.upcoming)))
    declared.add(os.geteuid(), os.getegid(), os.getgroups())
    newest = _add_live(workspace.target, live)
    changed = _add_declared(workspace, declared, stamps)
    settled = newest < now - RACY and changed < workspace.opened - RACY
    return _Look(declared.digest(), stamps.digest(), live.digest(), settled)


def _add_declared(workspace: Workspace, state: State, stamps: State) -> int:
    """Add all that a project's files say.

    Return when one changed last of those that were read before, and are kept as nothing else.
    """
    root, settings, templates = workspace.root, workspace.settings, workspace.settings.templates
    # What holds a secret shows none, and no plan without a change depends on one of those.
    state.add(root, workspace.document.text, settings, workspace.target)
    read, findings = read_templates(root / templates)
    state.add(sorted(read.sources.items()), sorted(read.files.items()))
    folders = {Path(templates), Path(settings.desired), Path(settings.policy.folder), Path()}
    for start in (settings.desired, settings.policy.folder):
        if start == settings.desired or (root / start).exists():
            paths, found = find_files(root, start)
            findings += found
            for path in paths:
                _add_file(root, path, state, stamps)
            folders.update(folder for path in paths for folder in Path(path).parents)
        state.add(start)
    if findings:
        raise UnsuitedError
    for place in (*sorted(folders), *(Path(templates) / name for name in sorted(read.sources))):
        _add_stamp(root / place, stamps)
    schemas = [_add_file(root, item.schema_file, state, stamps) for item in settings.kinds]
    return max(schemas, default=0)


def _add_file(root: Path, path: str, state: State, stamps: State) -> int:
    changed = _add_stamp(root / path, stamps)
    data, problem = read_bytes(root, path)
    if problem is not None:
        raise UnsuitedError
    state.add(path, hashlib.sha256(data).digest())
    return changed


def _add_stamp(path: Path, stamps: State) -> int:
    """Add the state of a file or a folder, there or not; return when it changed last."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0
    stamps.add(str(path), found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
    return found.st_ctime_ns


def _add_live(target: Target, state: State) -> int:
    """Add the manifest and the whole conf directory; return when it was changed last."""
    conf, own = os.path.realpath(target.conf_dir), os.path.realpath(target.state_dir)
    if not _is_hidden(conf, own) or (target.state_dir / FOLDER).exists():
        raise UnsuitedError
    with open_state_folder(target.state_dir) as folder:
        found = folder.status(MANIFEST)
        if found is None:
            raise UnsuitedError
        state.add(folder.hash(MANIFEST), found.st_ino, found.st_ctime_ns)
        state.add(folder.hash(HEARINGS))
    state.add(conf, sorted(mounts_below(target.conf_dir)))
    return walk(conf, state, lambda folder: folder.path == own)


def _is_hidden(conf: str, own: str) -> bool:
    """Tell whether patterns of includes do not come by the state directory unless they name it."""
    below = own.removeprefix(conf + "/")
    return below == own or any(part.startswith(".") for part in below.split("/"))


def _is_inside(target: Target, pattern: str) -> bool:
    """Tell whether a pattern of an include can name only what `_walk` looks at."""
    conf, path = str(target.conf_dir), os.path.normpath(pattern)
    hidden = any(part.startswith((".", "\\.")) for part in path.removeprefix(conf).split("/"))
    return path.startswith(conf + "/") and not hidden
