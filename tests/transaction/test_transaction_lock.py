"""One apply at a time, with real processes."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fsgitops.transaction.lock import LockedError, lock_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project import Project

HOLD = """\
import sys
from pathlib import Path
from fsgitops.transaction.lock import lock_state
with lock_state(Path(sys.argv[1]), wait_seconds=0):
    print("held", flush=True)
    sys.stdin.readline()
"""


class Holder:
    """Another process that holds the lock until it is told to let go, or killed."""

    def __init__(self, state: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(state)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def holder(project: Project) -> Iterator[Holder]:
    project.run("plan")
    holder = Holder(project.conf / ".fsgitops")
    yield holder
    holder.kill()


def test_a_lock_that_a_live_process_holds_is_never_taken(holder: Holder, project: Project) -> None:
    ran = project.run("apply", "--yes", "--no-wait")
    assert ran.code == 1
    assert f"process {holder.process.pid}" in ran.err
    assert "nothing was touched" in ran.err
    assert not (project.conf / "directory/default/1020.xml").exists()


def test_a_lock_of_a_process_that_died_is_taken_over(holder: Holder, project: Project) -> None:
    holder.kill()
    assert (project.conf / ".fsgitops/lock.owner").exists()
    assert project.run("apply", "--yes", "--no-wait").code == 0


def test_who_waits_is_told_for_whom_and_goes_on_afterwards(
    holder: Holder, project: Project
) -> None:
    told = []

    def tell(text: str) -> None:
        told.append(text)
        holder.let_go()

    with lock_state(project.conf / ".fsgitops", wait_seconds=30, tell=tell):
        assert len(told) == 1
    assert f"another apply (process {holder.process.pid}" in told[0]
    assert "waiting up to 30 s" in told[0]


def test_a_plan_made_during_an_apply_says_that_it_may_be_half_of_it(
    holder: Holder, project: Project
) -> None:
    from fsgitops.transaction.stage import Operation
    from fsgitops.transaction.transact import begin_transaction

    begin_transaction(project.conf, project.conf / ".fsgitops", [Operation("x.xml", b"x")], b"{}")
    ran = project.run("plan")
    assert ran.code == 0
    assert "another apply is running" in ran.err
    assert (project.conf / ".fsgitops/transaction/journal.json").exists()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told_once_and_not_as_an_apply_at_work(
    project: Project, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    project.run("plan")

    def refuse(_descriptor: object, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    ran = project.run("apply", "--yes")
    assert (ran.code, ran.err.count("has no locks (flock: ")) == (1, 1)
    assert "at work" not in ran.err
    assert not (project.conf / "directory/default/1020.xml").exists()
    made = project.run("token", "new", "--name", "x", "--scope", "read")
    assert (made.code, made.err.count("has no locks (flock: ")) == (1, 1)


def test_an_owner_file_that_is_a_lie_locks_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "lock.owner").write_text("process 1 of somebody")
    with lock_state(tmp_path, wait_seconds=0):
        pass


def test_a_wait_ends_with_who_held_it(tmp_path: Path) -> None:
    holder = Holder(tmp_path)
    try:
        with (
            pytest.raises(LockedError, match=f"process {holder.process.pid}"),
            lock_state(tmp_path, wait_seconds=0.01),
        ):
            pass
    finally:
        holder.kill()


def test_the_lock_is_taken_in_the_directory_that_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, gone = tmp_path / ".fsgitops", tmp_path / "gone"
    real = fcntl.flock

    def swap(*given: int) -> None:
        """Somebody who may write the conf directory puts another one in its place."""
        if not gone.exists():
            state.rename(gone)
            state.mkdir()
        real(*given)

    monkeypatch.setattr(fcntl, "flock", swap)
    with lock_state(state, wait_seconds=0):
        assert list(state.iterdir()) == []
        with (gone / "lock").open() as other, pytest.raises(BlockingIOError):
            real(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
