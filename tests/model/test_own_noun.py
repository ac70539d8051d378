"""The part of JSON Schema that is read: what it makes of a kind, and a finding for all else."""

from __future__ import annotations

from typing import Any

import pytest
from own_kinds import SCHEMA, changed, read

from fsgitops.model.fields import Hidden
from fsgitops.model.noun import make_noun
from fsgitops.model.reading import find_marked, key_field, references, resource_of

GOOD = {"name": "warehouse", "extension": "7001", "members": "1020, 1021"}


def test_a_schema_makes_a_noun_with_all_its_marks(tmp_path) -> None:
    own, findings = read(tmp_path, SCHEMA)
    assert findings == []
    noun, faults = make_noun(own.noun, {**GOOD, "pin": {"env": "PIN"}, "beep": "true"})
    assert faults == []
    assert (key_field(own.noun), str(resource_of(noun))) == ("name", "paging_group:warehouse")
    assert [str(item.resource) for item in references(noun)] == ["agent:1020", "agent:1021"]
    assert [mark.said for _, _, mark in find_marked(noun, Hidden)] == ["pin"]
    assert (noun.mode, noun.beep, noun.timeout, noun.greeting) == ("one-way", True, 20, None)
    assert list(own.noun.model_fields)[-2:] == ["enabled", "protect"]


@pytest.mark.parametrize(
    "values",
    [
        {"extension": "70"}, {"members": ["1020"] * 65}, {"mode": "three-way"}, {"beep": "maybe"},
        {"timeout": "4"}, {"timeout": "61"}, {"timeout": "1_0"}, {"greeting": "x" * 61},
        {"greeting": "a,b"}, {"greeting": "a'b"}, {"name": "../x"}, {"name": "a/b"}, {"name": ""},
        {"name": "a b"}, {"hours": [{"note": "no days"}]}, {"hours": [{"days": "mo", "x": "1"}]},
        {"pin": ["a"]}, {"unknown": "1"}, {"enabled": "perhaps"},
    ],
)  # fmt: skip
def test_a_value_that_the_schema_does_not_take_is_a_fault(tmp_path, values) -> None:
    own, _ = read(tmp_path, SCHEMA)
    noun, faults = make_noun(own.noun, {**GOOD, **values})
    assert noun is None
    assert len(faults) == 1


def put(path: str, value: Any) -> Any:
    def change(schema: dict[str, Any]) -> None:
        *above, last = path.split("/")
        for step in above:
            schema = schema[step]
        schema[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "shown", "told"),
    [
        (put("minProperties", 1), '"minProperties"', '"minProperties" is not read'),
        (put("type", "array"), '"array"', "`type: object`"),
        (put("additionalProperties", True), '"additionalProperties"', "only the fields"),
        (put("required", ["nobody"]), '"required"', "`nobody` is required, and no property"),
        (put("required", "name"), '"required"', "a list of names"),
        (put("properties", []), '"properties"', "the fields"),
        (put("properties/name/x-key", False), '"x-key"', "`x-key` is true"),
        (put("properties/extension/x-key", True), '"properties"', "found name, extension"),
        (put("properties/extension/format", "phone"), '"format"', '"format" is not read'),
        (put("properties/extension/pattern", "(?=x)"), '"pattern"', "no regular expression"),
        (put("properties/extension/pattern", "(a{1000}){1000}"), '"pattern"', "no regular"),
        (put("properties/extension/pattern", "x" * 301), '"pattern"', "at most 300"),
        (put("properties/greeting/maxLength", -1), '"maxLength"', "a whole number from 0 to 1024"),
        (put("properties/timeout/minimum", 90), '"maximum"', "less than `minimum`"),
        (put("properties/timeout/default", 4), '"default"', "is no value of this field"),
        (put("properties/mode/enum", []), '"enum"', "a list of 1 to 64 words"),
        (put("properties/mode/x-ref", ["agent"]), '"mode"', "four things"),
        (put("properties/members/items", {"type": "array"}), '"array"', "expected one of"),
        (put("properties/members/items/x-ref", ["agent", "did"]), '"x-ref"', "expected one kind"),
        (put("properties/members/items/x-ref", ["nobody"]), '"x-ref"', 'there is no kind "nobody"'),
        (put("properties/beep/type", "null"), '"null"', "expected one of string"),
        (put("properties/hours/items/properties/days", {"type": "object"}), '"object"', "one of"),
        (put("properties/Members", {"type": "string"}), '"Members"', "no name of a field"),
        (put("properties/enabled", {"type": "boolean"}), '"enabled"', "is taken"),
        (put("properties/model_dump", {"type": "boolean"}), '"model_dump"', "is taken"),
        (put("properties/range", {"type": "boolean"}), '"range"', "is taken"),
        (put("properties/x", "string"), '"x": "string"', "as a mapping"),
        (put("properties/pin/default", "1234"), '"default"', "nothing beside `x-secret`"),
        (put("properties/pin/maxLength", 8), '"maxLength"', "nothing beside `x-secret`"),
        (put("properties/name/default", "one"), '"default"', "nothing beside `x-key`"),
        (put("properties/mode/pattern", "^a"), '"pattern"', "nothing beside `enum`"),
        (put("properties/mode/title", {"a": "b"}), '"title"', "expected a text"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_a_finding_with_its_place(tmp_path, change, shown, told) -> None:
    own, findings = read(tmp_path, changed(change))
    assert own is None
    assert [item.position.file for item in findings] == ["kind.json"] * len(findings)
    assert told in findings[0].message, findings
    written = (tmp_path / "kind.json").read_text().splitlines()
    assert shown in written[findings[0].position.line - 1], findings
    assert (findings[0].position.column > 1, len(findings)) == (True, 1)


def test_all_that_is_wrong_is_told_at_once(tmp_path) -> None:
    schema = changed(put("properties/timeout/format", "x"))
    put("properties/mode/enum", [])(schema)
    put("properties/greeting/const", "x")(schema)
    assert len(read(tmp_path, schema)[1]) == 3


def test_a_text_whose_schema_says_nothing_holds_nothing_that_parts_words(tmp_path) -> None:
    own, _ = read(tmp_path, SCHEMA)
    for sign in ",|'\"\\{}[]()<>;:=&$^`/\n\t":
        assert make_noun(own.noun, {**GOOD, "greeting": f"a{sign}b"})[0] is None
    assert make_noun(own.noun, {**GOOD, "greeting": "Halle Süd 2 - *3#"})[0] is not None


def test_a_pattern_that_only_rust_reads_is_read_without_a_word(tmp_path, recwarn) -> None:
    pattern = put("properties/extension/pattern", "^[[:digit:]]+$")
    own, findings = read(tmp_path, changed(pattern))
    assert (findings, [str(item.message) for item in recwarn]) == ([], [])
    assert make_noun(own.noun, {**GOOD, "extension": "7001"})[0] is not None
