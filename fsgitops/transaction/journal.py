"""The journal of a transaction: what it does, and how far it is, on the disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.model.live import is_safe_path
from fsgitops.transaction.places import BEFORE, FOLDER, RECORD, check_mounts
from fsgitops.transaction.state import (
    TransactionError,
    open_state_folder,
    read_state,
    tell_denied,
)

if TYPE_CHECKING:
    from pathlib import Path

REVISIONS = "revisions"
REVISION_FILE = "revision.json"
JOURNAL = "journal.json"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """A transaction on disk: each step's path, and the hashes before and after it.

    `reload`: a switch was, or may have been, told to load the files. `restored`: everything has
    been put back. `revision`: the number of the record that this leaves, 0 for none. `mounts`: the
    folders that have a staging place of their own (transaction/places.py).
    """

    conf_dir: Path
    folder: Path
    steps: tuple[tuple[str, str, str], ...]
    made_folders: tuple[str, ...]
    committed: bool = False
    reload: bool = False
    restored: bool = False
    revision: int = 0
    mounts: tuple[str, ...] = ()

    @property
    def state_dir(self) -> Path:
        """The target's state directory."""
        return self.folder.parent


def read_journal(conf_dir: Path, state_dir: Path) -> Journal | None:
    """Return the unfinished transaction that an earlier process left, if any.

    Raises TransactionError when a journal stands there that cannot be read.
    """
    folder = state_dir / FOLDER
    try:
        data: Any = json.loads(read_state(state_dir, FOLDER, JOURNAL))
        steps = tuple((str(path), str(before), str(after)) for path, before, after in data["steps"])
        made = tuple(str(name) for name in data["made_folders"])
        _check_paths([*made, *(path for path, _, _ in steps)])
        flags = {name: bool(data[name]) for name in ("committed", "reload", "restored")}
        mounts = check_mounts(data.get("mounts", []))
        return Journal(
            conf_dir, folder, steps, made, revision=int(data["revision"]), mounts=mounts, **flags
        )
    except FileNotFoundError:
        return None
    except NotADirectoryError as problem:
        if not state_dir.is_dir():
            return None
        raise TransactionError(
            f"{problem.filename}: a link, or no directory; move it away"
        ) from None
    except PermissionError as problem:
        raise TransactionError(tell_denied(problem, state_dir)) from problem
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise TransactionError(
            f"{folder / JOURNAL} cannot be read: {problem}\n{folder}/{RECORD}/{BEFORE} "
            "holds the files as they were before the apply that was interrupted"
        ) from problem


def _check_paths(paths: list[str]) -> None:
    if not all(map(is_safe_path, paths)):
        raise ValueError("it names a path outside the conf directory")


def write_journal(journal: Journal) -> None:
    """Put the journal on the disk. Raises OSError."""
    data = {
        "version": 1,
        "committed": journal.committed,
        "reload": journal.reload,
        "restored": journal.restored,
        "revision": journal.revision,
        "made_folders": list(journal.made_folders),
        **({"mounts": list(journal.mounts)} if journal.mounts else {}),
        "steps": [list(step) for step in journal.steps],
    }
    with open_state_folder(journal.state_dir, FOLDER) as folder:
        folder.replace(JOURNAL, json.dumps(data).encode())
