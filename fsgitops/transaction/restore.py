"""Put one step of a transaction back: what stood there, and what somebody else wrote meanwhile."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from fsgitops.transaction.folder import Folder, exchange, move, place

if TYPE_CHECKING:
    from fsgitops.transaction.places import Places, Stage

OUT = ".out"


def restore_step(
    places: Places, number: int, path: str, before: str, after: str, *, label: str
) -> list[str]:
    """Put back what stood at a path, with its owner and mode; "" is nothing.

    Wherever the step, or an earlier try to put it back, was interrupted: what came out of the
    directory and is neither the old nor the new file is somebody else's, and kept under `label`.
    Returns where that is. Raises OSError.
    """
    stage, name = places.stage(path), str(number)
    ours = {"", before, after}
    kept = _keep_what_came_out(places, stage, name, path, ours, label)
    folder_name, _, last = path.rpartition("/")
    folder = places.conf.find(folder_name)
    now = folder.hash(last) if folder else ""
    if not before:
        if folder and now:
            kept += _take_out(places, stage, folder, name, path, after, label)
        return kept
    where = str(places.conf.path / path)
    held = stage.before.hash(name)
    if folder and _is_same(folder, last, stage.before, name):
        return kept if now == before else [*kept, where]
    if now == before:
        if held not in ours:
            kept.append(places.keep_aside(stage.before, name, path, label))
        return kept
    if held == "" and now == after:
        raise OSError(errno.ENOENT, "what stood there before is gone", where)
    if held in ("", after):  # put back already; what stands there now was written after that
        return [*kept, where] if now else kept
    kept += _put_back(places, stage, name, path, ours, label)
    # Written into the very file that we had set aside: it stands where it was written to.
    return kept if held == before else [*kept, where]


def _keep_what_came_out(
    places: Places, stage: Stage, name: str, path: str, ours: set[str], label: str
) -> list[str]:
    if _is_same(stage.staged, name, stage.before, name):
        return []
    return [
        places.keep_aside(stage.staged, out, path, label)
        for out in (name, name + OUT)
        if stage.staged.status(out) is not None and stage.staged.hash(out) not in ours
    ]


def _is_same(one: Folder, name: str, other: Folder, other_name: str) -> bool:
    """Tell whether two names are the same file's."""
    first, second = one.status(name), other.status(other_name)
    return first is not None and second is not None and os.path.samestat(first, second)


def _take_out(
    places: Places, stage: Stage, folder: Folder, name: str, path: str, after: str, label: str
) -> list[str]:
    """Take away what was created, and keep it when it is not what we created."""
    out = f"{name}{OUT}"
    move(folder, path.rpartition("/")[2], stage.staged, out)
    if stage.staged.hash(out) != after:
        return [places.keep_aside(stage.staged, out, path, label)]
    stage.staged.remove(out)
    return []


def _put_back(
    places: Places, stage: Stage, name: str, path: str, ours: set[str], label: str
) -> list[str]:
    """Put the old file in its place; keep what stood there when it is not ours."""
    folder_name, _, last = path.rpartition("/")
    folder = places.conf.make(folder_name)
    while True:
        try:
            if folder.status(last) is None:
                place(stage.before, name, folder, last)
                return []
            if exchange(stage.before, name, folder, last):
                break
            kept = []
            if folder.hash(last) not in ours:
                kept = [places.keep_aside(folder, last, path, label)]
            move(stage.before, name, folder, last)
        except FileExistsError:
            continue  # somebody was faster
        except FileNotFoundError:
            if stage.before.status(name) is None:
                raise
            continue
        return kept
    if stage.before.hash(name) in ours:
        return []
    return [places.keep_aside(stage.before, name, path, label)]
