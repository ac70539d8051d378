"""Ring groups on a real FreeSWITCH: who rings when, and where a call goes that nobody answers."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pytest
from sip_peer import SipPeer
from sip_phone import CallFailedError
from trunk_exchange import ABROAD, DIDS, Exchange, await_joined, lend, run_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sip_peer import Dialogue

pytestmark = pytest.mark.freeswitch

T = TypeVar("T")

GROUPS = """\
ring_groups:
  - name: pair
    extension: 7001
    members: [{agent: 1021, timeout: 2}, {agent: 1022, timeout: 2}]
    fallback: 1005
  - name: turns
    extension: 7002
    strategy: sequential
    members: [{agent: 1021, timeout: 1}, {agent: 1022, timeout: 5}]
    fallback: ring_group/pair
  - name: alone
    members: [{agent: 1021, timeout: 1}, {agent: 1022, timeout: 1}]
  - name: late
    members: [{agent: 1021, timeout: 5}, {agent: 1022, delay: 1, timeout: 5}]
    timeout: 4
    fallback: 1005
  - {name: local, extension: 7003, members: [1022]}
did_routes:
  - {did_number: +19495431401, destination_extension: ring_group/pair}
  - {did_number: +19495431402, destination_extension: 7002}
  - {did_number: +19495431403, destination_extension: ring_group/alone}
  - {did_number: +19495431404, destination_extension: ring_group/late}
  - {did_number: +19495431405, destination_extension: ring_group/local}
"""
PAIR, TURNS, ALONE, LATE, LOCAL_DID = (f"1949543140{number}" for number in (1, 2, 3, 4, 5))
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


@pytest.fixture(scope="module")
def switch(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A switch that the groups were applied to, and their numbers."""
    template = shared / "freeswitch-conf" / "vanilla"
    for made in run_exchange(tmp_path_factory.mktemp("groups"), template):
        (made.root / "desired" / "groups.yaml").write_text(GROUPS)
        made.run("apply", "--yes")
        yield made


@pytest.fixture
def exchange(switch: Exchange) -> Iterator[Exchange]:
    """The switch; nobody is registered when a test begins."""
    with switch.switch.esl() as esl:
        for user in (f"{extension}@{switch.switch.domain}" for extension in DIDS):
            esl.api(f"sofia profile internal flush_inbound_reg {user}")
            assert esl.api(f"sofia_contact {user}").strip() == "error/user_not_registered"
    yield from lend(switch)


def during(caller: SipPeer, number: str, happens: Callable[[], T]) -> tuple[Dialogue | str, T]:
    """Call a number while something happens; return the call, or how it was refused, and that."""

    def call() -> Dialogue | str:
        try:
            return caller.call(number)
        except CallFailedError as refused:
            return str(refused)

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(call)
        done = happens()
        return ended.result(), done


def joined(exchange: Exchange, caller: SipPeer, number: str, answers: SipPeer) -> Dialogue:
    """Call a number that comes to a phone in the end; return the caller's dialogue."""
    call, taken = during(caller, number, answers.answer)
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)
    return call


def test_both_phones_ring_and_the_one_that_answers_has_the_call(exchange: Exchange) -> None:
    alice, bob, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()
    call, (rang, taken) = during(outside, PAIR, lambda: (alice.ring(), bob.answer()))
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)
    assert alice.wait_cancel(rang) == ELSEWHERE


def test_it_falls_back_when_nobody_answers(exchange: Exchange) -> None:
    alice, bob, last = (exchange.phone(name) for name in ("1021", "1022", "1005"))
    outside = exchange.outside()

    def ring_out() -> Dialogue:
        rang = alice.ring(), bob.ring()
        assert ELSEWHERE not in (alice.wait_cancel(rang[0]), bob.wait_cancel(rang[1]))
        return last.answer()

    call, taken = during(outside, PAIR, ring_out)
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)


def test_a_member_that_is_not_registered_is_skipped(exchange: Exchange) -> None:
    bob, outside = exchange.phone("1022"), exchange.outside()
    joined(exchange, outside, PAIR, bob)


def test_it_falls_back_at_once_when_nobody_is_registered(exchange: Exchange) -> None:
    last, outside = exchange.phone("1005"), exchange.outside()
    joined(exchange, outside, PAIR, last)


def test_it_falls_back_when_all_are_busy(exchange: Exchange) -> None:
    alice, bob, last = (exchange.phone(name) for name in ("1021", "1022", "1005"))
    outside = exchange.outside()
    call, (*_, taken) = during(outside, PAIR, lambda: (alice.refuse(), bob.refuse(), last.answer()))
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)


def test_the_media_of_one_phone_do_not_cancel_the_others(exchange: Exchange) -> None:
    alice, bob, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()
    call, (rang, taken) = during(outside, PAIR, lambda: (alice.ring(early=True), bob.answer()))
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)
    assert alice.wait_cancel(rang) == ELSEWHERE
    assert 180 in {message.status for message in outside.seen}


def test_a_phone_that_forwards_counts_as_not_reached(exchange: Exchange) -> None:
    mighty, local, before = exchange.phone("1021"), exchange.phone("1022"), exchange.dialled()
    to = f"sip:{ABROAD}@{exchange.switch.domain}"
    call, _ = during(mighty, "7003", lambda: local.redirect(to))
    assert call == "SIP/2.0 480 Temporarily Unavailable"
    assert exchange.dialled() == before


def test_a_sequence_rings_one_after_the_other(exchange: Exchange) -> None:
    alice, bob, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()

    def take_turns() -> tuple[str, Dialogue]:
        gone = alice.wait_cancel(alice.ring())
        return gone, bob.answer()

    call, (gone, taken) = during(outside, TURNS, take_turns)
    assert gone == 'SIP;cause=802;text="ALLOTTED_TIMEOUT"'
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)


def test_a_sequence_passes_over_who_is_busy_or_not_there_and_falls_back_to_another_group(
    exchange: Exchange,
) -> None:
    alice, last, outside = exchange.phone("1021"), exchange.phone("1005"), exchange.outside()
    answers = during(outside, TURNS, lambda: (alice.refuse(), alice.refuse(), last.answer()))
    call, (*_, taken) = answers
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)


def test_a_delay_lets_others_ring_first_and_the_group_ends_in_its_own_time(
    exchange: Exchange,
) -> None:
    alice, bob, last = (exchange.phone(name) for name in ("1021", "1022", "1005"))
    outside = exchange.outside()

    def ring_out() -> Dialogue:
        first = alice.ring()
        assert bob.seen == []
        second = bob.ring()
        assert 'text="NO_ANSWER"' in alice.wait_cancel(first)
        assert 'text="NO_ANSWER"' in bob.wait_cancel(second)
        return last.answer()

    call, taken = during(outside, LATE, ring_out)
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)


def test_a_delay_is_over_when_the_others_cannot_be_reached(exchange: Exchange) -> None:
    bob, outside = exchange.phone("1022"), exchange.outside()
    joined(exchange, outside, LATE, bob)


def test_without_a_fallback_the_caller_is_told_that_nobody_answers(exchange: Exchange) -> None:
    alice, outside = exchange.phone("1021"), exchange.outside()
    call, _ = during(outside, ALONE, lambda: alice.wait_cancel(alice.ring()))
    assert call == "SIP/2.0 480 Temporarily Unavailable"


def test_without_a_fallback_the_caller_is_told_that_all_are_busy(exchange: Exchange) -> None:
    alice, bob, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()
    call, _ = during(outside, ALONE, lambda: (alice.refuse(), bob.refuse()))
    assert call == "SIP/2.0 486 Busy Here"


def test_without_a_fallback_nobody_there_is_not_found_to_answer(exchange: Exchange) -> None:
    with pytest.raises(CallFailedError, match="480"):
        exchange.outside().call(ALONE)


def test_an_agent_dials_its_extension(exchange: Exchange) -> None:
    caller, bob = exchange.phone("1023"), exchange.phone("1022")
    joined(exchange, caller, "7001", bob)


def test_an_agent_transfers_his_caller_to_it(exchange: Exchange) -> None:
    caller, agent, bob = exchange.outside(), exchange.phone("1021"), exchange.phone("1022")
    call, taken = during(caller, PAIR, agent.answer)
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)
    bob.wait_cancel(bob.ring())
    assert agent.refer(taken, "7001") == 202
    agent.refuse()
    assert bob.refuse().user == "1022"


def leg_of(exchange: Exchange, dialogue: Dialogue) -> str:
    """Return the uuid of the switch's leg of a dialogue."""
    with exchange.switch.esl() as esl:
        rows = json.loads(esl.api("show channels as json"))["rows"]
        calls = {esl.api(f"uuid_getvar {row['uuid']} sip_call_id"): row["uuid"] for row in rows}
    return calls[dialogue.call_id]


@pytest.mark.parametrize("wanted", ["7003", "ring_group/local", f"+{LOCAL_DID}"])
def test_an_operator_transfers_a_call_to_it(exchange: Exchange, wanted: str) -> None:
    caller, agent, bob = exchange.outside(), exchange.phone("1021"), exchange.phone("1022")
    call = joined(exchange, caller, DIDS["1021"], agent)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(bob.answer)
        exchange.run("transfer", leg_of(exchange, call), wanted)
        await_joined(exchange.switch, call, taken.result())


def test_an_agent_is_connected_with_it_and_shown_there(exchange: Exchange) -> None:
    agent, bob = exchange.phone("1023"), exchange.phone("1022")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(agent.answer), pool.submit(bob.answer)
        exchange.run("dial", "1023", "7003", "--wait")
        await_joined(exchange.switch, first.result(), second.result())
    assert second.result().theirs.startswith('"Cy" <sip:1023@')


def test_an_agent_is_told_that_nobody_in_it_answers(
    exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    agent, bob = exchange.phone("1023"), exchange.phone("1022")
    with ThreadPoolExecutor(2) as pool:
        pool.submit(agent.answer)
        pool.submit(bob.refuse)
        with pytest.raises(AssertionError):
            exchange.run("dial", "1023", "7003", "--wait")
    assert "agent 1023 answered; 7003 did not: USER_BUSY" in capsys.readouterr().err


def test_a_member_cannot_move_his_caller_where_only_the_caller_may_call(exchange: Exchange) -> None:
    mighty, local, before = exchange.phone("1021"), exchange.phone("1022"), exchange.dialled()
    call, taken = during(mighty, "7003", local.answer)
    assert not isinstance(call, str), call
    await_joined(exchange.switch, call, taken)
    assert local.refer(taken, ABROAD) == 202
    mighty.wait_bye()
    assert exchange.dialled() == before


def test_what_is_deleted_rings_no_more(exchange: Exchange) -> None:
    bob = exchange.phone("1022")
    groups = exchange.root / "desired" / "groups.yaml"
    with contextlib.ExitStack() as stack:
        stack.callback(exchange.run, "apply", "--yes")
        stack.callback(groups.write_text, groups.read_text())
        groups.write_text("")
        exchange.run("apply", "--yes", "--allow", "deletes", "--allow", "calls")
        with pytest.raises(CallFailedError, match=r"480|404"):
            bob.call("7001")
