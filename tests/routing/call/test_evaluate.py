"""Calls through dialplans: each promise of the evaluator in a small dialplan of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from call_world import executed, make_world, ways_of

from fsgitops.model.trace import Fate, What

SEEN = '<action application="eval" data="seen"/>'


def extension(inside: str, **attributes: str) -> str:
    words = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<extension{words}>{inside}</extension>"


def context(inside: str, name: str = "default") -> str:
    return f'<context name="{name}">{inside}</context>'


def asks(expression: str, inside: str, field: str = "destination_number") -> str:
    return f'<condition field="{field}" expression="{expression}">{inside}</condition>'


def does(application: str, data: str = "", more: str = "") -> str:
    return f'<action application="{application}" data="{data}"{more}/>'


def test_the_first_extension_that_matches_takes_the_call() -> None:
    plan = extension(asks("^2", does("eval", "a"))) + extension(asks("^1", does("eval", "b")))
    assert executed(plan + extension(asks("^1", does("eval", "c")))) == ["eval(b)"]


def test_an_extension_that_continues_lets_the_next_one_add_to_the_queue() -> None:
    plan = extension(asks("^1", does("eval", "a")), **{"continue": "true"})
    assert executed(plan + extension(asks("", does("eval", "b")))) == ["eval(a)", "eval(b)"]


def test_captures_are_put_into_the_data() -> None:
    plan = extension(asks(r"^(\d)(\d+)$", does("eval", "$2-${1}-$0-$9")))
    assert executed(plan) == ["eval(000-1-1000-)"]


def test_what_is_set_inline_is_seen_by_the_next_condition_and_else_it_is_not() -> None:
    for inline, seen in (("true", True), ("false", False)):
        plan = extension(
            asks("", does("set", "a=b", f' inline="{inline}"')) + asks("^b$", SEEN, "${a}")
        )
        assert ("eval(seen)" in executed(plan)) is seen


def test_a_call_that_no_extension_takes_ends_nowhere_with_the_reason() -> None:
    way = ways_of(context(extension(asks("^2", SEEN))))[0]
    assert (way.end.fate, way.end.cause) == (Fate.NOWHERE, "NO_ROUTE_DESTINATION")
    (passed,) = [step for step in way.steps if step.what is What.PASSES]
    assert [(item.value, item.expected, item.held) for item in passed.tested] == [
        ("1000", "^2", "no")
    ]


def test_a_context_that_does_not_exist_ends_the_call_unless_there_is_a_global_one() -> None:
    assert ways_of(context(""), context="other")[0].end.fate is Fate.NOWHERE
    served = ways_of(context(extension(asks("", does("park"))), "global"), context="other")
    assert served[0].end.fate is Fate.STAYS


def test_a_user_rings_and_where_nobody_answers_the_dialplan_goes_on() -> None:
    plan = extension(
        asks("^1000$", does("bridge", "user/1000@127.0.0.1") + does("hangup", "USER_BUSY"))
    )
    rings, unanswered = ways_of(context(plan))
    assert (rings.end.fate, rings.end.told) == (Fate.RINGS, "rings 1000")
    assert (unanswered.end.fate, unanswered.end.cause) == (Fate.HANGS_UP, "USER_BUSY")


@pytest.mark.parametrize(
    ("goes_on", "cause"),
    [("", "USER_NOT_REGISTERED"), ("true", "USER_BUSY"), ("606", "USER_BUSY"),
     ("NO_ANSWER", "USER_NOT_REGISTERED"), ("user_not_registered", "USER_BUSY")],
)  # fmt: skip
def test_a_phone_that_is_not_registered_fails_and_a_variable_says_whether_to_go_on(
    goes_on: str, cause: str
) -> None:
    plan = does("set", f"continue_on_fail={goes_on}") + does("bridge", "user/1000@127.0.0.1")
    (way,) = ways_of(
        context(extension(asks("", plan + does("hangup", "USER_BUSY")))), registered=["1001"]
    )
    assert way.end.cause == cause


def test_a_user_or_gateway_that_is_not_there_fails_at_once() -> None:
    for target, cause in (
        ("user/2000@127.0.0.1", "SUBSCRIBER_ABSENT"),
        ("sofia/gateway/none/123", "INVALID_GATEWAY"),
    ):
        (way,) = ways_of(context(extension(asks("", does("bridge", target)))))
        assert (way.end.fate, way.end.cause) == (Fate.HANGS_UP, cause)


def test_a_gateway_that_is_declared_dials_out() -> None:
    profile = (
        '<configuration name="sofia.conf"><profiles><profile name="external"><gateways>'
        '<gateway name="trunk"/></gateways></profile></profiles></configuration>'
    )
    plan = context(extension(asks(r"^(\d+)$", does("bridge", "sofia/gateway/trunk/$1"))))
    way = ways_of(make_world(plan, configuration=profile))[0]
    assert (way.end.fate, way.end.told) == (Fate.DIALS, "dials 1000 over gateway trunk")


def test_a_transfer_goes_to_another_context_and_a_loop_of_them_is_told() -> None:
    there = context(extension(asks("^5$", does("park"))), "there")
    moved = ways_of(context(extension(asks("", does("transfer", "5 XML there")))) + there)[0]
    assert moved.end.fate is Fate.STAYS
    loop = ways_of(context(extension(asks("", does("transfer", "1000 XML default")))))[0]
    assert (loop.end.fate, len(loop.executed)) == (Fate.LOOP, 71)


def test_execute_extension_comes_back() -> None:
    there = extension(asks("^5$", does("eval", "inner")))
    plan = there + extension(asks("^1", does("execute_extension", "5") + does("eval", "outer")))
    assert executed(plan) == ["execute_extension(5)", "eval(inner)", "eval(outer)"]


def test_after_an_inner_extension_the_outer_one_sees_the_calls_own_number() -> None:
    told = does("eval", "${destination_number}")
    plan = extension(asks("^6$", told))
    plan += extension(asks("^5$", told + does("execute_extension", "6") + told))
    plan += extension(asks("^1", does("execute_extension", "5") + told))
    seen = [item for item in executed(plan) if item.startswith("eval")]
    assert seen == ["eval(5)", "eval(6)", "eval(1000)", "eval(1000)"]


def test_a_leg_of_loopback_is_followed_and_its_end_is_the_end() -> None:
    there = context(extension(asks("^5$", does("voicemail", "default 127.0.0.1 1000"))), "there")
    way = ways_of(context(extension(asks("", does("bridge", "loopback/5/there")))) + there)[0]
    assert (way.end.fate, way.end.told) == (Fate.STAYS, "leaves a message for 1000")
    assert way.executed == (("bridge", "loopback/5/there"),)


def test_a_leg_of_loopback_has_what_was_exported_and_what_its_brackets_say() -> None:
    seen = does("eval", "${a} ${b} ${c}") + does("transfer", "${caller_id_number}9 XML end")
    there = context(extension(asks("", seen)), "there")
    end = context(extension(asks("^779$", does("park"))), "end")
    begins = does("export", "a=1") + does("set", "b=2")
    begins += does("set", "effective_caller_id_number=77")
    plan = begins + does("bridge", "{c=3}loopback/5/there")
    way = ways_of(context(extension(asks("", plan))) + there + end)[0]
    assert ("eval", "1  3") in [(step.application, step.data) for step in way.steps]
    assert way.end.fate is Fate.STAYS


def test_an_inline_dialplan_is_executed() -> None:
    data = r"'set:a=b,eval:\${a} \${destination_number}' inline"
    assert executed(extension(asks("^1000$", does("transfer", data))))[-2:] == [
        "set(a=b)",
        "eval(b 1000)",
    ]


def test_with_all_the_groups_of_the_last_element_that_has_some_are_put() -> None:
    inside = (
        '<regex field="destination_number" expression="^(1)(.*)$"/>'
        '<regex field="context" expression="^default$"/>'
    )
    data = "$2-${DP_MATCH[1]}-${DP_REGEX_MATCH_1[2]}"
    plan = extension(f'<condition regex="all">{inside}{does("eval", data)}</condition>')
    assert executed(plan) == ["eval(000-1-000)"]


def test_a_time_that_fails_within_all_takes_the_call_and_does_nothing() -> None:
    inside = '<regex field="destination_number" expression="^1"/><regex hour="3"/>'
    plan = extension(f'<condition regex="all">{inside}{SEEN}</condition>')
    way = ways_of(context(plan + extension(asks("", SEEN))))[0]
    assert (way.executed, way.end.cause) == ((), "NO_ROUTE_DESTINATION")


@pytest.mark.parametrize(
    ("rule", "first", "second", "holds"),
    [
        ("all", "^1", "0$", True), ("all", "^1", "5$", False), ("any", "^2", "0$", True),
        ("any", "^2", "5$", False), ("xor", "^1", "0$", False), ("xor", "^1", "5$", True),
        ("odd", "^2", "0$", True),
    ],
)  # fmt: skip
def test_a_rule_of_regex_counts_what_matches(
    rule: str, first: str, second: str, holds: bool
) -> None:
    inside = "".join(
        f'<regex field="destination_number" expression="{item}"/>' for item in (first, second)
    )
    plan = extension(f'<condition regex="{rule}">{inside}{SEEN}</condition>')
    assert (executed(plan) == ["eval(seen)"]) is holds


def test_a_function_gets_its_argument_without_the_spaces_around_it() -> None:
    plan = extension(asks("", does("eval", "${cond(${nothing} == 1 ? x : y)}")))
    assert executed(plan) == ["eval(-ERR)"]


def test_what_is_not_known_is_followed_both_ways_and_said() -> None:
    plan = extension(asks("^1", does("hangup", "CALL_REJECTED"), "caller_id_number"))
    ways = ways_of(context(plan + extension(asks("", does("park")))), caller=None)
    assert [way.end.fate for way in ways] == [Fate.STAYS, Fate.HANGS_UP]
    assert "caller_id_number does not match ^1" in ways[0].assumed[0]


def test_a_known_caller_needs_no_assumption() -> None:
    plan = extension(asks("^1", does("hangup", "CALL_REJECTED"), "caller_id_number"))
    (way,) = ways_of(context(plan), caller="12")
    assert (way.assumed, way.end.cause) == ((), "CALL_REJECTED")


def test_a_capture_of_what_is_not_known_is_not_guessed() -> None:
    plan = extension(asks("^(.*)$", does("transfer", "$1 XML default"), "caller_id_name"))
    (way,) = ways_of(context(plan))
    assert way.end.fate is Fate.UNKNOWN
    assert "caller_id_name" in way.end.told


@pytest.mark.parametrize(
    "application", ["lua", "socket", "httapi", "no_such_application", "python"]
)
def test_an_application_that_may_do_anything_ends_as_unknown(application: str) -> None:
    plan = context(extension(asks("", does(application, "x"))))
    (way,) = ways_of(make_world(plan, configuration=""))
    assert way.end.fate is Fate.UNKNOWN
    assert application in way.end.told


def test_an_application_whose_module_is_not_loaded_hangs_up() -> None:
    (way,) = ways_of(context(extension(asks("", does("callcenter", "sales")))))
    assert (way.end.fate, way.end.cause) == (Fate.HANGS_UP, "DESTINATION_OUT_OF_ORDER")
    assert "mod_callcenter" in way.end.told


def test_each_key_of_a_menu_is_a_way_of_its_own() -> None:
    inside = context(extension(asks("^1000$", does("bridge", "user/1000@127.0.0.1"))), "inside")
    plan = context(extension(asks("", does("ivr", "main") + does("park")))) + inside
    ways = {way.assumed[0]: way.end for way in reversed(ways_of(plan))}
    first = ways_of(plan)[0].end
    assert (first.fate, first.told) == (Fate.STAYS, "is in the menu main")
    assert ways["the caller presses 1 in the menu main"].told == "rings 1000"
    assert ways["the caller presses 9 in the menu main"].told == "is parked"
    captured = ways["the caller presses /^(10..)$/ in the menu main"]
    assert captured.fate is Fate.UNKNOWN


def test_a_menu_below_a_menu_is_entered_and_a_ring_of_them_ends() -> None:
    ways = ways_of(context(extension(asks("", does("ivr", "main")))))
    ends = {way.end.told for way in ways}
    assert {"is in the menu sub", "hangup with USER_BUSY"} <= ends


@pytest.mark.parametrize("name", ["gone", "broken", "MAIN"])
def test_a_menu_that_freeswitch_refuses_is_passed_by(name: str) -> None:
    (way,) = ways_of(context(extension(asks("", does("ivr", name) + does("park")))))
    assert way.executed[-1] == ("park", "")


def test_an_action_whose_data_holds_an_escaped_quote_is_left_out() -> None:
    plan = extension(asks("", does("eval", "it\\'s") + does("eval", "b")))
    assert executed(plan) == ["eval(b)"]


def test_a_time_and_a_field_in_one_condition_are_ored() -> None:
    plan = extension(
        f'<condition hour="18" field="destination_number" expression="^2">{SEEN}</condition>'
    )
    behind = extension(asks("", does("eval", "next")))
    assert executed(plan + behind) == ["eval(seen)", "eval(next)"]


@pytest.mark.parametrize(
    ("attribute", "wanted", "holds"),
    [
        ("hour", "9-18", True), ("hour", "22-6", False), ("hour", "19-18", True),
        ("hour", "abc", False), ("wday", "5", True), ("wday", "mon-fri", True),
        ("wday", "Thursday", True), ("wday", "thu", True), ("wday", "fri-mon", False),
        ("mon", "12", True), ("mon", "nov", False), ("mday", "25-24", True),
        ("year", "2025,2026", True), ("yday", "358", True), ("week", "52", True),
        ("mweek", "4", True), ("minute", "0", True), ("minute-of-day", "1081", True),
        ("time-of-day", "09:00-18:00", True), ("time-of-day", "9-18", False),
        ("time-of-day", "18:00:01-17:59:59", False), ("dst", "false", False),
        ("date-time", "2026-12-24 18:00:00~2026-12-27 08:00:00", True),
        ("date-time", "2026-12-24 17:00:00~2026-12-24 18:00:00", False),
        ("date-time", "2026-12-24 17:00:00", False), ("tz-offset", "0", True),
        ("foo", "1", True),
    ],
)  # fmt: skip
def test_a_time_attribute_holds_as_in_freeswitch(attribute: str, wanted: str, holds: bool) -> None:
    plan = extension(f'<condition {attribute}="{wanted}">{SEEN}</condition>')
    assert (executed(plan) == ["eval(seen)"]) is holds


def test_a_zone_moves_the_hour_where_it_is_set_inline_and_its_rules_are_the_switchs() -> None:
    plan = context(
        extension(
            '<condition><action application="set" data="timezone=Berlin" inline="true"/>'
            f'</condition><condition hour="19">{SEEN}</condition>'
        )
    )
    way = ways_of(plan, zones={"Berlin": "CET-1CEST,M3.5.0,M10.5.0/3"})[0]
    assert way.executed[-1] == ("eval", "seen")
    summer = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)
    assert ways_of(plan, zones={"Berlin": "CET-1CEST,M3.5.0,M10.5.0/3"}, now=summer)[0].executed


def test_a_zone_that_the_switch_does_not_know_is_unknown() -> None:
    plan = context(
        extension(
            '<condition><action application="set" data="timezone=Mars" inline="true"/>'
            f'</condition><condition hour="19">{SEEN}</condition>'
        )
    )
    assert "no time zone Mars" in ways_of(plan)[0].assumed[0]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("${user_exists(id 1000 127.0.0.1)}", "true"),
        ("${user_exists(id 2000 127.0.0.1)}", "false"),
        ("${user_data(1000@127.0.0.1 var user_context)}", "default"),
        ("${user_data(1000 attr id)}", "1000"),
        ("${cond(5 > 3 ? yes : no)}", "yes"),
        ("${cond('a' == 'b' ? yes : no)}", "no"),
        ("${regex(12345|^1(..)|<%1>)}", "<23>"),
        ("${regex(12345|^2)}", "false"),
        ("${global_getvar(domain)}", "127.0.0.1"),
        ("${strftime(%Y-%m-%d)}", "2026-12-24"),
        ("${group_call(default)}", "sofia/(contact)/1000@127.0.0.1,sofia/(contact)/1001@127.0.0.1"),
        ("${in_group(1000,default)}", "true"),
        ("${module_exists(mod_hash)}", "true"),
        ("${domain_exists(127.0.0.1)}", "true"),
        ("${destination_number:1:2}", "00"),
        ("${destination_number:-2}", "00"),
        ("${nothing}", ""),
    ],
)
def test_a_function_answers_as_freeswitch_does(text: str, answer: str) -> None:
    plan = extension(f'<condition><action application="eval" data="[{text}]"/></condition>')
    assert executed(plan) == [f"eval([{answer}])"]


def test_what_mod_hash_holds_is_known_only_where_the_call_has_written_it() -> None:
    plan = extension(
        asks("", does("hash", "insert/a/b/c", ""))
        + asks("", does("eval", "${hash(select/a/b)} ${hash(select/a/x)}"))
    )
    assert executed(plan)[-1] == "eval(c ${hash(select/a/x)})"


def test_a_text_that_doubles_without_end_ends_the_call_as_unknown() -> None:
    grows = does("set", "a=x") + does("set", "a=${a}${a}", ' loop="40"')
    way = ways_of(context(extension(asks("", grows))))
    assert way[0].end.fate is Fate.UNKNOWN


def test_the_limit_without_room_sends_the_call_away() -> None:
    plan = extension(asks("^1", does("limit", "hash a b 0 !USER_BUSY")))
    assert ways_of(context(plan))[0].end.cause == "USER_BUSY"
