"""Parts of a conf directory that are mounts of their own, as volumes of a container are.

Each test runs in a process of its own that has its own mounts: nothing of them is left.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faulty_apply import Faults, recover
from project import AGENTS, ROUTES, Project

from fsgitops.transaction import folder
from fsgitops.transaction.folder import hash_file
from fsgitops.transaction.places import mounts_below
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

CLONE_NEWNS = 0x00020000
CANNOT = 77
STAGING = ".fsgitops-staging"
APPLY = ("apply", "--yes", "--no-reload", "--target", "image")


def apart(body: Callable[[], None]) -> None:
    """Run the body in a process with mounts of its own; skip where that is not permitted."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            code = _run_apart(body)
        except BaseException:
            os.write(writing, traceback.format_exc().encode()[-60000:])
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == CANNOT:
        pytest.skip("this user may have no mounts of its own (unshare and mount are refused)")
    assert code == 0, said


def _run_apart(body: Callable[[], None]) -> int:
    if sys.platform != "linux" or ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        return CANNOT
    if subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode != 0:
        return CANNOT
    body()
    return 0


def mount(kind: str, place: Path, volume: Path) -> None:
    """Mount a folder of the same file system there, or one in memory."""
    volume.mkdir(parents=True, exist_ok=True)
    words = ["--bind", str(volume)] if kind == "bind" else ["-t", "tmpfs", "none"]
    subprocess.run(["mount", *words, str(place)], check=True)


def conf_with_mount(folder: Path, kind: str) -> Path:
    """A conf directory whose `directory` is a mount, with a file on it and one beside it."""
    conf = folder / "conf"
    (conf / "directory").mkdir(parents=True)
    (conf / "dialplan").mkdir()
    mount(kind, conf / "directory", folder / "volume")
    (conf / "directory/1.xml").write_bytes(b"one")
    (conf / "directory/2.xml").write_bytes(b"two")
    (conf / "dialplan/3.xml").write_bytes(b"three")
    return conf


AFTER = {
    "directory/1.xml": b"ONE", "directory/new/4.xml": b"four", "dialplan/3.xml": b"THREE",
}  # fmt: skip


def operations(conf: Path) -> list[Operation]:
    paths = ["directory/1.xml", "directory/2.xml", "directory/new/4.xml", "dialplan/3.xml"]
    return [Operation(path, AFTER.get(path), hash_file(conf / path)) for path in paths]


def tree(conf: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(conf)): path.read_bytes()
        for path in sorted(conf.rglob("*.xml"))
        if not any(part.startswith(".") for part in path.relative_to(conf).parts)
    }


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_what_is_on_a_mount_of_its_own_is_applied_and_rolled_back(
    project: Project, kind: str
) -> None:
    def body() -> None:
        conf = project.root / "conf"
        (conf / "directory").mkdir(parents=True)
        mount(kind, conf / "directory", project.root / "volume")
        ran = project.run(*APPLY)
        assert ran.code == 0, ran.err
        first = project.tree(conf)
        assert "directory/default/1020.xml" in first
        project.write(
            "desired/agents.yaml", AGENTS.replace("Alice", "Anna").replace("1021", "1022")
        )
        ran = project.run(*APPLY)
        assert ran.code == 0, ran.err
        assert "directory/default/1022.xml" in project.tree(conf)
        assert project.run("rollback", "--yes", "--no-reload", "--target", "image").code == 0
        assert project.tree(conf) == first
        assert not (conf / "directory" / STAGING).exists()

    apart(body)


def test_the_state_directory_may_be_the_mount(project: Project) -> None:
    def body() -> None:
        conf = project.root / "conf"
        (conf / ".fsgitops").mkdir(parents=True, mode=0o750)
        mount("bind", conf / ".fsgitops", project.root / "volume")
        assert project.run(*APPLY).code == 0
        assert "directory/default/1020.xml" in project.tree(conf)
        assert (project.root / "volume/manifest.json").exists()
        assert not (conf / STAGING).exists()

    apart(body)


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_what_is_staged_is_on_the_mount_where_no_include_finds_it(
    tmp_path: Path, kind: str
) -> None:
    def body() -> None:
        conf = conf_with_mount(tmp_path, kind)
        journal = begin_transaction(conf, conf / ".fsgitops", operations(conf), b"{}")
        assert journal.mounts == ("directory",)
        staging = conf / "directory" / STAGING
        assert sorted(path.name for path in (staging / "staged").iterdir()) == ["0", "2"]
        assert not list((conf / "directory").glob("*.xml*/*"))
        assert staging.stat().st_mode & 0o777 == 0o700
        replace_files(journal)
        commit_transaction(journal)
        finish_transaction(journal)
        assert tree(conf) == AFTER

    apart(body)


class KilledError(BaseException):
    """The process ends here."""


def test_killed_before_any_file_operation_a_mount_is_in_the_one_state_or_the_other(
    tmp_path: Path,
) -> None:
    def change(conf: Path, killed: int) -> int:
        def before(number: int, _name: str) -> None:
            if number == killed:
                raise KilledError

        with suppress(KilledError), Faults(str(conf), before) as faults:
            state = conf / ".fsgitops"
            record = {"revision.json": b"{}"}
            journal = begin_transaction(conf, state, operations(conf), b"{}", record=record)
            replace_files(journal)
            commit_transaction(journal)
            finish_transaction(journal)
        return len(faults.done)

    def body() -> None:
        count = change(conf_with_mount(tmp_path / "count", "bind"), -1)
        assert count > 60
        seen = set()
        for number in range(count):
            conf = conf_with_mount(tmp_path / str(number), "bind")
            before = tree(conf)
            change(conf, number)
            recover(conf)
            now = tree(conf)
            assert now in (before, AFTER), number
            assert not (conf / "directory" / STAGING).exists(), number
            assert not (conf / ".fsgitops/transaction").exists(), number
            seen.add(now == before)
            subprocess.run(["umount", str(conf / "directory")], check=True)
        assert seen == {False, True}

    apart(body)


def test_an_edit_of_the_last_moment_on_a_mount_is_kept_on_it(tmp_path: Path) -> None:
    def body() -> None:
        conf = conf_with_mount(tmp_path, "tmpfs")
        before = tree(conf)
        journal = begin_transaction(conf, conf / ".fsgitops", operations(conf), b"{}")
        real = folder.renameat2

        def meddling(*words: int) -> None:
            folder.renameat2 = real
            (conf / "directory/editor").write_bytes(b"an edit")
            (conf / "directory/editor").rename(conf / "directory/1.xml")
            real(*words)  # type: ignore[arg-type]

        folder.renameat2 = meddling  # type: ignore[assignment]
        with pytest.raises(TransactionError, match="somebody else changed it"):
            replace_files(journal)
        kept = restore_files(journal)
        forget_transaction(journal)
        assert [Path(name).read_bytes() for name in kept] == [b"an edit"]
        assert f"directory/{STAGING}/kept/" in kept[0]
        assert tree(conf) == before

    apart(body)


def test_a_revision_of_what_was_on_a_mount_has_its_bytes(tmp_path: Path) -> None:
    def body() -> None:
        conf = conf_with_mount(tmp_path, "tmpfs")
        record = {"revision.json": b"{}"}
        state = conf / ".fsgitops"
        journal = begin_transaction(conf, state, operations(conf), b"{}", record=record)
        replace_files(journal)
        commit_transaction(journal)
        finish_transaction(journal)
        assert (state / "revisions/000001/before/0").read_bytes() == b"one"
        assert (state / "revisions/000001/before/1").read_bytes() == b"two"

    apart(body)


def test_a_file_that_is_mounted_alone_stops_the_plan_with_the_remedy(project: Project) -> None:
    def body() -> None:
        conf = project.root / "conf"
        conf.mkdir()
        assert project.run(*APPLY).code == 0
        place = conf / "directory/default/1020.xml"
        own = project.root / "own file.xml"
        own.write_bytes(place.read_bytes())
        subprocess.run(["mount", "--bind", str(own), str(place)], check=True)
        assert mounts_below(conf) == {"directory/default/1020.xml"}
        project.write("desired/agents.yaml", AGENTS.replace("Alice", "Anna"))
        ran = project.run("plan", "--target", "image")
        assert "hazard-mount" in ran.out + ran.err
        assert "mount its folder" in ran.out + ran.err
        assert project.run(*APPLY).code == 4
        assert "a single mounted file" in project.run("doctor", "--target", "image").out

    apart(body)


def test_doctor_names_a_mount_and_whether_it_can_be_staged_on(project: Project) -> None:
    def body() -> None:
        conf = project.root / "conf"
        place = conf / "a name"
        place.mkdir(parents=True)
        mount("tmpfs", place, project.root / "volume")
        assert mounts_below(conf) == {"a name"}
        said = " ".join(project.run("doctor", "--target", "image").out.split())
        assert "is a mount of its own: its files are staged on it" in said
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        said = " ".join(project.run("doctor", "--target", "image").out.split())
        assert "nothing can be staged on it" in said

    apart(body)


def test_a_mount_that_takes_nothing_fails_before_anything_is_touched(project: Project) -> None:
    def body() -> None:
        conf = project.root / "conf"
        (conf / "directory").mkdir(parents=True)
        mount("tmpfs", conf / "directory", project.root / "volume")
        assert project.run(*APPLY).code == 0
        before = project.tree(conf)
        subprocess.run(["mount", "-o", "remount,ro", str(conf / "directory")], check=True)
        project.write("desired/routes.yaml", ROUTES.replace("5431333", "5431334"))
        project.write("desired/agents.yaml", AGENTS.replace("Alice", "Anna"))
        ran = project.run(*APPLY)
        assert ran.code == 1
        assert "Read-only file system; no file was changed" in ran.err
        assert project.tree(conf) == before

    apart(body)
