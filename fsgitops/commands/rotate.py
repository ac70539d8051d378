"""`fsgitops key rotate`: move agents from one project key to the next, group by group.

Which agents have moved is said in `fsgitops.yaml`, so that a pipeline and a person who have both
keys derive the same secrets.

Which key must be the project key afterwards is known before `--finish` touches anything: the one
that `--start` wrote down, else the one that secrets are derived from now. Everything is checked
first; then files are renamed, and last `fsgitops.yaml` changes, so that whatever interrupts it, the
next `--finish` goes on.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fsgitops.durable import sync_folder
from fsgitops.errors import NotThereError, UsageError
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.agent.secrets import count_rotation
from fsgitops.live.roster import check_extension
from fsgitops.model.reading import holds_secrets, resource_of
from fsgitops.secret.key import (
    KEY_VARIABLE,
    NEXT_KEY_VARIABLE,
    PREVIOUS_SUFFIX,
    load_key,
    write_key_file,
    write_private_file,
)
from fsgitops.settings.shapes import SETTINGS_FILE, RotationSettings
from fsgitops.steps.read_live import read_manifest
from fsgitops.visible import count_noun
from fsgitops.workspace.declare import compile_declared, declare_desired
from fsgitops.workspace.git import keep_from_git
from fsgitops.workspace.open import open_workspace
from fsgitops.workspace.secrets import Moved, find_keys, next_key_file
from fsgitops.workspace.settings_file import append_line, change_settings, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds
    from fsgitops.model.live import Manifest
    from fsgitops.model.resource import Resource
    from fsgitops.secret.key import ProjectKey
    from fsgitops.workspace.open import Workspace
    from fsgitops.workspace.secrets import Keys


_BLOCK = re.compile(r"^key_rotation[ \t]*:.*(?:\n(?:[ \t].*)?)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far a rotation is: how many agents have moved, in all ("") and by group."""

    keys: Keys
    under_way: bool
    moved: Counter[str]
    total: Counter[str]
    others: int = 0
    """How many resources that are no agents have not moved: only all move together with them."""

    @property
    def complete(self) -> bool:
        """Tell whether every resource with derived secrets has moved."""
        return self.moved[""] == self.total[""] and not self.others

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        current, upcoming = self.keys.current, self.keys.upcoming
        return {
            "current_key": current.id if current else None,
            "next_key": upcoming.id if upcoming else None,
            "rotation_under_way": self.under_way,
            "agents": self.total[""],
            "agents_moved": self.moved[""],
            "groups": {
                name: {"agents": self.total[name], "moved": self.moved[name]}
                for name in sorted(set(self.total) - {""})
            },
        }


def read_rotation(workspace: Workspace) -> Rotation:
    """Return which keys are at hand, and which agents' secrets come from which."""
    desired = declare_desired(workspace).demand()
    settings = workspace.settings.key_rotation
    moved, total = count_rotation(desired.of(Agent), Moved(settings).has)
    left = _count_left(workspace.kinds, desired, Moved(settings))
    return Rotation(find_keys(workspace), settings is not None, moved, total, left)


def _count_left(kinds: Kinds, desired: Desired, moved: Moved) -> int:
    """Return how many other resources have a secret that is derived from the current key."""
    return sum(
        any(wish.source is None for wish in kind.wishes(noun))
        and not moved.has(resource_of(noun), ())
        for kind in kinds.values()
        if kind.noun is not Agent
        for noun in desired.of(kind.noun)
        if noun.enabled
    )


def start_rotation(workspace: Workspace) -> tuple[Path, ProjectKey]:
    """Make the next key, beside the project key.

    Raises SecretError when there is one already, UsageError when another one was announced.
    """
    path = next_key_file(workspace.settings, workspace.root)
    before = workspace.settings.key_rotation or RotationSettings()
    if before.next_key and not path.exists():
        raise UsageError(
            f"a rotation to the key {before.next_key} is under way: put that key at {path}, or set "
            f"{NEXT_KEY_VARIABLE}"
        )
    keep_from_git(path)
    key = write_key_file(path)
    write_rotation(workspace.root, before.model_copy(update={"next_key": key.id}))
    return path, key


def move_agents(
    workspace: Workspace, groups: tuple[str, ...], extensions: tuple[str, ...], *, everyone: bool
) -> RotationSettings:
    """Add agents to those whose secrets come from the next key, in `fsgitops.yaml`.

    Raises NotThereError for a group that nobody is in, or an agent that is not declared;
    UsageError for what is no extension.
    """
    agents = declare_desired(workspace).desired.of(Agent)
    known = {name for agent in agents for name in agent.groups}
    for group in sorted(set(groups) - known):
        raise NotThereError(
            f"no agent is in group {group}; the groups are: {', '.join(sorted(known))}"
        )
    declared = {agent.extension for agent in agents}
    for extension in sorted({check_extension(one) for one in extensions} - declared):
        raise NotThereError(f"no agent {extension} is declared")
    before = workspace.settings.key_rotation or RotationSettings()
    after = RotationSettings(
        next_key=before.next_key,
        everyone=before.everyone or everyone,
        groups=tuple(sorted({*before.groups, *groups})),
        extensions=tuple(sorted({*before.extensions, *extensions})),
    )
    write_rotation(workspace.root, after)
    return after


def write_rotation(root: Path, rotation: RotationSettings | None) -> None:
    """Say in `fsgitops.yaml` which agents have moved; None removes what it says.

    Everything else in the file stays as it is written. Raises UsageError when it is written in a
    way that this cannot be added to, or when it is saved by somebody else meanwhile.
    """
    change_settings(root, lambda text: edit_rotation(text, rotation))


def edit_rotation(text: str, rotation: RotationSettings | None) -> str:
    """Return the text of `fsgitops.yaml` with another `key_rotation`, checked by reading it."""
    line = "" if rotation is None else f"key_rotation: {_flow(rotation)}\n"
    changed, found = _BLOCK.subn(lambda _: line, text, count=1)
    if not found and line:
        changed = append_line(text, line)
    wanted = {name: value for name, value in read_text(text).items() if name != "key_rotation"}
    read = read_text(changed)
    declared = read.pop("key_rotation", None)
    if read != wanted or (declared is None) != (rotation is None):
        raise UsageError(
            f"{SETTINGS_FILE}: cannot be changed safely; write `{line.strip()}` into it by hand"
        )
    return changed


def _flow(rotation: RotationSettings) -> str:
    parts = [f'next_key: "{rotation.next_key}"'] if rotation.next_key else []
    parts += ["everyone: true"] if rotation.everyone else []
    for name in ("groups", "extensions"):
        words = getattr(rotation, name)
        if words:
            parts.append(f"{name}: {json.dumps(list(words), ensure_ascii=False)}")
    return "{" + ", ".join(parts) + "}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where keys stand: `…_id` are fingerprints, "" where there is none."""

    current: Path
    upcoming: Path
    previous: Path
    current_id: str
    upcoming_id: str
    variable_id: str
    next_variable_id: str


def finish_rotation(workspace: Workspace) -> list[str]:
    """Make the next key the project key; return what was done.

    Raises UsageError, with nothing changed, when agents have not moved, no rotation is under way,
    a target has not been told the new passwords, the next key is not at hand, or another key would
    be the project key afterwards: every password would fall back to what that gives.
    """
    if workspace.settings.key_rotation is None:
        raise UsageError("no key rotation is under way: `fsgitops key rotate --start` begins one")
    rotation = read_rotation(workspace)
    if not rotation.complete:
        left = rotation.total[""] - rotation.moved[""]
        if not left:
            raise UsageError(
                f"{count_noun(rotation.others, 'other resource')} not moved to the next key yet; "
                "move them with `fsgitops key rotate --everyone`, and apply"
            )
        raise UsageError(
            f"{left:,} of {count_noun(rotation.total[''], 'agent')} not moved to the next key yet; "
            "move them with `fsgitops key rotate --groups …` or `--everyone`, and apply"
        )
    place = _find_place(workspace)
    wanted = _choose_key(workspace, rotation, place)
    unknown = _check_applied(workspace, rotation, wanted)
    done = _replace_key_file(place, wanted)
    write_rotation(workspace.root, None)
    done.append(
        f"removed `key_rotation` from {SETTINGS_FILE}: before that is merged, put the next key "
        f"into {KEY_VARIABLE} of every pipeline, then remove {NEXT_KEY_VARIABLE}"
    )
    return [*done, *unknown]


def _check_applied(workspace: Workspace, rotation: Rotation, wanted: str) -> list[str]:
    """Refuse while what a target holds comes from another key; return what could not be told.

    The sandbox has no phones: it counts only where no other target was applied to from here.
    """
    settings = workspace.settings
    if rotation.keys.upcoming is None:  # an interrupted `--finish` made it the project key
        settings = settings.model_copy(update={"key_rotation": None})
    declared = [open_workspace(workspace.root, name) for name in settings.targets]
    manifests = [(place, read_manifest(place.target.state_dir)) for place in declared]
    here = [
        (place, manifest)
        for place, manifest in manifests
        if manifest.owner and manifest.owner.target == place.target.name
    ]
    away = [place.target.name for place in declared if place not in [one for one, _ in here]]
    behind = []
    for place, manifest in here or [(workspace, read_manifest(workspace.target.state_dir))]:
        if manifest.keys - {wanted}:
            count = _count_behind(replace(place, settings=settings), manifest)
            name = place.target.name
            behind += [f"{count} at target {name}"] if count else []
    if behind:
        raise UsageError(
            f"the new passwords are not applied yet: {', '.join(behind)}. Until then the switch "
            "knows the former ones: apply there first (`fsgitops apply --target NAME`)"
        )
    return [
        *(note for place, manifest in here for note in _tell_unloaded(place, manifest)),
        *(
            f"target {name} was not looked at: nothing was applied to it from here. Apply the new "
            "passwords there before this is merged"
            for name in away
        ),
    ]


def _tell_unloaded(place: Workspace, manifest: Manifest) -> list[str]:
    """Say so where files were written only: whoever makes an image never tells a switch."""
    unloaded = (resource for items in manifest.unloaded.values() for resource in items)
    if not (told := _count_kinds(unloaded, place.kinds)):
        return []
    are = "is" if told.startswith("1 ") and "," not in told else "are"
    return [
        f"target {place.target.name}: {told} {are} written, and the switch "
        "was not told (`--no-reload`): it knows what it loaded before until it loads the files"
    ]


def _count_behind(workspace: Workspace, manifest: Manifest) -> str:
    """Return how many with secrets were applied otherwise than they are declared.

    A manifest names every key that a partial apply may have left in use, so it is the files that
    tell whether one still is.
    """
    compiled = compile_declared(workspace, declare_desired(workspace)).compiled
    behind = (
        part.resource
        for path, file in compiled.files.items()
        if path in manifest.entries and manifest.entries[path].sha256 != file.sha256
        for part in file.parts
    )
    return _count_kinds(behind, workspace.kinds)


def _count_kinds(resources: Iterable[Resource], kinds: Kinds) -> str:
    """Return how many of each kind that has secrets these are: `2 agents, 1 paging group`."""
    counts = Counter(resource.kind for resource in resources)
    return ", ".join(
        count_noun(counts[word], kind.told)
        for word, kind in kinds.items()
        if counts[word] and holds_secrets(kind.noun)
    )


def _find_place(workspace: Workspace) -> _Place:
    current = workspace.root / workspace.settings.key_file
    upcoming = next_key_file(workspace.settings, workspace.root)
    return _Place(
        current,
        upcoming,
        current.with_name(current.name + PREVIOUS_SUFFIX),
        _id_of(current),
        _id_of(upcoming),
        _id_of(None, KEY_VARIABLE),
        _id_of(None, NEXT_KEY_VARIABLE),
    )


def _id_of(path: Path | None, variable: str = "") -> str:
    key = load_key(os.environ if variable else {}, path, variable or KEY_VARIABLE)
    return key.id if key else ""


def _choose_key(workspace: Workspace, rotation: Rotation, place: _Place) -> str:
    """Return the fingerprint of the key that must be the project key afterwards."""
    settings = workspace.settings.key_rotation
    announced = settings.next_key if settings else ""
    at_hand = {place.upcoming_id, place.next_variable_id, place.current_id, place.variable_id}
    wanted = announced or (rotation.keys.upcoming.id if rotation.keys.upcoming else "")
    if not wanted or wanted not in at_hand:
        named = f"the next key (key {announced})" if announced else "the next key"
        raise UsageError(
            f"{named} is missing here: set {NEXT_KEY_VARIABLE}, or put its file at {place.upcoming}"
        )
    for where, found in (
        (NEXT_KEY_VARIABLE, place.next_variable_id),
        (str(place.upcoming), place.upcoming_id),
    ):
        if found and found != wanted:
            raise UsageError(
                f"{where} (key {found}) is not the key in use (key {wanted}): remove the wrong one"
            )
    if place.variable_id and place.variable_id != wanted:
        raise UsageError(
            f"{KEY_VARIABLE} still holds the former key (key {place.variable_id}), and wins over a "
            f"file: put the next key (key {wanted}) there first, here and in every pipeline. "
            "Since everybody has moved, that changes no password"
        )
    return wanted


def _replace_key_file(place: _Place, wanted: str) -> list[str]:
    if place.current_id == wanted or (place.variable_id == wanted and not place.current_id):
        return []
    former = place.current.exists()
    if former and place.previous.exists():
        raise UsageError(f"{place.previous}: there is a file already; move it to a safe place")
    if not place.upcoming_id:
        name = NEXT_KEY_VARIABLE if place.next_variable_id else KEY_VARIABLE
        write_private_file(place.upcoming, os.environ[name].strip() + "\n", "key file")
    done = []
    if former:
        place.current.rename(place.previous)
        done.append(f"kept the former key as {place.previous}: destroy it once nothing needs it")
    place.upcoming.rename(place.current)
    for folder in {place.current.parent, place.upcoming.parent}:
        sync_folder(folder)
    return [*done, f"made the next key the project key, {place.current}"]
