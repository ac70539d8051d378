"""Whether a call gets to an agent, and which extension takes it instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from call_world import DIRECTORY, DOMAIN, MODULES, NOW, make_world

from fsgitops.routing.call.arrival import Aim, Arrival, find_taker, judge_arrival
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.outcome import Outcomes

if TYPE_CHECKING:
    from fsgitops.routing.call.state import Took

LUA = MODULES.replace("<modules>", '<modules><load module="mod_lua"/>')
OURS = "ours.xml"
AGENTS = (
    '<extension name="ours"><condition field="destination_number" expression="^10..$">'
    f'<action application="bridge" data="user/${{destination_number}}@{DOMAIN}"/>'
    "</condition></extension>"
)
PLAIN = '<condition field="{}" expression="{}"/>'


def file_of(took: Took) -> str:
    return OURS if took.extension == "ours" else "stock.xml"


def condition(
    expression: str,
    field: str = "destination_number",
    data: str = "x",
    more: str = "",
    application: str = "conference",
) -> str:
    return (
        f'<condition field="{field}" expression="{expression}"{more}>'
        f'<action application="{application}" data="{data}"/></condition>'
    )


def stock(inner: str, attributes: str = "", name: str = "stock") -> str:
    return f'<extension name="{name}"{attributes}>{inner}</extension>'


def judge(before: str, *, user: str = "1000", number: str = "1000", after: str = "") -> str:
    """Return who takes a call; "": it arrives. `?`: only in some calls; `-`: nobody."""
    text = f'<context name="default">{before}{AGENTS}{after}</context>'
    world = make_world(text + '<context name="other"/>', configuration=LUA)
    outcomes = Outcomes(world, Clock(NOW, {}, known=False))
    aim = Aim("default", user, OURS)
    judged = judge_arrival(outcomes.find(Call(number, "default")), aim, file_of)
    if judged.arrival is Arrival.ALWAYS:
        return ""
    assert judged.way is not None
    taker = find_taker(judged.way, lambda took: file_of(took) == OURS)
    return (taker.extension if taker else "-") + "?" * (judged.arrival is Arrival.SOMETIMES)


@pytest.mark.parametrize("expression", ["^(.*)$", ".*$", "", "^", ".", r"\d", "/^.*$/s", r"^\S+$"])
def test_an_extension_that_takes_every_number_takes_ours(expression: str) -> None:
    """../shared/cases/02: whatever its name, and whatever else it matches."""
    assert judge(stock(condition(expression, application="park"))) == "stock"


def test_an_extension_without_any_condition_on_the_number_takes_every_one() -> None:
    assert judge(stock('<condition><action application="hangup"/></condition>')) == "stock"


def test_another_number_is_not_taken_and_nothing_behind_ours_takes_one() -> None:
    assert judge(stock(condition("^40"))) == ""
    assert judge("", after=stock(condition(".*"))) == ""


@pytest.mark.parametrize(
    "data",
    [f"user/$1@{DOMAIN}", f"user/${{destination_number}}@{DOMAIN}",
     f"{{a=b}}user/1000@{DOMAIN},user/1001@{DOMAIN}"],
)  # fmt: skip
def test_an_extension_that_rings_the_user_takes_nothing(data: str) -> None:
    assert judge(stock(condition("^(10..)$", data=data, application="bridge"))) == ""


def test_the_users_mailbox_is_an_aim_too_and_another_users_is_not() -> None:
    for user, taker in (("1000", ""), ("1001", "stock")):
        data = f"default {DOMAIN} {user}"
        assert judge(stock(condition("^10", data=data, application="voicemail"))) == taker


def test_an_extension_that_rings_another_user_takes_the_number() -> None:
    data = f"user/1001@{DOMAIN}"
    assert judge(stock(condition("^1000$", data=data, application="bridge"))) == "stock"


def test_where_a_call_goes_on_to_is_followed() -> None:
    sent = condition("^(1000)$", data="$1 XML {}", application="transfer")
    assert judge(stock(sent.format("other"))) == "stock"
    assert judge(stock(condition("^00(10..)$", data="$1 XML default", application="transfer")),
                 number="001000") == ""  # fmt: skip


def test_of_a_script_nobody_can_say_where_it_sends_a_call() -> None:
    assert judge(stock(condition("^1000$", data="route.lua", application="lua"))) == "stock?"


@pytest.mark.parametrize(
    "first",
    [
        PLAIN.format("caller_id_number", "^x$"),
        PLAIN.format("${sip_h_X-Blocked}", "^true$"),
        '<condition wday="2-6" hour="9-18"/>',
    ],
)
def test_a_number_that_is_taken_in_some_calls_only_is_uncertain(first: str) -> None:
    assert judge(stock(first + condition("^10"))) == "stock?"


def test_what_can_never_be_true_takes_nothing() -> None:
    assert judge(stock(PLAIN.format("context", "^other$") + condition("^10"))) == ""


def test_an_extension_that_goes_on_takes_nothing_unless_it_ends_the_call() -> None:
    more = ' continue="true"'
    assert judge(stock(condition(".", application="set", data="a=b"), more)) == ""
    for application in ("hangup", "park"):
        assert judge(stock(condition("^10", application=application), more)) == "stock"


def test_what_a_failed_condition_left_in_the_queue_is_run_all_the_same() -> None:
    """FreeSWITCH keeps the actions of the conditions that held, though the extension failed."""
    failed = condition("^10", application="hangup") + PLAIN.format("context", "^other$")
    assert judge(stock(failed)) == "stock"


def test_an_extension_that_matches_and_does_nothing_ends_the_search() -> None:
    assert judge(stock(PLAIN.format("destination_number", "^10"))) == "stock"


def test_the_first_extension_that_ends_the_search_is_the_one_that_is_named() -> None:
    sure = stock(condition("^1000$"), name="sure")
    assert judge(stock(PLAIN.format("${sip_h_X}", "y") + condition("^1000$")) + sure) == "sure"


def test_a_call_that_nobody_takes_is_lost_to_nobody() -> None:
    assert judge("", number="5000") == "-"


def test_what_has_no_user_is_got_to_by_its_own_extension_whatever_that_does() -> None:
    assert judge("", user="") == ""
    assert judge(stock(condition("^10", data=f"user/1000@{DOMAIN}", application="bridge")),
                 user="") == "stock"  # fmt: skip


def test_an_extension_with_more_ways_than_can_be_followed_is_called_uncertain() -> None:
    many = "".join(
        condition("^x$", f"${{sip_h_{at}}}", str(at), ' break="never"', "set") for at in range(40)
    )
    ended = "".join(
        condition("^x$", f"${{sip_h_y{at}}}", str(at), ' break="on-true"', "conference")
        for at in range(40)
    )
    assert judge(stock(many + ended + condition("^1000$", application="hangup"))).endswith("?")


def test_an_agent_whom_the_directory_cannot_ring_is_lost() -> None:
    text = f'<context name="default">{AGENTS}</context>'
    without = DIRECTORY.replace("dial-string", "other")
    outcomes = Outcomes(make_world(text, directory=without), Clock(NOW, {}, known=False))
    aim = Aim("default", "1000", OURS)
    judged = judge_arrival(outcomes.find(Call("1000", "default")), aim, file_of)
    assert judged.arrival is Arrival.NEVER
