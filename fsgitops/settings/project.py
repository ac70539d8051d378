"""Where the project is that a command works on: here, or above, as git finds its own."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from fsgitops.errors import UsageError
from fsgitops.settings.shapes import SETTINGS_FILE, Settings
from fsgitops.settings.target import read_environment

if TYPE_CHECKING:
    from pathlib import Path

DESIRED = str(Settings.model_fields["desired"].default)


def find_project(start: Path) -> Path | None:
    """Return `start` where a project is there, else the nearest folder above with `fsgitops.yaml`.

    Settings are optional where one stands: a folder with the desired files is a project as well.
    None: there is no project. Raises UsageError for a project above that somebody else may change,
    since its settings may name programs to run (as git does, for the same reason).
    """
    desired = read_environment().desired or DESIRED
    if os.path.lexists(start / SETTINGS_FILE) or (start / desired).is_dir():
        return start
    for folder in start.parents:
        if os.path.lexists(folder / SETTINGS_FILE):
            _refuse_foreign(folder)
            return folder
    return None


def require_project(start: Path) -> Path:
    """Return the project of `start`. Raises UsageError for none, and as `find_project`."""
    root = find_project(start)
    if root is None:
        raise UsageError(
            f"not in a project: no {SETTINGS_FILE} in {start} or above; make one with "
            "`fsgitops init`, or name its folder with -C"
        )
    return root


def _refuse_foreign(folder: Path) -> None:
    trusted = {0, os.geteuid()}
    sudo = os.environ.get("SUDO_UID", "")
    if os.geteuid() == 0 and sudo.isascii() and sudo.isdecimal():
        trusted.add(int(sudo[:10]))
    file = folder / SETTINGS_FILE
    for place, state in ((file, file.lstat()), (folder, folder.stat())):
        written = state.st_mode & stat.S_IWOTH and not stat.S_ISLNK(state.st_mode)
        if state.st_uid not in trusted or written:
            whose = "everybody may write it" if written else f"it belongs to {_name(state.st_uid)}"
            raise UsageError(
                f"{place}: {whose}; from a folder below, only a project of yours or of root's is "
                f"used; run this in {folder}, or say -C {folder}, if you trust it"
            )


def _name(user: int) -> str:
    from pwd import getpwuid

    try:
        return getpwuid(user).pw_name
    except KeyError:
        return f"uid {user}"
