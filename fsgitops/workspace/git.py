"""What git says of a project: which commit it is at, and what it keeps."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from fsgitops.diagnosis import bad
from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from fsgitops.diagnosis import Check

GIT_SECONDS = 10.0
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
    try:
        return (ask_git(root, *arguments) or b"").decode(errors="replace")
    except (FsgitopsError, OSError):
        return ""


def ask_git(root: Path, *arguments: str, seconds: float = GIT_SECONDS) -> bytes | None:
    """Return what git prints, None where it refuses.

    Raises FsgitopsError where it is not installed, or takes longer than this.
    """
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
