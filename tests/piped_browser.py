"""A headless Chromium, driven over the two pipes of `--remote-debugging-pipe`."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30.0
_CODES = {"Tab": 9, "Enter": 13, "Escape": 27, "/": 191}


# Chromium reads commands from descriptor 3 and writes answers to 4.
LAUNCHER = """
import os, sys
reading, writing = os.dup(int(sys.argv[1])), os.dup(int(sys.argv[2]))
while min(reading, writing) < 5:
    reading, writing = os.dup(reading), os.dup(writing)
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page. Every wait for an answer ends after 30 seconds."""

    def __init__(self, place: Path) -> None:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        if found is None:
            pytest.skip("chromium is not installed")
        theirs, self._writing = os.pipe()
        self._reading, answers = os.pipe()
        flags = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--remote-debugging-pipe", f"--user-data-dir={place / 'profile'}",
            "--window-size=1200,800", "--hide-scrollbars", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(theirs), str(answers), found, *flags],
            pass_fds=(theirs, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(place)},
        )
        os.close(theirs)
        os.close(answers)
        self._held, self._number, self._session = b"", 0, ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._ask("Page.enable")

    def open(self, url: str) -> None:
        self._ask("Page.navigate", url=url)

    def shape(self, width: int, height: int, scheme: str = "light") -> None:
        """Give the page a size in CSS pixels, and a reader who prefers `light` or `dark`."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._ask("Emulation.setEmulatedMedia", features=features)

    def begin_with(self, script: str) -> None:
        """Run a script in every page before the page's own."""
        self._ask("Page.addScriptToEvaluateOnNewDocument", source=script)

    def press(self, key: str, text: str = "") -> None:
        """Press and let go of a key, by its name; `text` is what it types."""
        code = _CODES.get(key, 0)
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self._ask(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **more
            )

    def type(self, text: str) -> None:
        self._ask("Input.insertText", text=text)

    def evaluate(self, script: str) -> Any:
        found = self._ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Let the page look every 50 ms until the value is true; None if it is not in 15 s."""
        look = f"""new Promise((done) => {{
            let left = 300;
            const look = () => {{
                let value = null;
                try {{ value = {script}; }} catch {{ /* the page is not that far yet */ }}
                if (value || --left < 0) done(value || null); else setTimeout(look, 50);
            }};
            look();
        }})"""
        found = self._ask(
            "Runtime.evaluate", expression=look, returnByValue=True, awaitPromise=True
        )
        return found["result"].get("value")

    def picture(self, *, whole: bool = False) -> bytes:
        """Return what the window shows, or the whole page, as PNG."""
        found = self._ask("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(SECONDS)
        os.close(self._reading)
        os.close(self._writing)

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._writing, json.dumps(command).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._reading], [], [], SECONDS)
            chunk = os.read(self._reading, 1 << 20) if ready else b""
            assert chunk, "the browser said nothing"
            self._held += chunk
        message, _, self._held = self._held.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found
