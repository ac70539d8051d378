"""Whoever may write the conf directory gains nothing by what he plants in the state directory."""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest

from fsgitops.transaction import folder
from fsgitops.transaction.folder import hash_file
from fsgitops.transaction.lock import lock_state
from fsgitops.transaction.stage import Operation
from fsgitops.transaction.state import (
    TransactionError,
    UnsafeStateError,
    open_state,
    read_state,
    write_state,
)
from fsgitops.transaction.transact import begin_transaction, replace_files, restore_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project import Project

STATE_FILES = (
    "lock", "lock.owner", "lock.owner.next", "manifest.json", "manifest.json.next", "audit.jsonl",
    "transaction/journal.json", "transaction/journal.json.next", "revisions/000001/revision.json",
    "revisions/000001/changes.json", "revisions/000001/before/0",
)  # fmt: skip
STATE_FOLDERS = ("transaction", "transaction/staged", "revisions", "revisions/000001", "kept")
COMMANDS = (
    ("validate",), ("plan",), ("apply", "--yes"), ("history",), ("show", "1"),
    ("rollback", "0", "--yes"), ("adopt", "directory/default/1020.xml", "--yes"), ("drift",),
    ("doctor",), ("export-state", "--out", "{root}/state.json"),
)  # fmt: skip
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")


@pytest.fixture(autouse=True)
def _never_waits() -> Iterator[None]:
    """A command that waits for a pipe would wait for good: end it, as a failure."""

    def end(_number: int, _frame: object) -> None:
        raise AssertionError("it waits for a pipe")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def applied(project: Project) -> Project:
    """Something is applied, something else is declared, and there is a file that is not ours."""
    project.prepare("apply", "--yes")
    project.write("desired/routes.yaml", "did_routes: []\n")
    project.write("victim/secret", "root's own")
    (project.root / "victim/secret").chmod(0o600)
    return project


def run_all(project: Project) -> str:
    """Run every command, whatever each says; return all that was printed."""
    said = ""
    for words in COMMANDS:
        ran = project.run(*(word.format(root=project.root) for word in words))
        said += ran.out + ran.err
    assert "Traceback" not in said
    return said


def put_aside(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


@pytest.mark.parametrize("name", STATE_FILES)
def test_a_link_in_place_of_a_state_file_is_neither_written_through_nor_read(
    applied: Project, name: str
) -> None:
    place = applied.conf / ".fsgitops" / name
    victim = applied.root / "victim/secret"
    put_aside(place)
    place.symlink_to(victim)
    said = run_all(applied)
    assert victim.read_text() == "root's own"
    assert "root's own" not in said
    assert not any(b"root's own" in data for data in applied.tree().values())


@pytest.mark.parametrize("name", STATE_FOLDERS)
def test_a_link_in_place_of_a_folder_of_the_state_is_not_followed(
    applied: Project, name: str
) -> None:
    place = applied.conf / ".fsgitops" / name
    put_aside(place)
    place.symlink_to(applied.root / "victim")
    run_all(applied)
    assert [path.name for path in (applied.root / "victim").iterdir()] == ["secret"]


@pytest.mark.parametrize("name", STATE_FILES)
def test_a_pipe_in_place_of_a_state_file_holds_nobody_up(applied: Project, name: str) -> None:
    place = applied.conf / ".fsgitops" / name
    put_aside(place)
    os.mkfifo(place)
    run_all(applied)


@pytest.mark.parametrize("name", ["manifest.json", "transaction/journal.json"])
def test_what_is_no_plain_file_is_named(applied: Project, name: str) -> None:
    place = applied.conf / ".fsgitops" / name
    put_aside(place)
    os.mkfifo(place)
    ran = applied.run("plan")
    assert ran.code == 1
    assert name in ran.err
    assert "not a plain file" in ran.err
    assert "run as a user" not in ran.err


def test_a_planted_revision_does_not_copy_a_file_out(applied: Project) -> None:
    """The file of before is a link to what only this user may read."""
    before = applied.conf / ".fsgitops/revisions/000002"
    shutil.copytree(applied.conf / ".fsgitops/revisions/000001", before)
    changes = json.loads((before / "changes.json").read_bytes())
    for change in changes["changes"]:
        change["action"] = "update"
        change["entry_before"] = {
            "sha256": "0" * 64, "resource": change["resource"], "source": "", "commit": "",
            "inputs": "",
        }  # fmt: skip
    (before / "changes.json").write_text(json.dumps(changes))
    for number in range(len(changes["changes"])):
        (before / f"before/{number}").symlink_to(applied.root / "victim/secret")
    tree = applied.tree()
    ran = applied.run("rollback", "1", "--yes")
    assert ran.code == 1
    assert "this revision cannot be undone without it" in ran.err
    assert applied.tree() == tree


@pytest.mark.parametrize(
    ("mode", "told"),
    [(0o757, "every user may write"), (0o770, "its group may write"), (0o1777, "every user may")],
)
def test_a_state_directory_that_others_may_write_is_refused_with_the_remedy(
    applied: Project, mode: int, told: str
) -> None:
    state = applied.conf / ".fsgitops"
    tree = applied.tree()
    state.chmod(mode)
    for words in (("plan",), ("apply", "--yes"), ("rollback", "--yes"), ("history",)):
        ran = applied.run(*words)
        assert ran.code == 1, words
        assert told in ran.err
        assert "chmod" in ran.err
    assert applied.tree() == tree
    assert told in applied.run("doctor").out


def test_a_state_directory_that_operators_share_is_theirs(applied: Project) -> None:
    (applied.conf / ".fsgitops").chmod(0o2770)
    assert applied.run("apply", "--yes").code == 0


def test_a_folder_of_the_state_that_others_may_write_is_refused(applied: Project) -> None:
    (applied.conf / ".fsgitops/revisions").chmod(0o777)
    ran = applied.run("rollback", "--yes")
    assert ran.code == 1
    assert "revisions: every user may write" in ran.err


@as_root
@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes"), ("rollback", "--yes")])
def test_root_refuses_a_state_directory_of_somebody_else(
    applied: Project, words: tuple[str, ...]
) -> None:
    tree = applied.tree()
    os.chown(applied.conf / ".fsgitops", 12345, -1)
    ran = applied.run(*words)
    assert ran.code == 1
    assert "belongs to uid 12345" in ran.err
    assert "-exec chown root" in ran.err
    assert applied.tree() == tree


def test_a_hard_link_among_shared_files_is_not_taken_for_one_of_ours(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o2770)
    (tmp_path / "secret").write_text("root's own")
    (state / "manifest.json").hardlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="hard link"):
        read_state(state, "manifest.json")
    write_state(state, "manifest.json", b"ours")
    assert (tmp_path / "secret").read_text() == "root's own"


def test_a_state_file_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    state = tmp_path / "state"
    write_state(state, "manifest.json", b"x" * 101)
    assert read_state(state, "manifest.json", limit=101) == b"x" * 101
    with pytest.raises(OSError, match="longer than 100 bytes"):
        read_state(state, "manifest.json", limit=100)


def test_what_is_written_goes_where_it_was_looked_at(tmp_path: Path) -> None:
    """The state directory is taken away, and a link put in its place, while it is open."""
    state, other = tmp_path / "state", tmp_path / "other"
    other.mkdir()
    with open_state(state, make=True) as opened:
        state.rename(tmp_path / "away")
        state.symlink_to(other)
        opened.replace("manifest.json", b"ours")
    assert list(other.iterdir()) == []
    assert (tmp_path / "away/manifest.json").read_bytes() == b"ours"
    with pytest.raises(UnsafeStateError, match="is a link"):
        open_state(state)


def test_the_lock_is_no_way_to_another_file(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "lock").symlink_to(tmp_path / "made")
    with pytest.raises(OSError, match="lock"), lock_state(state, wait_seconds=0):
        pass
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("restoring", [False, True])
def test_a_folder_that_becomes_a_link_in_the_last_moment_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restoring: bool
) -> None:
    """Between the look at a folder and the renames in it, a link to elsewhere takes its place."""
    conf, outside = tmp_path / "conf", tmp_path / "outside"
    (conf / "directory").mkdir(parents=True)
    outside.mkdir()
    for place in (conf / "directory", outside):
        (place / "1.xml").write_bytes(b"one")
    before = hash_file(conf / "directory/1.xml")
    operations = [Operation("directory/1.xml", b"ONE", before)]
    journal = begin_transaction(conf, conf / ".fsgitops", operations, b"{}")
    if restoring:
        replace_files(journal)
    real = folder.renameat2

    def swapping(*words: Any) -> None:
        if not (conf / "away").exists():
            (conf / "directory").rename(conf / "away")
            (conf / "directory").symlink_to(outside)
        real(*words)

    monkeypatch.setattr(folder, "renameat2", swapping)
    with pytest.raises(TransactionError, match="leads out of the conf directory"):
        (restore_files if restoring else replace_files)(journal)
    assert (outside / "1.xml").read_bytes() == b"one"


def test_nothing_is_revealed_when_others_may_write_where_that_is_noted(applied: Project) -> None:
    (applied.conf / ".fsgitops").chmod(0o777)
    ran = applied.run("credentials", "1020", "--reveal", "--json")
    assert ran.code == 1
    assert "password" not in ran.out
    assert not (applied.conf / ".fsgitops/audit.jsonl").exists()
