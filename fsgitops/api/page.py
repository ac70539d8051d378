"""The operator page: one answer that loads nothing else, and the policy that holds it to that."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

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
