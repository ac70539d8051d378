"""No expression that meets somebody else's text takes more than linear work, whatever it says."""

from __future__ import annotations

import re
import time

import pytest
from ambiguity import why_not_linear
from expressions import find_expressions, modules_with_expressions

from fsgitops.cdr.number import number_pattern
from fsgitops.cdr.record import RecordBuilder, hide_credentials
from fsgitops.homes import HOMES
from fsgitops.kinds.own import AROUND
from fsgitops.routing.glob import character_class, glob_expression
from fsgitops.routing.veil import Veil

MODULES = modules_with_expressions()
# What is put together at run time: what it becomes for input that is as bad as it can be.
BUILT = {
    "fsgitops.cdr.number:__init__": [number_pattern("+12025550666")],
    "fsgitops.homes.home:pattern": [home.pattern.pattern for home in HOMES],
    # A project's key is a name of its own; what stands around it is this.
    "fsgitops.kinds.own:faults_of": [
        rf"dialplan/[A-Za-z0-9_-]{{1,60}}/{AROUND}\{{name\}}{AROUND}\.xml",
        rf"{AROUND}\{{name\}}{AROUND}",
    ],
    # Looked at and never run: values are matched by pydantic, in linear time for any pattern.
    "fsgitops.model.own_noun:_is_portable": [],
    # Those of phonenumbers' metadata, as phonenumbers uses them: they meet at most 100 characters.
    **{
        key: []
        for key in [
            f"fsgitops.numbering:{function}"
            for function in ("_read_form", "_read_home", "_read_region", "_shapes", "read_plan")
        ]
    },
    "fsgitops.routing.glob:character_class": [character_class("a-z")],
    "fsgitops.routing.glob:glob_expression": [
        glob_expression(glob).pattern
        for glob in ("*", "a*b", "*a*a*a*b", "**a**a*", "[ab]*?*a*[!c]*", "*" * 40 + "x")
    ],
    "fsgitops.routing.veil:__init__": [
        Veil({f"password{n}": "a" * n + ".*" for n in range(20)}).pattern,
        Veil({}).pattern,
    ],
}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_expression_reads_a_text_in_more_than_one_way(module) -> None:
    for use in find_expressions(module):
        if use.pattern is not None:
            assert why_not_linear(use.pattern, use.flags, use.method) is None, use
        else:
            expect_its_worst_to_be_linear(use)


def expect_its_worst_to_be_linear(use) -> None:
    assert use.place in BUILT, "put together at run time: give its worst to BUILT in this file"
    whole = use.place.startswith(("fsgitops.routing.glob", "fsgitops.homes.", "fsgitops.kinds."))
    method = "fullmatch" if whole else "search"
    for pattern in BUILT[use.place]:
        assert why_not_linear(pattern, re.DOTALL, method) is None, pattern


def test_every_expression_was_found() -> None:
    uses = [use for module in MODULES for use in find_expressions(module)]
    assert len(uses) > 100
    assert set(BUILT) == {use.place for use in uses if use.pattern is None}


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"a+b", "search"),
        (r"(a+)+$", "match"),
        (r"(a*)*b", "match"),
        (r"(a|a)*b", "match"),
        (r"(a|aa)+b", "fullmatch"),
        (r"(a?b?)*c", "match"),
        (r"a*a*b", "match"),
        (r".*,.*x", "match"),
        (r"\s+$", "search"),
        (r"[a-z.]+(\.[a-z]+)*@", "match"),
        (r"x(?=.*y)", "search"),
        (r"\w{1,5000}x", "search"),
        (r"(?:\w{1,64}x?){1,64}y", "match"),
        (r"(^|,)[^;]*x", "search"),
        (r"(?>a+)b", "search"),
        (r"[\w-]*pass[\w-]*\s*=", "search"),
        (r"BEGIN [A-Z ]*PRIVATE KEY", "search"),
    ],
)
def test_an_expression_that_reads_a_text_in_many_ways_is_told(pattern, method) -> None:
    assert why_not_linear(pattern, 0, method) is not None


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"a+b", "match"),
        (r"a+", "search"),
        (r"^\s+x", "search"),
        (r"(a+b)*c", "match"),
        (r"[^,]*,[^,]*,x", "match"),
        (r"[a-z]+(\.[a-z]+)*@", "match"),
        (r"(?:ab|a)(?:bc|c)*d", "match"),
        (r"x[^x]*y", "search"),
        (r"(^|,)[^,]*x", "search"),
        (r"(?>.*?a)(?>.*?b).*c", "fullmatch"),
        (r"(?m)^k *:.*(?:\n(?: .*)?)*", "search"),
    ],
)
def test_an_expression_that_is_linear_passes(pattern, method) -> None:
    assert why_not_linear(pattern, 0, method) is None


def hangup(agent: str) -> dict[str, str]:
    return {
        "Unique-ID": "u1",
        "FreeSWITCH-Switchname": "sw",
        "variable_sip_user_agent": agent,
        "variable_last_app": "bridge",
        "variable_last_arg": f"{{sip_h_User-Agent={agent}}}user/1020",
    }


@pytest.mark.parametrize(
    "agent",
    ["pass" * 800, "pass" * 800 + "=", "-pass " * 500, "BEGIN " * 500, "pass='" * 500, "@a:" * 900],
)
def test_no_caller_makes_a_record_take_long(agent) -> None:
    # On the expressions before, 3.2 kB took 84 s of the processor. Time of this thread, not of
    # the clock: a busy machine changes nothing.
    began = time.thread_time()
    RecordBuilder(["*"]).build(hangup(agent), "esl", 1)
    assert time.thread_time() - began < 2.0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{a_password=x,b=y}", "{a_password=***,b=y}"),
        ("x=pass=abc", "x=pass=***"),
        ("Pin = 'a b',c=d", "Pin = ***,c=d"),
        ("key='never closed]", "key=*** closed]"),
        ("my-token-2=a;auth=b c", "my-token-2=*** c"),
        ("password = 'x'pin=3", "password = ***pin=***"),
        ("compass=north", "compass=***"),
        ("passkey", "passkey"),
    ],
)
def test_what_a_setting_hides_is_hidden_word_by_word(text, shown) -> None:
    assert hide_credentials(text) == shown
