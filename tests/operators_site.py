"""Several users of the machine who apply to one conf directory."""

from __future__ import annotations

import os
import stat
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from project import Ran
from scratch_repository import CHECKOUT

from fsgitops.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPERATORS = 61000
ANN, BEN, EVE = 61001, 61002, 61003
SETTINGS = """\
project: test
default_region: US
targets:
  prod: {{conf_dir: {conf}, domain: pbx.example.com}}
"""
AGENTS = "agents:\n  - {{extension: 1020, name: {name}, voicemail: true}}\n"
ALICE = "directory/default/1020.xml"


def everybody_reaches(place: Path) -> bool:
    """Tell whether other users of the machine can read what is in a folder."""
    return all(stat.S_IMODE(folder.stat().st_mode) & 0o001 for folder in (place, *place.parents))


SEVERAL_USERS = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users"),
    pytest.mark.skipif(
        not everybody_reaches(CHECKOUT),
        reason="other users of the machine do not reach this checkout",
    ),
]


def _become(user: int) -> None:
    """Give up being root: a user with a private group, as distributions give one, and the group."""
    # The interpreter may stand where nobody but root gets to; through what is open, everybody does.
    place = os.open(sys.base_prefix, os.O_PATH | os.O_DIRECTORY)

    def move(path: str) -> str:
        return path.replace(sys.base_prefix, f"/proc/self/fd/{place}", 1)

    sys.path[:] = map(move, sys.path)
    for module in list(sys.modules.values()):
        if isinstance(getattr(module, "__path__", None), list):
            module.__path__ = [move(path) for path in module.__path__]
    sys.path_importer_cache.clear()
    os.setgroups([] if user == EVE else [OPERATORS])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


@dataclass
class Site:
    """A project that everybody may read, and a conf directory of the group of operators."""

    root: Path
    conf: Path

    def declare(self, name: str) -> None:
        (self.root / "desired").mkdir(exist_ok=True)
        (self.root / "desired/agents.yaml").write_text(AGENTS.format(name=name))

    def run(self, user: int, *words: str, umask: int = 0o022) -> Ran:
        return self.become(user, lambda: run(["-C", str(self.root), *words]), umask)

    def become(self, user: int, act: Callable[[], int], umask: int = 0o022) -> Ran:
        """Do something in a process of that user, and return how it ended and what it said."""
        out, err = self.root.parent / "out", self.root.parent / "err"
        with out.open("w") as told, err.open("w") as warned:
            child = os.fork()
            if child == 0:
                code = 70
                try:
                    sys.stdout, sys.stderr = told, warned
                    os.umask(umask)
                    if "gevent" in sys.modules:  # an earlier test spoke to a switch in this process
                        sys.modules["gevent"].reinit()
                    _become(user)
                    code = act()
                except BaseException:
                    traceback.print_exc(file=warned)
                finally:
                    told.flush()
                    warned.flush()
                    os._exit(code)
            _, status = os.waitpid(child, 0)
        return Ran(os.waitstatus_to_exitcode(status), out.read_text(), err.read_text())

    def apply(self, user: int, name: str, *, umask: int = 0o022) -> None:
        self.declare(name)
        ran = self.run(user, "apply", "--yes", "--no-reload", umask=umask)
        assert ran.code == 0, ran.err

    @property
    def state(self) -> Path:
        return self.conf / ".fsgitops"
