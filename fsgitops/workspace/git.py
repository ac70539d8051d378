"""What git says of a project: which commit it is at, and what it keeps.

Keys never enter it: their folder ignores itself, and a key that git would take stops a plan.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.durable import IGNORE_FILE, ignore_folder
from fsgitops.errors import FsgitopsError, SecretError, UsageError
from fsgitops.secret.key import key_files
from fsgitops.settings.shapes import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.diagnosis import Check
    from fsgitops.workspace.open import Workspace


GIT_SECONDS = 10.0
_BOTH, _OTHER = ("--others", "--cached"), "?"
_OTHERS = ("ls-files", "--others", "--directory", "--no-empty-directory", "--exclude-standard")


def read_commit(root: Path, paths: Sequence[str]) -> tuple[str, bool]:
    """Return the commit that `root` is at and whether `paths` differ from it.

    Outside a git checkout, and where git is not installed, the commit is "".
    """
    head = run_git(root, "rev-parse", "HEAD")
    if not head:
        return "", False
    status = run_git(root, "status", "--porcelain", "--", *paths)
    return head.strip(), bool(status)


def check_records(folders: Iterable[Path | None]) -> Iterator[Check]:
    """Yield what is wrong where git has call records, or would take them: they tell of people."""
    from fsgitops.diagnosis import bad

    for folder in folders:
        if folder is None or not folder.is_dir():
            continue
        if run_git(folder, "ls-files", "--cached", "--", "."):
            told, remedy = (
                "git tracks call records here",
                f"run `git rm -r --cached {folder}`, and ",
            )
        elif run_git(folder, *_OTHERS):
            told, remedy = "the next `git add` would take the call records here", ""
        else:
            continue
        yield bad("records-in-git", f"{folder}: {told}", f"{remedy}put it into .gitignore")


def run_git(root: Path, *arguments: str) -> str:
    """Return what git prints; "" where it fails, is not installed, or `root` is no checkout."""
    if not _is_in_checkout(root):
        return ""
    try:
        return (ask_git(root, *arguments) or b"").decode(errors="replace")
    except (FsgitopsError, OSError):
        return ""


def _is_in_checkout(folder: Path) -> bool:
    """Tell whether git would find a repository here: outside of one, no process is started."""
    if "GIT_DIR" in os.environ:
        return True
    real = folder.resolve()
    return any((above / ".git").exists() for above in (real, *real.parents))


def ask_git(root: Path, *arguments: str, seconds: float = GIT_SECONDS) -> bytes | None:
    """Return what git prints, None where it refuses.

    Raises FsgitopsError where it is not installed, or takes longer than this.
    """
    import subprocess

    git = shutil.which("git")
    if git is None:
        raise FsgitopsError("git is not installed, and comparing revisions needs it")
    try:
        done = subprocess.run(  # noqa: S603 - no shell; a revision never begins with a dash
            [git, "-C", str(root), *arguments], capture_output=True, timeout=seconds, check=True
        )
    except subprocess.CalledProcessError:
        return None
    except subprocess.TimeoutExpired:
        raise FsgitopsError(f"git took longer than {seconds:.0f} s") from None
    return done.stdout


def private_names(workspace: Workspace) -> tuple[str, ...]:
    """Return where keys and identities of a project stand, relative to its root or absolute."""
    settings = workspace.settings
    return (*key_files(settings.key_file), settings.secrets.age_identity)


def find_in_git(root: Path, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is wrong with each key that git keeps, or would take, and what to do.

    Without git, outside of a checkout, and for files that are not there, that is none of them.
    """
    folders: dict[Path, dict[str, str]] = {}
    for name in names:
        path = root / name
        if path.parent.is_dir():
            folders.setdefault(path.parent, {})[path.name] = name
    found: list[tuple[str, str]] = []
    for folder, known in folders.items():
        said = run_git(folder, "ls-files", "-z", "-t", *_BOTH, "--exclude-standard", "--", *known)
        listed = (line.split(" ", 1) for line in said.split("\0") if line)
        found += [
            _describe(known[name], kept=mark != _OTHER) for mark, name in listed if name in known
        ]
    return found


def find_in_history(workspace: Workspace) -> list[str]:
    """Return what is wrong with each key or identity in use that some commit has.

    The former key is in use no more. Reading the history takes time, so git is first asked whether
    it has the very bytes at all.
    """
    root, former = workspace.root, key_files(workspace.settings.key_file)[-1]
    found: list[str] = []
    for name in private_names(workspace):
        if name == former or not (root / name).is_file():
            continue
        blob = run_git(root, "hash-object", "--no-filters", "--", name).strip()
        if blob and run_git(root, "cat-file", "-t", blob):
            # Without the filter, the commit that took it away again would be named.
            seek = ("--all", "--format=%h", "--max-count=1", "--diff-filter=AMR")
            commit = run_git(root, "log", *seek, f"--find-object={blob}").strip()
            told = (
                f"{name}: commit {commit} has this key: whoever has the repository has every secret"
            )
            found += [told] if commit else []
    return found


REPLACE = "replace it (`fsgitops key rotate`, or a new identity), and encrypt anew what it opened"


def refuse_key_in_git(workspace: Workspace) -> None:
    """Raise SecretError when git keeps, or would take, a key or an identity that is here."""
    here = [name for name in private_names(workspace) if (workspace.root / name).exists()]
    if not here:
        return
    found = find_in_git(workspace.root, here)
    if found:
        raise SecretError("\n".join("; ".join(told) for told in found))


def _describe(name: str, *, kept: bool) -> tuple[str, str]:
    if not kept:
        wrong = "git does not ignore this key: the next `git add` would commit it"
        return f"{name}: {wrong}", f"put it into {IGNORE_FILE}"
    return (
        f"{name}: git tracks this key: the next commit takes it, if none has it yet",
        f"run `git rm --cached {name}`, and put it into {IGNORE_FILE}; if a commit has it, "
        "whoever has the repository has every secret: replace the key (`fsgitops key rotate`)",
    )


def keep_from_git(path: Path) -> None:
    """Make sure, before a key is written to `path`, that git will not take it.

    A project's own folder gets a `.gitignore` that ignores all that is in it, itself included.
    Raises UsageError for another place that git does not ignore, OSError.
    """
    folder = path.absolute().parent
    if folder.name == STATE_FOLDER:
        ignore_folder(folder)
    standing = next((item for item in (folder, *folder.parents) if item.is_dir()), Path("/"))
    if run_git(standing, "rev-parse", "--is-inside-work-tree").strip() != "true":
        return
    if not run_git(standing, "check-ignore", "--", str(path.absolute())):
        raise UsageError(
            f"{path}: git does not ignore this place, so the next `git add` would take the key: "
            f"put it into {IGNORE_FILE} first, or name a place outside the repository"
        )
