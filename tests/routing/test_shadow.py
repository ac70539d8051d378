"""Numbers that hand-written extensions take first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.routing.glob import MARK, Ours
from fsgitops.routing.places import list_contexts
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.shadow import Wanted, find_takers
from fsgitops.routing.tree import parse
from fsgitops.sandbox.skeleton import write_skeleton

AGENTS = "dialplan/default/10_fsgitops_agents.xml"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_skeleton(tmp_path / "conf", "d.example")
    return tmp_path / "conf"


def look(conf: Path, *numbers: str | tuple[str, ...]):
    ours = Ours([AGENTS])
    merged = load_merged(conf, ours=ours)
    context = list_contexts(parse(merged.text))["default"]
    run = ours.runs[AGENTS][0]
    forms = [(item,) if isinstance(item, str) else item for item in numbers]
    wanted = [Wanted(item[0], item, item[0].lstrip("+"), run) for item in forms]
    return find_takers(context, wanted, "default")


def taken(conf: Path, *numbers: str | tuple[str, ...]) -> dict[str, str]:
    """Number -> the extension that takes it, with a question mark where that is not certain."""
    takers, _ = look(conf, *numbers)
    return {item.name: item.extension.name + ("" if item.certain else "?") for item in takers}


def guards(conf: Path) -> list[str]:
    return [item.name for item in look(conf, "3001")[1]]


def write(
    conf: Path, inner: str, attributes: str = "", name: str = "dialplan/default/00_stock.xml"
) -> None:
    text = f'<include>\n<extension name="stock"{attributes}>\n{inner}\n</extension>\n</include>\n'
    (conf / name).write_text(text)


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


PLAIN = '<condition field="{}" expression="{}"/>'


def test_a_number_that_an_extension_takes_is_shadowed(conf: Path) -> None:
    write(conf, condition("^30[0-9]{2}$"))
    assert taken(conf, "3001") == {"3001": "stock"}


def test_another_number_is_not(conf: Path) -> None:
    write(conf, condition("^30[0-9]{2}$"))
    assert taken(conf, "4001") == {}


@pytest.mark.parametrize("expression", ["^(.*)$", ".*$", "", "^", ".", r"\d", "/^.*$/s", r"^\S+$"])
def test_an_extension_that_takes_every_number_takes_ours(conf: Path, expression: str) -> None:
    """../shared/cases/02: whatever its name, and whatever else it matches."""
    write(conf, condition(expression, application="park", data=""))
    assert taken(conf, "3001", "123456") == {"3001": "stock", "123456": "stock"}


def test_an_extension_without_any_condition_on_the_number_takes_every_one(conf: Path) -> None:
    write(conf, '<condition><action application="hangup"/></condition>')
    assert taken(conf, "3001") == {"3001": "stock"}


def test_the_name_of_an_extension_means_nothing(conf: Path) -> None:
    text = '<extension name="inbound_anything">\n' + condition("^30") + "\n</extension>\n"
    (conf / "dialplan/default/00_first.xml").write_text(text)
    write(conf, condition("^40"), name="dialplan/default/01_stock.xml")
    assert taken(conf, "3001", "4001") == {"3001": "inbound_anything", "4001": "stock"}


def test_what_stands_behind_ours_takes_nothing(conf: Path) -> None:
    write(conf, condition(".*"), name="dialplan/default/99_stock.xml")
    assert taken(conf, "3001") == {}


def test_a_number_is_taken_for_certain_where_every_form_of_it_is(conf: Path) -> None:
    write(conf, condition(r"^\+?1949"))
    assert taken(conf, ("+19495431333", "19495431333")) == {"+19495431333": "stock"}


def test_a_number_that_is_taken_in_one_form_may_be_taken(conf: Path) -> None:
    write(conf, condition("^19495431333$"))
    takers, _ = look(conf, ("+19495431333", "19495431333"))
    assert [(item.certain, item.form) for item in takers] == [(False, "19495431333")]


@pytest.mark.parametrize(
    "data", ["user/$1@d", "user/${destination_number}@${domain_name}", "{a=b}user/3001@d,user/9"]
)
def test_an_extension_that_rings_the_user_takes_nothing(conf: Path, data: str) -> None:
    write(conf, condition("^(30[0-9]{2})$", data=data, application="bridge"))
    assert taken(conf, "3001") == {}


def test_the_user_is_known_through_a_variable_that_was_set(conf: Path) -> None:
    """As Local_Extension of the stock dialplan does it."""
    inner = (
        '<condition field="destination_number" expression="^(30..)$">'
        '<action application="export" data="dialed_extension=$1"/>'
        '<action application="bridge" data="user/${dialed_extension}@${domain_name}"/></condition>'
    )
    write(conf, inner)
    assert taken(conf, "3001") == {}


def test_an_extension_that_rings_another_user_takes_the_number(conf: Path) -> None:
    write(conf, condition("^3001$", data="user/4001@d", application="bridge"))
    assert taken(conf, "3001") == {"3001": "stock"}


@pytest.mark.parametrize(
    ("application", "data"),
    [("bridge", "sofia/gateway/x/$1"), ("transfer", "$1 XML other"), ("lua", "route.lua")],
)
def test_where_a_call_goes_on_to_is_not_followed_and_called_uncertain(
    conf: Path, application: str, data: str
) -> None:
    write(conf, condition("^(3001)$", data=data, application=application))
    assert taken(conf, "3001") == {"3001": "stock?"}


@pytest.mark.parametrize(
    "first",
    [
        PLAIN.format("caller_id_number", "^x$"),
        PLAIN.format("${blocked}", "^true$"),
        '<condition wday="2-6" hour="9-18"/>',
    ],
)
def test_a_number_that_is_taken_in_some_calls_only_is_uncertain(conf: Path, first: str) -> None:
    write(conf, first + condition("^30[0-9]{2}$"))
    assert taken(conf, "3001", "4001") == {"3001": "stock?"}


def test_what_can_never_be_true_takes_nothing(conf: Path) -> None:
    write(conf, PLAIN.format("context", "^other$") + condition("^30"))
    assert taken(conf, "3001") == {}


def test_an_extension_that_takes_any_number_in_some_calls_is_told_once(conf: Path) -> None:
    write(conf, PLAIN.format("${blocked}", "^true$") + condition(".*", application="hangup"))
    assert taken(conf, "3001") == {}
    assert guards(conf) == ["stock"]


def test_a_call_that_comes_in_for_the_first_time_is_not_looped(conf: Path) -> None:
    """The stock dialplan begins with `unloop`."""
    assert guards(conf) == []


def test_an_extension_that_goes_on_takes_nothing(conf: Path) -> None:
    write(conf, condition(".", application="set", data="a=b"), ' continue="true"')
    assert taken(conf, "3001") == {}


def test_one_that_goes_on_but_ends_the_call_takes_it(conf: Path) -> None:
    write(conf, condition("^30", application="hangup"), ' continue="true"')
    assert taken(conf, "3001") == {"3001": "stock"}


def test_what_a_failed_condition_left_in_the_queue_is_run_all_the_same(conf: Path) -> None:
    """FreeSWITCH keeps the actions of the conditions that held, though the extension failed."""
    write(conf, condition("^30", application="hangup") + PLAIN.format("context", "^other$"))
    assert taken(conf, "3001") == {"3001": "stock"}


def test_an_anti_action_takes_what_the_condition_does_not_match(conf: Path) -> None:
    anti = '<anti-action application="hangup" data=""/>'
    inner = f'<condition field="destination_number" expression="^30">{anti}</condition>'
    write(conf, inner, ' continue="true"')
    assert taken(conf, "3001", "4001") == {"4001": "stock"}


def test_an_extension_that_matches_and_does_nothing_ends_the_search(conf: Path) -> None:
    write(conf, PLAIN.format("destination_number", "^30"))
    assert taken(conf, "3001", "4001") == {"3001": "stock"}


@pytest.mark.parametrize(("word", "expected"), [("any", {"3001", "4001"}), ("all", set())])
def test_several_expressions_in_one_condition_count_as_they_are_joined(
    conf: Path, word: str, expected: set[str]
) -> None:
    regexes = '<regex field="destination_number" expression="^30"/>'
    regexes += '<regex field="destination_number" expression="^40"/>'
    write(conf, f'<condition regex="{word}">{regexes}<action application="park"/></condition>')
    assert set(taken(conf, "3001", "4001", "5001")) == expected


def test_a_nested_condition_counts(conf: Path) -> None:
    nested = condition("^3001$", application="park")
    write(conf, f'<condition field="destination_number" expression="^30">{nested}</condition>')
    assert taken(conf, "3001", "3002") == {"3001": "stock"}


def test_a_condition_that_never_breaks_lets_the_next_one_decide(conf: Path) -> None:
    first = condition("^9", more=' break="never"', application="set", data="a=b")
    write(conf, first + condition("^30", application="park"))
    assert taken(conf, "3001", "4001") == {"3001": "stock"}


def test_the_first_extension_for_certain_is_the_one_that_is_named(conf: Path) -> None:
    write(conf, PLAIN.format("${x}", "y") + condition("^30"))
    text = '<extension name="sure">\n' + condition("^3001$") + "\n</extension>\n"
    (conf / "dialplan/default/01_sure.xml").write_text(text)
    assert taken(conf, "3001", "3002") == {"3001": "sure", "3002": "stock?"}


def test_an_expression_that_pcre_gives_up_on_takes_nothing_for_certain(conf: Path) -> None:
    write(conf, condition(r"^(\d+\d*)+x$"))
    assert taken(conf, "3001") in ({}, {"3001": "stock?"})


def test_the_stock_dialplan_takes_its_conferences_and_leaves_1020(shared: Path) -> None:
    conf = shared / "freeswitch-conf" / "vanilla"
    numbers = ("1001", "1020", "2000", "3001", "4000", "5000", "7777", "881234")
    assert set(taken(conf, *numbers)) == {"2000", "3001", "4000", "5000", "881234"}
    assert guards(conf) == []


CONDITIONS = st.recursive(
    st.builds(
        condition,
        st.sampled_from(["^30", "", ".*", "^(", "${x}", "_3XXX", "[", "^3001$", "/x", "/^3/i"]),
        st.sampled_from(["destination_number", "${destination_number}", "context", "${a}", ""]),
        st.sampled_from(["$1", "user/$1@d", "user/3001", "3001 XML default", "${y}", "", "$9"]),
        st.sampled_from(["", ' break="never"', ' break="always"', ' hour="x"', ' regex="any"',
                         ' require-nested="no"']),
        st.sampled_from(["hangup", "bridge", "transfer", "set", "lua", "", "park"]),
    ),
    lambda inner: st.lists(inner, max_size=3).map(
        lambda parts: f'<condition field="destination_number" expression="3">{"".join(parts)}'
        "</condition>"
    ),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(st.lists(CONDITIONS, max_size=4), max_size=4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_extension_stops_the_search_with_an_error(
    extensions: list[list[str]], goes_on: bool
) -> None:
    more = ' continue="true"' if goes_on else ""
    inner = "".join(f"<extension{more}>{''.join(parts)}</extension>" for parts in extensions)
    context = parse(f'<context name="c">{inner}<{MARK} run="0"/></context>\n'.encode())
    wanted = [Wanted("agent:3001", ("3001",), "3001", 0), Wanted("did:+1", ("+1", "1"), "3001", 0)]
    takers, _ = find_takers(context, wanted, "default")
    assert {item.name for item in takers} <= {item.name for item in wanted}


def test_an_extension_with_more_ways_than_can_be_followed_is_called_uncertain(conf: Path) -> None:
    many = "".join(
        condition(
            "^x$", field=f"${{v{at}}}", more=' break="never"', application="set", data=str(at)
        )
        for at in range(40)
    )
    write(conf, many + condition("^3001$", application="hangup"))
    assert guards(conf) == ["stock"]


@pytest.mark.parametrize(("first", "swallowed"), [("^(30)", True), ("^30", False)])
def test_a_group_in_a_list_that_must_hold_swallows_the_call_where_the_rest_does_not(
    conf: Path, first: str, swallowed: bool
) -> None:
    """FreeSWITCH remembers what the group gave: the extension ends the search and does nothing."""
    regexes = "".join(
        f'<regex field="destination_number" expression="{item}"/>' for item in (first, "9$")
    )
    write(conf, f'<condition regex="all">{regexes}<action application="park"/></condition>')
    assert taken(conf, "3001") == ({"3001": "stock"} if swallowed else {})


def test_an_anti_action_that_runs_no_time_still_ends_the_search(conf: Path) -> None:
    write(
        conf,
        '<condition field="destination_number" expression="^4">'
        '<anti-action application="set" data="a=b" loop="0"/></condition>',
    )
    assert taken(conf, "3001") == {"3001": "stock"}
