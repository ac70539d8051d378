"""The embedded switch itself: a thread that accepts ESL connections on loopback.

It can run in the foreground, where other commands find it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import secrets
import signal
import socket
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fsgitops.durable import replace_file
from fsgitops.errors import SwitchError
from fsgitops.sandbox.acl import load_lists
from fsgitops.sandbox.leg import HOST_NAME, Leg
from fsgitops.sandbox.loaded import EXPIRES_SECONDS, SUCCESS, Registration, SwitchMemory
from fsgitops.sandbox.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

MAX_CONNECTIONS = 64
STOP_SECONDS = 5.0


class EmbeddedSwitch:
    """A simulated FreeSWITCH: loads `conf_dir`, answers ESL, carries no calls.

    Starting it loads the configuration; a conf directory that does not load raises SwitchError
    with the words a FreeSWITCH would use. It binds to loopback addresses only.
    """

    def __init__(
        self, conf_dir: Path | str, password: str, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        if not _is_loopback(host):
            raise SwitchError(
                f"the sandbox listens on loopback only, and `{host}` is not a loopback address; "
                "use 127.0.0.1 or ::1"
            )
        if not password:
            raise SwitchError("the sandbox needs an ESL password")
        self._wanted = (host, port)
        self._password = password
        self.memory = SwitchMemory(Path(conf_dir))
        self.memory.announce = self.fire_event
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._sessions: dict[Session, threading.Thread] = {}
        self._lock = threading.Lock()
        self._sequence = 0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on. Raises SwitchError when it is not running."""
        if self._listener is None:
            raise SwitchError("the sandbox is not running")
        host, port = self._listener.getsockname()[:2]
        return host, port

    def start(self) -> Self:
        """Load the configuration and listen. Raises SwitchError: neither can be done."""
        said = self.memory.reload()
        if said != SUCCESS:
            raise SwitchError(f"the sandbox cannot load {self.memory.conf_dir}: {said}")
        self.memory.lists = load_lists(self.memory.loaded.root)
        self.memory.start_gateways()
        family = socket.AF_INET6 if ":" in self._wanted[0] else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self._wanted)
            listener.listen(MAX_CONNECTIONS)
        except OSError as error:
            listener.close()
            host, port = self._wanted
            raise SwitchError(f"the sandbox cannot listen on {host}:{port}: {error}") from error
        self._listener = listener
        self._accepting = threading.Thread(
            target=self._accept, args=(listener,), name="sandbox", daemon=True
        )
        self._accepting.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop listening. Does nothing when it is not running."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        # Only shutting down wakes a thread that waits in accept.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        if self._accepting is not None:
            self._accepting.join(STOP_SECONDS)
        with self._lock:
            sessions = dict(self._sessions)
        for session in sessions:
            session.close()
        for thread in sessions.values():
            thread.join(STOP_SECONDS)

    def add_registration(
        self,
        extension: str,
        domain: str,
        contact: str | None = None,
        profile: str = "internal",
        network_port: int = 5070,
        agent: str = "sandbox phone",
    ) -> Registration:
        """Pretend that a phone registered, so that one can watch it being flushed."""
        item = Registration(
            user=extension,
            domain=domain,
            contact=contact or f"sip:{extension}@127.0.0.1:{network_port}",
            profile=profile,
            network_port=network_port,
            agent=agent,
            call_id=f"{uuid.uuid4()}@127.0.0.1",
            expires=int(time.time()) + EXPIRES_SECONDS,
        )
        with self.memory.lock:
            self.memory.registrations.append(item)
        return item

    def add_call(
        self, did: str, extension: str, domain: str, caller: str, caller_name: str = ""
    ) -> tuple[str, str]:
        """Pretend that somebody called a public number and an agent answered; return both uuids."""
        leg = Leg(
            f"sofia/external/{caller}@127.0.0.1", "inbound", extension, caller_name, caller,
            initial_destination=did, initial_context="public", application="bridge",
        )  # fmt: skip
        other = Leg(
            f"sofia/internal/{extension}@127.0.0.1:5070", "outbound", extension, caller_name,
            caller, presence=f"{extension}@{domain}",
        )  # fmt: skip
        from fsgitops.sandbox.routed import join

        first, second = join(self.memory, leg, other)
        return first.uuid, second.uuid

    def call_in(self, number: str, caller: str) -> str:
        """Let somebody outside call a number; return in words where the dialplan sends the call."""
        from fsgitops.sandbox.routed import call_in

        return call_in(self.memory, number, caller)[1]

    def refuse(self, whom: str, cause: str) -> None:
        """Let the next call to an extension or a number fail with that cause of FreeSWITCH's."""
        with self.memory.lock:
            self.memory.refusals[whom] = cause

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """The phones that are registered now."""
        return tuple(self.memory.registrations)

    def fire_event(
        self, name: str, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> None:
        """Send an event to every connection that listens for events of that name."""
        with self._lock:
            self._sequence += 1
            sequence, sessions = self._sequence, list(self._sessions)
        stamp = int(time.time() * 1_000_000)
        common = {
            "Event-Name": name,
            "Core-UUID": self.memory.core_uuid,
            "FreeSWITCH-Hostname": HOST_NAME,
            "FreeSWITCH-Switchname": HOST_NAME,
            "Event-Date-Timestamp": str(stamp),
            "Event-Sequence": str(sequence),
        }
        for session in sessions:
            session.deliver(name, {**common, **(headers or {})}, body)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                full = len(self._sessions) >= MAX_CONNECTIONS
            if full or self._listener is None:
                peer.close()
                continue
            session = Session(peer, self.memory, self._password, self.fire_event)
            thread = threading.Thread(target=self._serve, args=(session,), daemon=True)
            with self._lock:
                self._sessions[session] = thread
            thread.start()

    def _serve(self, session: Session) -> None:
        try:
            session.run()
        finally:
            with self._lock:
                self._sessions.pop(session, None)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


STATE_MODE = 0o600


def serve_forever(
    conf_dir: Path,
    state_path: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    phones: Sequence[tuple[str, str]] = (),
    tell: Callable[[str], None] = print,
) -> None:
    """Serve `conf_dir` until SIGINT or SIGTERM; call it from the main thread.

    While it runs, `state_path` (mode 0600) holds pid, host, port and the ESL password as JSON.
    `port` 0 takes a free one; The password is made afresh and told to nobody else.
    `phones` are (extension, domain) of simulated phones that are registered from the start.

    Raises:
        SwitchError: the configuration does not load, the port is taken, or a sandbox runs already.
    """
    _refuse_second(state_path)
    password = secrets.token_urlsafe(24)
    with EmbeddedSwitch(conf_dir, password, host, port) as switch, _stop_signals() as stop:
        for extension, domain in phones:
            switch.add_registration(extension, domain)
        bound_host, bound_port = switch.address
        _write_state(
            state_path,
            {"pid": os.getpid(), "host": bound_host, "port": bound_port, "password": password},
        )
        try:
            tell(
                f"simulated switch (not a FreeSWITCH): {conf_dir}, ESL on {bound_host}:{bound_port}"
            )
            tell("stop it with Ctrl-C")
            _wait(stop)
        finally:
            with contextlib.suppress(FileNotFoundError):
                state_path.unlink()
    tell("simulated switch stopped")


def _refuse_second(state_path: Path) -> None:
    try:
        pid = int(json.loads(state_path.read_bytes())["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return
    raise SwitchError(
        f"a sandbox already runs as process {pid}; stop it, or remove {state_path} "
        "if that process is something else"
    )


def _write_state(path: Path, state: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, (json.dumps(state) + "\n").encode(), mode=STATE_MODE)


@contextlib.contextmanager
def _stop_signals() -> Iterator[int]:
    """Yield a file descriptor that becomes readable when we are asked to stop."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            os.write(writing, b"x")

    before = {
        number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield reading
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _wait(descriptor: int) -> None:
    import select

    select.select([descriptor], [], [])
