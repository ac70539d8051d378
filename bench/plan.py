"""How long a plan takes, how long an apply, and how much memory: against a bare loop of writes.

    python bench/plan.py [AGENTS]
    python bench/plan.py [AGENTS] --against COMMIT

Every command runs as a user runs it, in a process of its own. The apply writes to the embedded
switch's conf directory and reloads it. The baseline writes the same files with a bare loop, in the
same run; all ratios are against it.

With `--against`, a plan without changes is measured for two versions in one run, turn by turn: an
earlier commit, and what stands in this checkout. CPU seconds say it on a machine that is busy.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = Path(__file__).resolve().parents[1]
TURNS = 7
FSGITOPS = (sys.executable, "-c", "from fsgitops.cli import main; main()")

AGENT = """  - extension: {extension}
    name: Agent {extension}
    email: agent{extension}@example.com
    caller_id_name: Support {extension}
    caller_id_number: {number}
    groups: [agents, team{team}]
    voicemail: {{enabled: true, email: agent{extension}@example.com}}
    variables: {{site_department: d{team}}}
"""
ROUTE = """  - did_number: {number}
    destination_extension: {extension}
    description: Line {last}
"""


def write_project(root: Path, agents: int, routes: int | None = None, settings: str = "") -> None:
    """Write a project of `agents` agents in files of 1,000, and so many routes: else one in ten.

    `settings` are further lines of `fsgitops.yaml`.
    """
    routes = agents // 10 if routes is None else routes
    desired = root / "desired"
    desired.mkdir(parents=True)
    (root / "fsgitops.yaml").write_text(f"project: bench\ndefault_region: US\n{settings}")
    first = 10_000 if agents <= 90_000 else 100_000
    for start in range(0, agents, 1000):
        blocks = [
            AGENT.format(extension=first + n, number=_number(n % routes), team=n % 20)
            for n in range(start, min(start + 1000, agents))
        ]
        (desired / f"agents-{start:06d}.yaml").write_text("agents:\n" + "".join(blocks))
    for start in range(0, routes, 1000):
        blocks = [
            ROUTE.format(number=_number(n), last=n, extension=first + n % agents)
            for n in range(start, min(start + 1000, routes))
        ]
        (desired / f"routes-{start:06d}.yaml").write_text("did_routes:\n" + "".join(blocks))


def _number(place: int) -> str:
    return f"+1949{5_430_000 + place}"


def check_out(commit: str, folder: Path) -> Path:
    """Return a folder with what stood in a commit. Raises SystemExit where there is none."""
    folder.mkdir()
    archive = subprocess.Popen(
        ["git", "-C", str(CHECKOUT), "archive", commit], stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    if archive.wait():
        raise SystemExit(f"there is no commit {commit}")
    return folder


def compile_bytes(checkout: Path) -> None:
    """Compile a checkout's modules, as an installation does, so that no command is the one to."""
    package = str(checkout / "fsgitops")
    subprocess.run([sys.executable, "-m", "compileall", "-q", package], check=True)


class Ran(NamedTuple):
    """What a command took: seconds by the clock and of the CPU, and its peak megabytes."""

    seconds: float
    cpu: float
    memory: float


def run(
    root: Path, *arguments: str, checkout: Path = CHECKOUT, words: Sequence[str] = FSGITOPS
) -> Ran:
    """Run the fsgitops of a checkout in a project; `words` begin the command line."""
    before = time.perf_counter()
    process = subprocess.Popen(
        [*words, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(words)} {' '.join(arguments)} failed")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def write_bare(root: Path) -> float:
    """Write the compiled files again elsewhere with a bare loop; return wall seconds."""
    conf = root / ".fsgitops" / "sandbox" / "conf"
    managed = [
        *conf.glob("directory/default/1*.xml"),
        *conf.glob("dialplan/*/[1i]*.xml"),
    ]
    contents = [(path.relative_to(conf), path.read_bytes()) for path in managed]
    elsewhere = root / "bare"
    for folder in {path.parent for path, _ in contents}:
        (elsewhere / folder).mkdir(parents=True)
    before = time.perf_counter()
    for path, content in contents:
        (elsewhere / path).write_bytes(content)
    return time.perf_counter() - before


def prepare(root: Path, agents: int, checkout: Path = CHECKOUT, dids: int | None = None) -> None:
    """Make a project of so many agents and DIDs, nothing applied yet."""
    compile_bytes(checkout)
    write_project(root, agents, dids)
    run(root, "key", "new", checkout=checkout)


def compare(commit: str, agents: int) -> None:
    """Print what a plan without changes takes: at a commit, and in this checkout."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        earlier = check_out(commit, top / "checkout")
        sides = {commit: (earlier, top / "before"), "this checkout": (CHECKOUT, top / "after")}
        for checkout, root in sides.values():
            prepare(root, agents, checkout)
            run(root, "apply", "--yes", checkout=checkout)
        took: dict[str, list[Ran]] = {side: [] for side in sides}
        for _ in range(TURNS):
            for side, (checkout, root) in sides.items():
                took[side].append(run(root, "plan", checkout=checkout))
    print(f"plan of {agents} agents without changes, {TURNS} turns; the least of each")
    first: tuple[float, float] | None = None
    for side, runs in took.items():
        cpu, memory = min(ran.cpu for ran in runs), min(ran.memory for ran in runs)
        first = first or (cpu, memory)
        ratios = f"{cpu / first[0]:>7.2f} {memory / first[1]:>7.2f}"
        print(f"{side:<32}{cpu:>8.2f} s CPU {memory:>7.0f} MB {ratios}")


def measure(agents: int) -> None:
    """Print one table of this checkout."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        prepare(root, agents)
        rows = [("cold plan", run(root, "plan"))]
        rows.append(("apply to the embedded switch", run(root, "apply", "--yes")))
        rows.append(("plan without changes", run(root, "plan")))
        edited = root / "desired" / "agents-000000.yaml"
        edited.write_text(edited.read_text().replace("name: Support 1", "name: Help 1", 1))
        rows.append(("plan with one change", run(root, "plan")))
        rows.append(("apply with one change", run(root, "apply", "--yes")))
        rows.append(("validate", run(root, "validate")))
        bare = write_bare(root)
    print(f"{agents} agents, {agents // 10} routes; {resource.getpagesize()} byte pages")
    print(f"{'bare loop of writes':<32}{bare:>8.2f} s {'1.0':>7}")
    for label, ran in rows:
        print(f"{label:<32}{ran.seconds:>8.2f} s {ran.seconds / bare:>7.1f} {ran.memory:>7.0f} MB")


def main() -> None:
    """Measure this checkout, or compare it with a commit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("agents", nargs="?", type=int, default=10_000)
    parser.add_argument("--against", metavar="COMMIT")
    given = parser.parse_args()
    if given.against:
        compare(given.against, given.agents)
    else:
        measure(given.agents)


if __name__ == "__main__":
    main()
