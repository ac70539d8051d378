"""A switch for tests: sends hang-up events over ESL and writes the JSON CDRs, as FreeSWITCH does.

Run as a program it prints its port and does, line by line, what standard input says:
`emit N` (N fresh legs, one by one), `drop` (cut every event connection, mid-event), `stop`.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import sys
import threading
import time
import uuid
from pathlib import Path

EVENT = re.compile(rb"Content-Length: (\d+)\r?\nContent-Type: text/event-json\n\n")
GREETING = b"Content-Type: auth/request\n\n"
FIXTURES = Path(__file__).parent / "fixtures"


def read_events(capture: bytes) -> list[dict[str, object]]:
    """Return the hang-up events of a recorded ESL stream."""
    found = []
    for match in EVENT.finditer(capture):
        event = json.loads(capture[match.end() : match.end() + int(match[1])])
        if event.get("Event-Name") == "CHANNEL_HANGUP_COMPLETE":
            found.append(event)
    return found


def load_templates(shared: Path | None) -> list[dict[str, object]]:
    """Return real events: the recorded ones where they are, else this folder's own."""
    folder = shared / "esl-captures" if shared else FIXTURES
    return read_events((folder / "inbound-calls.json.esl").read_bytes())


def renew(template: dict[str, object], number: int, start_us: int, switch: str = "") -> dict:
    """Return the event as that of a fresh leg: its own UUID and times."""
    event = dict(template)
    former = str(event["Unique-ID"])
    fresh = str(uuid.UUID(int=(number << 80) | 0x4000_8000_0000_0000_0000))
    for name, value in event.items():
        if value == former:
            event[name] = fresh
    shift = start_us - int(str(event["variable_start_uepoch"]))
    for name, value in event.items():
        if name.startswith("variable_") and name.endswith("uepoch") and str(value) != "0":
            event[name] = str(int(str(value)) + shift)
    if switch:
        event["FreeSWITCH-Switchname"] = switch
    return event


def as_document(event: dict[str, object]) -> bytes:
    """Return the JSON CDR that mod_json_cdr would write for the same leg."""
    variables = {k[9:]: v for k, v in event.items() if k.startswith("variable_")}
    profile = {
        key: event.get(name, "")
        for key, name in (
            ("caller_id_name", "Caller-Caller-ID-Name"),
            ("caller_id_number", "Caller-Caller-ID-Number"),
            ("network_addr", "Caller-Network-Addr"),
            ("rdnis", "Caller-RDNIS"),
            ("destination_number", "Caller-Destination-Number"),
            ("context", "Caller-Context"),
        )
    }
    document = {
        "core-uuid": event["Core-UUID"],
        "switchname": event["FreeSWITCH-Switchname"],
        "channel_data": {"direction": event["Call-Direction"]},
        "variables": variables,
        "callflow": [{"caller_profile": profile}],
    }
    return json.dumps(document).encode() + b"\n"


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(body), body)


class ReplaySwitch:
    """Serves ESL on loopback; `emit` sends to whoever listens, and writes the file in place."""

    def __init__(self, templates: list[dict], json_dir: Path | None, seed: int = 1) -> None:
        self.templates = templates
        self.json_dir = json_dir
        self.random = random.Random(seed)
        self.number = 0
        self.uuids: list[str] = []
        self.listeners: list[socket.socket] = []
        self.lock = threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError):
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conn.sendall(GREETING)
            unread = b""
            while data := conn.recv(4096):
                unread += data
                while b"\n\n" in unread:
                    command, _, unread = unread.partition(b"\n\n")
                    self._answer(conn, command)
        with self.lock:
            if conn in self.listeners:
                self.listeners.remove(conn)
        conn.close()

    def _answer(self, conn: socket.socket, command: bytes) -> None:
        text = (
            b"+OK accepted" if command.startswith(b"auth") else b"+OK event listener enabled json"
        )
        with self.lock:
            conn.sendall(b"Content-Type: command/reply\nReply-Text: %s\n\n" % text)
            if command.startswith(b"event"):
                self.listeners.append(conn)

    def emit(self, *, pause: float = 0.0) -> str:
        """End one leg: its event to every listener, its JSON CDR in two writes."""
        self.number += 1
        template = self.templates[self.number % len(self.templates)]
        event = renew(template, self.number, time.time_ns() // 1000)
        self.uuids.append(str(event["Unique-ID"]))
        self.send(frame(json.dumps(event).encode()))
        if self.json_dir is not None:
            body = as_document(event)
            half = self.random.randrange(1, len(body))
            path = self.json_dir / f"{event['Unique-ID']}.cdr.json"
            with path.open("wb", buffering=0) as out:
                out.write(body[:half])
                time.sleep(pause)
                out.write(body[half:])
        return self.uuids[-1]

    def send(self, data: bytes) -> None:
        with self.lock:
            for conn in list(self.listeners):
                try:
                    conn.sendall(data)
                except OSError:
                    self.listeners.remove(conn)

    def drop(self) -> int:
        """Cut every connection in the middle of an event."""
        with self.lock:
            listeners, self.listeners = self.listeners, []
            for conn in listeners:
                with contextlib.suppress(OSError):
                    conn.sendall(frame(b'{"Event-Name":"CHANNEL_HANGUP_COMPLETE"}' * 9)[:200])
                    conn.shutdown(socket.SHUT_RDWR)
        return len(listeners)

    def close(self) -> None:
        self.drop()
        self.server.close()


def main() -> None:
    shared, json_dir, seed = sys.argv[1:4]
    templates = load_templates(Path(shared) if shared else None)
    switch = ReplaySwitch(templates, Path(json_dir), int(seed))
    print(switch.port, flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "emit":
            for _ in range(int(rest[0])):
                switch.emit(pause=0.0005)
            print(switch.number, flush=True)
        elif word == "drop":
            print(switch.drop(), flush=True)
        else:
            break


if __name__ == "__main__":
    main()
