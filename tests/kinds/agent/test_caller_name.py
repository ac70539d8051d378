"""A caller's name is written so that FreeSWITCH sends the whole of it to phones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.kinds.agent.user import encode_caller_name


def freeswitch_shows(held: str) -> str:
    """What a phone shows: switch_sanitize_number, then check_decode, then SIP's quoted string."""
    held = held.partition("@")[0]
    for char in "/:":
        held = held.rpartition(char)[2]
    decoded, at = "", 0
    while at < len(held):
        code = re.match(r"[ \t]*[+-]?([0-9A-Fa-f]{1,2})", held[at + 1 : at + 3])
        if held[at] == "%" and len(held) - at > 2 and code:
            decoded += chr(int(code[1], 16))
            at += 3
        else:
            decoded += held[at]
            at += 1
    if '"' in decoded:
        decoded = decoded.partition('"')[2]
        decoded = decoded.rpartition('"')[0] if '"' in decoded else decoded
    return re.sub(r"\\(.)", r"\1", decoded)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Front desk: Berlin", " Berlin"), ('John "Jack" Smith', "Jack"),
        ("Support 24/7 <24h>", "7 <24h>"), ("A/B Testing", "B Testing"), ("a@b", "a"),
        ("a%41b", "aAb"),
    ],
)  # fmt: skip
def test_as_it_stands_a_name_would_be_cut(name: str, shown: str) -> None:
    assert freeswitch_shows(name) == shown
    assert freeswitch_shows(encode_caller_name(name)) == name


@pytest.mark.parametrize("name", ["Alice", "Zoë O'Brien, {x}", "100% Sales", "Smith & Sons <1>"])
def test_a_name_that_arrives_whole_is_written_as_it_is(name: str) -> None:
    assert encode_caller_name(name) == name


@given(st.text(st.sampled_from('abfFx019 %:/@"\\+-é<'), min_size=1))
def test_every_name_arrives_whole(name: str) -> None:
    held = encode_caller_name(name)
    assert freeswitch_shows(held) == name
    assert not re.search(r'[:/@"\\]', held)
