"""How long a plan takes, how long an apply, and how much memory: against a bare loop of writes.

    python bench/plan.py [AGENTS]

Every command runs as a user runs it, in a process of its own. The apply writes to the embedded
switch's conf directory and reloads it. The baseline writes the same files with a bare loop, in the
same run; all ratios are against it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AGENT = """  - extension: {extension}
    name: Agent {extension}
    email: agent{extension}@example.com
    caller_id_name: Support {extension}
    caller_id_number: +1949543{last:04d}
    groups: [agents, team{team}]
    voicemail: {{enabled: true, email: agent{extension}@example.com}}
    variables: {{site_department: d{team}}}
"""
ROUTE = """  - did_number: +1949543{last:04d}
    destination_extension: {extension}
    description: Line {last}
"""


def write_project(root: Path, agents: int) -> None:
    """Write a project of `agents` agents in files of 1,000, and a route for one in ten."""
    desired = root / "desired"
    desired.mkdir(parents=True)
    (root / "fsgitops.yaml").write_text("project: bench\ndefault_region: US\n")
    first = 10_000 if agents <= 90_000 else 100_000
    for start in range(0, agents, 1000):
        blocks = [
            AGENT.format(extension=first + n, last=n % (agents // 10), team=n % 20)
            for n in range(start, min(start + 1000, agents))
        ]
        (desired / f"agents-{start:06d}.yaml").write_text("agents:\n" + "".join(blocks))
    routes = [ROUTE.format(last=n, extension=first + n) for n in range(agents // 10)]
    (desired / "routes.yaml").write_text("did_routes:\n" + "".join(routes))


def run(root: Path, *arguments: str) -> tuple[float, float]:
    """Run fsgitops; return wall seconds and peak resident megabytes."""
    before = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", "from fsgitops.cli import main; main()", *arguments],
        cwd=root,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"fsgitops {' '.join(arguments)} failed")
    return seconds, usage.ru_maxrss / 1024


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


def main() -> None:
    """Print one table."""
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_project(root, agents)
        run(root, "key", "new")
        rows = [("cold plan", *run(root, "plan"))]
        rows.append(("apply to the embedded switch", *run(root, "apply", "--yes")))
        rows.append(("plan without changes", *run(root, "plan")))
        edited = root / "desired" / "agents-000000.yaml"
        edited.write_text(edited.read_text().replace("name: Support 1", "name: Help 1", 1))
        rows.append(("plan with one change", *run(root, "plan")))
        rows.append(("apply with one change", *run(root, "apply", "--yes")))
        rows.append(("validate", *run(root, "validate")))
        bare = write_bare(root)
    print(f"{agents} agents, {agents // 10} routes; {resource.getpagesize()} byte pages")
    print(f"{'bare loop of writes':<32}{bare:>8.2f} s {'1.0':>7}")
    for label, seconds, memory in rows:
        print(f"{label:<32}{seconds:>8.2f} s {seconds / bare:>7.1f} {memory:>7.0f} MB")


if __name__ == "__main__":
    main()
