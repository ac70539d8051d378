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

from fsgitops.esl.session import connect_esl, decode_json_object

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


def measure(what: str, count: int, seconds: float, baseline: float) -> None:
    rate = count / seconds
    print(f"{what:40} {rate:>10,.0f} /s {rate / baseline:>8.2f}")


def bare_events(port: int, count: int, size: int) -> float:
    """The baseline: read the same bytes off a bare socket and look at none of them."""
    with socket.create_connection(("127.0.0.1", port)) as conn:
        conn.recv(4096)
        conn.sendall(b"auth x\n\n")
        conn.recv(4096)
        begun = time.perf_counter()
        conn.sendall(b"event json ALL\n\n")
        left = count * size
        while left > 0:
            left -= len(conn.recv(1 << 20))
        return count / (time.perf_counter() - begun)


def bare_api(port: int, count: int) -> float:
    """The baseline: one command, one reply, on a bare socket."""
    with socket.create_connection(("127.0.0.1", port)) as conn:
        conn.recv(4096)
        conn.sendall(b"auth x\n\n")
        conn.recv(4096)
        begun = time.perf_counter()
        for _ in range(count):
            conn.sendall(b"api user_exists id 1020 example.com\n\n")
            conn.recv(4096)
        return count / (time.perf_counter() - begun)


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

    def start() -> None:
        arguments = (listener, events, repeat)
        multiprocessing.Process(target=serve, args=arguments, daemon=True).start()

    size = len(events) // per_round
    start()
    asked = bare_api(port, 5000)
    print(f"{'bare socket, api one by one':40} {asked:>10,.0f} /s     1.00")
    start()
    measure_api(port, asked)
    start()
    read = bare_events(port, per_round * repeat, size)
    print(f"{f'bare socket, events of {size:,} bytes':40} {read:>10,.0f} /s     1.00")
    for what, decode in (("events, as bytes", False), ("events, decoded", True)):
        start()
        measure_events(what, port, per_round * repeat, read, decode=decode)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")


def measure_api(port: int, asked: float) -> None:
    with connect_esl("127.0.0.1", port, "x") as one:
        begun = time.perf_counter()
        for _ in range(5000):
            one.api("user_exists id 1020 example.com")
        measure("api, one by one", 5000, time.perf_counter() - begun, asked)
        begun = time.perf_counter()
        said = one.api_many(["user_exists id 1020 example.com"] * REPLIES)
        measure("api, pipelined", len(said), time.perf_counter() - begun, asked)


def measure_events(what: str, port: int, count: int, read: float, *, decode: bool) -> None:
    with connect_esl("127.0.0.1", port, "x") as one:
        queue = one.subscribe_json(["ALL"])
        taken, begun = 0, time.perf_counter()
        while taken < count:
            bodies = queue.take(BATCH, timeout=5.0)
            taken += len(bodies)
            if decode:
                for body in bodies:
                    decode_json_object(body)
        measure(what, taken, time.perf_counter() - begun, read)


if __name__ == "__main__":
    main()
