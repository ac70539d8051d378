"""What every request passes first and every answer last: ids, hosts, headers, the log."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from fsgitops.api.gate import host_name, is_loopback
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
