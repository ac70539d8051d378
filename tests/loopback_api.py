"""A JSON API on loopback, for what stands in for somebody else's service."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class LoopbackApi:
    """Serves what `handle` answers while it is entered; `root` is its URL.

    `handle` returns a status with JSON values, bytes, or (302) the address to go to.
    """

    def __enter__(self) -> Self:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                code, data = api.handle(self.command, self.path, body, self.headers)
                content = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", content.decode())
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = answer

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def handle(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        raise NotImplementedError


def page(items: list[dict[str, Any]], query: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return the page of a list that a query asks for."""
    size = int(query.get("per_page", ["20"])[0])
    number = int(query.get("page", ["1"])[0])
    return items[(number - 1) * size : number * size]
