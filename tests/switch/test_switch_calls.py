"""A call is followed by the events of its own legs, in whatever order they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from scripted_esl import BYE, ScriptedEsl, connect, json_event, reply

from fsgitops.switch import calls
from fsgitops.switch.calls import CallRefusedError, Dial, Leg, Legs, follow, originate

if TYPE_CHECKING:
    from scripted_esl import Peer

DIAL = Dial("a-leg", "1020", "d.example", "1021", None, "1020", "Alice", 5, mark="m-1")
OK = {"Event-Name": "BACKGROUND_JOB", "Job-UUID": "j-1", "_body": "+OK a-leg\n"}


def agents(cause: str, failed: str = "", uuid: str = "a-leg") -> dict[str, str]:
    """The end of a leg of the agent's."""
    more = {"variable_originate_failed_cause": failed} if failed else {}
    mark = {"variable_fsgitops_agent_leg": "m-1"}
    return {"Event-Name": END, "Unique-ID": uuid, "Hangup-Cause": cause} | mark | more


def far(name: str, uuid: str = "b-leg", mark: str = "m-1", cause: str = "") -> dict[str, str]:
    ending = {"Hangup-Cause": cause} if cause else {}
    return {"Event-Name": name, "Unique-ID": uuid, "variable_fsgitops_far_leg": mark} | ending


ANSWER, END = "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"


def told(*events: dict[str, str], sent: list[str] | None = None) -> Any:
    """A switch that tells these events once the call was placed."""

    def script(peer: Peer) -> None:
        peer.log_in()
        while (command := peer.read_command()) is not None:
            if sent is not None:
                sent.append(command)
            if command == "exit":
                peer.send(BYE)
                return
            if command.startswith("bgapi "):
                peer.send(reply("+OK Job-UUID: j-1"))
                peer.send(*(json_event(json.dumps(event).encode()) for event in events))
            else:
                peer.send(reply("+OK"))

    return script


def followed(*events: dict[str, str], sent: list[str] | None = None) -> Legs:
    with ScriptedEsl(told(*events, sent=sent)) as server, connect(server, 5) as session:
        return follow(session, DIAL, 5)


def test_an_answer_told_before_the_agents_counts() -> None:
    assert followed(far(ANSWER), OK) == Legs(Leg(True, uuid="a-leg"), Leg(True, uuid="b-leg"))


def test_what_other_calls_do_counts_for_nothing() -> None:
    others = [far(ANSWER, mark="m-2"), {**OK, "Job-UUID": "j-2", "_body": "-ERR USER_BUSY\n"}]
    assert followed(*others, OK, far(ANSWER)).joined


def test_an_agent_who_hangs_up_while_it_rings_is_told() -> None:
    end = agents("NORMAL_CLEARING", "ORIGINATOR_CANCEL")
    assert followed(OK, end) == Legs(
        Leg(True, "NORMAL_CLEARING", "a-leg"), Leg(cause="ORIGINATOR_CANCEL")
    )


def test_of_several_phones_one_that_lost_is_no_end() -> None:
    lost = agents("LOSE_RACE", uuid="other-phone")
    assert followed(lost, OK, far(END, "c-leg", cause="USER_BUSY"), far(ANSWER)) == Legs(
        Leg(True, uuid="a-leg"), Leg(True, uuid="b-leg")
    )


def test_an_end_after_early_media_has_the_cause_of_the_far_leg() -> None:
    events = [OK, agents("NORMAL_CLEARING"), far(END, cause="CALL_REJECTED")]
    assert followed(*events).far == Leg(cause="CALL_REJECTED")


def test_a_leg_that_still_rings_is_neither_answered_nor_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "FAR_SECONDS", 0.0)
    legs = followed(OK)
    assert (legs.called, legs.joined, legs.far) == (True, False, Leg())


@pytest.mark.parametrize(("body", "cause"), [
    ("-ERR USER_BUSY\n", "USER_BUSY"), ("-ERR \x1b[2J\n", r"'\x1b[2J'"),
])  # fmt: skip
def test_a_refusal_has_a_cause_that_moves_no_terminal(body: str, cause: str) -> None:
    refused = {**OK, "_body": body}
    assert followed(refused) == Legs(Leg(cause=cause, uuid="a-leg"))
    with ScriptedEsl(told(refused)) as server, connect(server, 5) as session:
        with pytest.raises(CallRefusedError) as caught:
            originate(session, DIAL, 5)
        assert caught.value.cause == cause


def test_the_session_is_left_as_it_was() -> None:
    sent: list[str] = []
    followed(OK, far(ANSWER), sent=sent)
    assert sent[:3] == [
        "filter Event-Name BACKGROUND_JOB",
        "filter variable_fsgitops_agent_leg m-1",
        "filter variable_fsgitops_far_leg m-1",
    ]
    ended = [command for command in sent if command.startswith(("nixevent", "filter delete"))]
    assert ended == [f"nixevent BACKGROUND_JOB {ANSWER} {END}", "filter delete all"]
