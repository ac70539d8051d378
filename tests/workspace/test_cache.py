"""The cache may be gone, torn, foreign or full: then it is as good as not there."""

from __future__ import annotations

import base64
import multiprocessing
import os
from pathlib import Path

import pytest
from project import KEY

from fsgitops.secret.key import ProjectKey, new_key
from fsgitops.workspace import cache as cache_module
from fsgitops.workspace.cache import ENTRY_LIMIT, Cache

THE_KEY = ProjectKey(base64.b64decode(KEY))
VALUE = b'{"unchanged": 3}\n'
ROOM = 200 * 8192
"""As many small entries are kept."""


def open_cache(tmp_path: Path, key: ProjectKey = THE_KEY, **environ: str) -> Cache:
    return Cache(
        tmp_path / "project",
        key,
        environ or {"XDG_CACHE_HOME": str(tmp_path / "xdg")},
        "part",
        ROOM,
    )


def entries(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "xdg").rglob("*") if not path.is_dir())


def find_place(tmp_path: Path, what: str) -> Path:
    (entry,) = entries(tmp_path)
    places = [entry, *entry.parents]
    return places[("entry", "part", "project", "ours", "base").index(what)]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = open_cache(tmp_path)
    made.write(b"subject", VALUE)
    return made


def test_what_was_kept_is_read_by_another_process_and_nothing_else(
    cache: Cache, tmp_path: Path
) -> None:
    assert open_cache(tmp_path).read(b"subject") == VALUE
    assert cache.read(b"another") is None


def test_only_its_user_may_read_it(cache: Cache, tmp_path: Path) -> None:
    made = list((tmp_path / "xdg").rglob("*"))
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o600}


def test_without_xdg_it_is_below_home_and_a_relative_place_is_none(tmp_path: Path) -> None:
    open_cache(tmp_path, HOME=str(tmp_path), XDG_CACHE_HOME="relative").write(b"subject", VALUE)
    assert len(list((tmp_path / ".cache" / "fsgitops").rglob("*"))) == 3
    nowhere = open_cache(tmp_path, HOME="relative")
    nowhere.write(b"subject", VALUE)
    assert nowhere.read(b"subject") is None
    assert not Path("relative").exists()


def test_another_key_neither_finds_an_entry_nor_believes_one(cache: Cache, tmp_path: Path) -> None:
    other = open_cache(tmp_path, ProjectKey(base64.b64decode(new_key())))
    assert other.read(b"subject") is None
    (ours,) = entries(tmp_path)
    other.write(b"subject", VALUE)
    (theirs,) = set(entries(tmp_path)) - {ours}
    theirs.write_bytes(ours.read_bytes())
    assert other.read(b"subject") is None


def test_an_entry_that_is_cut_anywhere_is_not_used(cache: Cache, tmp_path: Path) -> None:
    (entry,) = entries(tmp_path)
    whole = entry.read_bytes()
    for length in range(len(whole)):
        entry.write_bytes(whole[:length])
        assert cache.read(b"subject") is None
    entry.write_bytes(whole)
    assert cache.read(b"subject") == VALUE


def test_an_entry_with_any_other_byte_is_not_used(cache: Cache, tmp_path: Path) -> None:
    (entry,) = entries(tmp_path)
    whole = entry.read_bytes()
    for at in range(len(whole)):
        entry.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert cache.read(b"subject") is None


def test_the_entry_of_another_subject_is_not_used(cache: Cache, tmp_path: Path) -> None:
    (entry,) = entries(tmp_path)
    cache.write(b"another", b"1")
    (other,) = set(entries(tmp_path)) - {entry}
    other.write_bytes(entry.read_bytes())
    assert cache.read(b"another") is None


@pytest.mark.parametrize("what", ["base", "ours", "project", "part", "entry"])
def test_what_is_replaced_by_a_link_is_not_followed(
    what: str, cache: Cache, tmp_path: Path
) -> None:
    place = find_place(tmp_path, what)
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    known = cache.read(b"subject")
    # ~/.cache itself may be a link of the user's, to a larger disk.
    assert known == (VALUE if what == "base" else None)


@pytest.mark.parametrize("what", ["ours", "project", "part", "entry"])
def test_what_others_may_read_or_write_is_not_used(what: str, cache: Cache, tmp_path: Path) -> None:
    place = find_place(tmp_path, what)
    for mode in (0o020, 0o002, 0o004, 0o040):
        place.chmod((0o600 if what == "entry" else 0o700) | mode)
        assert cache.read(b"subject") is None


def test_what_belongs_to_another_user_is_neither_used_nor_written(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = entries(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert cache.read(b"subject") is None
    cache.write(b"another", VALUE)
    assert entries(tmp_path) == before


def test_root_makes_no_folder_in_the_home_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    open_cache(tmp_path, HOME=str(tmp_path)).write(b"subject", VALUE)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xdg").write_text("a file stands where the folder should be")
    cache = open_cache(tmp_path)
    cache.write(b"subject", VALUE)
    assert cache.read(b"subject") is None
    (tmp_path / "xdg").unlink()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "write_all", refuse)
    cache.write(b"subject", VALUE)
    assert cache.read(b"subject") is None
    assert entries(tmp_path) == []


def test_a_process_that_is_killed_while_it_writes_leaves_the_entry_as_it_was(
    cache: Cache, tmp_path: Path
) -> None:
    process = multiprocessing.get_context("fork").Process(target=write_and_die, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert len(entries(tmp_path)) == 2
    assert cache.read(b"subject") == VALUE
    cache.write(b"subject", b"2")
    assert cache.read(b"subject") == b"2"


def write_and_die(tmp_path: Path) -> None:
    def die(descriptor: int, content: bytes) -> None:
        os.write(descriptor, content[: len(content) // 2])
        os._exit(9)

    cache_module.write_all = die
    open_cache(tmp_path).write(b"subject", b"1")


def test_many_processes_write_and_read_at_once_and_each_finds_a_whole_entry(
    tmp_path: Path,
) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=write_and_read, args=(tmp_path, n)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(entries(tmp_path)) == 3


def write_and_read(tmp_path: Path, number: int) -> None:
    cache = open_cache(tmp_path)
    for turn in range(60):
        subject = b"%d" % (turn % 3)
        cache.write(subject, b"%d" % number * 5000)
        cache.tidy()
        found = cache.read(subject)
        assert found is not None
        assert len(found) == 5000
        assert len(set(found)) == 1


def test_it_may_be_deleted_at_any_time(cache: Cache, tmp_path: Path) -> None:
    entry = entries(tmp_path)[0]
    entry.unlink()
    assert cache.read(b"subject") is None
    entry.parent.rmdir()
    assert cache.read(b"subject") is None
    cache.write(b"subject", VALUE)
    assert cache.read(b"subject") == VALUE


def test_it_is_bounded_and_what_was_used_last_stays(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    known: set[Path] = set()
    for number in range(200):
        cache.write(b"%d" % number, b"")
        (place,) = set(entries(tmp_path)) - known
        known.add(place)
        os.utime(place, ns=(number, number))
    assert cache.read(b"0") == b""
    cache.write(b"one more", b"1")
    cache.tidy()
    assert len(entries(tmp_path)) == 200
    assert cache.read(b"0") == b""
    assert cache.read(b"1") is None
    assert cache.read(b"2") == b""
    cache.write(b"large", b"x" * (ROOM // 2))
    cache.tidy()
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= ROOM
    assert cache.read(b"0") == b""
    assert cache.read(b"large") is not None


def test_an_entry_that_is_too_long_is_not_kept(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.write(b"subject", b"x" * (ENTRY_LIMIT + 1))
    assert cache.read(b"subject") is None


def test_what_another_program_kept_is_not_found(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "fsgitops"
    package.mkdir()
    module = package / "__init__.py"
    module.write_text("a = 1")
    monkeypatch.setattr(cache_module.fsgitops, "__file__", str(module))
    cache_module.digest_program.cache_clear()
    other = open_cache(tmp_path)
    assert other.read(b"subject") is None
    other.write(b"subject", b"other")
    status = module.stat()
    module.write_text("a = 2")
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))
    cache_module.digest_program.cache_clear()
    assert open_cache(tmp_path).read(b"subject") is None
    monkeypatch.undo()
    cache_module.digest_program.cache_clear()
    assert open_cache(tmp_path).read(b"subject") == VALUE


def test_what_was_kept_before_a_package_was_installed_is_not_found(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(str(packages))
    cache_module.digest_program.cache_clear()
    open_cache(tmp_path).write(b"subject", VALUE)
    (packages / "phonenumbers-9.dist-info").mkdir()
    cache_module.digest_program.cache_clear()
    assert open_cache(tmp_path).read(b"subject") is None
    cache_module.digest_program.cache_clear()
