"""What a session carries: pipelined `api` replies a second, and 9 kB events a second.

    python bench/esl.py [--capture FILE.json.esl]

The server is a process of its own, so that a core is left for the client.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import socket
import time
from pathlib import Path

from fsgitops.esl import connect_esl, decode_json_object

GREETING = b"Content-Type: auth/request\n\n"
ACCEPTED = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
TRUE = b"Content-Type: api/response\nContent-Length: 4\n\ntrue"
REPLIES = 50_000
EVENTS = 100_000
BATCH = 500


def serve(listener: socket.socket, events: bytes, repeat: int) -> None:
    conn, _ = listener.accept()
    with conn:
        conn.sendall(GREETING)
        conn.recv(4096)
        conn.sendall(ACCEPTED)
        while data := conn.recv(65536):
            if data.startswith(b"event json"):
                conn.sendall(ACCEPTED)
                for _ in range(repeat):
                    conn.sendall(events)
            else:
                conn.sendall(TRUE * data.count(b"\n\n"))


def measure(what: str, count: int, seconds: float, size: int = 0) -> None:
    volume = f", {count * size / seconds / 1e6:.0f} MB/s" if size else ""
    print(f"{what:32} {count / seconds:>10,.0f} /s   ({count:,} in {seconds:.2f} s{volume})")


def invented_event() -> bytes:
    body = {f"variable_number_{number}": "0123456789" * 3 for number in range(160)}
    data = json.dumps(body).encode()
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(data), data)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--capture", type=Path, help="an `event json` capture to replay")
    given = parser.parse_args()
    events = invented_event() * 10
    if given.capture:
        events = given.capture.read_bytes().split(b"\n\n", 3)[3]
    per_round = events.count(b"text/event-json")
    repeat = EVENTS // per_round
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def session():  # type: ignore[no-untyped-def]
        server = multiprocessing.Process(target=serve, args=(listener, events, repeat), daemon=True)
        server.start()
        return connect_esl("127.0.0.1", port, "x")

    with session() as one:
        begun = time.perf_counter()
        said = one.api_many(["user_exists id 1020 example.com"] * REPLIES)
        measure("api, pipelined", len(said), time.perf_counter() - begun)
        begun = time.perf_counter()
        for _ in range(5000):
            one.api("user_exists id 1020 example.com")
        measure("api, one by one", 5000, time.perf_counter() - begun)
    for what, decode in (("events, as bytes", False), ("events, decoded", True)):
        with session() as one:
            queue = one.subscribe_json(["ALL"])
            taken, begun = 0, time.perf_counter()
            while taken < per_round * repeat:
                bodies = queue.take(BATCH, timeout=5.0)
                taken += len(bodies)
                if decode:
                    for body in bodies:
                        decode_json_object(body)
            size = len(events) // per_round
            measure(what, taken, time.perf_counter() - begun, size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
