"""A real process is killed in the middle of an apply; the next command, of any kind, mends it."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faulty_apply import Runner, snapshot
from project import AGENTS, KEY, ROUTES, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

MOMENTS = 100
FEW_MOMENTS = 4
"""Random moments for each kind of apply: 200 together."""

CHANGED_AGENTS = """\
agents:
  - {extension: 1020, name: Anna, caller_id_number: +19495431333, voicemail: true}
  - {extension: 1022, name: Carol}
"""
CHANGED_ROUTES = """\
did_routes:
  - {did_number: +19495431334, destination_extension: 1022}
"""
NEXT = (("plan",), ("history",), ("validate",), ("credentials", "1020"), ("show", "1"))
"""What may be the next command after a kill."""


class Case:
    """A project with something applied and something else declared, and a way back to that."""

    def __init__(self, folder: Path, target: str, words: tuple[str, ...]) -> None:
        self.root = folder / "project"
        self.saved = folder / "saved"
        self.target = ("--target", target)
        self.apply = ("apply", "--yes", *self.target, *words)
        image = target == "image"
        self.conf = self.root / ("conf" if image else ".fsgitops/sandbox/conf")
        if image:
            self.conf.mkdir(parents=True)
            (self.conf / "foreign.xml").write_text("theirs")
        self._write("fsgitops.yaml", SETTINGS)
        self._write("desired/agents.yaml", AGENTS)
        self._write("desired/routes.yaml", ROUTES)
        self.runner = Runner(self.root, {"FSGITOPS_KEY": KEY, "PATH": "/nowhere"})  # without git
        if not image:
            assert self.runner.run(*self.apply)["code"] == 0
        self._write("desired/agents.yaml", CHANGED_AGENTS)
        self._write("desired/routes.yaml", CHANGED_ROUTES)
        self.before = snapshot(self.conf)
        shutil.copytree(self.root, self.saved)
        self.whole = self.runner.run(*self.apply)
        assert self.whole["code"] == 0, self.whole
        self.after = snapshot(self.conf)
        assert self.before != self.after

    def _write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def reset(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self.saved, self.root)

    def expect_whole(self, turn: int) -> bool:
        """Run some next command; tell whether the tree is the one after the apply."""
        word, *rest = NEXT[turn % len(NEXT)]
        ran = self.runner.run(word, *self.target, *rest)
        assert ran["code"] == 0 or (word == "show" and ran["code"] == 1), ran
        now = snapshot(self.conf)
        assert now in (self.before, self.after), ran
        state = self.conf / ".fsgitops"
        assert not (state / "transaction/journal.json").exists()
        self._expect_history(now == self.after)
        return now == self.after

    def _expect_history(self, applied: bool) -> None:
        """The last thing in the history is what happened to the last apply."""
        folders = sorted((self.conf / ".fsgitops/revisions").glob("*/revision.json"))
        endings = [json.loads(path.read_bytes())["ending"] for path in folders]
        assert "interrupted" not in endings
        if applied:
            assert endings[-1] in ("applied", "written")


@pytest.fixture(scope="module", params=["sandbox", "image"])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("FSGITOPS_", "FS_", "DEFAULT_CALLER_")):
                patch.delenv(name)
        words = ("--no-reload",) if request.param == "image" else ()
        # In memory where that can be had: a kill is no power failure, and syncing a disk is slow.
        memory = Path("/dev/shm")
        folder = tempfile.mkdtemp(dir=memory) if os.access(memory, os.W_OK) else None
        try:
            place = Path(folder) if folder else tmp_path_factory.mktemp("killed")
            case = Case(place, request.param, words)
            yield case
            case.runner.close()
        finally:
            if folder:
                shutil.rmtree(folder)


def test_killed_before_any_file_operation_it_is_the_one_state_or_the_other(
    case: Case, sweeps: bool
) -> None:
    count = len(case.whole["operations"])
    assert count > 40
    seen = set()
    for number in (*range(0, count - 1, 1 if sweeps else 29), count - 1):
        case.reset()
        ran = case.runner.run(*case.apply, kill_at=number)
        assert ran["code"] == -9, (number, ran)
        seen.add(case.expect_whole(number))
    assert seen == {False, True}


def test_killed_at_any_moment_it_is_the_one_state_or_the_other(case: Case, sweeps: bool) -> None:
    chance = random.Random(20)
    seconds = case.whole["seconds"]
    killed = 0
    moments = MOMENTS if sweeps else FEW_MOMENTS
    for number in range(moments):
        case.reset()
        ran = case.runner.run(*case.apply, kill_after=chance.uniform(0, seconds))
        killed += ran["code"] == -9
        seconds = min(seconds, ran.get("seconds", seconds))  # the first run may have been slow
        case.expect_whole(number)
    assert killed > moments // 4


def test_killed_while_it_recovers_it_recovers_again(case: Case, sweeps: bool) -> None:
    """The kill comes after the last file was replaced, then at each step of putting back."""
    renames = [n for n, name in enumerate(case.whole["operations"]) if name == "rename"]
    late = renames[len(renames) // 2]
    case.reset()
    case.runner.run(*case.apply, kill_at=late)
    steps = len(case.runner.run("plan", *case.target)["operations"])
    assert steps > 5
    for number in range(0, steps, 1 if sweeps else 17):
        case.reset()
        case.runner.run(*case.apply, kill_at=late)
        assert case.runner.run("plan", *case.target, kill_at=number)["code"] == -9
        assert case.expect_whole(number) is False
