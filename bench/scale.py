"""Time and memory against octoDNS, from 1,000 to 100,000 resources, in one run on one machine.

    python bench/scale.py [--sizes 1000,10000,100000] [--layout files|sharded|both]
                          [--json FILE] [--plots FOLDER]

One half of the resources are agents, the other DIDs. octoDNS plans and applies as many records of
one zone, with its own YamlProvider on both sides. It is installed from the package index into a
virtual environment of its own, outside the checkout, and so is matplotlib (`bench/plots.py`).

Every command is a process of its own, so imports count. Figures are CPU seconds, user and system,
with all child processes. The embedded switch runs in a process beside, which is not counted.
Memory is the peak of the largest process. Where there were several, the sum of their peaks is told
too, which counts what they share more than once. A plan that should be empty and is not, or one
that misses a resource, ends the run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plan import CHECKOUT, FSGITOPS, compile_bytes, write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

OCTODNS = "octodns==1.22.0"
PACKAGES = (OCTODNS, "matplotlib==3.11.2")
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
LAYOUTS = ("files", "sharded")
ZONE = "pbx.example.com."
SAMPLED = 0.02
"""Seconds between two looks at a command's processes."""
LIVED = 4
"""How many looks a process must have lived for to be counted."""

UNCHANGED, COLD, WARM = "plan, nothing changed", ", cold cache", ", warm cache"
ALL_NEW, APPLIED = "plan, all new", "apply, all new"
STEPS = {  # fsgitops's, and the step of octoDNS that it is compared with
    UNCHANGED + COLD: UNCHANGED,
    UNCHANGED + WARM: UNCHANGED,
    ALL_NEW: ALL_NEW,
    APPLIED: APPLIED,
}


@dataclass(frozen=True)
class Figure:
    """What a command took: seconds of the CPU and by the clock, megabytes."""

    program: str
    layout: str
    resources: int
    step: str
    cpu_s: float
    wall_s: float
    peak_mb: float
    sum_mb: float
    processes: int


class Peaks(threading.Thread):
    """Watches a process and its descendants: the peak of each, in kilobytes."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._seen: dict[int, list[int]] = {}
        self._process = process
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(SAMPLED):
            self._look(self._process)

    def stop(self) -> None:
        self._done.set()
        self.join()

    def found(self) -> list[int]:
        """Return the peak of each process that lived for some looks.

        Until a child runs its own program, it is told to have its parent's memory.
        """
        return [max(peaks) for peaks in self._seen.values() if len(peaks) >= LIVED]

    def _look(self, process: int) -> None:
        try:
            status = Path(f"/proc/{process}/status").read_text()
            children = [
                child
                for task in Path(f"/proc/{process}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except (FileNotFoundError, ProcessLookupError):
            return
        if peak := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE):
            self._seen.setdefault(process, []).append(int(peak[1]))
        for child in children:
            self._look(int(child))


@dataclass(frozen=True)
class Runner:
    """Runs the commands of one program in one folder; its figures are of so many resources."""

    program: str
    layout: str
    resources: int
    root: Path
    environment: dict[str, str]

    def run(self, step: str, command: list[str], expected: int = 0) -> tuple[Figure, str]:
        """Return what a command took and what it said. Raises SystemExit for another exit code."""
        said = self.root / "said.txt"
        before = time.perf_counter()
        with said.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdout=out, stderr=out
            )
        peaks = Peaks(process.pid)
        peaks.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - before
        process.returncode = code = os.waitstatus_to_exitcode(status)
        peaks.stop()
        text = said.read_text()
        if code != expected:
            raise SystemExit(f"{text[-2000:]}\n{self.program}, {step}: ended with {code}")
        figure = Figure(
            self.program,
            self.layout,
            self.resources,
            step,
            cpu_s=round(usage.ru_utime + usage.ru_stime, 3),
            wall_s=round(wall, 3),
            peak_mb=round(usage.ru_maxrss / 1024, 1),
            sum_mb=round(max(usage.ru_maxrss, sum(peaks.found())) / 1024, 1),
            processes=max(1, len(peaks.found())),
        )
        print(
            f"{self.resources:>8,} {self.program} {self.layout} {step}: {figure.cpu_s:.2f} s",
            file=sys.stderr,
        )
        return figure, text


def measure_octodns(root: Path, resources: int, tools: Path) -> list[Figure]:
    """Return what octoDNS takes for as many records: half A, half CNAME, in one zone."""
    for folder in ("source", "live"):
        (root / folder).mkdir(parents=True)
    with (root / "source" / f"{ZONE}yaml").open("w") as zone:
        zone.write("---\n")
        for n in range(resources // 2):
            address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
            zone.write(f"agent{n:06d}:\n  ttl: 300\n  type: A\n  value: {address}\n")
        for n in range(resources // 2):
            target = f"agent{n:06d}.{ZONE}"
            zone.write(f"did{n:06d}:\n  ttl: 300\n  type: CNAME\n  value: {target}\n")
    provider = "class: octodns.provider.yaml.YamlProvider, escaped_semicolons: false"
    (root / "config.yaml").write_text(
        f"providers:\n  source: {{{provider}, directory: source}}\n"
        f"  live: {{{provider}, directory: live}}\n"
        f"zones:\n  {ZONE}: {{sources: [source], targets: [live]}}\n"
    )
    runner = Runner("octodns", "", resources, root, {**os.environ})
    command = [str(tools / "bin" / "octodns-sync"), "--config-file", "config.yaml"]
    planned, said = runner.run(ALL_NEW, command)
    _require(f"Creates={resources}," in said, planned, said)
    applied, said = runner.run(APPLIED, [*command, "--doit"])
    _require(f"{resources} total changes" in said, applied, said)
    unchanged, said = runner.run(UNCHANGED, command)
    _require("No changes were planned" in said, unchanged, said)
    return [unchanged, planned, applied]


def measure_fsgitops(root: Path, resources: int, layout: str) -> list[Figure]:
    """Return what this checkout takes, with a cache of its own that starts empty."""
    cache = root.with_name(f"{root.name}-cache")  # a plan notices what comes into its project
    settings = "" if layout == "files" else f"layout: {layout}\n"
    write_project(root, resources // 2, resources // 2, settings)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("FSGITOPS_")
    }
    environment |= {"PYTHONPATH": str(CHECKOUT), "XDG_CACHE_HOME": str(cache)}
    runner = Runner("fsgitops", layout, resources, root, environment)
    plan = [*FSGITOPS, "plan", "--detailed-exitcode"]
    runner.run("key", [*FSGITOPS, "key", "new"])
    shutil.rmtree(cache, ignore_errors=True)
    planned, said = runner.run(ALL_NEW, plan, expected=2)
    _require(_created(said) >= resources, planned, said)
    with _embedded_switch(runner):
        shutil.rmtree(cache, ignore_errors=True)
        applied, said = runner.run(APPLIED, [*FSGITOPS, "apply", "--yes"])
        _require("Applied: " in said, applied, said)
    shutil.rmtree(cache, ignore_errors=True)
    time.sleep(2.5)  # what was written within two seconds is not remembered
    cold, _ = runner.run(UNCHANGED + COLD, plan)
    warm, _ = runner.run(UNCHANGED + WARM, plan)
    return [cold, warm, planned, applied]


@contextmanager
def _embedded_switch(runner: Runner) -> Iterator[None]:
    command = [*FSGITOPS, "sandbox"]
    with subprocess.Popen(
        command, cwd=runner.root, env=runner.environment, stderr=subprocess.PIPE
    ) as switch:
        assert switch.stderr is not None
        switch.stderr.readline()
        try:
            yield
        finally:
            switch.terminate()


def _created(said: str) -> int:
    counts = re.search(r"^Plan: ([\d,]+) to create, 0 to change, 0 to delete$", said, re.MULTILINE)
    return int(counts[1].replace(",", "")) if counts else 0


def _require(as_it_should: bool, figure: Figure, said: str) -> None:
    if not as_it_should:
        raise SystemExit(f"{said[-2000:]}\n{figure.program}, {figure.step}: not what it should do")


def install_tools(folder: Path) -> Path:
    """Return a virtual environment with octoDNS and matplotlib, made where it is missing."""
    wanted = "\n".join(PACKAGES)
    mark = folder / "installed.txt"
    if not mark.is_file() or mark.read_text() != wanted:
        print(f"installing {' and '.join(PACKAGES)} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", *PACKAGES], check=True)
        mark.write_text(wanted)
    return folder


def print_table(figures: list[Figure]) -> None:
    """Print a table for each size: each step, and how much octoDNS takes for one of ours."""
    for size in sorted({figure.resources for figure in figures}):
        peer = {f.step: f for f in figures if f.resources == size and f.program == "octodns"}
        print(f"\n{size:,} resources: {size // 2:,} agents and {size // 2:,} DIDs")
        print(f"{'':42}{'CPU':>9}{'clock':>10}{'memory':>10}  octoDNS takes, for the")
        print(f"{'':42}{'':>9}{'':>10}{'':>10}  same step  unchanged plan")
        for figure in peer.values():
            print(_line("octoDNS", figure, ("", "")))
        for figure in (f for f in figures if f.resources == size and f.program == "fsgitops"):
            same, unchanged = peer[STEPS[figure.step]], peer[UNCHANGED]
            first, second = (f"{of.cpu_s / figure.cpu_s:.1f} times" for of in (same, unchanged))
            print(_line(figure.layout, figure, (first, second)))


def _line(who: str, figure: Figure, ratios: tuple[str, str]) -> str:
    line = f"{who:<9}{figure.step:<33}{figure.cpu_s:>7.2f} s{figure.wall_s:>8.2f} s"
    line += f"{figure.peak_mb:>7.0f} MB{ratios[0]:>11}{ratios[1]:>16}"
    if figure.processes > 1:
        line += f"  ({figure.processes} processes: {figure.sum_mb:.0f} MB)"
    return line.rstrip()


def describe_machine() -> dict[str, object]:
    """Return what figures depend on: the processor, its cores, Python, the versions."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    commit = subprocess.run(
        ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "processor": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "octodns": OCTODNS,
        "fsgitops": commit.stdout.strip(),
    }


def main() -> None:
    """Measure, print the tables, write the raw figures and the plots."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), metavar="N,N,...")
    parser.add_argument("--layout", choices=[*LAYOUTS, "both"], default="both")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the raw figures there.")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="Draw the plots there.")
    parser.add_argument("--venv", type=Path, default=cache / "fsgitops-bench", metavar="FOLDER")
    given = parser.parse_args()
    layouts = LAYOUTS if given.layout == "both" else (given.layout,)
    tools = install_tools(given.venv.resolve())
    compile_bytes(CHECKOUT)
    figures: list[Figure] = []
    for size in map(int, given.sizes.split(",")):
        with tempfile.TemporaryDirectory() as name:
            figures += measure_octodns(Path(name) / "octodns", size, tools)
            for layout in layouts:
                figures += measure_fsgitops(Path(name) / layout, size, layout)
    print_table(figures)
    raw = {"machine": describe_machine(), "figures": [asdict(figure) for figure in figures]}
    text = json.dumps(raw, indent=1) + "\n"
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(text)
    if given.plots:
        plots = [str(tools / "bin" / "python"), str(CHECKOUT / "bench" / "plots.py")]
        subprocess.run([*plots, str(given.plots)], input=text, text=True, check=True)


if __name__ == "__main__":
    main()
