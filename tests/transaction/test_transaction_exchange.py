"""What somebody saves while an apply is at work is never gone: it is in its place, or kept."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faulty_apply import Faults, recover

from fsgitops.transaction import folder
from fsgitops.transaction.journal import Journal
from fsgitops.transaction.stage import Operation
from fsgitops.transaction.state import TransactionError
from fsgitops.transaction.transact import (
    begin_transaction,
    commit_transaction,
    finish_transaction,
    forget_transaction,
    replace_files,
    restore_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from project import Project

EDIT = b"an edit of the last moment"
PATHS = {"update": "directory/1.xml", "delete": "directory/2.xml", "create": "directory/3.xml"}
BEFORE = {"directory/1.xml": b"one", "directory/2.xml": b"two"}
AFTER = {"directory/1.xml": b"ONE", "directory/3.xml": b"three"}


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return fresh(tmp_path / "conf")


@pytest.fixture(params=["exchange", "no exchange"])
def exchanging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Tell whether the file system lets files change places; make it one that does not."""
    if request.param == "no exchange":
        without_exchange(monkeypatch)
    return bool(request.param == "exchange")


def without_exchange(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    patch.setattr(folder, "renameat2", refuse)


def fresh(conf: Path) -> Path:
    for name, content in BEFORE.items():
        (conf / name).parent.mkdir(parents=True, exist_ok=True)
        (conf / name).write_bytes(content)
    return conf


def begin(conf: Path) -> Journal:
    operations = [
        Operation(path, AFTER.get(path), sha(BEFORE[path]) if path in BEFORE else "")
        for path in PATHS.values()
    ]
    return begin_transaction(conf, conf / ".fsgitops", operations, b"{}", record={"x.json": b"{}"})


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def save_by_rename(place: Path) -> None:
    """As an editor does: a file of its own, renamed over the one that was read."""
    aside = place.with_name("editor.tmp")
    aside.write_bytes(EDIT)
    aside.rename(place)


def found(conf: Path, place: Path) -> list[Path]:
    """Return where the edit is: in its place, or among what is kept."""
    kept = sorted((conf / ".fsgitops/kept").glob("*"))
    return [path for path in [place, *kept] if path.is_file() and path.read_bytes() == EDIT]


@pytest.mark.parametrize("kind", PATHS)
def test_an_edit_between_the_look_and_the_rename_stops_everything_and_is_kept(
    conf: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whatever the step: the edit is saved in the very call that would have replaced the file."""
    journal = begin(conf)
    place = conf / PATHS[kind]
    name = "rename" if kind == "delete" else "renameat2"
    module: Any = os if kind == "delete" else folder
    real = getattr(module, name)

    def meddling(*words: Any, **options: Any) -> None:
        if words[0 if kind == "delete" else 3] == place.name:
            monkeypatch.setattr(module, name, real)
            save_by_rename(place)
        real(*words, **options)

    monkeypatch.setattr(module, name, meddling)
    with pytest.raises(TransactionError, match=f"{place.name}: somebody else changed it"):
        replace_files(journal)
    kept = restore_files(journal)
    forget_transaction(journal)
    assert [Path(where).read_bytes() for where in kept] == [EDIT]
    assert {path: (conf / path).read_bytes() for path in BEFORE} == BEFORE
    assert sorted(path.name for path in (conf / "directory").iterdir()) == ["1.xml", "2.xml"]


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize("restoring", [False, True], ids=["replacing", "restoring"])
def test_an_edit_at_any_moment_outlives_the_apply_and_any_kill(
    tmp_path: Path, kind: str, restoring: bool
) -> None:
    """Before each file operation an edit is saved; the process is killed at each one after it."""
    count = len(run(fresh(tmp_path / "count"), kind, restoring, -1, -1))
    assert count > 8
    for edited in range(count):
        for killed in [-1, *range(edited + 1, min(edited + 6, count))]:
            conf = fresh(tmp_path / f"{edited}.{killed}")
            run(conf, kind, restoring, edited, killed)
            recover(conf)
            place = conf / PATHS[kind]
            assert found(conf, place), (edited, killed)
            assert not any(path.stat().st_nlink > 1 for path in conf.rglob("*.xml"))
            others = {path: read(conf / path) for path in PATHS.values() if path != PATHS[kind]}
            states = [{path: whole.get(path) for path in others} for whole in (BEFORE, AFTER)]
            assert others in states, (edited, killed)


def read(place: Path) -> bytes | None:
    return place.read_bytes() if place.exists() else None


def run(conf: Path, kind: str, restoring: bool, edited: int, killed: int) -> list[str]:
    """Replace everything, or put it back, with an edit before one operation and a kill at one."""
    journal = begin(conf)
    if restoring:
        replace_files(journal)

    def before(number: int, _name: str) -> None:
        if number == edited:
            save_by_rename(conf / PATHS[kind])
        if number == killed:
            raise KilledError

    faults = Faults(str(conf / ".fsgitops"), before)
    try:
        with faults:
            if restoring:
                restore_files(journal)
                forget_transaction(journal)
            else:
                replace_files(journal)
                commit_transaction(journal)
                finish_transaction(journal)
    except (KilledError, TransactionError):
        pass
    return faults.done


@pytest.mark.usefixtures("exchanging")
def test_it_is_applied_and_put_back_whether_files_can_change_places_or_not(conf: Path) -> None:
    journal = begin(conf)
    replace_files(journal)
    now = {path: (conf / path).read_bytes() for path in AFTER}
    assert now == AFTER
    assert not (conf / PATHS["delete"]).exists()
    assert restore_files(journal) == []
    forget_transaction(journal)
    assert {path: (conf / path).read_bytes() for path in BEFORE} == BEFORE
    assert not (conf / PATHS["create"]).exists()


def test_where_files_cannot_change_places_an_edit_before_the_look_is_kept(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_exchange(monkeypatch)
    journal = begin(conf)
    save_by_rename(conf / PATHS["update"])
    with pytest.raises(TransactionError, match="somebody else changed it"):
        replace_files(journal)
    assert [Path(name).read_bytes() for name in restore_files(journal)] == [EDIT]


def test_where_files_cannot_change_places_a_created_file_replaces_no_other(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_exchange(monkeypatch)
    journal = begin(conf)
    real = os.link

    def meddling(*words: Any, **options: Any) -> None:
        save_by_rename(conf / PATHS["create"])
        real(*words, **options)

    monkeypatch.setattr(os, "link", meddling)
    with pytest.raises(TransactionError, match="somebody else changed it"):
        replace_files(journal)
    monkeypatch.setattr(os, "link", real)
    assert [Path(name).read_bytes() for name in restore_files(journal)] == [EDIT]


@pytest.mark.usefixtures("exchanging")
@pytest.mark.parametrize("replaced", [False, True], ids=["before it", "after it"])
def test_an_edit_in_place_stands_where_it_was_written_and_is_told(
    conf: Path, replaced: bool
) -> None:
    """Somebody has the file open, and writes into it when it is set aside already."""
    place = conf / PATHS["update"]
    with place.open("r+b") as editor:
        journal = begin(conf)
        if replaced:
            replace_files(journal)
        editor.write(EDIT)
    kept = restore_files(journal)
    forget_transaction(journal)
    assert kept == [str(place)]
    assert place.read_bytes() == EDIT
    assert place.stat().st_nlink == 1
    assert (conf / PATHS["delete"]).read_bytes() == b"two"


def test_what_is_put_in_place_has_the_mode_of_what_came_out(conf: Path) -> None:
    (conf / PATHS["update"]).chmod(0o604)
    journal = begin(conf)
    replace_files(journal)
    assert stat.S_IMODE((conf / PATHS["update"]).stat().st_mode) == 0o604


def test_an_apply_says_where_the_edit_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.run("apply", "--yes").code == 0
    agents = project.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "Anna"))
    place = project.conf / "directory/default/1020.xml"
    before = place.read_bytes()
    real: Callable[..., None] = folder.renameat2

    def meddling(*words: Any) -> None:
        if words[3] == place.name:
            monkeypatch.setattr(folder, "renameat2", real)
            save_by_rename(place)
        real(*words)

    monkeypatch.setattr(folder, "renameat2", meddling)
    ran = project.run("apply", "--yes")
    assert ran.code == 5
    told = "a file that somebody else wrote meanwhile is kept as "
    where = ran.err.partition(told)[2].splitlines()[0]
    assert Path(where).read_bytes() == EDIT
    assert place.read_bytes() == before
