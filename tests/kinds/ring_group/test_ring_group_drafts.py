"""What a ring group becomes, what its template has to keep, and what is never written."""

from __future__ import annotations

import re
from typing import Any

import pytest
from builders import noun
from compiling import compiled, with_templates

from fsgitops.kinds.ring_group import RING_GROUP
from fsgitops.kinds.ring_group.drafts import longest
from fsgitops.kinds.ring_group.noun import Member
from fsgitops.steps.read_templates import packaged_templates

AGENTS = [
    noun("agent", extension=extension, name=extension) for extension in ("1020", "1021", "1022")
]
TEMPLATE = (packaged_templates() / "ring_group.xml.j2").read_text()
PATH = "dialplan/default/20_group_sales.xml"


def group(**fields: Any) -> Any:
    return noun("ring_group", **{"name": "sales", "members": ["1020", "1021"], **fields})


def text_of(one: Any) -> str:
    config, findings = compiled(*AGENTS, one)
    assert findings == []
    return config.files[PATH].content.decode()


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 22),
        ({"members": ["1020", {"agent": "1021", "delay": 50, "timeout": 40}]}, 92),
        ({"timeout": 12}, 12),
        ({"strategy": "sequential", "members": ["1020", {"agent": "1021", "timeout": 40}]}, 42),
    ],
)
def test_no_limit_of_freeswitch_ends_a_phone_before_its_own_time(fields: Any, seconds: int) -> None:
    assert longest(group(**fields)) == seconds
    assert f'data="call_timeout={seconds}"' in text_of(group(**fields))


def test_a_fallback_is_where_the_other_is_reached() -> None:
    night = noun("ring_group", name="night", members=["1022"])
    config, _ = compiled(*AGENTS, night, group(fallback="ring_group/night"))
    assert 'data="group_night XML default"' in config.files[PATH].content.decode()


def test_a_call_goes_on_whatever_the_cause_where_there_is_a_fallback() -> None:
    assert 'data="continue_on_fail=true"' in text_of(group(fallback="1022"))
    assert 'data="continue_on_fail=true"' not in text_of(group())


@pytest.mark.parametrize(
    ("pattern", "other", "told"),
    [
        (r"user/\{\{ member\.extension \}\}", "user/1020", "no bridge rings"),
        (r"\{\{ fallback\.number \}\} XML", "1020 XML", "no action transfers to"),
        (r"\{\{ extension \}\}\|", "7001|", "no condition compares with {{ extension }}"),
        (r"\{\{ reach \}\}", "group", "no condition compares with {{ reach }}"),
        (r'<extension name="group_\{\{ name \}\}">', '<extension name="g">', "exactly one"),
    ],
)
def test_a_template_that_loses_something_is_refused(pattern: str, other: str, told: str) -> None:
    changed, count = re.subn(pattern, other, TEMPLATE)
    assert count >= 1
    templates = with_templates(ring_group=changed)
    config, findings = compiled(
        *AGENTS, group(extension="7001", fallback="1022"), templates=templates
    )
    assert PATH not in config.files
    assert told in findings[0].message


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a b"},
        {"name": "../x"},
        {"extension": "7001|1020"},
        {"members": (Member.model_construct(agent="1020,user/1"),)},
        {"members": (Member.model_construct(agent="${system(id)}"),)},
    ],
)
def test_what_would_be_more_than_a_phone_is_never_written(fields: Any) -> None:
    """The schema refuses it before; this is the defence that needs no schema."""
    config, findings = compiled(*AGENTS, group().model_copy(update=fields))
    assert [item.hint for item in findings] == ["they become a dial string"]
    assert not [path for path in config.files if "20_" in path]


def test_a_group_that_is_left_in_memory_is_known_by_its_condition() -> None:
    def ours(name: str, condition: str) -> Any:
        said = {f"{name}/destination_number": condition}
        return RING_GROUP.ours("default", name, lambda: said)

    for name in ("group_sales", "group_a-b"):
        found = ours(name, rf"^(7001|{name})\z")
        assert found is not None
        assert (found.name, found.path) == (name[6:], f"dialplan/default/20_{name}.xml")
        assert ours(name, rf"^({name})\z") == found
    assert ours("group_sales", "^7001$") is None
    assert ours("group_sales", r"^(7001|group_night)\z") is None
    assert ours("hall", r"^(7001|group_hall)\z") is None
