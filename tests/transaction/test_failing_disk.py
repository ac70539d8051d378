"""The disk refuses, at each file operation of an apply, once or from then on."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from faulty_apply import Faults, snapshot
from project import AGENTS, ROUTES, Project

from fsgitops.commands.apply import run_apply
from fsgitops.commands.plan import run_plan
from fsgitops.errors import FsgitopsError, RollbackFailedError, RolledBackError
from fsgitops.live.recover import recover_unfinished
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.planning.planned import Planned
    from fsgitops.workspace.open import Workspace

ERRORS = [errno.ENOSPC, errno.EACCES, errno.EIO]


class Prepared:
    """Something is applied, something else is planned; every try starts from the same bytes."""

    def __init__(self, project: Project) -> None:
        self.conf = project.root / "conf"
        self.saved = project.root / "saved"
        self.conf.mkdir()
        (self.conf / "directory").mkdir()
        assert project.run("apply", "--yes", "--no-reload", "--target", "image").code == 0
        project.write(
            "desired/agents.yaml", AGENTS.replace("Alice", "Anna").replace("1021", "1022")
        )
        project.write("desired/routes.yaml", ROUTES.replace("5431333", "5431334"))
        shutil.rmtree(self.conf / "dialplan/public")
        (self.conf / "dialplan/foreign.xml").write_text("theirs")
        self.workspace: Workspace = open_workspace(project.root, "image")
        self.shown: Planned = run_plan(self.workspace)
        assert len(self.shown.plan.changes) >= 4
        self.before = snapshot(self.conf)
        shutil.copytree(self.conf, self.saved)
        with Faults(str(self.conf), lambda _number, _name: None) as faults:
            self.apply()
        self.operations = faults.done
        self.after = snapshot(self.conf)

    def apply(self) -> None:
        run_apply(self.workspace, self.shown, reload=False, wait_seconds=0)

    def reset(self) -> None:
        shutil.rmtree(self.conf)
        shutil.copytree(self.saved, self.conf)


@pytest.fixture
def prepared(project: Project) -> Prepared:
    return Prepared(project)


def failing(number: int, code: int, *, for_good: bool) -> Callable[[int, str], None]:
    def before(now: int, name: str) -> None:
        if now == number or (for_good and now > number):
            raise OSError(code, os.strerror(code), f"({name})")

    return before


@pytest.mark.parametrize(
    ("code", "for_good"),
    [
        pytest.param(
            code, for_good, id=f"{errno.errorcode[code]}-{'for good' if for_good else 'once'}",
            marks=() if for_good == (code == errno.ENOSPC) and code != errno.EACCES
            else pytest.mark.sweep,
        )
        for code in ERRORS
        for for_good in (False, True)
    ],
)  # fmt: skip
def test_wherever_the_disk_refuses_it_is_the_one_state_or_the_other(
    prepared: Prepared, code: int, for_good: bool
) -> None:
    assert len(prepared.operations) > 60
    endings = set()
    for number in range(len(prepared.operations)):
        prepared.reset()
        failed: Exception | None = None
        with Faults(str(prepared.conf), failing(number, code, for_good=for_good)):
            try:
                prepared.apply()
            except (FsgitopsError, OSError) as problem:
                failed = problem
        left = snapshot(prepared.conf)
        told = (number, prepared.operations[number], failed)
        if failed is None:
            assert left == prepared.after, told
        elif isinstance(failed, RolledBackError):
            assert left == prepared.before, told
        elif "everything is applied" in str(failed):
            assert left | {"manifest": None} == prepared.after | {"manifest": None}, told
        elif not isinstance(failed, RollbackFailedError):
            assert left == prepared.before, told
        endings.add(type(failed).__name__)
        recover_unfinished(prepared.workspace)
        applied = failed is None or "everything is applied" in str(failed)
        assert snapshot(prepared.conf) == (prepared.after if applied else prepared.before), told
    assert "TransactionError" in endings
    assert ("RolledBackError" in endings) == (not for_good)
    assert ("RollbackFailedError" in endings) == for_good


def test_a_command_that_meets_a_disk_that_still_refuses_says_so_and_fails(
    prepared: Prepared, project: Project
) -> None:
    late = [n for n, name in enumerate(prepared.operations) if name == "rename"][2]
    prepared.reset()
    with (
        Faults(str(prepared.conf), failing(late, errno.EIO, for_good=True)),
        pytest.raises(RollbackFailedError, match="holds every file as it was"),
    ):
        prepared.apply()
    with Faults(str(prepared.conf), failing(0, errno.EROFS, for_good=True)):
        ran = project.run("plan", "--target", "image")
    assert ran.code == 1
    assert "Read-only file system" in ran.err
    assert project.run("plan", "--target", "image").code == 0
    assert snapshot(prepared.conf) == prepared.before


def test_a_directory_removed_during_an_apply_comes_back_with_what_was_ours(
    prepared: Prepared,
) -> None:
    """Somebody removes a folder between two renames: the apply fails, and what we had is back."""
    prepared.reset()
    folder = prepared.conf / "directory/default"
    replaced = [n for n, name in enumerate(prepared.operations) if name == "rename"]
    number = next(n for n in replaced if n > prepared.operations.index("mkdir", 12))

    def remove(now: int, _name: str) -> None:
        if now == number:
            shutil.rmtree(folder)

    with Faults(str(prepared.conf), remove), pytest.raises(RolledBackError):
        prepared.apply()
    ours = {name: data for name, data in prepared.before.items() if "1020" in name}
    now = snapshot(prepared.conf)
    assert ours
    assert {name: now.get(name) for name in ours} == ours


def test_a_conf_directory_that_is_gone_is_not_made_anew(prepared: Prepared) -> None:
    shutil.rmtree(prepared.conf)
    with pytest.raises(FsgitopsError):
        prepared.apply()
    assert not (prepared.conf / "directory").exists()


def test_a_folder_that_became_a_link_is_not_followed_by_a_restore(
    prepared: Prepared, tmp_path: Path
) -> None:
    from fsgitops.transaction.journal import read_journal
    from fsgitops.transaction.stage import Operation
    from fsgitops.transaction.state import TransactionError
    from fsgitops.transaction.transact import begin_transaction, replace_files, restore_files

    prepared.reset()
    state = prepared.conf / ".fsgitops"
    replace_files(begin_transaction(prepared.conf, state, [Operation("x/1.xml", b"one")], b"{}"))
    outside = tmp_path / "outside"
    (prepared.conf / "x").rename(outside)
    (prepared.conf / "x").symlink_to(outside)
    journal = read_journal(prepared.conf, state)
    assert journal is not None
    with pytest.raises(TransactionError, match="leads out of the conf directory"):
        restore_files(journal)
    assert (outside / "1.xml").read_bytes() == b"one"
