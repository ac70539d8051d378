"""What the audit log holds when the disk, or another process, gets in the way."""

from __future__ import annotations

import json
import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from switchboard import DOMAIN, running_switch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project import Project

    from fsgitops.sandbox.switch import EmbeddedSwitch

FULL = 4 * 1024 * 1024
"""The size, in bytes, that the log's disk is full at: above that of any other file of a test."""


@pytest.fixture
def board(project: Project) -> Iterator[EmbeddedSwitch]:
    with running_switch(project) as switch:
        yield switch


def log_of(project: Project) -> Path:
    return project.conf / ".fsgitops" / "audit.jsonl"


def lines_of(project: Project) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_of(project).read_text().splitlines()]


@contextmanager
def room_for(project: Project, size: int) -> Iterator[None]:
    """Let the log grow by no more than `size` bytes: what is beyond is cut, as on a full disk."""
    filler = json.dumps({"filler": ""})
    log_of(project).write_text(filler[:-2] + "x" * (FULL - size - len(filler) - 1) + '"}\n')
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 50])
def test_on_a_full_disk_nobody_is_kicked_and_no_half_line_stays(
    project: Project, board: EmbeddedSwitch, room: int
) -> None:
    board.add_registration("1020", DOMAIN)
    with room_for(project, room):
        ran = project.run("kick", "1020")
    assert (ran.code, "so nothing was revealed" in ran.err) == (1, True)
    assert len(board.registrations) == 1
    assert [list(line) for line in lines_of(project)] == [["filler"]]


def test_on_a_full_disk_no_call_is_placed_and_none_is_ended(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN)
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    with room_for(project, 0):
        codes = [
            project.run("dial", "1020", "+18005551234").code,
            project.run("hangup", uuid).code,
            project.run("transfer", uuid, "1021").code,
        ]
    assert codes == [1, 1, 1]
    (call,) = project.run("calls", "--json").json()["calls"]
    assert (call["uuid"], call["agents"]) == (uuid, ["1020"])


def test_what_was_done_on_a_disk_that_fills_up_meanwhile_is_told_and_its_intention_kept(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN)
    with room_for(project, 300):
        ran = project.run("kick", "1020")
    assert (ran.code, len(board.registrations)) == (1, 0)
    assert "kick 1020 was done, phones 1; do not repeat it" in ran.err
    assert [line.get("result") for line in lines_of(project)] == [None, "intended"]


def test_an_operation_is_an_intention_and_an_outcome_of_one_id(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN)
    project.run("dial", "1020", "+18005551234")
    first, second = lines_of(project)[-2:]
    assert (first["result"], second["result"]) == ("intended", "done")
    assert first["id"] == second["id"]
    assert first["number"] == second["number"] == "+18005551234"


def test_a_process_that_was_ended_while_it_worked_leaves_its_intention(
    project: Project, board: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def look(*_: object, **__: object) -> bool:
        seen.extend(line["result"] for line in lines_of(project))
        return True

    monkeypatch.setattr("fsgitops.switch.client.Switch.hang_up", look)
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    project.run("hangup", uuid)
    assert seen[-1] == "intended"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(torn=st.integers(1, 200))
def test_a_line_that_was_cut_short_is_closed_and_told_and_the_next_is_whole(
    project: Project, torn: int
) -> None:
    log = project.write("log.jsonl", "")
    project.write("fsgitops.yaml", "project: test\ndefault_region: US\naudit_log: log.jsonl\n")
    project.run("credentials", "1020", "--reveal")
    whole = log.read_bytes()
    half = whole[: min(torn, len(whole) - 1)]
    log.write_bytes(whole + half)
    assert project.run("credentials", "1020", "--reveal").code == 0
    first, cut, told, last = log.read_bytes().splitlines()
    assert (first, cut) == (whole.rstrip(), half)
    assert "cut short" in json.loads(told)["result"]
    assert json.loads(last)["action"] == "reveal"


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_plain_file_is_not_written_to(
    project: Project, board: EmbeddedSwitch, kind: str
) -> None:
    board.add_registration("1020", DOMAIN)
    log_of(project).unlink(missing_ok=True)
    os.mkfifo(log_of(project)) if kind == "fifo" else log_of(project).mkdir()
    assert project.run("kick", "1020").code == 1
    assert len(board.registrations) == 1


@pytest.mark.parametrize("mode", [0o750, 0o777])
def test_another_state_directory_that_was_put_there_meanwhile_gets_no_line(
    project: Project, board: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(mode)

    def swap(*_: object, **__: object) -> bool:
        state = project.conf / ".fsgitops"
        state.rename(project.conf / ".gone")
        if mode == 0o750:
            state.symlink_to(elsewhere)
        else:
            elsewhere.rename(state)
        return True

    monkeypatch.setattr("fsgitops.switch.client.Switch.hang_up", swap)
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    ran = project.run("hangup", uuid)
    assert (ran.code, "was done" in ran.err, "state directory" in ran.err) == (1, True, True)
    assert not list((project.conf / ".fsgitops").iterdir())
