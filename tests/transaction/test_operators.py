"""Several operators of one conf directory, as real users of the machine."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from operators_site import ALICE, ANN, BEN, EVE, OPERATORS, SETTINGS, SEVERAL_USERS, Site
from project import KEY

from fsgitops.cli import run
from fsgitops.transaction.folder import hash_file
from fsgitops.transaction.stage import Operation
from fsgitops.transaction.transact import begin_transaction, replace_files

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = SEVERAL_USERS


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
