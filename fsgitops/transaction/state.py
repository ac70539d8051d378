"""The one way into the state directory: what is in it is ours, or it is refused.

Whoever may write the conf directory (FreeSWITCH's own user, say) must not gain what another user,
root perhaps, may do: not by a link, not by a pipe that never ends, not by a directory of his own in
place of ours. So the directory is opened first and looked at then, and what is done in it is done
by names relative to that descriptor (transaction/folder.py).
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, Self

from fsgitops.durable import give, sync_folder
from fsgitops.errors import FsgitopsError
from fsgitops.transaction.folder import FOLDER_FLAGS, PRIVATE_MODE, SIZE_LIMIT, Folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATE_MODE: Final = 0o2750
"""Set-group-id: what is made in it has the conf directory's group, and not its maker's own."""
SHARED_MODE: Final = 0o2770
"""Of a group of operators: who of them comes next can go on, roll back and recover."""


_NOT_OURS = (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ENXIO, errno.EFBIG,
             errno.EMLINK)  # fmt: skip
"""A link, no folder, a folder, no plain file, a socket, a file without end, a second name."""


class TransactionError(FsgitopsError):
    """The file system refused; the text says what state the directory is in."""


class UnsafeStateError(TransactionError):
    """Somebody else may have put what he likes into the state directory."""


class StateFolder(Folder):
    """The state directory, or a folder in it, looked at when it was opened."""

    __slots__ = ("shared",)

    def __init__(self, path: Path, descriptor: int, *, shared: bool = False) -> None:
        super().__init__(path, descriptor)
        self.shared = shared
        """A group of operators may write it: what is in it has several owners."""

    def make_folder(self, name: str, mode: int = PRIVATE_MODE) -> Self:
        """Make a directory in this one where there is none, and open it; operators share it."""
        folder = super().make_folder(name, mode)
        if self.shared:
            share(folder.descriptor, SHARED_MODE)
        return folder

    def _inner(self, name: str, descriptor: int) -> Self:
        path = self.path / name
        if not self.shared:
            require_trusted(path, descriptor)
        return type(self)(path, descriptor, shared=self.shared)

    def _require_plain(self, name: str, status: os.stat_result) -> None:
        super()._require_plain(name, status)
        if self.shared and status.st_nlink > 1 and status.st_uid in (0, os.geteuid()):
            where = str(self.path / name)
            raise OSError(errno.EMLINK, "a second name (hard link) of another file", where)


def open_state(state_dir: Path, *, make: bool = False) -> StateFolder:
    """Open the state directory; `make` creates it, durably, where it is missing.

    Raises UnsafeStateError when others than its owner, or than a group of operators, may have put
    something into it, FileNotFoundError when it is not there, OSError otherwise.
    """
    try:
        descriptor = os.open(state_dir, FOLDER_FLAGS)
    except FileNotFoundError:
        if not make:
            raise
        descriptor = _make_state(state_dir)
    except OSError as problem:
        if state_dir.is_symlink():
            raise UnsafeStateError(
                f"{state_dir}: the state directory is a link, which could lead writes elsewhere; "
                f"replace it by the directory itself"
            ) from problem
        raise
    status = require_trusted(state_dir, descriptor)
    return StateFolder(state_dir, descriptor, shared=is_shared(status))


def _make_state(state_dir: Path) -> int:
    """Create the state directory with the group of the one it stands in; shared where that is."""
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    try:
        state_dir.mkdir(mode=PRIVATE_MODE)
    except FileExistsError:
        return os.open(state_dir, FOLDER_FLAGS)
    descriptor = os.open(state_dir, FOLDER_FLAGS)
    above = state_dir.parent.stat()
    give(descriptor, -1, above.st_gid)
    os.fchmod(descriptor, SHARED_MODE if is_shared(above) else STATE_MODE)
    sync_folder(state_dir.parent)
    return descriptor


def share(descriptor: int, mode: int) -> None:
    """Give what this user just made, or made earlier, the mode that operators share it with."""
    status = os.fstat(descriptor)
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != mode:
        os.fchmod(descriptor, mode)


def tell_unreadable(problem: OSError, state_dir: Path) -> str:
    """Return what is wrong with something in the state directory, and what to do about it."""
    if isinstance(problem, PermissionError):
        return tell_denied(problem, state_dir)
    place = problem.filename or str(state_dir)
    if problem.errno in _NOT_OURS:
        return f"{place}: {problem.strerror}: not what fsgitops puts there; move it away"
    return f"{place}: {problem.strerror}"


def tell_denied(problem: OSError, state_dir: Path) -> str:
    """Return what somebody can do who may not open the state directory, or something in it."""
    place = problem.filename or str(state_dir)
    return f"{place}: you may not open it; {_name_remedy(state_dir)}"


def _name_remedy(state_dir: Path) -> str:
    try:
        status = state_dir.stat()
    except OSError:
        return _name_owner(state_dir.parent)
    if is_shared(status):
        return f"join the group {_name_group(status)} of {state_dir}{_name_sudo(status)}"
    return (
        f"run as {_name_user(status.st_uid)}{_name_sudo(status)}; for several operators, "
        "docs/getting-started.md tells how a group shares it"
    )


def _name_sudo(status: os.stat_result) -> str:
    """Return where root helps: `require_trusted` refuses root what belongs to somebody else."""
    return ", or use sudo" if status.st_uid == 0 else " (root may not use what is not root's)"


def _name_owner(conf_dir: Path) -> str:
    """Return who may make a state directory in the conf directory."""
    status = conf_dir.stat()
    group = _name_group(status)
    if not status.st_mode & stat.S_IWGRP:
        return (
            f"{conf_dir} is for {_name_user(status.st_uid)} to write; run as that user, or let the "
            f"group {group} write it (docs/getting-started.md)"
        )
    return f"join the group {group} of {conf_dir}, or use sudo"


def _name_group(status: os.stat_result) -> str:
    import grp

    try:
        return grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        return f"gid {status.st_gid}"


def is_shared(status: os.stat_result) -> bool:
    """Tell whether a directory is one that a group of operators shares: set-group-id, writable."""
    return bool(status.st_mode & stat.S_ISGID and status.st_mode & stat.S_IWGRP)


def require_trusted(path: Path, descriptor: int) -> os.stat_result:
    """Return the status of an open directory; where it is not trusted, close it and raise.

    UnsafeStateError is raised when somebody could have this user do what that user may not.
    Everybody's writing is refused, and a group's unless the directory is set-group-id: that says
    that the group are the operators. Root also refuses what is not root's, since whoever may write
    the conf directory can put a directory of his own in the place of ours.
    """
    status = os.fstat(descriptor)
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IWOTH:
        why = (
            f"every user may write to the state directory (mode {mode:04o}), so fsgitops "
            f"does not trust it; check its files, then run: chmod o-w {path}"
        )
    elif mode & stat.S_IWGRP and not is_shared(status):
        why = (
            f"its group may write to the state directory (mode {mode:04o}); if these are "
            f"the operators, run: chmod g+s {path}, otherwise: chmod g-w {path}"
        )
    elif os.geteuid() == 0 and status.st_uid != 0:
        why = (
            f"the state directory belongs to {_name_user(status.st_uid)}, who could make "
            f"root act for them; run as that user, or check its files and run: "
            f"find {path} -type d -exec chown root {{}} +"
        )
    else:
        return status
    os.close(descriptor)
    raise UnsafeStateError(f"{path}: {why}")


def _name_user(uid: int) -> str:
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def write_state(state_dir: Path, name: str, content: bytes) -> None:
    """Replace a file of the state directory, synced (0640). Raises as `open_state`."""
    with open_state(state_dir, make=True) as state:
        state.replace(name, content)


def read_state(state_dir: Path, *parts: str, limit: int = SIZE_LIMIT) -> bytes:
    """Return a plain file of the state directory. Raises as `open_state`."""
    with open_state_folder(state_dir, *parts[:-1]) as folder:
        return folder.read(parts[-1], limit)


@contextmanager
def open_state_folder(state_dir: Path, *parts: str) -> Iterator[StateFolder]:
    """Open a folder of the state directory, each part through no link. Raises as `open_state`."""
    with ExitStack() as stack:
        folder: StateFolder = stack.enter_context(open_state(state_dir))
        for part in parts:
            folder = stack.enter_context(folder.open_folder(part))
        yield folder
