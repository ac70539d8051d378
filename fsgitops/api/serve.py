"""Put the parts together and serve them until the process is told to stop.

HTTP connections must say what they want: uvicorn waits for a first request for ever.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fsgitops.api.app import create_app
from fsgitops.api.declared import DeclaredState
from fsgitops.api.edge import Gate, is_loopback
from fsgitops.api.handlers import Service
from fsgitops.api.live import LiveBoard
from fsgitops.api.pool import SwitchPool
from fsgitops.api.records import open_records
from fsgitops.errors import UsageError
from fsgitops.live.connect import hold_target

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

STOP_SECONDS = 3
MAX_CONNECTIONS = 200


def build_service(
    workspace: Workspace,
    connect: Callable[[], Switch],
    *,
    anonymous: Sequence[str] = (),
    lake: str | None = None,
    spool: Path | None = None,
) -> Service:
    """Return all that the handlers work with. Raises DesiredInvalidError with every finding."""
    api = workspace.settings.api
    declared = DeclaredState(workspace)
    pool = SwitchPool(connect)
    gate = Gate(
        workspace.root,
        anonymous=frozenset(anonymous),
        reads_per_minute=api.reads_per_minute,
        operations_per_minute=api.operations_per_minute,
    )
    records = open_records(workspace, lake, spool)
    return Service(pool, declared, gate, LiveBoard(pool, declared, records), records)


def serve(
    workspace: Workspace,
    host: str,
    port: int,
    anonymous: Sequence[str],
    tell: Callable[[str], None],
    *,
    lake: str | None = None,
    spool: Path | None = None,
) -> None:
    """Serve the API until SIGINT or SIGTERM. Raises UsageError for `anonymous` beyond loopback."""
    if anonymous and not is_loopback(host):
        raise UsageError(
            f"without tokens the API may listen on a loopback address only, and {host} is not one"
        )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    with hold_target(workspace.target, workspace.root) as connect:
        service = build_service(workspace, connect, anonymous=anonymous, lake=lake, spool=spool)
        origins = workspace.settings.api.cors
        app = create_app(service, origins=origins, loopback_only=bool(anonymous))
        tell(f"target {workspace.target.name}: http://{host}:{port}/ (stop it with Ctrl-C)")
        if not is_loopback(host):
            tell("tokens cross the network: put TLS in front of this port")
        if anonymous:
            tell(f"anybody on this machine may: {', '.join(sorted(anonymous))}")
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=HeadProtocol,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=STOP_SECONDS,
            ws="none",
        )
        ApiServer(config, service.board).run()


class ApiServer(uvicorn.Server):
    """A server that ends the streams of events first: they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, board: LiveBoard) -> None:
        super().__init__(config)
        self._board = board

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._board.close()
        await super().shutdown(sockets)


HEAD_SECONDS = 10.0


class HeadProtocol(H11Protocol):
    """Closes a connection on which no whole head of a request came in time.

    Otherwise a few hundred silent connections would take every place there is (MAX_CONNECTIONS).
    """

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait on where it was only a part of a head."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._forget_timer()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._head_timer = None
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and not self.transport.is_closing():
            self.transport.close()

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
