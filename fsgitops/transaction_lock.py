"""One apply at a time: a lock that the kernel frees with the process that holds it."""

from __future__ import annotations

import getpass
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.transaction_files import FILE_MODE, make_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OWNER = "lock.owner"


class LockedError(FsgitopsError):
    """Another process holds the target's lock."""


@contextmanager
def lock_state(
    state_dir: Path, *, wait_seconds: float, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the target's lock.

    It is a lock on an open file (flock), so that of a process that died is free at once, and
    that of one that lives is never taken. Before it waits, `tell` is told who holds it. Raises
    LockedError when another process has it for longer than `wait_seconds`.
    """
    from filelock import FileLock, Timeout

    make_state(state_dir)
    lock = FileLock(state_dir / "lock", mode=FILE_MODE)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if wait_seconds > 0 and tell:
                tell(f"{_name_holder(state_dir)}; waiting up to {wait_seconds:g} s")
            lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise LockedError(f"{_name_holder(state_dir)}; nothing was touched") from None
    try:
        with suppress(OSError):
            (state_dir / OWNER).write_text(_describe_self(), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            (state_dir / OWNER).unlink(missing_ok=True)
        lock.release()


def _name_holder(state_dir: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        holder = (state_dir / OWNER).read_text(encoding="utf-8").strip()[:200]
        if holder:
            return f"another apply ({holder}) is at work on this target"
    return "another apply is at work on this target"


def _describe_self() -> str:
    try:
        user = f" of {getpass.getuser()}"
    except (KeyError, OSError):
        user = ""
    return f"process {os.getpid()}{user} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
