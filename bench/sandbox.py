"""What the embedded switch takes: to load, to reload, to answer; against ElementTree.

    python bench/sandbox.py [AGENTS] [--against COMMIT]

One agent and one DID are applied, and their files multiplied: a file for each, and then a few
hundred in one file. The switch runs as a user runs it, in a process of its own. The baseline is a
process that reads the same files into trees of the standard library's ElementTree, and holds them.
All ratios are CPU seconds against that, in the same run.

With `--against`, an earlier commit loads the same files in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from plan import CHECKOUT, write_project

from fsgitops.esl.session import connect_esl

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAIN = "sandbox.example"
EXTENSION, NUMBER = "10000", "9495430000"
IN_ONE_FILE = 500
FSGITOPS = "from fsgitops.cli import main; main()"
PARSE = """
import os, sys
from xml.etree.ElementTree import parse
names = [os.path.join(at, name) for at, _, names in os.walk(sys.argv[1]) for name in names]
trees = [parse(name) for name in names if name.endswith(".xml")]
"""


class Took(NamedTuple):
    """What a part took: seconds of the CPU, and the peak of the process until then in megabytes."""

    cpu: float
    memory: float


def command(checkout: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return how the fsgitops of a checkout is run, and its environment."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return [sys.executable, "-c", FSGITOPS, *arguments], environment


def run(root: Path, *arguments: str) -> None:
    """Run the fsgitops of this checkout in a project."""
    words, environment = command(CHECKOUT, *arguments)
    subprocess.run(words, cwd=root, env=environment, stdout=subprocess.DEVNULL, check=True)


def multiply(root: Path, agents: int, in_one_file: int) -> None:
    """Give a project's sandbox so many agents and DIDs, from one of each."""
    write_project(root, 1, 1)
    run(root, "key", "new")
    run(root, "apply", "--yes")
    conf = root / ".fsgitops/sandbox/conf"
    for path in [conf / f"directory/default/{EXTENSION}.xml", *conf.glob("dialplan/public/*.xml")]:
        head, body, foot = re.split(r"(?<=<include>\n)|(?=</include>)", path.read_text())
        path.unlink()
        for start in range(0, agents, in_one_file):
            copies = (
                body.replace(EXTENSION, str(100_000 + n)).replace(NUMBER, f"212{n:07}")
                for n in range(start, min(start + in_one_file, agents))
            )
            path.with_name(f"{start:07}.xml").write_text(f"{head}{''.join(copies)}{foot}")


def watch(pid: int) -> Took:
    """Return what a process has taken so far."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert peak is not None
    ticks = int(words[11]) + int(words[12])
    return Took(ticks / os.sysconf("SC_CLK_TCK"), int(peak[1]) / 1024)


def measure(root: Path, checkout: Path, agents: int) -> Iterator[tuple[str, Took]]:
    """Yield each part and what the switch took for it."""
    words, environment = command(checkout, "sandbox")
    words.insert(1, "-u")
    with subprocess.Popen(words, cwd=root, env=environment, stderr=subprocess.PIPE) as switch:
        assert switch.stderr is not None
        try:
            switch.stderr.readline()
            before = watch(switch.pid)
            yield "start", before
            state = json.loads((root / ".fsgitops/sandbox/sandbox.json").read_text())
            place = state["host"], state["port"], state["password"]
            with connect_esl(*place, reply_timeout=300.0) as esl:
                for label, line in parts(agents):
                    said = esl.api(line)
                    if "-ERR" in said[:10] or not said.strip():
                        raise SystemExit(f"{line} was answered with {said[:80]}")
                    now = watch(switch.pid)
                    yield label, Took(now.cpu - before.cpu, now.memory)
                    before = now
        finally:
            switch.send_signal(signal.SIGTERM)


def parse_with_library(conf: Path) -> Took:
    """Return what the baseline took."""
    process = subprocess.Popen([sys.executable, "-c", PARSE, str(conf)])
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("the baseline failed")
    return Took(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def parts(agents: int) -> Iterator[tuple[str, str]]:
    """Yield what is asked for."""
    last = f"{100_000 + agents - 1}@{DOMAIN}"
    yield "reloadxml", "reloadxml"
    yield "user_data, the first", f"user_data {last} param a1-hash"
    yield "user_data, the second", f"user_data {last} param a1-hash"
    yield "xml_locate, all agents", f"xml_locate directory domain name {DOMAIN}"
    yield "xml_locate, all DIDs", "xml_locate dialplan context name public"


def check_out(commit: str, folder: Path) -> Path:
    """Write a commit's files into a folder."""
    folder.mkdir()
    words = ["git", "-C", str(CHECKOUT), "archive", commit]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    if archive.returncode:
        raise SystemExit(f"there is no commit {commit}")
    return folder


def main() -> None:
    """Print a table for each layout."""
    parser = argparse.ArgumentParser()
    parser.add_argument("agents", nargs="?", type=int, default=10_000)
    parser.add_argument("--against", metavar="COMMIT")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        sides = {"this checkout": CHECKOUT}
        if given.against:
            sides = {given.against: check_out(given.against, top / "earlier"), **sides}
        for layout, in_one_file in (("a file each", 1), (f"{IN_ONE_FILE} in a file", IN_ONE_FILE)):
            root = top / f"of {in_one_file}"
            multiply(root, given.agents, in_one_file)
            print(f"{given.agents:,} agents and as many DIDs, {layout}")
            baseline = parse_with_library(root / ".fsgitops/sandbox/conf")
            tell("ElementTree: start, and parse the files", baseline, baseline)
            for side, checkout in sides.items():
                for label, took in measure(root, checkout, given.agents):
                    tell(f"{side}: {label}", took, baseline)


def tell(label: str, took: Took, baseline: Took) -> None:
    """Print a row."""
    ratio = took.cpu / baseline.cpu
    print(f"{label:<44}{took.cpu:>8.2f} s CPU {ratio:>7.2f} {took.memory:>6.0f} MB", flush=True)


if __name__ == "__main__":
    main()
