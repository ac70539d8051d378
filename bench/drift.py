"""How long a drift check takes, with the switch running in a process of its own.

    python bench/drift.py [AGENTS]

Every command runs as a user runs it, in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plan import write_project

RUN = [sys.executable, "-c", "from fsgitops.cli import main; main()"]
EDITED = 100


def run(root: Path, *arguments: str, expected: int = 0) -> float:
    """Run fsgitops; return wall seconds."""
    before = time.perf_counter()
    done = subprocess.run([*RUN, *arguments], cwd=root, stdout=subprocess.DEVNULL, check=False)
    seconds = time.perf_counter() - before
    if done.returncode != expected:
        raise SystemExit(f"fsgitops {' '.join(arguments)} ended with {done.returncode}")
    return seconds


def edit(conf: Path) -> None:
    """Change what called parties see in some of the files."""
    for path in sorted(conf.glob("directory/default/1*.xml"))[:EDITED]:
        path.write_text(path.read_text().replace('value="Support', 'value="Mallory'))


def main() -> None:
    """Print one table."""
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_project(root, agents)
        run(root, "key", "new")
        run(root, "apply", "--yes")
        rows = [("files only", run(root, "drift", "--offline"))]
        command = [sys.executable, "-u", *RUN[1:], "sandbox"]
        with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE) as switch:
            assert switch.stderr is not None
            switch.stderr.readline()
            rows.append(("files and the switch's memory", run(root, "drift")))
            edit(root / ".fsgitops/sandbox/conf")
            label = f"the same, {EDITED} files edited"
            rows.append((label, run(root, "drift", expected=2)))
            switch.terminate()
    print(f"{agents} agents, {agents // 10} routes")
    baseline = rows[0][1]
    for label, seconds in rows:
        print(f"{label:<32}{seconds:>8.2f} s {seconds / baseline:>7.1f}")


if __name__ == "__main__":
    main()
