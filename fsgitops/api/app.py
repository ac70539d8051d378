"""The ASGI application: routes made from the table of operations, errors made into answers.

The operator page is one answer that loads nothing else, and its policy holds it to that.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

from fsgitops.api.edge import Answer, Edge, RefusedError
from fsgitops.api.handlers import Call
from fsgitops.api.operations import OPERATIONS, build_openapi, check_body
from fsgitops.api.view import read_view
from fsgitops.errors import (
    FsgitopsError,
    NotPossibleError,
    NotThereError,
    SwitchAuthError,
    SwitchError,
    SwitchProtocolError,
    SwitchTimeoutError,
    SwitchUnreachableError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from fsgitops.api.handlers import Service
    from fsgitops.api.live import LiveBoard
    from fsgitops.api.operations import Operation
    from fsgitops.api.view import View

MAX_BODY = 16 * 1024
BODY_SECONDS = 10.0
RETRY = {"Retry-After": "2"}
_AWAY = (SwitchUnreachableError, SwitchTimeoutError, SwitchAuthError, SwitchProtocolError)
_DECLARED = ("/api/agents", "/api/inbound-routes")
_BY_GIT = (
    "agents and routes are declared in git: change the YAML there, have it reviewed, and run "
    "`fsgitops apply`; this API creates, changes and deletes nothing"
)


def create_app(
    service: Service, *, origins: tuple[str, ...] = (), loopback_only: bool = False
) -> Starlette:
    """Return the application; its lifespan starts and stops the connections to the switch."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        service.pool.start()
        try:
            yield
        finally:
            service.pool.stop()

    routes = [
        Route("/", _page(), methods=["GET"]),
        Route("/health", _health(service), methods=["GET"]),
        Route("/openapi.json", _document, methods=["GET"]),
        Route("/api/live", _live(service), methods=["GET"]),
        *(Route(item.path, _endpoint(service, item), methods=[item.method]) for item in OPERATIONS),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(Edge, origins=origins, loopback_only=loopback_only),
            Middleware(
                CORSMiddleware,
                allow_origins=list(origins),
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
                expose_headers=["X-Request-ID"],
            ),
        ],
        exception_handlers={
            RefusedError: _refuse,
            FsgitopsError: _fail,
            HTTPException: _miss,
            Exception: _break,
        },
    )


def _endpoint(service: Service, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        caller = _admit(service, request, operation.scope)
        body = check_body(operation, await _read_body(request, operation))
        query = _read_query(request, operation.query)
        call = Call(service, caller, dict(request.path_params), query, body)
        result = await operation.run(call)
        return Answer({"success": True, "message" if operation.says else "data": result})

    return endpoint


def status_of(problem: FsgitopsError) -> int:
    """Return the HTTP status that tells of a problem."""
    table: tuple[tuple[type[FsgitopsError] | tuple[type[FsgitopsError], ...], int], ...] = (
        (UsageError, 400),
        (NotThereError, 404),
        (NotPossibleError, 409),
        (_AWAY, 503),
        (SwitchError, 502),
    )
    return next((status for kind, status in table if isinstance(problem, kind)), 500)


def address_of(request: Request) -> str:
    """Return the network address of who is calling; of a proxy, where there is one."""
    return request.client.host if request.client else "?"


def _admit(service: Service, request: Request, scope: str) -> Any:
    header = request.headers.get("authorization", "")
    caller = service.gate.admit(header, address_of(request), scope)
    request.state.caller = caller.name
    return caller


async def _read_body(request: Request, operation: Operation) -> Any:
    if operation.takes is None:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "send the body as application/json")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _take_body(request)
    except ClientDisconnect:
        raise UsageError("the body ended too soon") from None
    except TimeoutError:
        raise RefusedError(
            400, "the request body did not arrive in time", {"Connection": "close"}
        ) from None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError("the body is not JSON") from None


async def _take_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RefusedError(413, f"the body is larger than {MAX_BODY} bytes")
    return body


def _read_query(request: Request, known: Collection[str]) -> dict[str, str]:
    for name in request.query_params:
        if name not in known:
            names = ", ".join(known) or "none"
            raise UsageError(f"unknown query parameter {name[:40]!a}; known: {names}")
    found = request.query_params.multi_items()
    if len(found) != len(dict(found)):
        raise UsageError("a query parameter is given twice")
    return dict(found)


def _page() -> Callable[[Request], Awaitable[Response]]:
    text, policy = read_page()

    async def page(_request: Request) -> Response:
        return HTMLResponse(text, headers={"Content-Security-Policy": policy})

    return page


def _health(service: Service) -> Callable[[Request], Awaitable[Response]]:
    asking: asyncio.Task[bool] | None = None

    async def ask() -> bool:
        try:
            await service.pool.run(lambda switch: switch.uptime(), timeout=8.0)
        except FsgitopsError:
            return False
        return True

    async def health(_request: Request) -> Response:
        nonlocal asking
        # Anybody may ask, so all who ask at a time share one question to the switch.
        if asking is None or asking.done():
            asking = asyncio.create_task(ask())
        up = await asyncio.shield(asking)
        problem = service.declared.problem
        said = {
            "status": "ok" if up else "unavailable",
            "switch": "up" if up else "down",
            "declared": "in force" if problem is None else "invalid: the state before is in force",
        }
        return Answer(said, 200 if up else 503, headers={} if up else RETRY)

    return health


async def _document(_request: Request) -> Response:
    return Answer(build_openapi())


def _live(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def live(request: Request) -> Response:
        caller = _admit(service, request, "read")
        view = read_view(_read_query(request, ("search", "presence")))
        place = service.board.join(caller.key, address_of(request))

        def scopes() -> frozenset[str]:
            header = request.headers.get("authorization", "")
            try:
                return service.gate.identify(header, "live").scopes
            except (RefusedError, FsgitopsError):
                return frozenset()

        return _Events(service.board, place, scopes, view)

    return live


class _Events(StreamingResponse):
    """A stream of events that gives up its place when it ends, however it ends."""

    def __init__(
        self,
        board: LiveBoard,
        place: tuple[str, ...],
        scopes: Callable[[], frozenset[str]],
        view: View,
    ) -> None:
        headers = {"X-Accel-Buffering": "no"}
        events = board.events(scopes, view)
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._board, self._place = board, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._board.leave(self._place)


async def _refuse(request: Request, problem: Any) -> Response:
    return _error(request, problem.status, str(problem), problem.headers)


async def _fail(request: Request, problem: Any) -> Response:
    status = status_of(problem)
    return _error(request, status, str(problem), RETRY if status == 503 else {})


async def _miss(request: Request, problem: Any) -> Response:
    status, headers = problem.status_code, dict(problem.headers or {})
    text = {404: "there is no such path", 405: "not with this method"}.get(status, "refused")
    if status == 405 and request.method != "GET" and request.url.path.startswith(_DECLARED):
        text = _BY_GIT
    return _error(request, status, text, headers)


async def _break(request: Request, _problem: Exception) -> Response:
    # This answer is given outside of the edge, so it carries its id by itself.
    headers = {"X-Request-ID": request.state.request_id, "Cache-Control": "no-store"}
    return _error(request, 500, "internal error; the log has more under this id", headers)


def _error(request: Request, status: int, text: str, headers: dict[str, str]) -> Response:
    said = {
        "success": False,
        "error": text,
        "request_id": getattr(request.state, "request_id", ""),
    }
    return Answer(said, status, headers=headers)


_PLACE = Path(__file__).parent / "operator_page"
_SCRIPTS = ("page.js", "operate.js", "listen.js")


def read_page() -> tuple[str, str]:
    """Return the page and its Content-Security-Policy: only its own script and style run."""
    script = '"use strict";\n' + "".join(_read(name) for name in _SCRIPTS)
    style = _read("page.css")
    text = _read("page.html").replace("/* style */", style).replace("/* script */", script)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return text, policy


def _read(name: str) -> str:
    return (_PLACE / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
