"""How long a plan takes in each format, against the text that a terminal gets.

    python bench/formats.py [AGENTS]

Every command runs as a user runs it, in a process of its own; everything is new.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plan import write_project

from fsgitops.cli.outputs import FORMATS

RUN = [sys.executable, "-c", "from fsgitops.cli import main; main()"]


def run(root: Path, *arguments: str) -> tuple[float, int]:
    """Run fsgitops; return wall seconds and how many bytes it printed."""
    before = time.perf_counter()
    done = subprocess.run([*RUN, *arguments], cwd=root, capture_output=True, check=True)
    return time.perf_counter() - before, len(done.stdout)


def main() -> None:
    """Print one table."""
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_project(root, agents)
        run(root, "key", "new")
        rows = [(form, *run(root, "plan", "--format", form)) for form in FORMATS]
    print(f"{agents} agents and {agents // 10} routes to create")
    baseline = next(seconds for form, seconds, _ in rows if form == "text")
    for form, seconds, size in rows:
        print(f"{form:<10}{seconds:>8.2f} s {seconds / baseline:>7.1f} {size / 1e6:>9.2f} MB")


if __name__ == "__main__":
    main()
