"""Every file that the program replaces is old or new, whole, also after a power failure."""

from __future__ import annotations

import ast
import errno
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops import durable
from fsgitops.durable import create_file, replace_file, write_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from project import Project

LOOSE = "agents:\n      - extension: 1029\n        name: 'Zoe'\n"
COMMANDS = {
    "key rotate": ("fsgitops.yaml", ("key", "rotate", "--start")),
    "key new": (".fsgitops/key", ("key", "new")),
    "fmt": ("desired/loose.yaml", ("fmt", "desired/loose.yaml")),
    "token new": (
        ".fsgitops/tokens.json",
        ("token", "new", "--name", "wallboard", "--scope", "read"),
    ),
    "drift": ("fs.prom", ("drift", "--offline", "--metrics", "{root}/fs.prom")),
    "plan --out": ("plan.json", ("plan", "--out", "{root}/plan.json")),
    "plan --output": ("plan.html", ("plan", "--output", "{root}/plan.html")),
    "export-state": ("state.json.gz", ("export-state", "--out", "{root}/state.json.gz")),
    "init": ("new/fsgitops.yaml", ("init", "new")),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_writes_is_on_the_disk_before_its_name_is_and_the_name_after(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The order that a power cut cannot break: sync the bytes, give the name, sync the folder."""
    monkeypatch.delenv("FSGITOPS_KEY")
    project.write("desired/loose.yaml", LOOSE)
    project.run("plan")
    file, words = COMMANDS[name]
    place = project.root / file
    lines = _watch(monkeypatch, place)
    ran = project.run(*(word.format(root=project.root) for word in words))
    monkeypatch.undo()
    assert ran.code in (0, 2), ran
    assert place.stat().st_size > 0
    named = next(n for n, line in enumerate(lines) if line[0] == "name")
    aside = lines[named][1]
    assert ("sync", aside) in lines[:named], lines
    assert ("sync", str(place.parent)) in lines[named:], lines


def _watch(patch: pytest.MonkeyPatch, place: Path) -> list[tuple[str, str]]:
    """Note what is synced, and from where `place` gets its name (nothing opens it to write)."""
    lines: list[tuple[str, str]] = []
    paths: dict[int, str] = {}
    real_open, real_sync = os.open, os.fsync

    def opened(path: Any, flags: int, *words: Any, **options: Any) -> int:
        assert not (str(path) == str(place) and flags & os.O_TRUNC)
        descriptor = real_open(path, flags, *words, **options)
        paths[descriptor] = str(path)
        return descriptor

    def synced(descriptor: int) -> None:
        lines.append(("sync", paths[descriptor]))
        real_sync(descriptor)

    def naming(real: Callable[..., None]) -> Callable[..., None]:
        def named(source: Any, target: Any, **options: Any) -> None:
            if str(target) == str(place):
                lines.append(("name", str(source)))
            real(source, target, **options)

        return named

    patch.setattr(os, "open", opened)
    patch.setattr(os, "fsync", synced)

    def exchanged(here: int, source: str, there: int, target: str, flags: int) -> None:
        if target == str(place):
            lines.append(("name", source))
        real_exchange(here, source, there, target, flags)

    real_exchange = durable.renameat2
    patch.setattr(durable, "renameat2", exchanged)
    for name in ("rename", "replace", "link"):
        patch.setattr(os, name, naming(getattr(os, name)))
    return lines


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "no exchange"])
@pytest.mark.parametrize("command", ["fmt", "key rotate"])
def test_an_edit_that_is_saved_while_a_command_is_at_work_stands(
    project: Project, monkeypatch: pytest.MonkeyPatch, command: str, exchange: bool
) -> None:
    """It is saved by rename, in the very moment before the file is replaced."""
    monkeypatch.delenv("FSGITOPS_KEY")
    project.write("desired/loose.yaml", LOOSE)
    file, words = COMMANDS[command]
    place = project.root / file
    real = durable.renameat2

    def meddling(*words: Any) -> None:
        if not (project.root / "edited").exists():
            (project.root / "edited").write_text("")
            (project.root / "editor").write_text("an edit")
            (project.root / "editor").rename(place)
        if not exchange:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(*words)

    monkeypatch.setattr(durable, "renameat2", meddling)
    ran = project.run(*words)
    assert ran.code == 64, ran
    assert "somebody else saved it meanwhile" in ran.err
    assert place.read_text() == "an edit"
    assert not list(place.parent.glob(".fsgitops.*.tmp"))


ALLOWED = {
    "fsgitops/durable.py": "it is the one way",
    "fsgitops/transaction/folder.py": "the one way in an open folder",
    "fsgitops/sandbox/skeleton.py": "a fresh folder, which is renamed as a whole",
    "fsgitops/live/connect.py": "that rename",
    "fsgitops/commands/rotate.py": "key files are moved as they are, the folder synced",
    "fsgitops/cdr/quarantine.py": "a damaged spool is moved aside",
}


def test_no_module_replaces_a_file_in_a_way_of_its_own() -> None:
    """`write_text`, `write_bytes`, `rename` and `replace` of files are called where they may be."""
    root = Path(durable.__file__).parents[1]
    found: set[str] = set()
    for path in (root / "fsgitops").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name, count = node.func.attr, 0 if node.keywords else len(node.args)
                whose = ast.unparse(node.func.value)
                if (
                    name in ("write_text", "write_bytes")
                    or (name in ("rename", "replace") and whose == "os")
                    or (name == "replace" and count == 1)
                    or (name == "rename" and count == 1 and whose != "eraser" and whose != "self")
                ):
                    found.add(path.relative_to(root).as_posix())
    assert found <= set(ALLOWED), sorted(found - set(ALLOWED))


def test_what_is_replaced_keeps_its_permissions_and_its_owner(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"old")
    if os.geteuid() == 0:
        os.chown(place, 12345, 23456)
    place.chmod(0o604)
    before = place.stat()
    replace_file(place, b"new")
    after = place.stat()
    assert place.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid,
    )  # fmt: skip


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_fresh_file_has_what_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        replace_file(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


def test_a_mode_that_is_asked_for_is_given_whatever_stood_there(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"old")
    place.chmod(0o644)
    replace_file(place, b"new", mode=0o600)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_link_stays_a_link_and_what_it_names_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("there/file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there/file").read_bytes() == b"new"


@pytest.mark.parametrize("work", [replace_file, create_file])
def test_a_disk_without_room_is_told_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Path, bytes], None]
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        work(tmp_path / "file", b"new")
    assert caught.value.filename == str(tmp_path / "file")


@pytest.mark.parametrize("broken", ["write", "fsync", "replace"])
def test_a_disk_that_refuses_changes_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, broken, refuse)
    with pytest.raises(OSError, match="No space left"):
        replace_file(tmp_path / "file", b"new")
    monkeypatch.undo()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_file_that_is_created_replaces_nothing_not_even_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "link", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_what_is_no_file_is_never_replaced_by_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a plain file"):
        replace_file(tmp_path / "pipe", b"new")
    assert (tmp_path / "pipe").is_fifo()


def test_a_report_into_a_pipe_goes_through_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    said: list[bytes] = []
    reader = threading.Thread(target=lambda: said.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_output(tmp_path / "pipe", b"report")
    reader.join(30)
    assert said == [b"report"]


def test_a_report_reaches_a_file_whose_folder_takes_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is mounted alone into a container: it is written as it stands."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    (tmp_path / "report").write_bytes(b"a longer old one")
    monkeypatch.setattr(os, "replace", refuse)
    write_output(tmp_path / "report", b"new")
    assert (tmp_path / "report").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


@given(old=st.none() | st.binary(max_size=64), new=st.binary(max_size=4096))
def test_any_bytes_come_back(
    tmp_path_factory: pytest.TempPathFactory, old: bytes | None, new: bytes
) -> None:
    place = tmp_path_factory.mktemp("any") / "file"
    if old is not None:
        place.write_bytes(old)
    replace_file(place, new)
    assert place.read_bytes() == new


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--output"),
        ("plan", "--out"),
        ("export-state", "--output"),
        ("drift", "--offline", "--metrics"),
    ],
)
def test_a_file_whose_folder_is_missing_is_named_as_it_was_typed(
    project: Project, words: tuple[str, ...]
) -> None:
    project.prepare("apply", "--yes")
    place = project.root / "nowhere" / "x.html"
    ran = project.run(*words, str(place))
    assert (ran.code, f"fsgitops: {place}: no such directory" in ran.err) == (1, True), ran.err
    if words[0] == "drift":
        assert "No drift" in ran.out
