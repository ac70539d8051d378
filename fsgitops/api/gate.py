"""Who is calling, what they may do, and how often."""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.commands.token import match_token, read_tokens, tokens_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.commands.token import ApiToken

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
    return (
        name[: name.index("]") + 1]
        if name.startswith("[") and "]" in name
        else (name.partition(":")[0])
    )


def _limit(buckets: Buckets, key: str) -> None:
    wait = buckets.take(key)
    if wait:
        raise RefusedError(
            429, "too many requests: slow down", {"Retry-After": str(math.ceil(wait))}
        )


def _no_token(message: str) -> RefusedError:
    return RefusedError(401, message, {"WWW-Authenticate": 'Bearer realm="fsgitops"'})
