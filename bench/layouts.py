"""Both layouts on a real FreeSWITCH: how long it loads, looks up, registers and sets up calls.

    FSGITOPS_TEST_FREESWITCH=/path/to/freeswitch python bench/layouts.py \\
        [--sizes 10000,100000] [--layout sharded|files|both] [--flat-most 50000] [--json FILE]

Each size is so many agents and so many DIDs, applied to a switch of their own on loopback, which
logs warnings only: at its usual level it writes a line for each expression that a call is held
against. What `files` takes grows with the square, so `--flat-most` bounds it. Seconds are by the
clock. A call is set up from the INVITE of a carrier until the agent's phone gets its own; the first
and the last phone register, and both are called. FreeSWITCH waits in steps of 20 ms, so the least
of several calls is told beside their median. A plan that should be empty and is not ends the
run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plan import CHECKOUT, FSGITOPS, write_project

sys.path.insert(0, str(CHECKOUT / "tests"))
from plain_esl import PlainEsl
from real_switch import RealSwitch, switch_template
from sip_peer import SipPeer
from sip_phone import CallFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

LAYOUTS = ("files", "sharded")
PATIENCE = 900.0
"""Seconds: what a reload may take, and whoever waits for it."""
TURNS = 21
INCLUDE = '<X-PRE-PROCESS cmd="include" data="fsgitops/*.xml"/>'


@dataclass(frozen=True)
class Figures:
    """What one layout takes with so many agents and as many DIDs: seconds, megabytes."""

    layout: str
    size: int
    files: int
    apply_s: float
    plan_again_s: float
    reload_s: float
    look_up_first_ms: float
    look_up_last_ms: float
    register_first_ms: float
    register_last_ms: float
    call_first_least_ms: float
    call_first_ms: float
    call_last_least_ms: float
    call_last_ms: float
    undeclared_ms: float
    switch_mb: float


def measure(binary: Path, layout: str, size: int) -> Figures:
    """Apply so many agents and DIDs to a switch of its own, and look at it."""
    with tempfile.TemporaryDirectory(prefix="fsgitops-layouts-") as folder:
        switch = RealSwitch(binary, Path(folder) / "switch", switch_template())
        try:
            return _measure(switch.start(), Path(folder) / "project", layout, size)
        finally:
            switch.stop()


def _measure(switch: RealSwitch, root: Path, layout: str, size: int) -> Figures:
    write_project(root, size, size)
    secret = f"{{env: BENCH_ESL}}, reload_timeout: {PATIENCE:.0f}"
    settings = switch.settings(f"    layout: {layout}\n", password=secret)
    (root / "fsgitops.yaml").write_text(settings)
    os.environ["BENCH_ESL"] = switch.esl_password
    domain = switch.conf_dir / "directory/default.xml"
    domain.write_text(domain.read_text().replace("</groups>", f"{INCLUDE}\n</groups>"))
    esl = PlainEsl(switch.esl_host, switch.esl_port, timeout=PATIENCE)
    assert esl.command(f"auth {switch.esl_password}").reply == "+OK accepted"
    esl.api("fsctl loglevel warning")
    esl.api("fsctl sps 1000")
    run(root, "key", "new")
    apply_s = timed(lambda: run(root, "apply", "--yes"))
    plan_again_s = timed(lambda: run(root, "plan", "--detailed-exitcode"))
    flat = layout == "files" and size > 20_000
    reload_s = statistics.median(timed(lambda: reload(esl)) for _ in range(1 if flat else 3))
    first = 10_000 if size <= 90_000 else 100_000
    ends = (first, first + size - 1)
    numbers = {agent: number for number, agent in _routes(root).items()}
    looked = [median_ms(lambda at=at: find_user(esl, at, switch.domain)) for at in ends]
    registered, called = [], []
    for at in ends:
        password = json.loads(run(root, "credentials", str(at), "--reveal", "--json"))["password"]
        with SipPeer(switch, str(at), password) as phone, SipPeer(switch, "15550199999") as caller:
            phone.register()
            registered.append(median_ms(phone.register))
            called.append([set_up(esl, caller, phone, numbers[at]) for _ in range(TURNS)])
    with SipPeer(switch, "15550199999") as caller:
        undeclared = median_ms(lambda: refused(caller, "18005550100"))
    return Figures(
        layout, size, sum(1 for path in switch.conf_dir.rglob("*.xml")), apply_s, plan_again_s,
        reload_s, *looked, *registered,
        *(figure(times) for times in called for figure in (min, statistics.median)),
        undeclared, resident_mb(switch),
    )  # fmt: skip


def _routes(root: Path) -> dict[str, int]:
    """Return number -> agent, as `write_project` wrote them."""
    found = {}
    for path in (root / "desired").glob("routes-*.yaml"):
        number = ""
        for line in path.read_text().splitlines():
            if "did_number:" in line:
                number = line.rpartition("+")[2]
            elif "destination_extension:" in line:
                found[number] = int(line.rpartition(" ")[2])
    return found


def run(root: Path, *words: str) -> str:
    """Run a command of fsgitops as a user does. Raises where it fails."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FSGITOPS_")},
        "FSGITOPS_TARGET": "real",
        "PYTHONPATH": str(CHECKOUT),
    }
    done = subprocess.run(
        [*FSGITOPS, "-C", str(root), *words],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(
            f"{words}: {done.returncode}\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
        )
    return done.stdout


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_ms(work: Callable[[], object]) -> float:
    """Return the median of TURNS turns, in milliseconds."""
    return 1000 * statistics.median(timed(work) for _ in range(TURNS))


def reload(esl: PlainEsl) -> None:
    """Reload once. Raises where the switch refuses."""
    assert esl.api("reloadxml").strip() == "+OK [Success]"


def find_user(esl: PlainEsl, extension: int, domain: str) -> None:
    """Look a user up once. Raises where there is none."""
    assert esl.api(f"user_exists id {extension} {domain}") == "true"


def set_up(esl: PlainEsl, caller: SipPeer, phone: SipPeer, number: str) -> float:
    """Return the milliseconds from a carrier's INVITE to the phone's."""
    thread = threading.Thread(target=refused, args=(caller, number))
    start = time.perf_counter()
    thread.start()
    invite = phone.ring()
    took = time.perf_counter() - start
    esl.api("hupall")
    phone.wait_cancel(invite)
    thread.join()
    return 1000 * took


def refused(caller: SipPeer, number: str) -> None:
    """Call a number, which nobody answers."""
    with suppress(CallFailedError):
        caller.call(number)


def resident_mb(switch: RealSwitch) -> float:
    """Return what the switch holds in memory now."""
    assert switch._process is not None
    status = Path(f"/proc/{switch._process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="Both layouts on a real FreeSWITCH.")
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--layout", choices=(*LAYOUTS, "both"), default="both")
    parser.add_argument("--flat-most", type=int, default=50_000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        parser.error("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    found = []
    for size in map(int, asked.sizes.split(",")):
        for layout in LAYOUTS if asked.layout == "both" else (asked.layout,):
            held = min(size, asked.flat_most) if layout == "files" else size
            figures = measure(Path(binary), layout, held)
            found.append(asdict(figures))
            print(json.dumps(found[-1], indent=1), flush=True)
            if asked.json:
                asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
