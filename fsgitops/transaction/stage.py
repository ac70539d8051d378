"""Each step of a transaction: written and synced before anything is touched, and put back.

Nothing that somebody else wrote meanwhile is lost.
"""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fsgitops.model.live import is_safe_path
from fsgitops.transaction.files import (
    CHANGED,
    ConfDir,
    copy_file,
    expect,
    folder_of,
    link_or_copy,
    stage_file,
    sync_files,
)
from fsgitops.transaction.folder import Folder, exchange, move, place
from fsgitops.transaction.places import BEFORE, FOLDER, RECORD, STAGED, Places, write_mounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsgitops.transaction.places import Stage
    from fsgitops.transaction.state import StateFolder


@dataclass(frozen=True, slots=True)
class Operation:
    """Put `content` at `path` (relative to the conf directory), or delete it when None.

    `before` is the sha256 of what must stand there now, "" for nothing.
    """

    path: str
    content: bytes | None
    before: str = ""


def make_folders(state: StateFolder, mounts: tuple[str, ...]) -> None:
    """Make the folders of a transaction, empty. Raises OSError."""
    with state.make_folder(FOLDER) as folder:
        write_mounts(folder, mounts)
        folder.make_folder(STAGED).close()
        with folder.make_folder(RECORD) as record:
            record.make_folder(BEFORE).close()


def stage_all(
    places: Places, operations: Sequence[Operation], files: Mapping[str, bytes]
) -> tuple[tuple[str, str, str], ...]:
    """Write everything that the transaction needs, synced. Raises OSError."""
    places.make_stages()
    with places.folder.open_folder(RECORD) as record, record.open_folder(BEFORE) as kept:
        steps = tuple(
            _stage(places, kept, number, operation) for number, operation in enumerate(operations)
        )
        for name, content in files.items():
            where, _, last = name.rpartition("/")
            (record if where else places.folder).write(last, content)
        with places.folder.open_folder(STAGED) as staged:
            sync_files([staged, kept, record, *places.stage_folders()], len(operations))
    places.folder.sync()
    places.state.sync()
    return steps


def missing_folders(conf: ConfDir, operations: Sequence[Operation]) -> tuple[str, ...]:
    """Return the folders that files will need; parents first, so that undoing goes backwards."""
    missing: set[str] = set()
    for name in {folder_of(item.path) for item in operations if item.content is not None}:
        near, _ = conf.nearest(name)
        while name != near:
            missing.add(name)
            name = folder_of(name)  # noqa: PLW2901 - upwards
    return tuple(sorted(missing))


def _stage(places: Places, kept: Folder, number: int, operation: Operation) -> tuple[str, str, str]:
    try:
        return _stage_one(places, kept, number, operation)
    except OSError as problem:
        if problem.filename is None:  # which of the mounts is full, say
            problem.filename = places.where(operation.path)
        raise


def _stage_one(
    places: Places, kept: Folder, number: int, operation: Operation
) -> tuple[str, str, str]:
    path = operation.path
    if not is_safe_path(path):
        raise OSError(errno.EPERM, "not a path that may be written", path)
    above, _, name = path.rpartition("/")
    where = partial(places.where, path)
    stage = places.stage(path)
    near, folder = places.conf.nearest(above)
    like: os.stat_result | None = None
    if operation.before:
        if near != above:
            raise OSError(errno.EBUSY, CHANGED, where())
        like = _back_up(places, kept, number, folder, path)
        expect(stage.before, str(number), operation.before, where())
    elif near == above and folder.status(name) is not None:
        raise OSError(errno.EBUSY, CHANGED, where())
    if operation.content is None:
        return path, operation.before, ""
    group = os.fstat(folder.descriptor).st_gid
    stage_file(stage.staged, str(number), operation.content, like=like, group=group, where=where)
    return path, operation.before, hashlib.sha256(operation.content).hexdigest()


def _back_up(
    places: Places, kept: Folder, number: int, folder: Folder, path: str
) -> os.stat_result | None:
    """Keep a second name of what stands at a path, and for the record a copy on another mount.

    Returns what it is like: a copy, which serves where there can be no second name, may have
    another owner.
    """
    stage, name = places.stage(path), str(number)
    like = folder.status(path.rpartition("/")[2])
    try:
        link_or_copy(folder, path.rpartition("/")[2], stage.before, name)
    except FileNotFoundError:
        raise OSError(errno.EBUSY, CHANGED, places.where(path)) from None
    if places.mount_of(path):
        copy_file(stage.before, name, kept, name)
    return like


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
    where = places.where(path)
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
