"""How fast the sidecar is: `bench/cdr.py [--events N] [--records N] [--modesl DIR]`.

Every figure is taken in one run on one core (the process under test is pinned to one, whoever
feeds it to another where there is one), as the median of three; bench/README.md tells how.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "cdr")]

RUNS = 3
CORES = sorted(os.sched_getaffinity(0))
MODESL = """
const esl = require('modesl');
const wanted = Number(process.argv[3]);
let got = 0, began = 0n;
const c = new esl.Connection('127.0.0.1', Number(process.argv[2]), 'x', () => {
  c.events('json', 'CHANNEL_HANGUP_COMPLETE', () => {});
  c.on('esl::event::CHANNEL_HANGUP_COMPLETE::*', () => {
    if (got++ === 0) began = process.hrtime.bigint();
    if (got === wanted) {
      const used = process.cpuUsage();
      console.log(Number(process.hrtime.bigint() - began) / 1e9, (used.user + used.system) / 1e6);
      process.exit(0);
    }
  });
});
"""


def feed(events: int) -> None:
    """Be a switch: accept one listener after the other and send each the same fresh events."""
    from replay_switch import GREETING, frame, load_templates, renew

    shared = ROOT.parent / "shared"
    real = load_templates(shared if shared.is_dir() else None)
    begin = time.time_ns() // 1000
    chunks = [b""]
    for number in range(events):
        event = renew(real[number % len(real)], number + 1, begin + number * 1000)
        chunks[-1] += frame(json.dumps(event, separators=(",", ":")).encode())
        if number % 20 == 0:
            chunks.append(b"")
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], round(sum(map(len, chunks)) / events), flush=True)
    while True:
        conn, _ = server.accept()
        conn.sendall(GREETING)
        conn.recv(4096)
        conn.sendall(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
        conn.recv(4096)
        conn.sendall(
            b"Content-Type: command/reply\nReply-Text: +OK event listener enabled json\n\n"
        )
        try:
            for chunk in chunks:
                conn.sendall(chunk)
            conn.recv(4096)
        except OSError:
            pass
        conn.close()


def pin_first() -> None:
    os.sched_setaffinity(0, {CORES[0]})


def measure_sidecar(port: int, events: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU, from the first byte to the last record synced in Parquet."""
    script = f"""
import sys, time, threading
from functools import partial
from pathlib import Path
import pyarrow.parquet, fsgitops.esl.session, fsgitops.cdr.flush
from fsgitops.cdr.options import RunOptions
from fsgitops.cdr.sidecar import Sidecar, tune_process
from fsgitops.esl.session import connect_esl
tune_process()
folder = Path(sys.argv[1])
options = RunOptions(lake=str(folder / "lake"), spool=folder / "spool", flush_rows=20_000,
                     flush_seconds=0.2)
sidecar = Sidecar(options, partial(connect_esl, "127.0.0.1", {port}, "x"))
began, used = time.perf_counter(), time.process_time()
sidecar.start()
while sidecar.metrics.written._value.get() < {events}:
    time.sleep(0.002)
print(time.perf_counter() - began, time.process_time() - used)
sidecar.stop()
"""
    folder = tempfile.mkdtemp(prefix="cdr-bench-")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        out = subprocess.run(
            [sys.executable, "-c", script, folder],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
            preexec_fn=pin_first,
            timeout=120,
        )
    finally:
        shutil.rmtree(folder)
    wall, cpu = map(float, out.stdout.split())
    return wall, cpu


def measure_modesl(port: int, events: int, modules: Path) -> tuple[float, float]:
    """Seconds, and seconds of CPU, in which a bare modesl consumer receives the same events."""
    script = modules / "bench-consumer.js"
    script.write_text(MODESL)
    out = subprocess.run(
        ["node", str(script), str(port), str(events)],
        check=True,
        cwd=modules,
        capture_output=True,
        text=True,
        preexec_fn=pin_first,
        timeout=120,
    )
    wall, cpu = map(float, out.stdout.split())
    return wall, cpu


def find_modesl(folder: str | None) -> Path | None:
    """Return a folder with modesl in it, outside the checkout; None where there is no Node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    modules = Path(folder or Path(tempfile.gettempdir()) / "fsgitops-bench-modesl")
    if not (modules / "node_modules" / "modesl").is_dir():
        modules.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "modesl"], cwd=modules, check=True)
    return modules


def rates(name: str, events: int, runs: list[tuple[float, float]]) -> dict[str, float]:
    """Events per second, and per second of CPU: the second holds on a busy machine, too."""
    return {
        f"{name}_per_s": statistics.median(events / wall for wall, _ in runs),
        f"{name}_per_cpu_s": statistics.median(events / cpu for _, cpu in runs),
    }


def bench_stream(events: int, modesl: str | None) -> dict[str, float]:
    feeder = subprocess.Popen(
        [sys.executable, __file__, "--feed", str(events)], stdout=subprocess.PIPE, text=True
    )
    assert feeder.stdout is not None
    try:
        os.sched_setaffinity(feeder.pid, {CORES[-1]})
        port, size = map(int, feeder.stdout.readline().split())
        result = {"event_bytes": float(size)}
        result |= rates("sidecar", events, [measure_sidecar(port, events) for _ in range(RUNS)])
        if modules := find_modesl(modesl):
            runs = [measure_modesl(port, events, modules) for _ in range(RUNS)]
            result |= rates("modesl", events, runs)
            for kind in ("per_s", "per_cpu_s"):
                result[f"ratio_{kind}"] = result[f"sidecar_{kind}"] / result[f"modesl_{kind}"]
        return result
    finally:
        feeder.kill()
        feeder.wait()


def write_records(folder: Path, records: int) -> None:
    """Write a lake of 30 days, in which agents, DIDs, gateways and causes are spread at random."""
    import duckdb

    each = records // 30
    for number in range(30):
        day = f"2026-10-{number + 1:02d}"
        target = folder / "cdr" / f"date={day}"
        target.mkdir(parents=True)
        name = f"part-aaaaaaaaaaaa-{number * each:012d}-{(number + 1) * each:012d}.parquet"
        duckdb.sql(f"""
            COPY (SELECT uuid()::VARCHAR AS uuid, CASE WHEN random() < 0.8 THEN 'a' ELSE 'b' END
                AS leg, (1000 + random() * 200)::INT::VARCHAR AS agent_extension,
                '+1949543' || (1000 + random() * 100)::INT AS did_number,
                'gateway' || (random() * 4)::INT AS gateway,
                CASE WHEN random() < 0.7 THEN 'NORMAL_CLEARING' ELSE 'NO_ANSWER' END
                AS hangup_cause, TIMESTAMPTZ '{day} 00:00:00+00'
                + to_milliseconds((random() * 86399000)::INT) AS start_time,
                random() < 0.7 AS answered, (random() * 300)::BIGINT AS billsec,
                (random() * 5000)::BIGINT AS pdd_ms, 'pbx' AS switch FROM range({each}))
            TO '{target / name}' (FORMAT PARQUET, COMPRESSION ZSTD)""")


def bench_report(records: int) -> dict[str, float]:
    script = """
import sys, time
from fsgitops.cdr.query import Source
from fsgitops.cdr.report import Span, make_report
began = time.perf_counter()
made = make_report(Source(sys.argv[1]), Span())
print(time.perf_counter() - began, made.total.calls)
"""
    folder = Path(tempfile.mkdtemp(prefix="cdr-bench-"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        write_records(folder, records)
        times = []
        for _ in range(RUNS):
            command = [sys.executable, "-c", script, str(folder)]
            out = subprocess.run(command, check=True, env=environment, capture_output=True,
                                 text=True, preexec_fn=pin_first)  # fmt: skip
            times.append(float(out.stdout.split()[0]))
    finally:
        shutil.rmtree(folder)
    return {"report_records": float(records), "report_s": statistics.median(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--modesl", help="folder with node_modules/modesl")
    parser.add_argument("--feed", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.feed:
        feed(chosen.feed)
        return
    result = bench_stream(chosen.events, chosen.modesl)
    result |= bench_report(chosen.records)
    print(json.dumps({name: round(value, 2) for name, value in result.items()}, indent=1))


if __name__ == "__main__":
    main()
