"""All or nothing on a directory: lock, stage, journal, replace, restore.

A transaction lives in the state directory, on the conf directory's own file system:

    STATE/lock                      one apply at a time (flock: the kernel frees it with its owner)
    STATE/manifest.json             what we own
    STATE/transaction/journal.json  its presence says that a transaction is not finished
    STATE/transaction/staged/N      bytes that will stand at path N
    STATE/transaction/backup/N      hard link to what stood there, owner and mode included

Until the journal says `committed`, recovery puts everything back; from then on it finishes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MANIFEST = "manifest.json"
FOLDER = "transaction"
FILE_MODE = 0o640
STATE_MODE = 0o750
SYNC_WHOLE_ABOVE = 64
"""From this many files on, one sync of the file system is cheaper than an fsync of each."""


class LockedError(FsgitopsError):
    """Another process holds the target's lock."""


class TransactionError(FsgitopsError):
    """The file system refused; the text says what state the directory is in."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Put `content` at `path` (relative to the conf directory), or delete it when None.

    `before` is the sha256 of what must stand there now, "" for nothing.
    """

    path: str
    content: bytes | None
    before: str = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """A transaction on disk: each step's path, and the hashes before and after it."""

    conf_dir: Path
    folder: Path
    steps: tuple[tuple[str, str, str], ...]
    made_folders: tuple[str, ...]
    committed: bool = False


@contextmanager
def lock_state(state_dir: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the target's lock. Raises LockedError when another process has it for too long."""
    from filelock import FileLock, Timeout

    _make_state(state_dir)
    owner = state_dir / "lock.owner"
    lock = FileLock(state_dir / "lock", timeout=wait_seconds, mode=FILE_MODE)
    try:
        lock.acquire()
    except Timeout:
        with suppress(OSError):
            pid = owner.read_text(encoding="ascii")
            raise LockedError(f"another apply (process {pid}) is at work on this target") from None
        raise LockedError("another apply is at work on this target") from None
    try:
        owner.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def begin_transaction(
    conf_dir: Path, state_dir: Path, operations: Sequence[Operation], manifest: bytes
) -> Journal:
    """Stage every byte beside the target, back up what it replaces, and write the journal.

    Nothing below the conf directory is touched but new folders. Raises TransactionError (and
    leaves nothing behind) when the disk refuses.
    """
    folder = state_dir / FOLDER
    try:
        _make_state(state_dir)
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("staged", "backup"):
            (folder / name).mkdir(parents=True, mode=0o700)
        made = _make_folders(conf_dir, operations)
        steps = tuple(
            _stage(conf_dir, folder, number, operation)
            for number, operation in enumerate(operations)
        )
        _write_synced(folder / "manifest", manifest)
        _sync_all(folder, len(operations))
        journal = Journal(conf_dir, folder, steps, made)
        _write_journal(journal)
    except OSError as problem:
        shutil.rmtree(folder, ignore_errors=True)
        raise TransactionError(f"{_describe(problem)}; no file was changed") from problem
    return journal


def replace_files(journal: Journal) -> None:
    """Put every staged file in its place by rename, delete what is to go, sync the folders.

    Raises TransactionError; the caller restores.
    """
    try:
        for number, (path, _, after) in enumerate(journal.steps):
            target = journal.conf_dir / path
            if after:
                (journal.folder / "staged" / str(number)).rename(target)
            else:
                target.unlink(missing_ok=True)
        _sync_folders(journal)
    except OSError as problem:
        raise TransactionError(_describe(problem)) from problem


def restore_files(journal: Journal) -> list[str]:
    """Put back what stood at every path, byte for byte, with its owner and mode.

    Returns where bytes were kept that somebody else wrote meanwhile: nothing is lost. Raises
    TransactionError when the disk refuses; calling again goes on where it stopped.
    """
    kept: list[str] = []
    try:
        for number, (path, before, after) in enumerate(journal.steps):
            target = journal.conf_dir / path
            now = hash_file(target)
            if now == before:
                continue
            if now and now != after:
                kept.append(_keep_aside(journal, target, now))
            if before:
                (journal.folder / "backup" / str(number)).rename(target)
            else:
                target.unlink(missing_ok=True)
        for made in reversed(journal.made_folders):
            with suppress(OSError):
                (journal.conf_dir / made).rmdir()
        _sync_folders(journal)
        _remove(journal.folder)
    except OSError as problem:
        raise TransactionError(_describe(problem)) from problem
    return kept


def commit_transaction(journal: Journal) -> None:
    """Make the transaction final: the manifest takes its place and the backups go."""
    try:
        _write_journal(
            Journal(journal.conf_dir, journal.folder, journal.steps, journal.made_folders, True)
        )
        _finish(journal)
    except OSError as problem:
        raise TransactionError(f"{_describe(problem)}; the next command finishes this") from problem


def read_journal(conf_dir: Path, state_dir: Path) -> Journal | None:
    """Return the unfinished transaction that an earlier process left, if any.

    Raises TransactionError when a journal stands there that cannot be read.
    """
    folder = state_dir / FOLDER
    try:
        data: Any = json.loads((folder / "journal.json").read_bytes())
        steps = tuple((str(path), str(before), str(after)) for path, before, after in data["steps"])
        made = tuple(str(name) for name in data["made_folders"])
        return Journal(conf_dir, folder, steps, made, bool(data["committed"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise TransactionError(f"{folder / 'journal.json'} cannot be read: {problem}") from problem


def recover_transaction(journal: Journal) -> list[str]:
    """Finish a committed transaction, or put everything back. Returns as `restore_files` does."""
    if not journal.committed:
        return restore_files(journal)
    try:
        _finish(journal)
    except OSError as problem:
        raise TransactionError(_describe(problem)) from problem
    return []


def write_state(path: Path, content: bytes) -> None:
    """Write a file of the state directory aside, sync it and rename it into place (0640)."""
    _make_state(path.parent)
    aside = path.with_name(path.name + ".next")
    _write_synced(aside, content)
    aside.replace(path)
    _sync_folder(path.parent)


def hash_file(path: Path) -> str:
    """Return the hex sha256 of a regular file that is not a link, "" where nothing stands."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_state(state_dir: Path) -> None:
    state_dir.mkdir(parents=True, exist_ok=True, mode=STATE_MODE)


def _make_folders(conf_dir: Path, operations: Sequence[Operation]) -> tuple[str, ...]:
    """Create the folders that files will need; parents first, so that undoing goes backwards."""
    made: list[str] = []
    for name in sorted({str(Path(item.path).parent) for item in operations if item.content}):
        missing = [
            folder
            for folder in [Path(name), *Path(name).parents]
            if not (conf_dir / folder).exists()
        ]
        for folder in reversed(missing):
            (conf_dir / folder).mkdir(mode=STATE_MODE)
            made.append(str(folder))
    return tuple(made)


def _stage(conf_dir: Path, folder: Path, number: int, operation: Operation) -> tuple[str, str, str]:
    target = conf_dir / operation.path
    if operation.before:
        _link_or_copy(target, folder / "backup" / str(number))
    if hash_file(target) != operation.before:
        raise OSError(errno.EBUSY, "somebody else changed it a moment ago", str(target))
    if operation.content is None:
        return operation.path, operation.before, ""
    staged = folder / "staged" / str(number)
    status = target.lstat() if operation.before else None
    owner = status or target.parent.stat()
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(operation.content)
        with suppress(PermissionError):
            os.fchown(descriptor, status.st_uid if status else -1, owner.st_gid)
        os.fchmod(descriptor, (status.st_mode & 0o7777) if status else FILE_MODE)
    return operation.path, operation.before, hashlib.sha256(operation.content).hexdigest()


def _link_or_copy(source: Path, backup: Path) -> None:
    try:
        os.link(source, backup, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, backup, follow_symlinks=False)
        status = source.lstat()
        with suppress(PermissionError):
            os.chown(backup, status.st_uid, status.st_gid)


def _keep_aside(journal: Journal, target: Path, digest: str) -> str:
    kept = journal.folder.parent / "kept" / f"{target.name}.{digest[:12]}"
    kept.parent.mkdir(exist_ok=True, mode=0o700)
    _link_or_copy(target, kept)
    return str(kept)


def _write_journal(journal: Journal) -> None:
    data = {
        "version": 1,
        "committed": journal.committed,
        "made_folders": list(journal.made_folders),
        "steps": [list(step) for step in journal.steps],
    }
    write_state(journal.folder / "journal.json", json.dumps(data).encode())


def _finish(journal: Journal) -> None:
    staged = journal.folder / MANIFEST.removesuffix(".json")
    if staged.exists():
        staged.replace(journal.folder.parent / MANIFEST)
        _sync_folder(journal.folder.parent)
    _remove(journal.folder)


def _remove(folder: Path) -> None:
    """Remove a transaction, its journal first: without one, the rest is litter."""
    (folder / "journal.json").unlink(missing_ok=True)
    _sync_folder(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_all(folder: Path, count: int) -> None:
    if count > SYNC_WHOLE_ABOVE:
        os.sync()
        return
    for name in ("staged", "backup"):
        for path in (folder / name).iterdir():
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        _sync_folder(folder / name)


def _sync_folders(journal: Journal) -> None:
    parents = {(journal.conf_dir / path).parent for path, _, _ in journal.steps}
    for parent in parents | {journal.conf_dir}:
        if parent.is_dir():
            _sync_folder(parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _describe(problem: OSError) -> str:
    where = problem.filename or "the conf directory"
    return f"{where}: {problem.strerror or problem}"
