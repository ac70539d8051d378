"""All or nothing on a directory: stage, journal, replace, restore.

A transaction lives in the state directory, and in a folder of each mount that its files are on
(transaction/places.py):

    STATE/lock                        one apply at a time (transaction/lock.py)
    STATE/manifest.json               what we own
    STATE/transaction/journal.json    its presence says that a transaction is not finished
    STATE/transaction/staged/N        bytes that will stand at path N; then, what stood there
    STATE/transaction/manifest        what we will own
    STATE/transaction/record/         what becomes STATE/revisions/NNNNNN when all is done:
    STATE/transaction/record/before/N hard link to what stood at path N, owner and mode included
    STATE/kept/                       what somebody else wrote meanwhile

Until the journal says `committed`, recovery puts everything back; from then on it finishes.
Nothing below the conf directory is touched before the journal stands on the disk, and nothing of
the transaction is thrown away before what it was for stands there.

A file and its staged bytes change places in one step, where the file system can do that, and what
came out is looked at: an edit that was saved a moment before is in our hands, and not gone.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.transaction.files import (
    CHANGED,
    ConfDir,
    describe_problem,
    expect,
    folder_of,
)
from fsgitops.transaction.folder import exchange, move, place
from fsgitops.transaction.journal import (
    JOURNAL,
    MANIFEST,
    REVISION_FILE,
    REVISIONS,
    Journal,
    read_journal,
    write_journal,
)
from fsgitops.transaction.places import (
    BEFORE,
    FOLDER,
    RECORD,
    Places,
    find_mounts,
    read_mounts,
)
from fsgitops.transaction.stage import (
    Operation,
    make_folders,
    missing_folders,
    restore_step,
    stage_all,
)
from fsgitops.transaction.state import (
    TransactionError,
    open_state,
    open_state_folder,
    read_state,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from fsgitops.transaction.state import StateFolder


@contextmanager
def _telling(more: str = "") -> Iterator[None]:
    """Say where the file system refused, as TransactionError."""
    try:
        yield
    except OSError as problem:
        raise TransactionError(f"{describe_problem(problem)}{more}") from problem


def begin_transaction(
    conf_dir: Path,
    state_dir: Path,
    operations: Sequence[Operation],
    manifest: bytes,
    *,
    record: Mapping[str, bytes] | None = None,
    reload: bool = False,
) -> Journal:
    """Stage every byte on the target's file system, back up what it replaces, write the journal.

    Nothing below the conf directory is touched. `record` holds the files of the revision that
    this leaves. Raises TransactionError (and leaves nothing behind) when the disk refuses, or
    when the journal of another transaction stands there.
    """
    folder = state_dir / FOLDER
    _forget_restored(conf_dir, state_dir)
    files = {f"{RECORD}/{name}": content for name, content in (record or {}).items()}
    try:
        with ConfDir(conf_dir) as conf, open_state(state_dir, make=True) as state:
            _clear(conf_dir, state)
            conf.refuse_outside({folder_of(item.path) for item in operations})
            mounts = find_mounts(conf, state, [item.path for item in operations])
            make_folders(state, mounts)
            made = missing_folders(conf, operations)
        with Places(conf_dir, state_dir, mounts) as places:
            steps = stage_all(places, operations, {"manifest": manifest, **files})
            revision = _next_revision(places.state) if record else 0
        journal = Journal(
            conf_dir, folder, steps, made, reload=reload, revision=revision, mounts=mounts
        )
        write_journal(journal)
    except OSError as problem:
        with suppress(OSError, TransactionError):
            clear_litter(conf_dir, state_dir, anyway=True)
        raise TransactionError(f"{describe_problem(problem)}; no file was changed") from problem
    return journal


def replace_files(journal: Journal) -> None:
    """Put every staged file in its place, take out what is to go, sync the folders.

    Raises TransactionError; the caller restores.
    """
    with _telling(), _places_of(journal) as places:
        places.conf.refuse_outside({folder_of(path) for path, _, _ in journal.steps})
        for name in journal.made_folders:
            places.conf.make(name)
        for number, (path, before, after) in enumerate(journal.steps):
            _replace(places, number, path, before, after)
        _sync_folders(places.conf, journal)


def _places_of(journal: Journal) -> Places:
    return Places(journal.conf_dir, journal.state_dir, journal.mounts)


def _forget_restored(conf_dir: Path, state_dir: Path) -> None:
    left = read_journal(conf_dir, state_dir)
    if left is None:
        return
    if not left.restored:
        place = state_dir / FOLDER
        raise TransactionError(f"{place} holds an unfinished apply; no file was changed")
    forget_transaction(left)


def _replace(places: Places, number: int, path: str, before: str, after: str) -> None:
    """Put one file in its place, and look at what came out. Raises OSError."""
    staged, (above, _, name) = places.stage(path).staged, path.rpartition("/")
    try:
        folder = places.conf.open(above)
        if after and not before:
            place(staged, str(number), folder, name)
            return
        if not after:
            if not before:
                return
            move(folder, name, staged, str(number))
        elif not exchange(staged, str(number), folder, name):
            expect(folder, name, before, places.where(path))
            move(staged, str(number), folder, name)
            return
    except (FileExistsError, FileNotFoundError) as problem:
        raise OSError(errno.EBUSY, CHANGED, places.where(path)) from problem
    expect(staged, str(number), before, places.where(path))


def restore_files(journal: Journal) -> list[str]:
    """Put back what stood at every path, byte for byte, with its owner and mode.

    Returns where things are that somebody else put there meanwhile: nothing is lost. The journal
    stays until `forget_transaction`. Raises TransactionError when the disk refuses; calling again
    goes on where it stopped.
    """
    if journal.restored:
        return []
    kept: list[str] = []
    with _telling(), _places_of(journal) as places:
        places.conf.refuse_outside({folder_of(path) for path, _, _ in journal.steps})
        for number, step in enumerate(journal.steps):
            label = f"{journal.revision:06d}.{number}"
            kept += restore_step(places, number, *step, label=label)
        _remove_made(places.conf, journal)
        _sync_folders(places.conf, journal)
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
            with open_state_folder(journal.state_dir, FOLDER, RECORD) as folder:
                folder.replace(REVISION_FILE, record)
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
    with _ending(journal) as places:
        if places.folder.status("manifest") is not None:
            move(places.folder, "manifest", places.state, MANIFEST)
            places.state.sync()


def forget_transaction(journal: Journal, record: bytes | None = None) -> None:
    """After `restore_files`: keep `record` as the revision of an apply that failed; all else goes.

    Raises TransactionError when the disk refuses; the next command finishes it.
    """
    with _ending(journal) as places:
        with suppress(FileNotFoundError), places.folder.open_folder(RECORD) as kept:
            kept.remove(BEFORE)
        if record is not None:
            amend_record(journal, record)


@contextmanager
def _ending(journal: Journal) -> Iterator[Places]:
    """Yield the places of a transaction; then keep its record, and remove all else of it."""
    with _telling("; the next command finishes this"), _places_of(journal) as places:
        yield places
        _keep_record(places, journal)
        places.remove_stages()
        # The journal first: without one, the rest is litter.
        places.folder.remove(JOURNAL)
        places.folder.sync()
        with suppress(OSError):
            places.state.remove(FOLDER)


def read_record(journal: Journal, name: str = REVISION_FILE) -> bytes | None:
    """Return what a file of the transaction's record says so far, None where there is none."""
    try:
        return read_state(journal.state_dir, FOLDER, RECORD, name)
    except OSError:
        return None


def amend_record(journal: Journal, record: bytes) -> None:
    """Say more in the record, where the disk lets us: what it said before stays true."""
    with (
        suppress(OSError, TransactionError),
        open_state_folder(journal.state_dir, FOLDER, RECORD) as folder,
    ):
        if folder.status(REVISION_FILE) is not None:
            folder.replace(REVISION_FILE, record)


def clear_litter(conf_dir: Path, state_dir: Path, *, anyway: bool = False) -> None:
    """Remove what an apply left that was killed before its journal stood; the lock is held.

    `anyway`: with its journal, if there is one. Raises TransactionError for a state directory that
    is not to be trusted.
    """
    with suppress(OSError), open_state(state_dir) as state:
        with state.open_folder(FOLDER) as folder:
            if not anyway and folder.status(JOURNAL) is not None:
                return
        _clear(conf_dir, state)


def _clear(conf_dir: Path, state: StateFolder) -> None:
    """Remove a transaction's folder, and the staging folders that it had."""
    if state.status(FOLDER) is None:
        return
    mounts: tuple[str, ...] = ()
    with suppress(OSError, ValueError), state.open_folder(FOLDER) as folder:
        mounts = read_mounts(folder)
    if mounts:
        with suppress(OSError), Places(conf_dir, state.path, mounts) as places:
            places.remove_stages()
    with suppress(OSError), state.open_folder(FOLDER) as folder:
        folder.remove(JOURNAL)
        folder.sync()
    state.remove(FOLDER)


def _next_revision(state: StateFolder) -> int:
    """Return the number that the next revision will have; they count from 1."""
    try:
        with state.open_folder(REVISIONS) as folder:
            names = folder.names()
    except FileNotFoundError:
        return 1
    return max((int(name) for name in names if name.isascii() and name.isdigit()), default=0) + 1


def _remove_made(conf: ConfDir, journal: Journal) -> None:
    for made in reversed(journal.made_folders):
        above, _, name = made.rpartition("/")
        if (folder := conf.find(above)) is not None:
            with suppress(OSError):
                os.rmdir(name, dir_fd=folder.descriptor)


def _keep_record(places: Places, journal: Journal) -> None:
    """Make the record a revision by one rename; done already when it is gone."""
    if not journal.revision or places.folder.status(RECORD) is None:
        return
    with places.state.make_folder(REVISIONS) as revisions:
        move(places.folder, RECORD, revisions, f"{journal.revision:06d}")
        revisions.sync()
    places.state.sync()


def _sync_folders(conf: ConfDir, journal: Journal) -> None:
    touched = {folder_of(path) for path, _, _ in journal.steps}
    made = set(journal.made_folders)
    conf.look_again()
    for name in touched | made | {folder_of(item) for item in made} | {""}:
        if (folder := conf.find(name)) is not None:
            folder.sync()
