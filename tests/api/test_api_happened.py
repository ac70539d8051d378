"""Events: what came and went between two looks, and who did what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from switchboard import DOMAIN

from fsgitops.api.live import BULK, KEPT, STALE_SECONDS, Happened
from fsgitops.errors import NotPossibleError, SwitchTimeoutError
from fsgitops.live.audit import AuditOutcomeError
from fsgitops.live.calls import LiveCall, LiveLeg

if TYPE_CHECKING:
    from served_api import Served

LEG = LiveLeg("b", "outbound", "1020", "1020", "ACTIVE", "PCMU", "PCMU", "192.0.2.1", 5)
CALL = LiveCall(
    "a", "inbound", "+12025550123", "Eve", "1020", "1020", ("1020",), None, "ACTIVE", 5, (LEG,)
)
ALICE, BOB = {"1020": "1020 Alice"}, {"1021": "1021 Bob"}


class Log:
    """Events with a clock that is set by hand, and nothing before them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.happened = Happened(lambda: self.now)
        self.happened.see(ALICE, ())
        self.told = 1

    def new(self) -> list[str]:
        fresh = self.happened.after(self.told)
        self.told = fresh[-1]["number"] if fresh else self.told
        return [event["text"] for event in fresh]


@pytest.fixture
def log() -> Log:
    return Log()


def test_phones_that_come_and_go_are_told(log: Log) -> None:
    log.happened.see(ALICE | BOB, ())
    assert log.new() == ["Agent 1021 Bob registered"]
    log.happened.see(BOB, ())
    assert log.new() == ["Agent 1020 Alice no longer registered"]


def test_a_call_is_told_from_ringing_to_its_end(log: Log) -> None:
    log.happened.see(ALICE, (replace(CALL, state="RINGING"),))
    log.happened.see(ALICE, (CALL,))
    log.happened.see(ALICE, (replace(CALL, callee="1021"),))
    log.happened.see(ALICE, ())
    assert log.new() == [
        "Call +12025550123 → 1020 began",
        "Call +12025550123 → 1020 was answered",
        "Call +12025550123 → 1021 goes on",
        "Call +12025550123 → 1021 ended",
    ]


def test_nothing_is_told_twice(log: Log) -> None:
    log.happened.see(ALICE, (CALL,))
    assert len(log.new()) == 1
    log.happened.see(ALICE, (CALL,))
    assert log.new() == []


def test_many_at_once_are_one_event(log: Log) -> None:
    crowd = {str(number): f"{number} X" for number in range(2000, 2001 + BULK)}
    log.happened.see(ALICE | crowd, ())
    log.happened.see(ALICE, ())
    assert log.new() == ["21 agents registered", "21 agents no longer registered"]


def test_a_switch_that_is_away_loses_no_phone_until_it_says_so(log: Log) -> None:
    for _ in range(3):
        log.now += 2
        log.happened.see_away("connection refused")
    assert log.new() == ["The switch does not answer: connection refused"]
    log.happened.see({}, ())
    assert log.new() == ["The switch answers again", "Agent 1020 Alice no longer registered"]


def test_what_happened_while_nobody_looked_is_not_told_as_of_now(log: Log) -> None:
    log.now += STALE_SECONDS + 1
    log.happened.see(BOB, (CALL,))
    assert log.new() == ["Watching from here on: no page was open before"]
    log.now += STALE_SECONDS + 1
    log.happened.see_away("connection refused")
    log.happened.see({}, ())
    assert "Agent" not in " ".join(log.new())


def test_only_the_last_are_kept(log: Log) -> None:
    for _ in range(3 * KEPT):
        log.happened.note_operation("x", "kick", "1020", {"phones": "1"})
    assert len(log.happened.after(0)) == KEPT


def test_an_operation_names_the_call_that_it_was_about(log: Log) -> None:
    log.happened.see(ALICE, (CALL,))
    log.new()
    log.happened.note_operation("console", "hangup", "a", {})
    log.happened.note_operation("console", "transfer", "b", {"destination": "1021"})
    log.happened.note_operation("console", "dial", "1020", {"number": "+18005551234"})
    assert log.new() == [
        "console hung up call +12025550123 → 1020",
        "console sent call +12025550123 → 1020 to 1021",
        "console rang 1020 for a call to +18005551234",
    ]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (NotPossibleError("no phone"), "x could not kick 1020: no phone"),
        (
            SwitchTimeoutError("no answer"),
            "x asked to kick 1020, and nobody knows whether it was done: no answer",
        ),
        (AuditOutcomeError("kick 1020 was done"), "x was told: kick 1020 was done"),
    ],
)
def test_what_was_not_done_is_not_told_as_done(log: Log, problem: Exception, text: str) -> None:
    log.happened.note_operation("x", "kick", "1020", {}, problem)
    assert log.new() == [text]


def test_a_name_that_callers_choose_moves_no_text(log: Log) -> None:
    log.happened.see(ALICE, (replace(CALL, caller="\u202e\n"),))
    assert log.new() == ["Call \\u202e\\n → 1020 began"]


def test_the_operations_of_the_api_are_events_done_or_not(served: Served) -> None:
    served.board.add_registration("1020", DOMAIN)
    served.post("/api/agents/1020/kick")
    served.post("/api/calls/nothing/hangup")
    served.board.stop()
    served.post("/api/agents/1020/kick")
    texts = [event["text"] for event in served.service.board.happened.after(0)]
    assert [text.partition(") ")[2].partition(":")[0] for text in texts] == [
        "ended 1 registration of 1020",
        "could not hang up nothing",
        "could not kick 1020",
    ]
