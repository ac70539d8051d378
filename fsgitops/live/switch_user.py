"""Whether the user that FreeSWITCH runs as may read what stands in its conf directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from fsgitops.transaction.folder import FILE_MODE

_ACL = "system.posix_acl_access"
_INHERITED_ACL = "system.posix_acl_default"


class Person(NamedTuple):
    """The user of a process, and all of its groups, by number."""

    uid: int
    groups: frozenset[int]


def find_switch_user(conf_dir: Path) -> Person | None:
    """Return the user of the FreeSWITCH that runs with this conf directory on this machine.

    One that names no conf directory on its command line counts when it is the only one. None: no
    such process is visible here.
    """
    unnamed = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() != "freeswitch":
                continue
            words = (folder / "cmdline").read_bytes().split(b"\0")
            status = (folder / "status").read_text()
        except OSError:
            continue
        if os.fsencode(conf_dir) in words:
            return read_person(status)
        if b"-conf" not in words:
            unnamed.append(status)
    return read_person(unnamed[0]) if len(unnamed) == 1 else None


def read_person(status: str) -> Person:
    """Return the user that the kernel's `/proc/PID/status` tells."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    groups = frozenset(int(word) for word in (lines["Groups"] + lines["Gid"]).split())
    return Person(int(lines["Uid"].split()[1]), groups)


def find_unreadable(conf_dir: Path, path: str, person: Person) -> str:
    """Return what keeps this user from reading a file below the conf directory, "" for nothing.

    A file that is not there yet counts as the one that an apply would write: 0640, of whoever runs
    this, with the group of its folder (`transaction.files.stage_file`). Where an access list says
    more than the mode, nothing is claimed.
    """
    if person.uid == 0:
        return ""
    for name in _folders(path):
        folder = conf_dir / name
        try:
            found = folder.stat()
        except OSError:
            return ""
        if not (_allows(found, person, stat.S_IXUSR) and _allows(found, person, stat.S_IRUSR)):
            told = f"the folder {name or folder} ({_say(found)})"
            return "" if _has_acl(folder, _ACL) else told
    try:
        found = (conf_dir / path).stat()
        listed = _has_acl(conf_dir / path, _ACL)
    except FileNotFoundError:
        folder = (conf_dir / path).parent
        found, listed = _as_written(folder.stat()), _has_acl(folder, _INHERITED_ACL)
    except OSError:
        return ""
    return "" if listed or may_read(found, person) else f"{path} ({_say(found)})"


def may_read(found: os.stat_result, person: Person) -> bool:
    """Tell whether the mode of a file lets this user read it."""
    return _allows(found, person, stat.S_IRUSR)


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["", *("/".join(parts[: number + 1]) for number in range(len(parts)))]


def _allows(found: os.stat_result, person: Person, owner_bit: int) -> bool:
    """Apply the kernel's rule: the owner's bit, else the group's, else everybody's."""
    if found.st_uid == person.uid:
        return bool(found.st_mode & owner_bit)
    if found.st_gid in person.groups:
        return bool(found.st_mode & owner_bit >> 3)
    return bool(found.st_mode & owner_bit >> 6)


def _has_acl(place: Path, kind: str) -> bool:
    """Tell whether an access list says more than the mode does, or will of a new file."""
    try:
        return kind in os.listxattr(place)
    except (OSError, AttributeError):
        return False


def _as_written(folder: os.stat_result) -> os.stat_result:
    return os.stat_result((FILE_MODE, 0, 0, 1, os.geteuid(), folder.st_gid, 0, 0, 0, 0))


def _say(found: os.stat_result) -> str:
    return f"uid {found.st_uid}, gid {found.st_gid}, mode {stat.S_IMODE(found.st_mode):04o}"
