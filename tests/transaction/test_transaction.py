"""All or nothing on a directory."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.transaction import folder, transact
from fsgitops.transaction.journal import read_journal
from fsgitops.transaction.lock import LockedError, lock_state
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


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    conf = tmp_path / "conf"
    (conf / "directory").mkdir(parents=True)
    (conf / "directory" / "1.xml").write_bytes(b"one")
    (conf / "directory" / "2.xml").write_bytes(b"two")
    (conf / "directory" / "foreign.xml").write_bytes(b"foreign")
    return conf


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def snapshot(conf: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(conf)): path.read_bytes()
        for path in sorted(conf.rglob("*"))
        if path.is_file() and ".fsgitops" not in path.parts
    }


OPERATIONS = [
    Operation("directory/1.xml", b"ONE", sha(b"one")),
    Operation("directory/2.xml", None, sha(b"two")),
    Operation("dialplan/public/3.xml", b"three"),
]
AFTER = {
    "directory/1.xml": b"ONE",
    "directory/foreign.xml": b"foreign",
    "dialplan/public/3.xml": b"three",
}


def begin(conf: Path) -> transact.Journal:
    return begin_transaction(conf, conf / ".fsgitops", OPERATIONS, b'{"manifest": 1}')


def test_a_committed_transaction_leaves_exactly_the_declared_files(conf: Path) -> None:
    journal = begin(conf)
    replace_files(journal)
    commit_transaction(journal)
    finish_transaction(journal)
    assert snapshot(conf) == AFTER
    assert (conf / ".fsgitops" / "manifest.json").read_bytes() == b'{"manifest": 1}'
    assert not (conf / ".fsgitops" / "transaction").exists()


def test_a_restored_transaction_leaves_exactly_what_was_there(conf: Path) -> None:
    before = snapshot(conf)
    journal = begin(conf)
    replace_files(journal)
    assert restore_files(journal) == []
    assert snapshot(conf) == before
    assert not (conf / "dialplan").exists()
    assert not (conf / ".fsgitops" / "manifest.json").exists()


def test_staging_touches_no_file(conf: Path) -> None:
    before = snapshot(conf)
    begin(conf)
    assert snapshot(conf) == before


def test_a_replaced_file_keeps_its_mode(conf: Path) -> None:
    (conf / "directory" / "1.xml").chmod(0o604)
    journal = begin(conf)
    replace_files(journal)
    assert stat.S_IMODE((conf / "directory" / "1.xml").stat().st_mode) == 0o604


def test_a_fresh_file_is_0640_with_the_group_of_its_directory(conf: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give the directory another group")
    (conf / "dialplan" / "public").mkdir(parents=True)
    os.chown(conf / "dialplan" / "public", -1, 12345)
    journal = begin(conf)
    replace_files(journal)
    status = (conf / "dialplan" / "public" / "3.xml").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o640, 12345)


def test_a_restored_file_is_the_very_same_inode(conf: Path) -> None:
    inode = (conf / "directory" / "1.xml").stat().st_ino
    journal = begin(conf)
    replace_files(journal)
    restore_files(journal)
    assert (conf / "directory" / "1.xml").stat().st_ino == inode


def test_a_file_that_changed_since_it_was_read_stops_everything(conf: Path) -> None:
    (conf / "directory" / "1.xml").write_bytes(b"edited")
    before = snapshot(conf)
    with pytest.raises(TransactionError, match="no file was changed"):
        begin(conf)
    assert snapshot(conf) == before
    assert read_journal(conf, conf / ".fsgitops") is None


def test_a_file_that_appeared_where_one_is_to_be_created_stops_everything(conf: Path) -> None:
    (conf / "dialplan" / "public").mkdir(parents=True)
    (conf / "dialplan" / "public" / "3.xml").write_bytes(b"theirs")
    with pytest.raises(TransactionError, match=r"3\.xml"):
        begin(conf)
    assert (conf / "dialplan" / "public" / "3.xml").read_bytes() == b"theirs"


def test_what_somebody_writes_during_an_apply_is_kept_aside_by_a_restore(conf: Path) -> None:
    journal = begin(conf)
    replace_files(journal)
    (conf / "directory" / "1.xml").write_bytes(b"their edit")
    kept = restore_files(journal)
    assert [Path(name).read_bytes() for name in kept] == [b"their edit"]
    assert (conf / "directory" / "1.xml").read_bytes() == b"one"


@pytest.mark.parametrize("replaced", [False, True])
def test_an_interrupted_transaction_is_undone_from_its_journal(conf: Path, replaced: bool) -> None:
    before = snapshot(conf)
    journal = begin(conf)
    if replaced:
        replace_files(journal)
    found = read_journal(conf, conf / ".fsgitops")
    assert found is not None
    restore_files(found)
    forget_transaction(found)
    assert snapshot(conf) == before
    assert read_journal(conf, conf / ".fsgitops") is None


def test_an_interrupted_commit_is_finished_from_its_journal(conf: Path) -> None:
    journal = begin(conf)
    replace_files(journal)
    commit_transaction(journal)
    found = read_journal(conf, conf / ".fsgitops")
    assert found is not None
    assert found.committed
    finish_transaction(found)
    assert snapshot(conf) == AFTER
    assert (conf / ".fsgitops" / "manifest.json").exists()


def test_a_journal_that_cannot_be_read_is_an_error_not_a_shrug(conf: Path) -> None:
    begin(conf)
    (conf / ".fsgitops" / "transaction" / "journal.json").write_text("{")
    with pytest.raises(TransactionError, match=r"journal\.json cannot be read"):
        read_journal(conf, conf / ".fsgitops")


def test_a_second_lock_is_refused_at_once_when_nobody_wants_to_wait(tmp_path: Path) -> None:
    with (
        lock_state(tmp_path / "state", wait_seconds=0),
        pytest.raises(LockedError, match=f"process {os.getpid()}"),
        lock_state(tmp_path / "state", wait_seconds=0),
    ):
        pass


def test_a_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with lock_state(tmp_path / "state", wait_seconds=0):
            pass


@settings(max_examples=40, deadline=None)
@given(
    before=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=8), max_size=6),
    after=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=8), max_size=6),
    stop=st.integers(min_value=0, max_value=12),
)
def test_stopped_anywhere_and_recovered_the_tree_is_as_before(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, bytes],
    after: dict[str, bytes],
    stop: int,
) -> None:
    conf = tmp_path_factory.mktemp("conf")
    for name, content in before.items():
        (conf / name).write_bytes(content)
    operations = [
        Operation(name, after.get(name), sha(before[name]) if name in before else "")
        for name in sorted({*before, *after})
    ]
    journal = begin_transaction(conf, conf / ".fsgitops", operations, b"{}")
    part = transact.Journal(conf, journal.folder, journal.steps[:stop], ())
    replace_files(part)
    found = read_journal(conf, conf / ".fsgitops")
    assert found is not None
    restore_files(found)
    forget_transaction(found)
    assert snapshot(conf) == before


def test_the_journal_names_no_content(conf: Path) -> None:
    journal = begin(conf)
    data = json.loads((journal.folder / "journal.json").read_bytes())
    assert data["steps"][0] == ["directory/1.xml", sha(b"one"), sha(b"ONE")]


def test_everything_that_somebody_put_in_the_way_is_kept_aside_under_a_name_of_its_own(
    conf: Path,
) -> None:
    kept: list[str] = []
    for turn in range(3):
        journal = begin(conf)
        replace_files(journal)
        target = conf / "directory" / "1.xml"
        target.unlink()
        if turn == 0:
            target.symlink_to(conf / "directory" / "foreign.xml")
        elif turn == 1:
            target.mkdir()
        else:
            target.write_bytes(b"theirs")
        kept += restore_files(journal)
        forget_transaction(journal)
        assert target.read_bytes() == b"one"
    assert len(set(kept)) == 3
    assert Path(kept[0]).is_symlink()
    assert Path(kept[1]).is_dir()
    assert Path(kept[2]).read_bytes() == b"theirs"
    assert (conf / "directory" / "foreign.xml").read_bytes() == b"foreign"


def test_an_unfinished_transaction_is_never_overwritten_by_another(conf: Path) -> None:
    begin(conf)
    with pytest.raises(TransactionError, match="unfinished"):
        begin(conf)
    assert read_journal(conf, conf / ".fsgitops") is not None


def test_a_file_edited_between_staging_and_replacing_stops_everything(conf: Path) -> None:
    journal = begin(conf)
    (conf / "directory" / "2.xml").unlink()
    (conf / "directory" / "2.xml").write_bytes(b"an edit of the last second")
    with pytest.raises(TransactionError, match="somebody else changed it"):
        replace_files(journal)
    kept = restore_files(journal)
    assert [Path(name).read_bytes() for name in kept] == [b"an edit of the last second"]
    assert (conf / "directory" / "1.xml").read_bytes() == b"one"


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", ".fsgitops/manifest.json", "a//b", "a/../b", ""]
)
def test_a_journal_that_names_a_path_outside_is_not_followed(conf: Path, path: str) -> None:
    begin(conf)
    journal = conf / ".fsgitops/transaction/journal.json"
    data = json.loads(journal.read_text())
    journal.write_text(json.dumps({**data, "steps": [[path, "", sha(b"x")]]}))
    with pytest.raises(TransactionError, match="outside the conf directory"):
        read_journal(conf, conf / ".fsgitops")


def test_a_new_folder_is_as_readable_as_the_one_it_is_in(conf: Path) -> None:
    conf.chmod(0o2755)
    replace_files(begin(conf))
    mode = stat.S_IMODE((conf / "dialplan" / "public").stat().st_mode)
    assert mode & 0o777 == 0o755


def test_what_was_staged_by_a_process_that_died_before_its_journal_is_removed(conf: Path) -> None:
    journal = begin(conf)
    (journal.folder / "journal.json").unlink()
    assert (conf / "directory" / "1.xml").stat().st_nlink == 2
    transact.clear_litter(conf, conf / ".fsgitops")
    assert (conf / "directory" / "1.xml").stat().st_nlink == 1
    assert not journal.folder.exists()


def test_a_journal_that_stands_is_no_litter(conf: Path) -> None:
    journal = begin(conf)
    transact.clear_litter(conf, conf / ".fsgitops")
    assert read_journal(conf, conf / ".fsgitops") == journal


def test_a_journal_that_this_user_may_not_read_says_as_whom_to_run(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: object, name: str, _limit: int) -> bytes:
        raise PermissionError(13, "Permission denied", name)

    begin(conf)
    monkeypatch.setattr(folder.Folder, "read", refuse)
    with pytest.raises(TransactionError, match=r"you may not open it; run as .* use sudo") as told:
        read_journal(conf, conf / ".fsgitops")
    assert "\n" not in str(told.value)


def test_a_disk_that_is_full_is_told_by_the_file_that_it_has_no_room_for(conf: Path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    big = Operation("directory/big.xml", b"x" * 100_000)
    try:
        with pytest.raises(TransactionError, match=r"directory/big\.xml: File too large; no file"):
            begin_transaction(conf, conf / ".fsgitops", [big], b"{}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
