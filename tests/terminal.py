"""A command in a terminal of its own, as wide as a test wants it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROGRAMS = {"fsgitops": "fsgitops.cli", "fsgitops-cdr": "fsgitops.cli.cdr"}


def show(*words: str, columns: int = 80, cwd: Path, **environment: str) -> str:
    """Run `fsgitops …` or `fsgitops-cdr …` in a terminal; return what it showed, with colours."""
    module = _PROGRAMS[words[0]]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "LINES", "NO_COLOR", "TERM")
    }
    started = subprocess.Popen(
        [sys.executable, "-c", f"from {module} import main; main()", *words[1:]],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=cwd,
        env={**ours, "TERM": "xterm", **environment},
        close_fds=True,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            some = os.read(master, 65536)
        except OSError:  # Linux says EIO when the last one has closed the other end.
            break
        if not some:
            break
        shown += some
    os.close(master)
    started.wait()
    return shown.decode().replace("\r\n", "\n")
