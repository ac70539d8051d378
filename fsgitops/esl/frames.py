"""The byte stream of an event socket, split into frames. No I/O, so any chunking can be tested."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fsgitops.errors import SwitchProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_HEADER_BYTES = 65_536
"""Real frames need under 1,000; more than this is not ESL."""

MAX_BODY_BYTES = 268_435_456
"""256 MiB: three times the directory of 100,000 users as `xml_locate` returns it."""

HEAD_BYTES = 4096
"""What is kept of a body that is handed on: an error is shorter."""

_NEWLINE = 0x0A
_NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Frame(NamedTuple):
    """One message: its kind, its headers (values as sent), and the body, exact to the byte."""

    content_type: str
    headers: dict[str, str]
    body: bytes


class Body(Protocol):
    """What takes in the body of a frame as it comes; BytesIO is one that holds it."""

    def write(self, data: memoryview, /) -> int:
        """Take in all of a piece; return its length."""

    def tell(self) -> int:
        """Return how many bytes were taken in."""

    def getvalue(self) -> bytes:
        """Return what the frame is to have for its body."""


class PassedOn:
    """Hands a body on piece by piece, so that it is never held whole; keeps how it begins."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._size = 0
        self._head = b""

    def write(self, data: memoryview) -> int:
        """Hand a piece on."""
        piece = bytes(data)
        self._head += piece[: HEAD_BYTES - len(self._head)]
        self._size += len(piece)
        self._sink(piece)
        return len(piece)

    def tell(self) -> int:
        """Return how many bytes were handed on."""
        return self._size

    def getvalue(self) -> bytes:
        """Return the first bytes, at most HEAD_BYTES: an error is told there."""
        return self._head


class FrameReader:
    """Turns chunks, cut anywhere, into frames. What is left waits for the next chunk.

    `open_body` returns what takes in the body of a frame of this kind.
    """

    def __init__(self, open_body: Callable[[str], Body] = lambda _kind: BytesIO()) -> None:
        self._open_body = open_body
        self._buffer = bytearray()
        self._searched = 0
        self._headers: dict[str, str] | None = None
        self._body_length = 0
        self._body: Body = BytesIO()

    @property
    def inside_frame(self) -> bool:
        """Whether the stream, if it ended now, would end in the middle of a frame."""
        return bool(self._buffer) or self._headers is not None

    def frames(self, chunk: bytes | memoryview) -> Iterator[Frame]:
        """Yield every frame that `chunk` completes; read to the end before the next chunk.

        Raises SwitchProtocolError at the first thing that is not ESL, after the frames before it.
        """
        buffer = self._buffer
        buffer += chunk
        at = 0
        try:
            while True:
                if self._headers is None:
                    end = self._find_headers(at)
                    if end < 0:
                        at = -end - 1
                        return
                    at = end
                headers, missing = self._headers, self._body_length - self._body.tell()
                if headers is None:
                    return
                # A body of 100 MB is held once: what came of it is not kept in the buffer too.
                at += self._body.write(memoryview(buffer)[at : at + missing])
                if self._body.tell() < self._body_length:
                    return
                body, self._body, self._headers = self._body.getvalue(), BytesIO(), None
                yield Frame(headers["Content-Type"], headers, body)
        finally:
            del buffer[:at]
            self._searched = max(0, self._searched - at)

    def _find_headers(self, at: int) -> int:
        """Return where the body starts, or -(start of the incomplete header block) - 1."""
        buffer = self._buffer
        while at < len(buffer) and buffer[at] == _NEWLINE:
            at += 1
        end = buffer.find(b"\n\n", max(at, self._searched - 1))
        stop = len(buffer) if end < 0 else end
        if stop - at > MAX_HEADER_BYTES:
            raise SwitchProtocolError(f"a header block of more than {MAX_HEADER_BYTES} bytes")
        if end < 0:
            # A greeting of some other protocol is told from ESL by its first line, at once,
            # not by the time limit.
            last = buffer.rfind(b"\n", max(at, self._searched))
            if last >= 0:
                first = buffer.rfind(b"\n", at, max(at, self._searched)) + 1
                for line in bytes(buffer[max(at, first) : last]).split(b"\n"):
                    _split_header(line)
            self._searched = len(buffer)
            return -at - 1
        headers = parse_headers(bytes(memoryview(buffer)[at:end]))
        if "Content-Type" not in headers:
            raise SwitchProtocolError(f"a message without Content-Type: {_shown(buffer[at:end])}")
        self._body_length = _content_length(headers.get("Content-Length", "0"))
        self._headers = headers
        self._body = self._open_body(headers["Content-Type"])
        self._searched = 0
        return end + 2


def parse_headers(block: bytes) -> dict[str, str]:
    """Return the headers of a block of `Name: value` lines; the first of a name counts.

    Values are not percent-decoded: nothing here acts on a value that could need it.
    Raises SwitchProtocolError for a line that is no header, or two different Content-Lengths.
    """
    headers: dict[str, str] = {}
    for line in block.split(b"\n"):
        name, value = _split_header(line)
        text = value.strip().decode("utf-8", "replace")
        if headers.setdefault(name.decode("ascii"), text) != text and name == b"Content-Length":
            raise SwitchProtocolError("two different Content-Length headers in one message")
    return headers


def _split_header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or not _NAME_BYTES.issuperset(name):
        raise SwitchProtocolError(f"a line that is no ESL header: {_shown(line)}")
    return name, value


def _content_length(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise SwitchProtocolError(f"Content-Length is {_shown(text.encode())}, not a number")
    if len(text) > 10 or int(text) > MAX_BODY_BYTES:
        raise SwitchProtocolError(
            f"Content-Length is {_shown(text.encode())}; the limit is {MAX_BODY_BYTES} bytes"
        )
    return int(text)


def _shown(found: bytes | bytearray) -> str:
    """Return the start of what was found, harmless to print."""
    return ascii(bytes(found[:60]).decode("latin-1"))
