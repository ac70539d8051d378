"""Run the embedded switch in the foreground, where other commands can find it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
from typing import TYPE_CHECKING

from fsgitops.durable import replace_file
from fsgitops.errors import SwitchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

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
    from fsgitops.sandbox.switch import EmbeddedSwitch

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
