"""The doctor's checks of where secrets are kept a second time: by fsgitops, and by FreeSWITCH."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.diagnosis import Check, bad, good, skip, warn
from fsgitops.transaction.journal import REVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

MERGED_FILE = "freeswitch.xml.fsxml"
"""What FreeSWITCH writes below `log_dir` at each reloadxml: preprocess_file of switch_xml.c."""

_VALID = "an a1-hash works like the password until the password changes"


def check_revisions(state_dir: Path) -> Iterator[Check]:
    """Yield whether others than the operators may read the hashes of earlier applies."""
    folder = state_dir / REVISIONS
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return
    if mode & 0o007:
        yield bad(
            "revisions",
            f"{folder} (mode {mode:04o}): every user may read it, and its revisions hold "
            f"a1-hashes of replaced files; {_VALID}",
            f"chmod -R o-rwx {folder}, and raise `password_version` of the agents",
        )
    else:
        yield good(
            "revisions",
            f"closed to other users; its revisions hold a1-hashes of replaced files, and {_VALID}",
        )


def check_merged_copy(log_dir: str | None) -> Iterator[Check]:
    """Yield whether everybody may read the merged configuration that FreeSWITCH writes.

    `log_dir` is what the switch answers; on another machine it leads nowhere.
    """
    if not log_dir:
        return
    path = Path(log_dir) / MERGED_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as problem:
        yield skip("merged-copy", f"{path}: not looked at here: {problem.strerror}")
        return
    if mode & 0o007:
        yield warn(
            "merged-copy",
            f"{path} (mode {mode:04o}): every user may read it, and it holds the whole "
            f"configuration with every a1-hash; {_VALID}",
            f"chmod o-rwx {path.parent}: FreeSWITCH writes this file again at each reloadxml, so "
            f"close the folder; or start FreeSWITCH with umask 027",
        )
    else:
        yield good("merged-copy", f"{path} is not open to everybody")
