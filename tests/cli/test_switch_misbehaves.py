"""A switch that does wrong during an apply: what is told, what stands on disk, which exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faulty_apply import snapshot
from misbehaving_esl import (
    GARBAGE,
    HANG,
    HANG_UP,
    MID_REPLY,
    PASSWORD,
    MisbehavingSwitch,
    Say,
    answer,
)
from scripted_esl import NOTICE, REFUSED, RUDE

from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from project import Project, Ran

    Mischief = Callable[[str, int], Say | None]

SETTINGS = """\
default_region: US
targets:
  pbx:
    conf_dir: conf
    domain: pbx.example.com
    esl: {connect_timeout: 1, reply_timeout: 1, reload_timeout: 1}
"""


UNCLOSED = "+OK [[error near line 3]: unclosed <!--]\n"


@pytest.fixture
def conf(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    project.write("fsgitops.yaml", SETTINGS)
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", PASSWORD)
    conf = project.root / "conf"
    write_skeleton(conf, "pbx.example.com")
    return conf


@pytest.fixture
def run(
    project: Project, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Mischief, tuple[str, ...]], Ran]:
    """Run a command against a switch that does something wrong."""

    def run(mischief: Mischief, words: tuple[str, ...] = ("apply", "--yes")) -> Ran:
        with MisbehavingSwitch(conf, mischief) as switch:
            monkeypatch.setenv("FSGITOPS_ESL_HOST", switch.server.host)
            monkeypatch.setenv("FSGITOPS_ESL_PORT", str(switch.server.port))
            return project.run(*words, "--target", "pbx")

    return run


def at(word: str, what: Say, *, nth: int = 1) -> Mischief:
    """Do it once, at the nth command that begins with this word."""
    return lambda command, count: what if (command.split(" ")[0], count) == (word, nth) else None


def test_with_a_switch_that_behaves_the_apply_is_proved(run, conf: Path) -> None:
    ran = run(lambda _command, _count: None)
    assert (ran.code, " as written" in ran.out) == (0, True), ran.err
    assert (conf / "directory/default/1020.xml").exists()


@pytest.mark.parametrize(
    ("mischief", "told"),
    [
        (at("connect", HANG), "within 1 s"),
        (at("connect", HANG_UP), ""),
        (at("connect", GARBAGE), "ESL"),
        (at("connect", Say(RUDE, hang_up=True)), "ACL"),
        (at("auth", Say(REFUSED, hang=True)), "password"),
    ],
    ids=["hangs", "hangs up", "garbage", "acl", "wrong password"],
)
def test_a_switch_that_lets_nobody_in_is_found_out_before_any_file_is_touched(
    run, conf: Path, mischief: Mischief, told: str
) -> None:
    before = snapshot(conf)
    ran = run(mischief)
    assert (ran.code, snapshot(conf)) == (1, before)
    assert told in ran.err
    assert "127.0.0.1:" in ran.err
    assert not (conf / ".fsgitops/revisions").exists()


@pytest.mark.parametrize(
    ("mischief", "told"),
    [
        (at("reloadxml", HANG), "within 1 s"),
        (at("reloadxml", MID_REPLY), "within 1 s"),
        (at("reloadxml", GARBAGE), ""),
        (at("reloadxml", HANG_UP), ""),
        (at("reloadxml", Say(NOTICE, hang_up=True)), ""),
        (at("reloadxml", answer("-ERR no reload today\n")), "no reload today"),
        (at("reloadxml", answer(UNCLOSED)), "acl.conf.xml:1"),
        (at("xml_locate", HANG_UP), ""),
        (at("user_data", HANG), "within 1 s"),
        (at("xml_locate", GARBAGE), ""),
        (at("xml_locate", answer("<domain name=")), ""),
        (at("user_data", answer("another hash")), "does not find the declared credentials"),
        (at("user_data", HANG_UP), ""),
    ],
    ids=[
        "reload takes too long", "hangs within a reply", "garbage", "drops at the reload",
        "says goodbye at the reload", "refuses the reload", "reload error with a line",
        "drops before the read-back", "hangs at the read-back", "garbage for a read-back",
        "half a document", "holds something else", "drops within the read-back",
    ],
)  # fmt: skip
def test_whatever_goes_wrong_after_the_first_file_is_rolled_back(
    run, conf: Path, mischief: Mischief, told: str
) -> None:
    before = snapshot(conf)
    ran = run(mischief)
    assert (ran.code, snapshot(conf)) == (5, before), ran.err
    assert "the files are as they were before and the switch has loaded them again" in ran.err
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert not (conf / ".fsgitops/transaction").exists()


def test_a_configuration_that_did_not_load_before_either_is_told_as_such(run, conf: Path) -> None:
    error = answer(UNCLOSED)
    before = snapshot(conf)
    ran = run(lambda command, _: error if command == "reloadxml" else None)
    assert (ran.code, snapshot(conf)) == (5, before)
    assert "mend these files first" in ran.err


@pytest.mark.parametrize("second", [HANG, HANG_UP, GARBAGE, answer("-ERR gone mad\n")],
                         ids=["hangs", "drops", "garbage", "refuses"])  # fmt: skip
def test_a_roll_back_that_the_switch_does_not_load_is_exit_code_6(
    run, conf: Path, second: Say
) -> None:
    before = snapshot(conf)

    def mischief(command: str, count: int) -> Say | None:
        if command == "reloadxml":
            return HANG_UP if count == 1 else second
        return None

    ran = run(mischief)
    assert (ran.code, snapshot(conf)) == (6, before), ran.err
    assert "the files are as they were before, but the switch did not load them again" in ran.err
    assert "run any fsgitops command" in ran.err


def test_the_next_command_tells_the_switch_what_it_did_not_hear(run, conf: Path) -> None:
    def gone(command: str, count: int) -> Say | None:
        if command == "reloadxml" or (command == "connect" and count > 1):
            return HANG_UP
        return None

    before = snapshot(conf)
    assert run(gone).code == 6
    again = run(gone, ("plan",))
    assert "could not be told to load the restored files" in again.err
    ran = run(lambda _command, _count: None, ("history",))
    assert "the switch has loaded the restored files" in ran.err
    assert "undone" in ran.out
    assert snapshot(conf) == before
    assert not (conf / ".fsgitops/transaction").exists()


def test_registrations_that_cannot_be_ended_do_not_undo_what_is_proved(
    run, conf: Path, project: Project
) -> None:
    assert run(lambda _command, _count: None).code == 0
    path = project.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("webrtc: true", "enabled: false"))

    def after_the_plan_and_the_lock(command: str, count: int) -> Say | None:
        return HANG_UP if command.startswith("sofia ") and count > 2 else None

    ran = run(after_the_plan_and_the_lock)
    assert ran.code == 1
    assert "but the registrations and mod_verto sessions of the deleted agents (1021)" in ran.err
    assert not (conf / "directory/default/1021.xml").exists()
    assert "No changes" in run(lambda _command, _count: None, ("plan",)).out


def test_a_roll_back_to_an_earlier_revision_is_undone_alike(
    run, conf: Path, project: Project
) -> None:
    assert run(lambda _command, _count: None).code == 0
    before = snapshot(conf)
    ran = run(at("reloadxml", HANG_UP), ("rollback", "--yes"))
    assert (ran.code, snapshot(conf)) == (5, before)


def test_a_reload_may_take_as_long_as_the_target_allows(run, monkeypatch) -> None:
    from fsgitops.esl.session import EslSession

    limits = {}
    real = EslSession.api_bytes

    def api_bytes(self: EslSession, command: str, **rest: object) -> bytes:
        limits[command] = rest.get("timeout")
        return real(self, command, **rest)

    monkeypatch.setattr(EslSession, "api_bytes", api_bytes)
    assert run(lambda _command, _count: None).code == 0
    assert limits["reloadxml"] == 1.0
