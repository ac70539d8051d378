"""How long it takes to follow calls: one trace, and what a plan changes for all DIDs.

    python bench/calls.py [--dids 9800] [--agents 100] [--conf DIR]

The project is applied to the embedded switch, then every DID is led to another agent. The baseline
is to read the configuration as the plan leaves it, in the same run. With `--conf`, a first plan
over a copy of a stock configuration is measured as well, of 3 and of 1,000 agents.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plan import prepare, run, write_project

from fsgitops.commands.plan import run_plan
from fsgitops.commands.trace import Asked, trace_call
from fsgitops.planning import impact
from fsgitops.planning.survey import load_planned
from fsgitops.routing.call.scene import scene_of_files
from fsgitops.steps.render_trace import render_trace
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "targets: {{prod: {{conf_dir: {conf}, domain: pbx.example.com}}}}\n"
AT = datetime.fromisoformat("2026-01-14T12:00")


def measure(what: Callable[[], object], base: float = 0) -> float:
    """Print CPU and clock seconds, and the ratio of the former; return them."""
    cpu, clock = time.process_time(), time.perf_counter()
    said = what()
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    ratio = f"{cpu / base:>8.3f}" if base else " " * 8
    print(f"{cpu:>8.3f} s CPU {clock:>8.3f} s {ratio}  {said}")
    return cpu


def measure_site(root: Path, agents: int, dids: int) -> None:
    """Print what following calls takes where every DID leads elsewhere."""
    prepare(root, agents, dids=dids)
    run(root, "apply", "--yes")
    for file in root.glob("desired/routes-*.yaml"):
        moved = re.sub(r"(?<=extension: )\d+", lambda it: str(10_000 + (int(it[0]) + 1) % agents),
                       file.read_text())  # fmt: skip
        file.write_text(moved)
    workspace = open_workspace(root)
    found = impact.find_impact

    def follow(*given: object) -> object:
        answer: list[object] = []

        def find() -> str:
            answer.append(found(*given))  # type: ignore[arg-type]
            return "impact, with the configuration as it stands read for it"

        measure(find, base)
        return answer[0]

    first = run_plan(workspace)

    def load() -> str:
        loaded.append(load_planned(workspace.target, first.plan, first.written, first.live))
        return "the configuration, read as the plan leaves it"

    loaded: list = []
    base = measure(load)
    scene = scene_of_files(loaded[0], "plan", workspace.target.domain)
    for number in ("+19495430007", "+19495430008", f"+1949{5_430_000 + dids - 1}"):
        measure(
            lambda number=number: sum(
                1 for _ in render_trace(
                    trace_call(workspace.target, Asked(number), AT, scene, brief=True)
                )
            ),
            base,
        )  # fmt: skip
    impact.find_impact = follow  # type: ignore[assignment]
    plan = run_plan(workspace).plan
    assert plan.impact is not None
    print(f"{plan.impact.looked_at} calls followed, {plan.impact.left_out} left out, "
          f"{len(plan.impact.calls)} end otherwise")  # fmt: skip
    impact.find_impact = found


def measure_stock(root: Path, conf: Path, agents: int, dids: int) -> None:
    """Print what a first plan over a stock configuration takes."""
    shutil.copytree(conf, root / "conf")
    write_project(root, agents, dids, TARGET.format(conf=root / "conf"))
    run(root, "key", "new")
    run(root, "--target", "prod", "plan")
    took = min(run(root, "--target", "prod", "plan").cpu for _ in range(3))
    print(f"{took:>8.3f} s CPU  first plan of {agents} agents and {dids} DIDs over {conf.name}")


def main() -> None:
    """Measure this checkout."""
    os.environ["FSGITOPS_CACHE"] = "off"
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dids", type=int, default=9_800)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--conf", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure_site(Path(folder) / "site", given.agents, given.dids)
        for agents, dids in ((3, 1), (1000, 500)) if given.conf else ():
            measure_stock(Path(folder) / str(agents), given.conf, agents, dids)


if __name__ == "__main__":
    main()
