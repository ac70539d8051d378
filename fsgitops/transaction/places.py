"""Where the files of a transaction are staged and kept: on the file system that each belongs to.

A rename works within one mount only. What belongs to another mount than the state directory is (a
volume of a container, say) is staged on that mount, in a hidden folder that no include matches:

    CONF_DIR/MOUNT/.fsgitops-staging/staged/N   as STATE/transaction/staged/N
    CONF_DIR/MOUNT/.fsgitops-staging/before/N   what stood at path N; the record has a copy
    CONF_DIR/MOUNT/.fsgitops-staging/kept/      as STATE/kept/
"""

from __future__ import annotations

import itertools
import json
import os
import re
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fsgitops.model.live import is_safe_path
from fsgitops.transaction.files import ConfDir
from fsgitops.transaction.folder import PRIVATE_MODE, Folder, mount_of, move
from fsgitops.transaction.state import SHARED_MODE, StateFolder, open_state, require_trusted, share

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "transaction"
RECORD = "record"
BEFORE = "before"
STAGED = "staged"
KEPT = "kept"
STAGING = ".fsgitops-staging"
MOUNTS_FILE = "mounts.json"
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
TOP = "."
"""The conf directory itself, where the state directory is on another mount than it is."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The folders of one mount: new bytes (and what came out), old ones, what others wrote."""

    staged: Folder
    before: Folder
    home: Folder
    """Where `kept` is made."""


class Places:
    """The conf directory, the state directory and each mount's staging folder, all open."""

    def __init__(self, conf_dir: Path, state_dir: Path, mounts: Iterable[str] = ()) -> None:
        self.mounts = tuple(sorted(mounts, key=len, reverse=True))
        self._stack = ExitStack()
        self._stages: dict[str, Stage] = {}
        with ExitStack() as opening:
            self.conf = opening.enter_context(ConfDir(conf_dir))
            self.state = opening.enter_context(open_state(state_dir))
            self.folder = opening.enter_context(self.state.open_folder(FOLDER))
            self._stack = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def where(self, path: str) -> str:
        """Return the whole of a path, for people."""
        return str(self.conf.path / path)

    def mount_of(self, path: str) -> str:
        """Return the mount of its own that a path belongs to, "" for the state directory's."""
        for mount in self.mounts:
            if mount == TOP or path.startswith(mount + "/"):
                return mount
        return ""

    def stage(self, path: str) -> Stage:
        """Return where a path's bytes are staged. Raises OSError."""
        mount = self.mount_of(path)
        if mount not in self._stages:
            self._stages[mount] = self._open_stage(mount)
        return self._stages[mount]

    def make_stages(self) -> None:
        """Make the folders of every mount, empty. Raises OSError."""
        for mount in self.mounts:
            with self._open_mount(mount) as top, self._open_staging(top, make=True) as staging:
                if self.state.shared:
                    share(staging.descriptor, SHARED_MODE)
                for name in (STAGED, BEFORE):
                    staging.remove(name)
                    with staging.make_folder(name, PRIVATE_MODE) as made:
                        if self.state.shared:
                            share(made.descriptor, SHARED_MODE)
                staging.sync()
                top.sync()

    def stage_folders(self) -> list[Folder]:
        """Return every folder of the mounts that has bytes in it."""
        stages = [self.stage(f"{mount}/x" if mount != TOP else "x") for mount in self.mounts]
        return [folder for stage in stages for folder in (stage.staged, stage.before)]

    def keep_aside(self, source: Folder, name: str, path: str, label: str) -> str:
        """Move what somebody else put at `path` where it can be found again; return where."""
        home = self.stage(path).home
        with home.make_folder(KEPT, PRIVATE_MODE) as kept:
            base = f"{path.rpartition('/')[2]}.{label}"
            names = (f"{base}.{copy}" for copy in itertools.count(1))
            free = next(other for other in names if kept.status(other) is None)
            move(source, name, kept, free)
            kept.sync()
            return str(kept.path / free)

    def _open_stage(self, mount: str) -> Stage:
        enter = self._stack.enter_context
        if not mount:
            record = enter(self.folder.open_folder(RECORD))
            return Stage(
                enter(self.folder.open_folder(STAGED)),
                enter(record.open_folder(BEFORE)),
                self.state,
            )
        with self._open_mount(mount) as top:
            staging = enter(self._open_staging(top))
        return Stage(
            enter(staging.open_folder(STAGED)), enter(staging.open_folder(BEFORE)), staging
        )

    def _open_mount(self, mount: str) -> Folder:
        return self.conf.open_apart("" if mount == TOP else mount)

    def _open_staging(self, top: Folder, *, make: bool = False) -> Folder:
        staging = top.make_folder(STAGING, PRIVATE_MODE) if make else top.open_folder(STAGING)
        require_trusted(staging.path, staging.descriptor)
        return staging

    def remove_stages(self) -> None:
        """Remove the staging folders of the mounts; what was kept in them stays. Raises OSError."""
        for mount in self.mounts:
            try:
                top = self._open_mount(mount)
            except FileNotFoundError:
                continue
            with top, suppress(FileNotFoundError), self._open_staging(top) as staging:
                for name in (STAGED, BEFORE):
                    staging.remove(name)
                with suppress(OSError):  # not empty: something is kept in it
                    os.rmdir(STAGING, dir_fd=top.descriptor)


def mounts_below(conf_dir: Path) -> set[str]:
    """Return every path below the conf directory that is a mount of its own, where that is known.

    From the kernel's list (proc_pid_mountinfo(5)): blanks and backslashes are octal there.
    """
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return set()
    root = os.path.realpath(conf_dir).rstrip("/") + "/"
    points = (
        _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), line.split(b" ", 5)[4])
        for line in lines
    )
    below = (os.fsdecode(point) for point in points)
    return {point.removeprefix(root) for point in below if point.startswith(root)}


def find_mounts(conf: ConfDir, state: StateFolder, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the folders of the conf directory that are mounts of their own, and concern a path.

    Their paths are relative; TOP stands for the conf directory.
    """
    home = mount_of(state)
    found: dict[str, str] = {}
    for name in sorted({path.rpartition("/")[0] for path in paths}):
        near, folder = conf.nearest(name)
        if near not in found:
            key = mount_of(folder)
            found[near] = "" if key == home else _top_of(conf, near, key)
    mounts = set(found.values()) - {""}
    # Below a mount of its own, the state directory's mount is one among others.
    for name, mount in found.items():
        if not mount and any(other == TOP or name.startswith(other) for other in mounts):
            mounts.add(_top_of(conf, name, home))
    return tuple(sorted(mounts))


def _top_of(conf: ConfDir, name: str, key: tuple[int, int]) -> str:
    while name:
        above = name.rpartition("/")[0]
        if mount_of(conf.open(above)) != key:
            return name
        name = above
    return TOP


def write_mounts(folder: Folder, mounts: tuple[str, ...]) -> None:
    """Note where staging folders are about to be made, so that litter is found. Raises OSError."""
    if mounts:
        folder.write(MOUNTS_FILE, json.dumps(mounts).encode())


def read_mounts(folder: Folder) -> tuple[str, ...]:
    """Return what `write_mounts` noted. Raises OSError, ValueError for anything else."""
    try:
        data = json.loads(folder.read(MOUNTS_FILE))
    except FileNotFoundError:
        return ()
    return check_mounts(data)


def check_mounts(data: object) -> tuple[str, ...]:
    """Return the mounts that a file names. Raises ValueError for what is not a path inside."""
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise ValueError("expected a list of folders")
    if not all(name == TOP or is_safe_path(name) for name in data):
        raise ValueError("it names a path outside the conf directory")
    return tuple(data)
