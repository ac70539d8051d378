"""All or nothing on a directory: stage, journal, replace, restore.

A transaction lives in the state directory, on the conf directory's own file system:

    STATE/lock                        one apply at a time (transaction_lock.py)
    STATE/manifest.json               what we own
    STATE/transaction/journal.json    its presence says that a transaction is not finished
    STATE/transaction/staged/N        bytes that will stand at path N
    STATE/transaction/manifest        what we will own
    STATE/transaction/record/         what becomes STATE/revisions/NNNNNN when all is done:
    STATE/transaction/record/before/N hard link to what stood at path N, owner and mode included

Until the journal says `committed`, recovery puts everything back; from then on it finishes.
Nothing below the conf directory is touched before the journal stands on the disk, and nothing of
the transaction is thrown away before what it was for stands there.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.model.live import is_safe_path
from fsgitops.transaction_files import (
    FILE_MODE,
    PRIVATE_MODE,
    describe_problem,
    hash_file,
    link_or_copy,
    make_folder,
    make_state,
    refuse_outside,
    stage_file,
    sync_files,
    sync_folder,
    write_state,
    write_synced,
)
from fsgitops.transaction_journal import (
    BEFORE,
    FOLDER,
    RECORD,
    REVISION_FILE,
    REVISIONS,
    Journal,
    TransactionError,
    read_journal,
    write_journal,
)
from fsgitops.transaction_lock import LockedError, lock_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BEFORE", "FILE_MODE", "FOLDER", "REVISIONS", "REVISION_FILE", "Journal", "LockedError",
    "TransactionError", "hash_file", "lock_state", "read_journal", "write_state",
]  # fmt: skip

MANIFEST = "manifest.json"
KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Operation:
    """Put `content` at `path` (relative to the conf directory), or delete it when None.

    `before` is the sha256 of what must stand there now, "" for nothing.
    """

    path: str
    content: bytes | None
    before: str = ""


def begin_transaction(
    conf_dir: Path,
    state_dir: Path,
    operations: Sequence[Operation],
    manifest: bytes,
    *,
    record: Mapping[str, bytes] | None = None,
    reload: bool = False,
) -> Journal:
    """Stage every byte beside the target, back up what it replaces, and write the journal.

    Nothing below the conf directory is touched. `record` holds the files of the revision that
    this leaves. Raises TransactionError (and leaves nothing behind) when the disk refuses, or
    when the journal of another transaction stands there.
    """
    folder = state_dir / FOLDER
    left = read_journal(conf_dir, state_dir)
    if left is not None:
        if not left.restored:
            raise TransactionError(f"{folder} holds an unfinished apply; no file was changed")
        forget_transaction(left)
    try:
        make_state(state_dir)
        _remove(folder)
        refuse_outside(conf_dir, [item.path for item in operations])
        files = {f"{RECORD}/{name}": content for name, content in (record or {}).items()}
        steps = _stage_all(conf_dir, folder, operations, {"manifest": manifest, **files})
        made = _missing_folders(conf_dir, operations)
        revision = next_revision(state_dir) if record else 0
        journal = Journal(conf_dir, folder, steps, made, reload=reload, revision=revision)
        write_journal(journal)
    except OSError as problem:
        with suppress(OSError):
            _remove(folder)
        raise TransactionError(f"{describe_problem(problem)}; no file was changed") from problem
    return journal


def _stage_all(
    conf_dir: Path,
    folder: Path,
    operations: Sequence[Operation],
    files: Mapping[str, bytes],
) -> tuple[tuple[str, str, str], ...]:
    """Write everything below the folder, synced. Raises OSError."""
    for part in (folder, folder / "staged", folder / RECORD, folder / RECORD / BEFORE):
        part.mkdir(mode=PRIVATE_MODE)
    steps = tuple(
        _stage(conf_dir, folder, number, operation) for number, operation in enumerate(operations)
    )
    for name, content in files.items():
        write_synced(folder / name, content)
    _sync_staged(folder, len(operations))
    return steps


def replace_files(journal: Journal) -> None:
    """Put every staged file in its place by rename, delete what is to go, sync the folders.

    Raises TransactionError; the caller restores.
    """
    try:
        refuse_outside(journal.conf_dir, [path for path, _, _ in journal.steps])
        for name in journal.made_folders:
            make_folder(journal.conf_dir / name)
        for number, (path, before, after) in enumerate(journal.steps):
            target = journal.conf_dir / path
            _expect(target, before)
            if after:
                (journal.folder / "staged" / str(number)).rename(target)
            else:
                target.unlink(missing_ok=True)
        _sync_folders(journal)
    except OSError as problem:
        raise TransactionError(describe_problem(problem)) from problem


def restore_files(journal: Journal) -> list[str]:
    """Put back what stood at every path, byte for byte, with its owner and mode.

    Returns where things were moved that somebody else put there meanwhile: nothing is lost.
    The journal stays until `forget_transaction`. Raises TransactionError when the disk refuses;
    calling again goes on where it stopped.
    """
    if journal.restored:
        return []
    kept: list[str] = []
    try:
        refuse_outside(journal.conf_dir, [path for path, _, _ in journal.steps])
        for number, (path, before, after) in enumerate(journal.steps):
            target = journal.conf_dir / path
            now = hash_file(target)
            if now == before:
                continue
            if now and now != after:
                kept.append(_keep_aside(journal, target, number))
            elif now and not before:
                target.unlink(missing_ok=True)
            if before:
                make_folder(target.parent)
                (journal.folder / RECORD / BEFORE / str(number)).rename(target)
        for made in reversed(journal.made_folders):
            with suppress(OSError):
                (journal.conf_dir / made).rmdir()
        _sync_folders(journal)
    except OSError as problem:
        raise TransactionError(describe_problem(problem)) from problem
    with suppress(OSError):  # a disk that is full: restoring again changes nothing
        write_journal(replace(journal, restored=True))
    return kept


def commit_transaction(journal: Journal, record: bytes | None = None) -> None:
    """Make the transaction final: from here on, it is finished and not undone.

    `record` replaces what the revision says. Raises TransactionError: it is not final, and the
    caller restores.
    """
    try:
        if record is not None:
            write_state(journal.folder / RECORD / REVISION_FILE, record)
        write_journal(replace(journal, committed=True))
    except OSError as problem:
        if not is_committed(journal):
            raise TransactionError(describe_problem(problem)) from problem


def is_committed(journal: Journal) -> bool:
    """Tell whether the journal on disk says so, even where writing it ended with an error."""
    try:
        found = read_journal(journal.conf_dir, journal.state_dir)
    except TransactionError:
        return False
    return found is not None and found.committed


def finish_transaction(journal: Journal) -> None:
    """After a commit: the manifest takes its place, the record becomes a revision, all else goes.

    Raises TransactionError when the disk refuses; the next command finishes it.
    """
    try:
        staged = journal.folder / "manifest"
        if staged.exists():
            staged.replace(journal.state_dir / MANIFEST)
            sync_folder(journal.state_dir)
        _keep_record(journal)
        _remove(journal.folder)
    except OSError as problem:
        raise TransactionError(
            f"{describe_problem(problem)}; the next command finishes this"
        ) from problem


def forget_transaction(journal: Journal, record: bytes | None = None) -> None:
    """After `restore_files`: keep `record` as the revision of an apply that failed; all else goes.

    Raises TransactionError when the disk refuses; the next command finishes it.
    """
    try:
        shutil.rmtree(journal.folder / RECORD / BEFORE, ignore_errors=True)
        if record is not None:
            amend_record(journal, record)
        _keep_record(journal)
        _remove(journal.folder)
    except OSError as problem:
        raise TransactionError(
            f"{describe_problem(problem)}; the next command finishes this"
        ) from problem


def read_record(journal: Journal) -> bytes | None:
    """Return what the transaction's record says so far, None where there is none."""
    try:
        return (journal.folder / RECORD / REVISION_FILE).read_bytes()
    except OSError:
        return None


def amend_record(journal: Journal, record: bytes) -> None:
    """Say more in the record, where the disk lets us: what it said before stays true."""
    path = journal.folder / RECORD / REVISION_FILE
    with suppress(OSError):
        if path.exists():
            write_state(path, record)


def clear_litter(state_dir: Path) -> None:
    """Remove what an apply left that was killed before its journal stood; the lock is held."""
    folder = state_dir / FOLDER
    if folder.is_dir() and not (folder / "journal.json").exists():
        shutil.rmtree(folder, ignore_errors=True)


def next_revision(state_dir: Path) -> int:
    """Return the number that the next revision will have; they count from 1."""
    try:
        names = [entry.name for entry in (state_dir / REVISIONS).iterdir()]
    except FileNotFoundError:
        return 1
    return max((int(name) for name in names if name.isascii() and name.isdigit()), default=0) + 1


def _stage(conf_dir: Path, folder: Path, number: int, operation: Operation) -> tuple[str, str, str]:
    if not is_safe_path(operation.path):
        raise OSError(errno.EPERM, "not a path that may be written", operation.path)
    target = conf_dir / operation.path
    if operation.before:
        link_or_copy(target, folder / RECORD / BEFORE / str(number))
    _expect(target, operation.before)
    if operation.content is None:
        return operation.path, operation.before, ""
    stage_file(
        folder / "staged" / str(number),
        operation.content,
        like=target.lstat() if operation.before else None,
        folder=target.parent,
    )
    return operation.path, operation.before, hashlib.sha256(operation.content).hexdigest()


def _expect(target: Path, before: str) -> None:
    if hash_file(target) != before:
        raise OSError(errno.EBUSY, "somebody else changed it a moment ago", str(target))


def _missing_folders(conf_dir: Path, operations: Sequence[Operation]) -> tuple[str, ...]:
    """Return the folders that files will need; parents first, so that undoing goes backwards."""
    missing = {
        str(folder)
        for name in {item.path.rpartition("/")[0] for item in operations if item.content}
        for folder in [Path(name), *Path(name).parents]
        if not (conf_dir / folder).exists()
    }
    return tuple(sorted(missing))


def _keep_aside(journal: Journal, target: Path, number: int) -> str:
    """Move what somebody else put at a path where it can be found again."""
    folder = journal.state_dir / KEPT
    folder.mkdir(exist_ok=True, mode=PRIVATE_MODE)
    names = (f"{target.name}.{journal.revision:06d}.{number}.{copy}" for copy in itertools.count(1))
    kept = next(folder / name for name in names if not os.path.lexists(folder / name))
    target.rename(kept)
    return str(kept)


def _keep_record(journal: Journal) -> None:
    """Make the record a revision by one rename; done already when it is gone."""
    record = journal.folder / RECORD
    if not journal.revision or not record.exists():
        return
    revisions = journal.state_dir / REVISIONS
    revisions.mkdir(exist_ok=True, mode=PRIVATE_MODE)
    record.rename(revisions / f"{journal.revision:06d}")
    sync_folder(revisions)
    sync_folder(journal.state_dir)


def _remove(folder: Path) -> None:
    """Remove a transaction, its journal first: without one, the rest is litter."""
    if folder.is_dir():
        (folder / "journal.json").unlink(missing_ok=True)
        sync_folder(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _sync_staged(folder: Path, count: int) -> None:
    record = folder / RECORD
    sync_files([folder / "staged", record / BEFORE, record], count)
    sync_folder(folder)
    sync_folder(folder.parent)


def _sync_folders(journal: Journal) -> None:
    touched = {(journal.conf_dir / path).parent for path, _, _ in journal.steps}
    made = {journal.conf_dir / name for name in journal.made_folders}
    for folder in touched | made | {folder.parent for folder in made} | {journal.conf_dir}:
        if folder.is_dir():
            sync_folder(folder)
