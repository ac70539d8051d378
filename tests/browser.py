"""A headless Chromium, driven over the WebDriver protocol on the loopback address."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window. Every wait is bounded by the driver's own time limits."""

    def __init__(self, folder: Path, width: int = 1200, height: int = 900) -> None:
        driver, binary = find_driver(), find_chromium()
        assert driver and binary
        self._process = subprocess.Popen(
            [driver, "--port=0", "--allowed-ips="],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        port = ""
        for line in self._process.stdout:
            if "started successfully on port" in line:
                port = line.rsplit("port", 1)[1].strip(" .\n")
                break
        self._base = f"http://127.0.0.1:{port}"
        arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder}",
            f"--window-size={width},{height}",
        ]
        options = {"binary": binary, "args": arguments}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._base += f"/session/{made['sessionId']}"

    def open(self, page: Path) -> None:
        self._call("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script: str, *arguments: Any) -> Any:
        return self._call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def press(self, *keys: str) -> None:
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": steps}]})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def log(self) -> list[str]:
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def emulate(self, scheme: str) -> None:
        """Let the page believe that the reader prefers `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        command = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        self._call("POST", "/goog/cdp/execute", command)

    @contextlib.contextmanager
    def width(self, pixels: int) -> Iterator[None]:
        """Let the page be as wide as a phone's, for a while."""
        shape = {"width": pixels, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        wide = {"cmd": "Emulation.setDeviceMetricsOverride", "params": shape}
        self._call("POST", "/goog/cdp/execute", wide)
        try:
            yield
        finally:
            normal = {"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}}
            self._call("POST", "/goog/cdp/execute", normal)

    def close(self) -> None:
        try:
            self._call("DELETE", "")
        finally:
            self._process.terminate()
            self._process.wait(timeout=10)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self._base + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as problem:
            raise AssertionError(problem.read().decode()) from None


def find_driver() -> str | None:
    return shutil.which("chromedriver")


def find_chromium() -> str | None:
    named = os.environ.get("FSGITOPS_TEST_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome")
    return named or next((path for path in map(shutil.which, names) if path), None)
