"""A switch that tells the truth but for what a test has it do wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plain_esl import PlainEsl
from scripted_esl import ACCEPTED, BYE, GREETING, PASSWORD, Peer, ScriptedEsl, api_response

from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self


@dataclass(frozen=True)
class Say:
    """Answer this instead of the truth; with `hang`, then say nothing more; or hang up."""

    data: bytes = b""
    hang: bool = False
    hang_up: bool = False


HANG = Say(hang=True)
HANG_UP = Say(hang_up=True)
MID_REPLY = Say(b"Content-Type: api/response\nContent-Length: 500\n\n+OK [Su", hang=True)
GARBAGE = Say(b"\x00\xff<html>400 Bad Request</html>\r\n\r\n", hang=True)


def answer(text: str) -> Say:
    return Say(api_response(text))


class MisbehavingSwitch:
    """An embedded switch behind an event socket that a test controls.

    `mischief(command, nth)` is asked for every API command, `nth` counting those that begin with
    the same word from 1; and for `connect` and `auth`, before the greeting and after the password.
    None is the truth, which an embedded switch tells, or the `behind` that is given: its host, port
    and password.
    """

    def __init__(
        self,
        conf: Path,
        mischief: Callable[[str, int], Say | None],
        behind: tuple[str, int, str] | None = None,
    ) -> None:
        self.mischief = mischief
        self.commands: list[str] = []
        self._embedded = None if behind else EmbeddedSwitch(conf, "truth")
        self._behind = behind
        self._counts: dict[str, int] = {}
        self.server: ScriptedEsl

    def __enter__(self) -> Self:
        if self._embedded:
            self._embedded.start()
            self._behind = (*self._embedded.address, "truth")
        self.server = ScriptedEsl(self._script)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, value, _)
        if self._embedded:
            self._embedded.stop()

    def _script(self, peer: Peer) -> None:
        if not self._behave(peer, "connect"):
            return
        peer.send(GREETING)
        peer.read_command()
        if not self._behave(peer, "auth"):
            return
        peer.send(ACCEPTED)
        assert self._behind is not None
        with PlainEsl.open(*self._behind) as truth:
            while (command := peer.read_command()) is not None:
                if command == "exit":
                    peer.send(BYE)
                    return
                what = command.removeprefix("api ")
                if self._behave(peer, what) is None:
                    return
                if not self._answered:
                    peer.send(api_response(truth.api(what)))

    def _behave(self, peer: Peer, what: str) -> bool | None:
        """Do what the test wants; None when this connection is at its end."""
        word = what.split(" ", 1)[0]
        self._counts[word] = self._counts.get(word, 0) + 1
        self.commands.append(what)
        wanted = self.mischief(what, self._counts[word])
        self._answered = wanted is not None
        if wanted is None:
            return True
        peer.send(wanted.data)
        if wanted.hang:
            peer.hold()
        return None if wanted.hang or wanted.hang_up else True


__all__ = [
    "GARBAGE",
    "HANG",
    "HANG_UP",
    "MID_REPLY",
    "PASSWORD",
    "MisbehavingSwitch",
    "Say",
    "answer",
]


def swallow(command: str, _count: int) -> Say | None:
    """Say that the reload went well, and carry none out."""
    return answer("+OK [Success]\n") if command == "reloadxml" else None
