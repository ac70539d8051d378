"""Whatever a dialplan or a caller says, an evaluation ends, and with an answer."""

from __future__ import annotations

import contextlib
import time

import pytest
from call_world import NOW, ways_of
from hypothesis import given, settings
from hypothesis import strategies as st
from made_dialplans import make_dialplan

from fsgitops.model.trace import Fate
from fsgitops.routing.call.clock import ATTRIBUTES, Clock, UnknownTimeError, read_zone
from fsgitops.routing.call.expand import Expander, TooLongError, Value
from fsgitops.routing.call.match import Match, substitute
from fsgitops.routing.call.words import separate, to_raw

TEXT = st.text(st.sampled_from("ab1 ${}()[]:;|'\\^,.~-+*#%ä\n"), max_size=60)
QUICK = settings(max_examples=60, deadline=None)


@QUICK
@given(TEXT)
def test_any_text_is_expanded_or_told_to_grow_without_end(text: str) -> None:
    expander = Expander(lambda name, _index: Value(f"${{{name}}}x"), lambda _name, data: data)
    try:
        assert isinstance(expander.expand(to_raw(text)).text, str)
    except TooLongError:
        assert "${" in text


@QUICK
@given(TEXT, st.lists(st.one_of(st.none(), TEXT), min_size=1, max_size=4), st.integers(0, 99))
def test_any_data_takes_groups_and_keeps_the_limit(
    data: str, groups: list[str | None], limit: int
) -> None:
    made = substitute(to_raw(data), Match(tuple(groups), len(groups)), limit)
    assert len(made) <= max(limit - 1, 0)


@QUICK
@given(TEXT, st.sampled_from(" |,/:"), st.integers(1, 5))
def test_any_text_is_separated_into_as_many_words_as_there_is_room_for(
    text: str, delimiter: str, most: int
) -> None:
    assert len(separate(to_raw(text), delimiter, most)) <= most


@QUICK
@given(st.dictionaries(st.sampled_from(ATTRIBUTES), TEXT, max_size=4), st.one_of(st.none(), TEXT))
def test_any_time_is_compared(attributes: dict[str, str], offset: str | None) -> None:
    moved = None if offset is None else len(offset)
    Clock(NOW, {}).check(attributes, None, moved)


@QUICK
@given(TEXT)
def test_any_zone_is_read_or_refused(rules: str) -> None:
    try:
        NOW.astimezone(read_zone(rules))
    except UnknownTimeError as problem:
        assert "time zone" in str(problem)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), TEXT, TEXT)
def test_any_call_through_any_dialplan_ends_with_an_answer(
    seed: int, number: str, caller: str
) -> None:
    dialplan, calls = make_dialplan(seed, 1, 1)
    for way in ways_of(dialplan, number, calls[0].context, caller=caller):
        assert way.end.told


def test_long_texts_take_linear_time() -> None:
    expander = Expander(lambda _name, _index: None, lambda _name, _data: None)
    for text in ("${" * 20_000, "${a(" * 10_000, "'" * 40_000, "\\'" * 20_000, "$" * 40_000):
        started = time.process_time()
        with contextlib.suppress(TooLongError):
            expander.expand(text)
        separate(text, " ", 25)
        separate(text, ",", 25)
        assert time.process_time() - started < 1


@pytest.mark.parametrize("hook", ["transfer 1000", "execute_extension 1000"])
def test_variables_that_make_each_other_executed_come_to_an_end(hook: str) -> None:
    actions = "".join(
        f'<action application="{name}" data="{data}"/>'
        for name, data in (("set", f"execute_on_blind_transfer={hook}"), ("transfer", "1000"))
    )
    way = ways_of(
        f'<context name="default"><extension name="e"><condition>{actions}</condition></extension>'
        "</context>"
    )[0]
    assert way.end.fate is Fate.UNKNOWN
    assert "execute each other" in way.end.told
