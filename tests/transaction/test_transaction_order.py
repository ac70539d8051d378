"""What must stand on the disk before what: the order that a power failure cannot break."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from fsgitops.transaction import folder
from fsgitops.transaction.folder import hash_file
from fsgitops.transaction.stage import Operation
from fsgitops.transaction.transact import (
    begin_transaction,
    commit_transaction,
    finish_transaction,
    forget_transaction,
    replace_files,
    restore_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Log:
    """Every sync and every rename below a folder, in order, as `sync PATH` and `to PATH`."""

    def __init__(self, conf: Path, patch: pytest.MonkeyPatch) -> None:
        self.lines: list[str] = []
        self._paths: dict[int, str] = {}
        self._conf = conf
        real_open, real_fsync = os.open, os.fsync

        def open_logged(path: Any, *words: Any, **options: Any) -> int:
            descriptor = real_open(path, *words, **options)
            self._paths[descriptor] = self._whole(path, options.get("dir_fd"))
            return descriptor

        def fsync_logged(descriptor: int) -> None:
            self.add("sync", self._paths[descriptor])
            real_fsync(descriptor)

        patch.setattr(os, "open", open_logged)
        patch.setattr(os, "fsync", fsync_logged)
        for name in ("rename", "replace"):
            self._log_rename(patch, name, getattr(os, name))
        real_unlink, real_exchange = os.unlink, folder.renameat2

        def unlink_logged(path: Any, *words: Any, **options: Any) -> None:
            self.add("gone", self._whole(path, options.get("dir_fd")))
            real_unlink(path, *words, **options)

        def exchange_logged(source: int, name: str, target: int, other: str, flags: int) -> None:
            self.add("to", self._whole(other, target))
            real_exchange(source, name, target, other, flags)

        patch.setattr(os, "unlink", unlink_logged)
        patch.setattr(folder, "renameat2", exchange_logged)

    def _log_rename(self, patch: pytest.MonkeyPatch, name: str, real: Any) -> None:
        def logged(source: Any, target: Any, **options: Any) -> None:
            self.add("to", self._whole(target, options.get("dst_dir_fd")))
            real(source, target, **options)

        patch.setattr(os, name, logged)

    def _whole(self, path: Any, folder: int | None) -> str:
        return str(path) if folder is None else f"{self._paths[folder]}/{path}"

    def add(self, what: str, path: str) -> None:
        self.lines.append(f"{what} {os.path.relpath(path, self._conf)}")

    def expect_order(self, *wanted: str) -> None:
        """Each of these came, and the last time it did was after the one before it."""
        position = -1
        for line in wanted:
            assert line in self.lines, (line, self.lines)
            at = self.lines.index(line, position + 1) if line in self.lines[position + 1 :] else -1
            assert at > position, (line, self.lines)
            position = at


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    conf = tmp_path / "conf"
    (conf / "directory").mkdir(parents=True)
    (conf / "directory/1.xml").write_bytes(b"one")
    return conf


@pytest.fixture
def log(conf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    with monkeypatch.context() as patch:
        yield Log(conf, patch)


STATE = ".fsgitops"
HELD = f"{STATE}/transaction"


def begin(conf: Path) -> Any:
    operations = [
        Operation("directory/1.xml", b"ONE", hash_file(conf / "directory/1.xml")),
        Operation("a/b/2.xml", b"two"),
    ]
    return begin_transaction(conf, conf / STATE, operations, b"{}", record={"revision.json": b"{}"})


def test_everything_staged_and_the_journal_are_on_the_disk_before_the_first_touch(
    conf: Path, log: Log
) -> None:
    replace_files(begin(conf))
    for file in ("staged/0", "staged/1", "record/before/0", "manifest", "record/revision.json"):
        log.expect_order(f"sync {HELD}/{file}", f"to {HELD}/journal.json", "to directory/1.xml")
    for synced in (f"{HELD}/staged", f"{HELD}/record/before", f"{HELD}/record", HELD, STATE, "."):
        log.expect_order(f"sync {synced}", f"to {HELD}/journal.json", "to directory/1.xml")
    log.expect_order(
        f"sync {HELD}/journal.json.next",
        f"to {HELD}/journal.json",
        f"sync {HELD}",
        "to directory/1.xml",
    )


@pytest.mark.parametrize("folder", ["directory", "a/b", "a", "."])
def test_every_touched_folder_is_on_the_disk_before_the_commit(
    conf: Path, log: Log, folder: str
) -> None:
    journal = begin(conf)
    replace_files(journal)
    log.lines.append("COMMIT")
    commit_transaction(journal)
    log.expect_order("to a/b/2.xml", f"sync {folder}", "COMMIT", f"to {HELD}/journal.json")


def test_the_manifest_and_the_revision_are_on_the_disk_before_the_journal_goes(
    conf: Path, log: Log
) -> None:
    journal = begin(conf)
    replace_files(journal)
    commit_transaction(journal)
    finish_transaction(journal)
    gone = f"gone {HELD}/journal.json"
    log.expect_order(f"sync {HELD}", f"to {STATE}/manifest.json", f"sync {STATE}", gone)
    log.expect_order(f"to {STATE}/revisions/000001", f"sync {STATE}/revisions", gone)
    log.expect_order(gone, f"sync {HELD}")


def test_what_is_put_back_is_on_the_disk_before_the_journal_goes(conf: Path, log: Log) -> None:
    journal = begin(conf)
    replace_files(journal)
    log.lines.clear()
    restore_files(journal)
    forget_transaction(journal)
    log.expect_order("to directory/1.xml", "sync directory", f"gone {HELD}/journal.json")
