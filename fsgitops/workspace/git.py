"""Which commit the desired state is at."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GIT_SECONDS = 10.0


def read_commit(root: Path, paths: Sequence[str]) -> tuple[str, bool]:
    """Return the commit that `root` is at and whether `paths` differ from it.

    Outside a git checkout, and where git is not installed, the commit is "".
    """
    head = run_git(root, "rev-parse", "HEAD")
    if not head:
        return "", False
    status = run_git(root, "status", "--porcelain", "--", *paths)
    return head.strip(), bool(status)


def run_git(root: Path, *arguments: str) -> str:
    """Return what git prints; "" where it fails, is not installed, or `root` is no checkout."""
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and the project's own paths, no shell
            [git, "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
