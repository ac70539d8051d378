from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import kill_harness
import pytest
from replay_switch import ReplaySwitch
from sidecars import reach

from fsgitops.cdr.flush import read_keys
from fsgitops.cdr.lake import open_lake
from fsgitops.cdr.sidecar import Sidecar

KILLS = 100
FEW_KILLS = 12
_BOUND = 60.0


def uuids_in(url: str) -> Counter[str]:
    lake = open_lake(url)
    keys = (key for day in lake.days() for _, key in read_keys(lake, day))
    return Counter(key.split("\x1f")[1] for key in keys)


def drain(chosen, port: int) -> None:
    """Let one more sidecar live until the lake has everything, then end it properly."""
    sidecar = Sidecar(chosen, reach(port))
    sidecar.start()
    deadline = time.monotonic() + _BOUND
    while time.monotonic() < deadline:
        if not any(chosen.json_dir.iterdir()) and sidecar.ingest.pending_rows == 0:
            break
        time.sleep(0.05)
    sidecar.stop()


def run_kills(places: list[str], switch: ReplaySwitch, seed: int, kills: int) -> None:
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parents[1]), str(here)])}
    harness = subprocess.Popen(
        [sys.executable, kill_harness.__file__, *places, str(switch.port), str(kills), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert harness.stdout is not None
    emitted = 0
    while harness.poll() is None:
        for _ in range(4):
            switch.emit(pause=0.001)
            emitted += 1
        if emitted % 32 == 0:
            switch.drop()
        time.sleep(0.01)
    lines = harness.stdout.read().splitlines()
    assert [line.split()[1] for line in lines] == ["9"] * kills, harness.stderr.read()[-2000:]


@pytest.mark.parametrize("seed", [20261123])
def test_kills_under_a_steady_stream_lose_nothing_and_double_nothing(
    tmp_path: Path, seed: int, templates, lake_url: str, sweeps: bool
) -> None:
    kills = KILLS if sweeps else FEW_KILLS
    (tmp_path / "json").mkdir()
    places = [lake_url, str(tmp_path / "spool"), str(tmp_path / "json")]
    switch = ReplaySwitch(templates, tmp_path / "json", seed)
    try:
        run_kills(places, switch, seed, kills)
        drain(kill_harness.options(*places), switch.port)
    finally:
        switch.close()
    assert len(switch.uuids) > kills
    assert uuids_in(lake_url) == Counter(switch.uuids)


def test_a_hundred_cut_connections_lose_nothing_and_double_nothing(
    tmp_path: Path, templates
) -> None:
    (tmp_path / "json").mkdir()
    switch = ReplaySwitch(templates, tmp_path / "json", 7)
    chosen = kill_harness.options(*(str(tmp_path / n) for n in ("lake", "spool", "json")))
    sidecar = Sidecar(chosen, reach(switch.port))
    sidecar.listener.first_wait = 0.01
    sidecar.start()
    cuts = 0
    deadline = time.monotonic() + _BOUND
    while cuts < 100 and time.monotonic() < deadline:
        switch.emit()
        cuts += switch.drop()
        switch.emit()
    sidecar.stop()
    drain(chosen, switch.port)
    switch.close()
    assert cuts >= 100
    assert uuids_in(str(tmp_path / "lake")) == Counter(switch.uuids)
