"""Phones for tests with a real switch: sipp runs our own scenarios, each for a bounded time."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from real_switch import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from real_switch import RealSwitch

SCENARIOS = Path(__file__).resolve().parent / "sipp"
SECONDS = 60
LISTEN_ATTEMPTS = 400


class CallFailedError(Exception):
    """sipp ended with an error: the scenario did not go as written."""


def require_sipp() -> str:
    """The path of sipp, or a skip."""
    found = shutil.which("sipp")
    if found is None:
        pytest.skip("sipp is not installed")
    return found


@dataclass
class SipPhone:
    """A phone of one user, on a port of its own. Its files go to `work_dir`."""

    switch: RealSwitch
    work_dir: Path
    user: str
    password: str
    port: int = field(default_factory=lambda: free_ports(1)[0])
    _answering: subprocess.Popen[bytes] | None = None

    def register(self) -> None:
        """Register with a digest. Raises CallFailedError when the switch refuses."""
        login = f"[authentication username={self.user} password={self.password}]"
        run_sipp(
            self.work_dir,
            "register",
            (self.switch.esl_host, self.switch.internal_port),
            f"{self.user};{self.switch.domain};{login}",
            port=self.port,
        )

    def answer(self, scenario: str = "answer") -> Self:
        """Answer one call in the background; `wait_answered` tells how it went.

        Or take it in another way: `busy` refuses it, `ring` rings until the caller gives up.
        """
        self.stop()
        self.work_dir.mkdir(parents=True, exist_ok=True)
        command = sipp_command(self.work_dir, scenario, port=self.port)
        target = f"{self.switch.esl_host}:{self.switch.internal_port}"
        self._answering = subprocess.Popen(
            [*command, target],
            cwd=self.work_dir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_listening()
        return self

    def _wait_until_listening(self) -> None:
        """Wait for sipp's socket: a call that is sooner is refused, and taken by the mailbox.

        Each look ends by itself, so the wait is bounded.
        """
        assert self._answering is not None
        for _ in range(LISTEN_ATTEMPTS):
            if is_bound(self.port):
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._answering.wait(0.05)
                raise CallFailedError(f"answer: sipp ended at once, with code {code}")
        raise CallFailedError("answer: sipp never listened")

    def wait_answered(self) -> bool:
        """Whether the phone rang, was answered and saw the call end."""
        assert self._answering is not None
        try:
            return self._answering.wait(SECONDS + 5) == 0
        finally:
            self.stop()

    def stop(self) -> None:
        if self._answering is not None:
            self._answering.kill()
            self._answering.wait(SECONDS)
            self._answering = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def call_from_outside(
    switch: RealSwitch, work_dir: Path, number: str, caller: str = "15550199999"
) -> None:
    """Call `number` at the external profile, hang up once answered.

    Raises CallFailedError when nobody answers.
    """
    target = (switch.esl_host, switch.external_port)
    run_sipp(work_dir, "call", target, f"{number};{caller}", port=free_ports(1)[0])


@contextlib.contextmanager
def calling(
    switch: RealSwitch, place: Path, number: str, caller: str = "15550199999"
) -> Iterator[None]:
    """Call `number` at the external profile, and stay until the other side hangs up."""
    place.mkdir(parents=True)
    (place / "data.csv").write_text(f"SEQUENTIAL\n{number};{caller};Eve <b>\n")
    command = sipp_command(place, "call_wait", port=free_ports(1)[0])
    target = f"{switch.esl_host}:{switch.external_port}"
    quiet = subprocess.DEVNULL
    one = subprocess.Popen(
        [*command, "-inf", str(place / "data.csv"), target],
        cwd=place, stdin=quiet, stdout=quiet, stderr=quiet,
    )  # fmt: skip
    try:
        yield
    finally:
        one.kill()
        one.wait()


def is_bound(port: int) -> bool:
    """Whether a UDP socket of this machine has the port (Linux): asked without taking it."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines)


def run_sipp(
    work_dir: Path, scenario: str, target: tuple[str, int], fields: str, *, port: int
) -> None:
    work_dir.mkdir(parents=True, exist_ok=True)
    data = work_dir / f"{scenario}-{port}.csv"
    data.write_text(f"SEQUENTIAL\n{fields}\n")
    command = sipp_command(work_dir, scenario, port=port)
    try:
        done = subprocess.run(
            [*command, "-inf", str(data), f"{target[0]}:{target[1]}"],
            cwd=work_dir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS + 5,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CallFailedError(f"{scenario} did not end within {SECONDS} s") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            data.unlink()
    if done.returncode != 0:
        raise CallFailedError(f"{scenario}: {done.stderr.decode(errors='replace')[-1500:]}")


def sipp_command(work_dir: Path, scenario: str, *, port: int) -> list[str]:
    return [
        require_sipp(), "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1",
        "-p", str(port), "-mp", str(free_ports(1)[0]), "-m", "1", "-l", "1",
        "-nostdin", "-timeout", f"{SECONDS}s",
        "-timeout_error", "-recv_timeout", str(SECONDS * 1000),
    ]  # fmt: skip
