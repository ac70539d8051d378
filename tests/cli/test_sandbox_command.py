"""`fsgitops sandbox --call`: somebody outside calls a number of the sandbox that runs."""

from __future__ import annotations

import pytest
from project import Project

from fsgitops.cli.cdr.place import Place
from fsgitops.errors import UsageError
from fsgitops.sandbox.switch import EmbeddedSwitch

DID = "+19495431333"


def test_a_call_from_outside_rings_a_phone_and_is_up(
    applied: Project, switch: EmbeddedSwitch
) -> None:
    switch.add_registration("1020", "sandbox.example")
    ran = applied.run("sandbox", "--call", DID, "--from", "+12025550123")
    assert (ran.code, ran.out) == (0, f"+12025550123 calls {DID}: rings 1020\n")
    (call,) = applied.run("calls", "--json").json()["calls"]
    assert (call["caller"], call["did"], call["agents"]) == ("+12025550123", DID, ["1020"])


def test_a_call_that_nobody_takes_says_why(applied: Project, switch: EmbeddedSwitch) -> None:
    ran = applied.run("sandbox", "--call", "+19495439999")
    assert ran.code == 2
    assert "it is hung up, because the last application was executed" in ran.out
    assert applied.run("calls", "--json").json()["calls"] == []


@pytest.mark.parametrize("words", [("1 2",), (DID, "--from", "a;b"), ("1\n",), ("'",)])
def test_what_cannot_be_dialled_is_refused(
    applied: Project, switch: EmbeddedSwitch, words: tuple[str, ...]
) -> None:
    ran = applied.run("sandbox", "--call", *words)
    assert (ran.code, "cannot be dialled" in ran.err) == (64, True)


def test_without_a_sandbox_there_is_nobody_to_call(applied: Project) -> None:
    ran = applied.run("sandbox", "--call", DID)
    assert (ran.code, "start one with `fsgitops sandbox`" in ran.err) == (1, True)


def test_the_sidecar_listens_to_a_sandbox_that_runs(
    applied: Project, switch: EmbeddedSwitch
) -> None:
    switch.add_registration("1020", "sandbox.example")
    with Place(applied.root, {}).reach()() as session:
        heard = session.subscribe_json(["CHANNEL_HANGUP_COMPLETE"])
        applied.run("sandbox", "--call", DID)
        (call,) = applied.run("calls", "--json").json()["calls"]
        applied.run("hangup", call["uuid"])
        event = heard.get(timeout=10)
    assert event is not None
    assert (event["Unique-ID"], event["Hangup-Cause"]) == (call["uuid"], "NORMAL_CLEARING")


def test_the_sidecar_needs_a_sandbox_that_runs_or_a_switch(applied: Project) -> None:
    with pytest.raises(UsageError, match="start one with `fsgitops sandbox`, or name a switch"):
        Place(applied.root, {}).reach()
