"""The end of a key rotation, wherever the keys stand."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from fsgitops.commands.rotate import finish_rotation, write_rotation
from fsgitops.errors import FsgitopsError
from fsgitops.secret.key import load_key, new_key, write_private_file
from fsgitops.settings.shapes import RotationSettings
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from pathlib import Path

FORMER, NEXT = new_key(), new_key()
KEYS = {"": None, "former": FORMER, "next": NEXT}
FILES = ("key", "key.next", "key.previous")
VARIABLES = ("FSGITOPS_KEY", "FSGITOPS_KEY_NEXT")


def identify(text: str) -> str:
    key = load_key({"FSGITOPS_KEY": text}, None)
    assert key is not None
    return key.id


def state_of(root: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in root.rglob("*") if path.is_file()}


def lay_out(root: Path, stand: dict[str, str], announced: str) -> None:
    for name in FILES:
        path = root / ".fsgitops" / name
        path.unlink(missing_ok=True)
        if key := KEYS[stand[name]]:
            write_private_file(path, key + "\n", "key file")
    for name in VARIABLES:
        os.environ.pop(name, None)
        if key := KEYS[stand[name]]:
            os.environ[name] = key
    write_rotation(root, RotationSettings(everyone=True, next_key=announced))


@pytest.mark.parametrize("announced", [True, False])
def test_whatever_stands_where_the_next_key_is_the_key_or_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    (tmp_path / "desired").mkdir()
    (tmp_path / "desired/agents.yaml").write_text("agents: [{extension: 1020, name: A}]\n")
    (tmp_path / "fsgitops.yaml").write_text("project: x\n")
    wanted, finished = identify(NEXT), 0
    for choice in itertools.product(KEYS, repeat=5):
        stand = dict(zip((*FILES, *VARIABLES), choice, strict=True))
        lay_out(tmp_path, stand, wanted if announced else "")
        before = state_of(tmp_path)
        # What is derived from now, where nothing was written down, is what --finish goes by.
        derived = KEYS[stand["FSGITOPS_KEY_NEXT"] or stand["key.next"]]
        try:
            finish_rotation(open_workspace(tmp_path))
        except FsgitopsError:
            assert state_of(tmp_path) == before, stand
            continue
        finished += 1
        after = load_key(os.environ, tmp_path / ".fsgitops/key")
        assert after is not None, stand
        assert after.id == (wanted if announced else identify(derived or "")), stand
        kept = {text.strip() for text in state_of(tmp_path).values()}
        assert {text.strip() for name, text in before.items() if name in FILES} <= kept, stand
    assert finished > 10


def test_a_key_file_that_is_interrupted_is_not_there_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FsgitopsError, match="No space left"):
        write_private_file(tmp_path / "key", "text\n", "key file")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_written_replaces_no_other(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mine")
    with pytest.raises(FsgitopsError, match="never overwritten"):
        write_private_file(tmp_path / "key", "text\n", "key file")
    assert (tmp_path / "key").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1
