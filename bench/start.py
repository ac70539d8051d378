"""How long a command of a small project takes: most of it is to start, so imports count.

    python bench/start.py [--against COMMIT]

The project is the example that `fsgitops init` writes: three agents and two DIDs. Each command is a
process of its own; the least of ten is told. With `--against`, an earlier commit is measured in the
same run, turn by turn.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from plan import CHECKOUT, Ran, check_out, compile_bytes, run

TURNS = 10
SANDBOX = ".fsgitops/sandbox"
COMMANDS = {
    "--help": ("--help",),
    "plan, all new": ("plan",),
    "plan, nothing changed": ("plan",),
    "validate": ("validate",),
    "history": ("history",),
}


def measure(root: Path, checkout: Path, name: str) -> Ran:
    """Return what a command takes in a project of this checkout, applied unless all is new."""
    if name == "plan, all new":
        shutil.rmtree(root / SANDBOX, ignore_errors=True)
    elif not (root / SANDBOX / "conf/.fsgitops").exists():
        run(root, "apply", "--yes", checkout=checkout)
    return run(root, *COMMANDS[name], checkout=checkout)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", metavar="COMMIT")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        sides = {"this checkout": CHECKOUT}
        if given.against:
            sides = {given.against: check_out(given.against, top / "checkout"), **sides}
        for number, checkout in enumerate(sides.values()):
            compile_bytes(checkout)
            run(top, "init", "-q", str(top / str(number)), checkout=checkout)
            run(top / str(number), "key", "new", checkout=checkout)
        bare = min(_bare(top) for _ in range(TURNS))
        print(f"{'python itself':<28}{bare:>8.3f} s CPU")
        for name in COMMANDS:
            took: dict[str, list[Ran]] = {side: [] for side in sides}
            for _ in range(TURNS):
                for number, (side, checkout) in enumerate(sides.items()):
                    took[side].append(measure(top / str(number), checkout, name))
            for side, runs in took.items():
                cpu, seconds = min(ran.cpu for ran in runs), min(ran.seconds for ran in runs)
                print(f"{name:<28}{cpu:>8.3f} s CPU {seconds:>8.3f} s  {side}")


def _bare(root: Path) -> float:
    return run(root, words=(sys.executable, "-c", "pass")).cpu


if __name__ == "__main__":
    main()
