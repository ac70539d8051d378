"""Several operators of one conf directory, as real users of the machine."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from project import KEY, Ran
from scratch_repository import CHECKOUT

from fsgitops.cli import run
from fsgitops.transaction.files import hash_file
from fsgitops.transaction.stage import Operation
from fsgitops.transaction.transact import begin_transaction, replace_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
pytestmark = SEVERAL_USERS


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


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("FSGITOPS_KEY", KEY)
    monkeypatch.setenv("FSGITOPS_TARGET", "prod")
    top = Path(tempfile.mkdtemp(prefix="fsgitops-operators-"))
    top.chmod(0o755)
    site = Site(top / "project", top / "conf")
    for folder in (site.root, site.conf):
        folder.mkdir()
        folder.chmod(0o755)
    os.chown(site.conf, 0, OPERATORS)
    site.conf.chmod(0o2770)
    (site.root / "fsgitops.yaml").write_text(SETTINGS.format(conf=site.conf))
    site.declare("Alice")
    yield site
    shutil.rmtree(top)


def test_a_second_operator_plans_applies_and_rolls_back(site: Site) -> None:
    site.apply(ANN, "Alice")
    site.declare("Anna")
    planned = site.run(BEN, "plan", "--detailed-exitcode")
    assert (planned.code, planned.err) == (2, ""), planned.err
    site.apply(BEN, "Anna")
    site.apply(ANN, "Amy")
    ran = site.run(BEN, "rollback", "--yes", "--no-reload")
    assert ran.code == 0, ran.err
    assert "Anna" in (site.conf / ALICE).read_text()
    told = site.run(ANN, "history")
    assert told.code == 0
    assert len(list((site.state / "revisions").iterdir())) == 4


def test_whatever_the_first_ones_umask_is(site: Site) -> None:
    site.apply(ANN, "Alice", umask=0o077)
    site.apply(BEN, "Anna", umask=0o077)
    site.apply(ANN, "Amy", umask=0o077)


def test_a_replaced_file_keeps_its_group_and_its_mode(site: Site) -> None:
    site.apply(ANN, "Alice")
    (site.conf / ALICE).chmod(0o660)
    site.apply(BEN, "Anna")
    found = (site.conf / ALICE).stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == (OPERATORS, 0o660)
    assert found.st_uid == BEN  # nobody but root can give a file away


def test_nobody_else_may_look_into_what_is_kept(site: Site) -> None:
    site.apply(ANN, "Alice")
    site.apply(BEN, "Anna")
    site.conf.chmod(0o2775)
    kept = [site.state, *site.state.rglob("*")]
    assert [path for path in kept if path.stat().st_mode & 0o007] == []
    assert {path.stat().st_gid for path in kept} == {OPERATORS}
    assert "PermissionError" in site.become(EVE, lambda: len(list(site.state.iterdir()))).err


def test_one_operator_recovers_what_another_ones_apply_left(site: Site) -> None:
    site.apply(ANN, "Alice")
    before = (site.conf / ALICE).read_bytes()

    def half_an_apply() -> int:
        old = Operation(ALICE, b"half", hash_file(site.conf / ALICE))
        replace_files(
            begin_transaction(site.conf, site.state, [old, Operation("x.xml", b"x")], b"{}")
        )
        return 9

    assert site.become(ANN, half_an_apply).code == 9
    assert (site.conf / ALICE).read_bytes() == b"half"
    ran = site.run(BEN, "plan")
    assert (ran.code, "an interrupted apply has been undone" in ran.err) == (0, True), ran.err
    assert (site.conf / ALICE).read_bytes() == before
    assert not (site.conf / "x.xml").exists()


def test_who_is_no_operator_is_told_so_and_not_of_an_apply_at_work(site: Site) -> None:
    site.apply(ANN, "Alice")
    site.conf.chmod(0o2775)
    ran = site.run(EVE, "plan")
    assert ran.code == 1
    assert f"{site.state}: you may not open it; join the group gid {OPERATORS}" in ran.err
    assert "at work" not in ran.err


@pytest.mark.parametrize("owner", [0, ANN])
def test_sudo_is_named_only_where_root_may_go_on(site: Site, owner: int) -> None:
    site.apply(ANN, "Alice")
    site.conf.chmod(0o2775)
    os.chown(site.state, owner, OPERATORS)
    for path in site.state.rglob("*"):
        os.chown(path, owner, OPERATORS)
    told = site.run(EVE, "plan").err
    by_root = run(["-C", str(site.root), "plan"])
    assert ("use sudo" in told) is (by_root == 0) is (owner == 0)
    assert ("root may not use what is not root's" in told) is (owner != 0)


def test_a_directory_that_only_its_owner_may_write_is_said_to_be_so(site: Site) -> None:
    site.conf.chmod(0o750)
    ran = site.run(BEN, "apply", "--yes", "--no-reload")
    assert (ran.code, f"{site.conf} is for root (uid 0) to write" in ran.err) == (1, True)
    assert f"let the group gid {OPERATORS} write it (docs/getting-started.md)" in ran.err


def test_without_a_shared_directory_the_second_one_may_look_and_is_told_why_no_more(
    site: Site,
) -> None:
    site.conf.chmod(0o770)  # the group may write, but is not said to be the operators
    site.apply(ANN, "Alice")
    site.declare("Anna")
    assert site.run(BEN, "plan", "--detailed-exitcode").code == 2
    ran = site.run(BEN, "apply", "--yes", "--no-reload")
    assert (ran.code, "you may not open it; run as uid 61001" in ran.err) == (1, True)
    assert "Alice" in (site.conf / ALICE).read_text()


def test_a_file_that_could_keep_neither_its_owner_nor_its_group_is_not_replaced(
    site: Site,
) -> None:
    site.apply(ANN, "Alice")
    os.chown(site.conf / ALICE, ANN, ANN)
    (site.conf / ALICE).chmod(0o644)
    site.declare("Anna")
    ran = site.run(BEN, "apply", "--yes", "--no-reload")
    assert (ran.code, "neither its owner nor its group" in ran.err) == (1, True)
    assert "Alice" in (site.conf / ALICE).read_text()


def test_both_write_the_audit_log(site: Site) -> None:
    site.apply(ANN, "Alice")
    for user in (ANN, BEN):
        ran = site.run(user, "credentials", "1020", "--reveal")
        assert ran.code == 0, ran.err
    assert len((site.state / "audit.jsonl").read_text().splitlines()) == 2
