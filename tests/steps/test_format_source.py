"""Promises of steps/format_source: one form, the same meaning, every comment kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.kinds import BUILT_IN
from fsgitops.steps.format_source import format_text
from fsgitops.steps.format_source.tree import read_tree
from fsgitops.steps.load.events import parse_document
from fsgitops.steps.load.source import check_source

if TYPE_CHECKING:
    from fsgitops.findings import Finding
    from fsgitops.model.document import Document
    from fsgitops.steps.format_source.tree import Node

VALUES = st.one_of(
    st.sampled_from(
        ["1020", "0100", "+19495431333", "true", "No", "null", "~", "", "a: b", "x #y", "- z", "<<"]
    ),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"),
        max_size=12,
    ),
)
FIELDS = ("name", "extension", "email", "enabled", "groups", "unknown")


def read(text: str) -> tuple[Document | None, list[Finding]]:
    problem = check_source("a.yaml", text.encode())
    return (None, [problem]) if problem else parse_document("a.yaml", text.encode())


def data(text: str) -> object:
    document, findings = read(text)
    assert findings == []
    assert document is not None
    return document.data


@st.composite
def scalar(draw: st.DrawFn) -> str:
    value = draw(VALUES)
    style = draw(st.sampled_from(["plain", "single", "double"]))
    if style == "single":
        return "'" + value.replace("'", "''") + "'"
    if style == "double":
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value


@st.composite
def source(draw: st.DrawFn) -> str:
    """Agents in any field order, style and quoting, with comments anywhere between."""
    lines = ["# head", "agents:"]
    for number in range(draw(st.integers(1, 3))):
        fields = draw(st.permutations(FIELDS))[: draw(st.integers(1, 6))]
        values = {name: draw(scalar()) for name in fields}
        if draw(st.booleans()):
            pairs = ", ".join(f"{name}: {value}" for name, value in values.items())
            lines.append(f"- {{{pairs}}}  # item {number}")
            continue
        for index, (name, value) in enumerate(values.items()):
            if draw(st.booleans()):
                lines.append(f"  # about {name}")
            if draw(st.booleans()):
                lines.append("")
            lines.append(f"{'- ' if index == 0 else '  '}{name}: {value}")
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n# tail\n"]))


@given(source())
def test_formatting_changes_nothing_that_the_loader_reads_and_keeps_every_comment(
    text: str,
) -> None:
    document, findings = read(text)
    if findings or document is None:
        return
    formatted = format_text(text, BUILT_IN)
    assert data(formatted) == document.data
    assert sorted(_comments(formatted)) == sorted(_comments(text))


@given(source())
def test_formatting_twice_is_formatting_once(text: str) -> None:
    document, findings = read(text)
    if findings or document is None:
        return
    formatted = format_text(text, BUILT_IN)
    assert format_text(formatted, BUILT_IN) == formatted


def _comments(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip().startswith("#")]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("'1020'", "1020"),
        ("'+19495431333'", "+19495431333"),
        ("'Alice Example'", "Alice Example"),
        ("'a: b'", '"a: b"'),
        ("'@home'", '"@home"'),
        ("'a, b'", "a, b"),
        ("{b: 'c, d'}", '{b: "c, d"}'),
        ("'say \"hi\"'", "'say \"hi\"'"),
        ("~", "null"),
        ("'null'", '"null"'),
        ("'yes'", '"yes"'),
        ("'0012'", '"0012"'),
        ("0012", "0012"),
        ("'0x10'", '"0x10"'),
        ("'1e3'", '"1e3"'),
        ("'1.50'", '"1.50"'),
        ("'2026-01-31'", '"2026-01-31"'),
        ("yes", "yes"),
        ("!!str 12", "!!str 12"),
        ("'O''Brien'", "O'Brien"),
    ],
)
def test_a_scalar_has_one_form(written: str, canonical: str) -> None:
    assert format_text(f"x-a: {written}\n", BUILT_IN) == f"x-a: {canonical}\n"


def test_fields_move_with_the_comments_above_and_behind_them() -> None:
    text = (
        "agents:\n  - name: Alice  # her name\n    # where she sits\n    extension: 1020\n"
        "    # trailing\n"
    )
    assert format_text(text, BUILT_IN) == (
        "agents:\n  # where she sits\n  - extension: 1020\n    name: Alice  # her name\n"
        "    # trailing\n"
    )


def test_a_block_scalar_is_moved_as_it_stands() -> None:
    text = "agents:\n- name: |\n    two  \n     lines\n  extension: 1020\n"
    assert (
        format_text(text, BUILT_IN)
        == "agents:\n- extension: 1020\n  name: |\n    two  \n     lines\n"
    )


def test_a_merge_key_comes_first_and_the_fields_of_a_mailbox_are_ordered() -> None:
    text = (
        "x-b: &b {context: c}\nagents:\n"
        "- {extension: 1020, <<: *b, voicemail: {pin: 4711, enabled: true}}\n"
    )
    assert format_text(text, BUILT_IN).splitlines()[-1] == (
        "- {<<: *b, extension: 1020, voicemail: {enabled: true, pin: 4711}}"
    )


def test_an_item_that_sets_an_anchor_keeps_its_order() -> None:
    text = "agents:\n- name: &n Alice\n  extension: 1020\n  caller_id_name: *n\n"
    assert format_text(text, BUILT_IN) == text


def test_line_ends_and_trailing_white_space_become_plain() -> None:
    assert format_text("x-a: 1  \r\nx-b: 2 \r\n\r\n\r\n", BUILT_IN) == "x-a: 1\nx-b: 2\n"


def test_a_comment_that_silences_the_first_field_keeps_it_first() -> None:
    text = (
        "agents:\n"
        "  # fsgitops: ignore[caller-id-not-owned] because the lab shows a made-up number\n"
        "  - caller_id_number: +12125550100\n"
        "    extension: 1020\n"
        "  # a remark\n"
        "  - name: Bob\n"
        "    extension: 1021\n"
    )
    head, tail = text.split("  - name: Bob\n    extension: 1021\n")
    assert format_text(text, BUILT_IN) == f"{head}  - extension: 1021\n    name: Bob\n{tail}"


def test_a_file_is_parsed_once_however_much_is_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def parse(text: str) -> Node | None:
        parsed.append(text)
        return read_tree(text)

    monkeypatch.setattr("fsgitops.steps.format_source.read_tree", parse)
    text = "agents:\n- {'name': 'A', 'extension': '1'}  \n- name: 'B'   \n  extension: '1021'"
    assert format_text(text, BUILT_IN) == (
        "agents:\n- {extension: 1, name: A}\n- extension: 1021\n  name: B\n"
    )
    assert len(parsed) == 1
