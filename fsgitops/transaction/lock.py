"""One apply at a time: a lock that the kernel frees with the process that holds it."""

from __future__ import annotations

import errno
import fcntl
import getpass
import os
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.transaction.folder import FILE_MODE
from fsgitops.transaction.state import TransactionError, open_state, share, tell_denied
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.transaction.state import StateFolder

OWNER = "lock.owner"
OWNER_LIMIT = 4096
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
SHARED_FILE_MODE = 0o660


class LockedError(FsgitopsError):
    """Another process holds the target's lock."""


class NoLocksError(TransactionError):
    """The file system of the state directory knows no locks."""


@contextmanager
def lock_state(
    state_dir: Path, *, wait_seconds: float, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the target's lock.

    It is a lock on an open file (flock), so that of a process that died is free at once, and
    that of one that lives is never taken. Before it waits, `tell` is told who holds it. Raises
    LockedError when another process has it for longer than `wait_seconds`, NoLocksError where
    there are none.
    """
    with ExitStack() as stack:
        try:
            state = stack.enter_context(open_state(state_dir, make=True))
            # Looked at before the library opens it: not every version of it refuses a link.
            with state.open_plain("lock", os.O_RDWR | os.O_CREAT) as descriptor:
                if state.shared:
                    share(descriptor, SHARED_FILE_MODE)
                _require_locks(descriptor, state_dir)
        except PermissionError as problem:
            raise TransactionError(tell_denied(problem, state_dir)) from None
        stack.enter_context(_hold(state, wait_seconds, tell))
        yield


def _require_locks(descriptor: int, state_dir: Path) -> None:
    """Raise NoLocksError where the file system has no flock: nobody else is at work then."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    except OSError as problem:
        if problem.errno not in _NO_LOCKS:
            raise
        raise NoLocksError(
            f"{state_dir}: its file system has no locks (flock: {problem.strerror}), so two "
            f"applies could run at once; nothing was touched. Mount it with locks "
            "(NFS: without `nolock`), or keep the conf directory on a local file system"
        ) from None


@contextmanager
def _hold(
    state: StateFolder, wait_seconds: float, tell: Callable[[str], None] | None
) -> Iterator[None]:
    from filelock import FileLock, Timeout

    # By the directory that was looked at, where the system names it: another may have its path.
    seen = Path(f"/proc/self/fd/{state.descriptor}")
    # Some versions of the library set the mode of a file that is there already.
    mode = SHARED_FILE_MODE if state.shared else FILE_MODE
    lock = FileLock((seen if seen.exists() else state.path) / "lock", mode=mode)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if wait_seconds > 0 and tell:
                tell(f"{_name_holder(state)}; waiting up to {wait_seconds:g} s")
            lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise LockedError(f"{_name_holder(state)}; nothing was touched") from None
    try:
        with suppress(OSError):
            state.replace(OWNER, _describe_self().encode("utf-8"), synced=False)
        yield
    finally:
        with suppress(OSError):
            state.remove(OWNER)
        lock.release()


def _name_holder(state: StateFolder) -> str:
    with suppress(OSError):
        said = state.read(OWNER, OWNER_LIMIT).decode("utf-8", "replace").strip()[:200]
        if said:
            return f"another apply ({make_visible(said)}) is running on this target"
    return "another apply is running on this target"


def _describe_self() -> str:
    try:
        user = f" of {getpass.getuser()}"
    except (KeyError, OSError):
        user = ""
    return f"process {os.getpid()}{user} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
