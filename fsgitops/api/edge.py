"""What every request passes first and every answer last: who calls, how often, headers, the log."""

from __future__ import annotations

import ipaddress
import logging
import math
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from fsgitops.commands.token import match_token, read_tokens, tokens_path
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fsgitops.commands.token import ApiToken

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-site",
}
_log = logging.getLogger("fsgitops.api")


class Answer(JSONResponse):
    """JSON in which no text of a caller acts on the terminal of whoever prints it."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return to_json(content, separators=(",", ":")).encode()


class Edge:
    """Gives each request an id, refuses what a foreign web page may have sent, and logs."""

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...], loopback_only: bool) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = time.monotonic(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                found = MutableHeaders(scope=message)
                found["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    found.setdefault(name, value)
            await send(message)

        try:
            refusal = self._refusal(scope["method"], headers)
            if refusal is None:
                await self._app(scope, receive, answer)
            else:
                said = {"success": False, "error": refusal, "request_id": request_id}
                await Answer(said, 403)(scope, receive, answer)
        finally:
            spent = int((time.monotonic() - began) * 1000)
            caller = scope["state"].get("caller", "-")
            _log.info(
                "%s %s %a %s %d ms %a",
                request_id, scope["method"], scope["path"], status, spent, caller,
            )  # fmt: skip

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self._loopback_only and not is_loopback(host_name(host)):
            # A page of the world wide web whose name resolves to 127.0.0.1 ends here.
            return "this API answers under a loopback address only"
        origin = headers.get("origin")
        if origin is None or method in _SAFE_METHODS or origin in self._origins:
            return None
        if origin.rpartition("//")[2] == host:
            return None
        return "this origin is not on the list `api: {cors: [...]}`"


MAX_BUCKETS = 10_000
BAD_TOKENS_PER_MINUTE = 30
ANONYMOUS = "anonymous"


class RefusedError(Exception):
    """A request that is not let in: an HTTP status, a message, further headers."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the token's name and id, or `anonymous`."""

    name: str
    scopes: frozenset[str]
    key: str


@dataclass(slots=True)
class Buckets:
    """Token buckets: so many requests a minute for each key, a quarter of them at once."""

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: str) -> float:
        """Count one request; return 0, or how many seconds to wait before the next attempt."""
        now, rate = self.clock(), self.per_minute / 60
        most = max(1.0, self.per_minute / 4)
        level, stamp = self._levels.pop(key, (most, now))
        level = min(most, level + (now - stamp) * rate)
        if len(self._levels) >= MAX_BUCKETS:
            self._levels.pop(next(iter(self._levels)))
        if level < 1:
            self._levels[key] = (level, now)
            return (1 - level) / rate
        self._levels[key] = (level - 1, now)
        return 0.0


class Gate:
    """Lets requests in by bearer token; a token that is made or revoked counts at once."""

    def __init__(
        self,
        root: Path,
        *,
        anonymous: frozenset[str] = frozenset(),
        reads_per_minute: int = 1200,
        operations_per_minute: int = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.anonymous = anonymous
        self._root = root
        self._reads = Buckets(reads_per_minute, clock)
        self._operations = Buckets(operations_per_minute, clock)
        self._failures = Buckets(BAD_TOKENS_PER_MINUTE, clock)
        self._known: tuple[tuple[int, int], tuple[ApiToken, ...]] | None = None

    def admit(self, authorization: str, address: str, scope: str) -> Caller:
        """Return who is calling. Raises RefusedError with 401, 403 or 429."""
        caller = self.identify(authorization, address)
        if scope not in caller.scopes:
            if caller.name == ANONYMOUS:
                raise _no_token("this needs a bearer token")
            raise RefusedError(403, f"this token may not do that: it has no scope `{scope}`")
        buckets = self._operations if scope in ("operate", "credentials") else self._reads
        _limit(buckets, caller.key)
        return caller

    def identify(self, authorization: str, address: str) -> Caller:
        """Return who is calling, whatever they may do. Raises RefusedError with 401 or 429."""
        if not authorization:
            return Caller(ANONYMOUS, self.anonymous, f"address {address}")
        kind, _, token = authorization.partition(" ")
        found = match_token(self._tokens(), token.strip()) if kind.lower() == "bearer" else None
        if found is None:
            _limit(self._failures, address)
            raise _no_token("no such token, or it has expired")
        return Caller(f"{found.name} (token {found.id})", frozenset(found.scopes), found.id)

    def _tokens(self) -> tuple[ApiToken, ...]:
        try:
            facts = tokens_path(self._root).stat()
        except FileNotFoundError:
            return ()
        stamp = (facts.st_mtime_ns, facts.st_ino)
        if self._known is None or self._known[0] != stamp:
            self._known = (stamp, read_tokens(self._root))
        return self._known[1]


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def network_of(address: str) -> str:
    """Return what one site is known by: its IPv4 address, or its /64 of IPv6 addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def host_name(header: str) -> str:
    """Return the host of a `Host` or `Origin` header without its port."""
    name = header.rpartition("//")[2]
    if name.startswith("[") and "]" in name:
        return name[: name.index("]") + 1]
    return name.partition(":")[0]


def _limit(buckets: Buckets, key: str) -> None:
    wait = buckets.take(key)
    if wait:
        raise RefusedError(
            429, "too many requests: slow down", {"Retry-After": str(math.ceil(wait))}
        )


def _no_token(message: str) -> RefusedError:
    return RefusedError(401, message, {"WWW-Authenticate": 'Bearer realm="fsgitops"'})
