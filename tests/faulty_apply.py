"""Run commands that are killed, or whose file operations fail: for tests only.

As a program it is a server that has everything imported: it reads one JSON request a line, forks,
runs the command line in the child, and answers how the child ended. Nothing of this is in the
product: the faults are put into this process's `os` module.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsgitops.transaction.journal import read_journal
from fsgitops.transaction.transact import (
    clear_litter,
    finish_transaction,
    forget_transaction,
    restore_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGING = (
    "write", "rename", "replace", "unlink", "mkdir", "rmdir", "link",
    "fsync", "sync", "chmod", "chown", "fchmod",
)  # fmt: skip
OPENED = os.O_CREAT | os.O_WRONLY | os.O_RDWR


class Faults:
    """Counts this process's changing file operations below a folder, and interferes with one."""

    def __init__(self, root: str, before: Callable[[int, str], None]) -> None:
        self.root = root
        self.before = before
        self.done: list[str] = []
        self._real: dict[str, Any] = {}
        self._files: set[int] = set()

    def __enter__(self) -> Faults:
        from fsgitops.transaction import folder

        self._folder: Any = folder
        for name in (*CHANGING, "open"):
            self._real[name] = getattr(os, name)
            setattr(os, name, self._wrap(name, self._real[name]))
        self._exchange = self._folder.renameat2
        self._folder.renameat2 = self._wrap("rename", self._exchange)
        return self

    def __exit__(self, *_: object) -> None:
        for name, real in self._real.items():
            setattr(os, name, real)
        self._folder.renameat2 = self._exchange

    def _wrap(self, name: str, real: Any) -> Any:
        def changed(*words: Any, **options: Any) -> Any:
            if self._counts(name, words, options):
                self.done.append(name)
                self.before(len(self.done) - 1, name)
            result = real(*words, **options)
            if name == "open":
                inside = self._inside(options.get("dir_fd") or words[0])
                (self._files.add if inside else self._files.discard)(result)
            return result

        return changed

    def _counts(self, name: str, words: tuple[Any, ...], options: dict[str, Any]) -> bool:
        if name == "sync":
            return True
        place = options.get("dir_fd") or options.get("src_dir_fd") or words[0]
        return self._inside(place) and (name != "open" or bool(words[1] & OPENED))

    def _inside(self, place: Any) -> bool:
        if isinstance(place, int):
            return place in self._files
        text = os.fspath(place)
        return isinstance(text, str) and text.startswith(self.root)


def recover(conf: Path) -> None:
    """Do what the next command does."""
    left = read_journal(conf, conf / ".fsgitops")
    if left is None:
        clear_litter(conf, conf / ".fsgitops")
    elif left.committed:
        finish_transaction(left)
    else:
        restore_files(left)
        forget_transaction(left)


def snapshot(conf: Path) -> dict[str, bytes | None]:
    """Every file with its bytes, every folder with None, and the manifest: what must be whole."""
    tree: dict[str, bytes | None] = {
        str(path.relative_to(conf)): None if path.is_dir() else path.read_bytes()
        for path in sorted(conf.rglob("*"))
        if ".fsgitops" not in path.relative_to(conf).parts
    }
    manifest = conf / ".fsgitops/manifest.json"
    return {**tree, "manifest": manifest.read_bytes() if manifest.exists() else None}


class Runner:
    """The client's end of the server: one real process for each command."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        here = Path(__file__)
        paths = f"{here.parent.parent}{os.pathsep}{here.parent}"
        self._process = subprocess.Popen(
            [sys.executable, str(here), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment, "PYTHONPATH": paths},
        )

    def run(self, *words: str, kill_at: int = -1, kill_after: float = -1.0) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"words": words, "kill_at": kill_at, "kill_after": kill_after}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def _serve(root: str) -> None:
    from fsgitops import cli
    from fsgitops.commands import adopt, apply, plan, rollback  # noqa: F401
    from fsgitops.live import recover, revisions  # noqa: F401
    from fsgitops.steps import compile as compiling  # noqa: F401
    from fsgitops.steps import load, resolve, verify  # noqa: F401

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    cli.run(["-C", root, "validate"])  # imports what is left
    gc.freeze()  # what is shared with every child stays shared
    for line in sys.stdin:
        request = json.loads(line)
        os.write(_ANSWERS, (json.dumps(_fork(root, request)) + "\n").encode())


def _fork(root: str, request: dict[str, Any]) -> dict[str, Any]:
    said, saying = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _run_child(root, request, saying)
    os.close(saying)
    if request["kill_after"] >= 0:
        watch = os.pidfd_open(child)
        select.select([watch], [], [], request["kill_after"])
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.close(watch)
    with os.fdopen(said, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    done, _, output = text.partition("\n")
    return {
        "code": os.waitstatus_to_exitcode(status),
        "operations": json.loads(done) if done.startswith("[") else [],
        "output": output if done.startswith("[") else text,
        "seconds": time.monotonic() - started,
    }


def _run_child(root: str, request: dict[str, Any], saying: int) -> None:
    from fsgitops import cli

    def before(number: int, _: str) -> None:
        if number == request["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    output = os.memfd_create("output")
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 99
    try:
        with Faults(root, before) as faults:
            code = cli.run(["-C", root, *request["words"]])
        sys.stdout.flush()
        sys.stderr.flush()
        os.lseek(output, 0, os.SEEK_SET)
        text = os.read(output, 1 << 16)
        os.write(saying, json.dumps(faults.done).encode() + b"\n" + text)
    finally:
        os._exit(code)


if __name__ == "__main__":
    _ANSWERS = os.dup(1)
    _serve(sys.argv[1])
