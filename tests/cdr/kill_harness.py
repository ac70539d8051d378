"""Runs a sidecar again and again and kills each with SIGKILL at a random moment.

A fork of a warm process is a sidecar that starts at once, so that the moments are spread over
its whole life, its start and its recovery included. Arguments: lake, spool, JSON directory, ESL
port, number of kills, seed. Prints one line for each kill.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pyarrow.parquet  # noqa: F401 - warm before the fork

import fsgitops.cdr.flush
import fsgitops.cdr.sidecar
import fsgitops.esl.session
from fsgitops.cdr.options import RunOptions
from fsgitops.esl.session import connect_esl


def options(lake: str, spool: str, json_dir: str) -> RunOptions:
    return RunOptions(
        lake=lake,
        spool=Path(spool),
        json_dir=Path(json_dir),
        commit_seconds=0.01,
        flush_seconds=0.05,
        flush_rows=40,
        poll_seconds=0.02,
        remove_json=True,
    )


def live(chosen: RunOptions, port: int) -> None:
    sidecar = fsgitops.cdr.sidecar.Sidecar(chosen, partial(connect_esl, "127.0.0.1", port, "x"))
    sidecar.run(threading.Event())


def main() -> None:
    lake, spool, json_dir, port, kills, seed = sys.argv[1:7]
    chosen = options(lake, spool, json_dir)
    dice = random.Random(int(seed))
    for number in range(int(kills)):
        child = os.fork()
        if child == 0:
            try:
                live(chosen, int(port))
            finally:
                os._exit(3)
        time.sleep(dice.uniform(0.02, 0.4))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(number, os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1, flush=True)


if __name__ == "__main__":
    main()
