"""A scratch git repository, and `fsgitops` on the path of what runs in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).resolve().parent.parent
STEP_SECONDS = 120


class ScratchRepository:
    """`root` holds the repository `origin` and `machine`, which reaches the switch."""

    root: Path

    @property
    def origin(self) -> Path:
        return self.root / "origin"

    @property
    def machine(self) -> Path:
        """The self-hosted runner: its folder, and so the sandbox's conf directory, stays."""
        return self.root / "machine"

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run git in a repository (by default the scratch one) and return what it printed."""
        who = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com"]
        command = ["git", "-C", str(folder or self.origin), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def check_out(self, folder: Path, ref: str) -> None:
        if not folder.exists():
            self.git("clone", "-q", "--no-checkout", str(self.origin), str(folder))
        self.git("fetch", "-q", "origin", folder=folder)
        self.git("checkout", "-q", "--force", "--detach", ref, folder=folder)

    def put_fsgitops_on_the_path(self) -> None:
        place = self.root / "bin" / "fsgitops"
        place.parent.mkdir(parents=True)
        code = "from fsgitops.cli import main; main()"
        place.write_text(
            f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec "{sys.executable}" -c "{code}" "$@"\n'
        )
        place.chmod(0o755)


def results(jobs: Mapping[str, Any]) -> dict[str, str]:
    """Return how each job of a pipeline ended, whichever runner ran it."""
    return {name: job.result for name, job in jobs.items()}
