"""The last step of `fsgitops key rotate`: the next key becomes the project key.

Which key that must be is known before anything is touched: the one that `--start` wrote down, else
the one that secrets are derived from now. Everything is checked first; then files are renamed, and
last `fsgitops.yaml` changes, so that whatever interrupts it, the next `--finish` goes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsgitops.commands.rotate import read_rotation, write_rotation
from fsgitops.durable import sync_folder
from fsgitops.errors import UsageError
from fsgitops.secret import KEY_VARIABLE, NEXT_KEY_VARIABLE, PREVIOUS_SUFFIX, load_key
from fsgitops.secret.private_file import write_private_file
from fsgitops.settings import SETTINGS_FILE
from fsgitops.visible import count_noun
from fsgitops.workspace.secrets import next_key_file

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.commands.rotate import Rotation
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
    the next key is not at hand, or another key would be the project key afterwards: every password
    would fall back to what that gives.
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
    done = _replace_key_file(place, wanted)
    write_rotation(workspace.root, None)
    done.append(
        f"removed `key_rotation` from {SETTINGS_FILE}: before that is merged, put the next key "
        f"into {KEY_VARIABLE} of every pipeline, then remove {NEXT_KEY_VARIABLE}"
    )
    return done


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
