"""The tests' own ESL client: one blocking socket, nothing but the standard library."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Frame:
    headers: dict[str, str]
    body: str

    @property
    def reply(self) -> str:
        return self.headers.get("Reply-Text", "")


class PlainEsl:
    def __init__(self, host: str, port: int, timeout: float = 30) -> None:
        self._socket = socket.create_connection((host, port), timeout)
        self._buffer = b""
        self.greeting = self.read()

    @classmethod
    def open(cls, host: str, port: int, password: str, timeout: float = 30) -> Self:
        esl = cls(host, port, timeout)
        answer = esl.command(f"auth {password}")
        if answer.reply != "+OK accepted":
            raise ConnectionRefusedError(answer.reply)
        return esl

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def command(self, line: str, *headers: str) -> Frame:
        self.send("\n".join([line, *headers, "", ""]).encode("utf-8", "surrogateescape"))
        return self.read()

    def api(self, line: str) -> str:
        frame = self.command(f"api {line}")
        assert frame.headers["Content-Type"] == "api/response", frame
        return frame.body

    def read(self) -> Frame:
        head = self._take_until(b"\n\n").decode("utf-8", "surrogateescape")
        headers = dict(line.partition(": ")[::2] for line in head.split("\n"))
        length = int(headers.get("Content-Length", "0"))
        return Frame(headers, self._take(length).decode("utf-8", "surrogateescape"))

    def at_end(self) -> bool:
        """Whether the other side closed the connection, with nothing left to read."""
        if self._buffer:
            return False
        try:
            return self._socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _take(self, length: int) -> bytes:
        chunks, have = [self._buffer], len(self._buffer)
        while have < length:
            chunk = self._socket.recv(1 << 20)
            if not chunk:
                raise ConnectionError("the switch closed the connection")
            chunks.append(chunk)
            have += len(chunk)
        everything = b"".join(chunks)
        self._buffer = everything[length:]
        return everything[:length]

    def _more(self) -> None:
        chunk = self._socket.recv(1 << 16)
        if not chunk:
            raise ConnectionError("the switch closed the connection")
        self._buffer += chunk
