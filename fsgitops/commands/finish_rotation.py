"""The last step of `fsgitops key rotate`: the next key becomes the project key.

Which key that must be is known before anything is touched: the one that `--start` wrote down, else
the one that secrets are derived from now. Everything is checked first; then files are renamed, and
last `fsgitops.yaml` changes, so that whatever interrupts it, the next `--finish` goes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fsgitops.commands.rotate import read_rotation, write_rotation
from fsgitops.durable import sync_folder
from fsgitops.errors import UsageError
from fsgitops.secret.key import (
    KEY_VARIABLE,
    NEXT_KEY_VARIABLE,
    PREVIOUS_SUFFIX,
    load_key,
    write_private_file,
)
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.read_live import read_manifest
from fsgitops.visible import count_noun
from fsgitops.workspace.compile import compile_declared
from fsgitops.workspace.declare import declare_desired
from fsgitops.workspace.open import open_workspace
from fsgitops.workspace.secrets import next_key_file

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.commands.rotate import Rotation
    from fsgitops.model.live import Manifest
    from fsgitops.workspace.open import Workspace


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
            behind += [f"{count_noun(count, 'agent')} at target {name}"] if count else []
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
    agents = sum(
        resource.kind == "agent" for items in manifest.unloaded.values() for resource in items
    )
    if not agents:
        return []
    are = "is" if agents == 1 else "are"
    return [
        f"target {place.target.name}: {count_noun(agents, 'agent')} {are} written, and the switch "
        "was not told (`--no-reload`): it knows what it loaded before until it loads the files"
    ]


def _count_behind(workspace: Workspace, manifest: Manifest) -> int:
    """Return how many agents were applied otherwise than they are declared.

    A manifest names every key that a partial apply may have left in use, so it is the files that
    tell whether one still is.
    """
    compiled = compile_declared(workspace, declare_desired(workspace)).compiled
    return sum(
        part.resource.kind == "agent"
        for path, file in compiled.files.items()
        if path in manifest.entries and manifest.entries[path].sha256 != file.sha256
        for part in file.parts
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
