"""Everything that a transaction needs, written and synced before anything is touched."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
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
from fsgitops.transaction.places import BEFORE, FOLDER, RECORD, STAGED, Places, write_mounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsgitops.transaction.folder import Folder
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
            problem.filename = str(places.conf.path / operation.path)
        raise


def _stage_one(
    places: Places, kept: Folder, number: int, operation: Operation
) -> tuple[str, str, str]:
    path = operation.path
    if not is_safe_path(path):
        raise OSError(errno.EPERM, "not a path that may be written", path)
    name, where = path.rpartition("/")[2], str(places.conf.path / path)
    stage = places.stage(path)
    near, folder = places.conf.nearest(folder_of(path))
    here = near == folder_of(path)
    like: os.stat_result | None = None
    if operation.before:
        if not here:
            raise OSError(errno.EBUSY, CHANGED, where)
        like = _back_up(places, kept, number, folder, path)
        expect(stage.before, str(number), operation.before, where)
    elif here and folder.status(name) is not None:
        raise OSError(errno.EBUSY, CHANGED, where)
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
        raise OSError(errno.EBUSY, CHANGED, str(places.conf.path / path)) from None
    if places.mount_of(path):
        copy_file(stage.before, name, kept, name)
    return like
