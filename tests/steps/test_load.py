"""Promises of steps/load: what arrives as written, what is refused, and where it says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fsgitops.findings import Finding, Position
from fsgitops.model.document import Document, Value
from fsgitops.steps.load import events, load_document, stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def load(tmp_path: Path, text: str | bytes) -> tuple[Document | None, list[Finding]]:
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / "a.yaml").write_bytes(data)
    return load_document(tmp_path, "a.yaml")


def data_of(tmp_path: Path, text: str) -> dict[str, Any]:
    document, findings = load(tmp_path, text)
    assert findings == []
    assert document is not None
    return document.data


def only_finding(tmp_path: Path, text: str | bytes) -> Finding:
    _, findings = load(tmp_path, text)
    assert len(findings) == 1, findings
    assert findings[0].hint
    return findings[0]


def place(finding: Finding) -> tuple[int, int]:
    return finding.position.line, finding.position.column


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pure":
        monkeypatch.setattr(stream, "CParser", None)
    elif stream.CParser is None:
        pytest.skip("PyYAML has no libyaml here")
    return str(request.param)


@pytest.mark.parametrize(
    "text", ["0100", "+19495431333", "no", "2026-01-01", "0x1F", "1_000", "1:30", "Null", "NULL"]
)
def test_a_plain_scalar_arrives_as_it_was_written(tmp_path: Path, parser: str, text: str) -> None:
    assert data_of(tmp_path, f"key: {text}\n") == {"key": text}


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_only_an_unquoted_null_is_none(tmp_path: Path, parser: str, text: str) -> None:
    assert data_of(tmp_path, f"a: {text}\nb: '{text}'\n") == {"a": None, "b": text}


def test_the_str_tag_keeps_null_as_text(tmp_path: Path, parser: str) -> None:
    assert data_of(tmp_path, "a: !!str null\n") == {"a": "null"}


def test_anchors_and_aliases_share_a_value(tmp_path: Path, parser: str) -> None:
    text = "a: &x {k: v}\nb: *x\nc: &s text\nd: [*s]\n"
    assert data_of(tmp_path, text) == {"a": {"k": "v"}, "b": {"k": "v"}, "c": "text", "d": ["text"]}


def test_a_merge_key_gives_way_to_the_mappings_own_keys(tmp_path: Path, parser: str) -> None:
    text = "x-a: &a {k: 1, l: 2}\nb: {k: 3, <<: *a}\n"
    assert data_of(tmp_path, text)["b"] == {"k": "3", "l": "2"}


def test_of_several_merged_mappings_the_first_wins(tmp_path: Path, parser: str) -> None:
    text = "x-a: &a {k: 1}\nx-b: &b {k: 2, l: 2}\nc:\n  <<: [*a, *b]\n"
    assert data_of(tmp_path, text)["c"] == {"k": "1", "l": "2"}


def test_a_quoted_merge_key_is_an_ordinary_key(tmp_path: Path) -> None:
    assert data_of(tmp_path, 'a: {"<<": 1}\n') == {"a": {"<<": "1"}}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "---\n...\n"])
def test_a_file_that_says_nothing_is_an_empty_mapping(tmp_path: Path, text: str) -> None:
    assert data_of(tmp_path, text) == {}


def test_empty_documents_around_the_only_one_do_not_count(tmp_path: Path) -> None:
    assert data_of(tmp_path, "---\n---\na: b\n---\n") == {"a": "b"}


BOMB = "x-0: &x0 [a, a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x-{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
DEEP = "a: " + "[" * 100_000

REFUSED: list[tuple[str, str | bytes, str, tuple[int, int]]] = [
    ("alias bomb", BOMB, "alias-bomb", (6, 46)),
    ("alias cycle", "a: &a [*a]\n", "alias-cycle", (1, 8)),
    ("unknown alias", "a: *b\n", "unknown-alias", (1, 4)),
    ("deep flow", DEEP, "nesting", (1, 35)),
    ("deep flow on many lines", "é: b\r\na:\r\n  - " + "[\r\n   {" * 3000, "nesting", (18, 5)),
    ("deep block", "".join(" " * n + "a:\n" for n in range(40)), "nesting", (33, 33)),
    ("duplicate key", "a: 1\nb: 2\na: 3\n", "duplicate-key", (3, 1)),
    ("two merges", "x-a: &a {k: 1}\nb:\n  <<: *a\n  <<: *a\n", "duplicate-key", (4, 3)),
    ("tab", "a:\n\tb: c\n", "tab-indentation", (2, 1)),
    ("tab after spaces", "a:\n  \tb: c\n", "tab-indentation", (2, 3)),
    ("not UTF-8", "a: b\nname: José\n".encode("latin-1"), "encoding", (2, 10)),
    ("UTF-16", "a: b\n".encode("utf-16"), "encoding", (1, 1)),
    ("second byte order mark", b"\xef\xbb\xbf" * 2 + b"a: b\n", "control-character", (1, 1)),
    ("control character", "a: b\nc: d\x07\n", "control-character", (2, 5)),
    ("unicode control", "a: é\u0085b\n", "control-character", (1, 5)),
    ("NUL", b"a: b\x00\n", "control-character", (1, 5)),
    ("two documents", "a: b\n---\nc: d\n", "several-documents", (3, 1)),
    ("list on top", "- a\n", "top-level", (1, 1)),
    ("text on top", "hello\n", "top-level", (1, 1)),
    ("tag", "a: !!python/object:os.system x\n", "yaml-tag", (1, 4)),
    ("int tag", "a: !!int 5\n", "yaml-tag", (1, 4)),
    ("tag on a list", "a: !!set [b]\n", "yaml-tag", (1, 4)),
    ("list as key", "a:\n  ? [b]\n  : c\n", "key-kind", (2, 5)),
    ("null as key", "a:\n  ~: c\n", "key-kind", (2, 3)),
    ("merge of text", "a:\n  <<: b\n", "merge-kind", (2, 7)),
    ("two colons", "a: b: c\n", "yaml-syntax", (1, 5)),
    ("open bracket", "a: [b\nc: d\n", "yaml-syntax", (2, 2)),
    ("open bracket at the end", "a: [b,", "yaml-syntax", (1, 7)),
    ("open quote", 'a: "b\n', "yaml-syntax", (2, 1)),
    ("at sign", "a: @b\n", "yaml-syntax", (1, 4)),
    ("bad indentation", "a:\n  b: c\n d: e\n", "yaml-syntax", (3, 2)),
]


@pytest.mark.parametrize(
    ("text", "rule", "where"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_each_fault_is_one_finding_at_its_place(
    tmp_path: Path, text: str | bytes, rule: str, where: tuple[int, int]
) -> None:
    finding = only_finding(tmp_path, text)
    assert (finding.rule, place(finding)) == (rule, where)


@pytest.mark.parametrize(("text", "rule"), [row[1:3] for row in REFUSED])
def test_without_libyaml_the_same_rules_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, rule: str
) -> None:
    monkeypatch.setattr(stream, "CParser", None)
    assert only_finding(tmp_path, text).rule == rule


def test_a_file_full_of_faults_is_left_after_a_hundred(tmp_path: Path) -> None:
    _, findings = load(tmp_path, "a: 1\n" * 5000)
    assert len(findings) == events.MAX_FINDINGS + 1


def test_lines_end_at_any_line_break(tmp_path: Path) -> None:
    assert place(only_finding(tmp_path, b"a: b\r\nc: d\re: f\ng:\x07")) == (4, 3)


def test_a_duplicate_key_still_leaves_a_document_to_check(tmp_path: Path) -> None:
    document, findings = load(tmp_path, "a: 1\na: 2\n")
    assert document is not None
    assert (document.data, len(findings)) == ({"a": "1"}, 1)


NESTED = "agents:\n- extension: 1020\n  groups: [a, b]\n- &x\n  name: B\n- *x\n"


def test_items_of_top_level_lists_know_their_place(tmp_path: Path, parser: str) -> None:
    document, _ = load(tmp_path, NESTED)
    assert document is not None
    lines = [(p.line, p.column) for p in document.item_positions["agents"]]
    # libyaml begins an anchored mapping at its anchor, and so does PyYAML's own parser.
    assert lines == [(2, 3), (4, 3), (6, 3)]


def test_a_position_leads_to_a_value_or_its_key(tmp_path: Path, parser: str) -> None:
    document, _ = load(tmp_path, NESTED)
    assert document is not None
    assert document.position(("agents", 0, "groups", 1)) == Position("a.yaml", 3, 15)
    assert document.position(("agents", 0, "groups"), key=True) == Position("a.yaml", 3, 3)


def test_a_merged_value_is_found_where_it_is_written(tmp_path: Path) -> None:
    document, _ = load(tmp_path, "x-a: &a\n  k: 1\nb:\n  <<: *a\n")
    assert document is not None
    assert document.position(("b", "k")) == Position("a.yaml", 2, 6)


def test_the_first_merged_mapping_of_a_list_gives_the_place(tmp_path: Path) -> None:
    document, _ = load(tmp_path, "x-a: &a {k: 1}\nx-b: &b {k: 2}\nc: {<<: [*a, *b]}\n")
    assert document is not None
    assert document.position(("c", "k")) == Position("a.yaml", 1, 13)


def test_what_is_not_there_is_at_the_nearest_value_above(tmp_path: Path) -> None:
    document, _ = load(tmp_path, NESTED)
    assert document is not None
    assert document.position(("agents", 0, "nothing", "below")) == Position("a.yaml", 2, 3)


def test_places_are_looked_for_only_when_asked(tmp_path: Path) -> None:
    scans = []
    document = Document("a.yaml", {"a": "b"}, b"a: b\n", {}, lambda data: scans.append(data))  # type: ignore[arg-type,func-returns-value]
    assert document.data == {"a": "b"}
    assert scans == []


WORDS = st.sampled_from(
    ["1", "k: 1", "{k: 1, *s : 2}", "[1, {b: 2}]", "~", "'~'", "!!str ~", "&s k", "&m {a: 1, k: 2}",
     "&l [{a: 1}, b]", "*s", "*m", "*l", "&s {n: 1}", "&m [*m]"]
)  # fmt: skip
NESTING = st.lists(
    st.builds(
        "{}{}{}\n".format,
        st.sampled_from(["", "", "  ", "  - "]),
        st.sampled_from(["a: ", "b: ", "k:\n    ", "<<: ", "*s : ", "~: ", "? [1]\n: ", "&s c: "]),
        WORDS,
    ),
    max_size=8,
).map("".join)


def paths_of(value: Value, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything in a tree, and one to nothing below each."""
    yield from (path, (*path, "nothing"), (*path, 9), (*path, "~"))
    items = enumerate(value) if isinstance(value, list) else ()
    for step, below in value.items() if isinstance(value, dict) else items:
        yield from paths_of(below, (*path, step))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NESTING)
@example(text="a: &s k\nb: {*s : 1}\n")
@example(text="a: &l [{a: 1}]\nb: {<<: *l, c: 1}\n")
@example(text="a: &s k\nb: &s {n: 1}\n")
@example(text="a: &s k\n*s : &s {n: 1}\n")
def test_a_document_without_its_tree_still_tells_what_it_says_and_where(
    tmp_path: Path, text: str
) -> None:
    document, _ = load(tmp_path, text)
    if document is None:
        return
    bare = document.without_tree()
    for path in paths_of(document.data):
        assert bare.has(path) == document.has(path)
        for key in (True, False):
            assert bare.position(path, key=key) == document.position(path, key=key)


def check_positions(data: bytes, findings: list[Finding]) -> None:
    lines = re.split(r"\r\n|\r|\n", data.decode("utf-8", "replace"))
    for finding in findings:
        line, column = place(finding)
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


fuzz = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
YAML_PIECES = st.lists(
    st.sampled_from(
        [
            "a",
            ": ",
            "\n",
            "  ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            "&a ",
            "*a",
            "<<",
            "'",
            '"',
            "!!int ",
            "?",
            "---\n",
            "...",
            "|",
            ">",
            "#",
            "%",
            "@",
            "\t",
            ",",
            "~",
            "é",
            "\\",
            "\r",
            "!",
            "0",
            "agents:\n",
            "\ufeff",
            "\u2028",
            "%YAML 1.2\n",
            "<<: *a\n",
            '"\\ud800"',
            "😀",
        ]
    ),
    max_size=30,
).map("".join)


def test_a_byte_order_mark_is_read_over_and_moves_no_place(tmp_path: Path) -> None:
    document, findings = load(tmp_path, b"\xef\xbb\xbfagents: [1]\n")
    assert document is not None
    assert (findings, document.data, document.marked) == ([], {"agents": ["1"]}, True)
    assert document.position(("agents",), key=True) == Position("a.yaml", 1, 1)
    plain, _ = load(tmp_path, b"agents: [1]\n")
    assert plain is not None
    assert not plain.marked


@fuzz
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(tmp_path: Path, data: bytes) -> None:
    document, findings = load(tmp_path, data)
    assert document is not None or findings
    check_positions(data, findings)


@fuzz
@given(text=YAML_PIECES)
@example(text="{<<")
def test_arbitrary_yaml_never_raises_and_is_placed_inside_the_file(
    tmp_path: Path, text: str
) -> None:
    document, findings = load(tmp_path, text)
    assert document is not None or findings
    check_positions(text.encode(), findings)
    if document is not None:
        assert document.position(()).line >= 1


@fuzz
@given(text=YAML_PIECES)
@example(text="{<<")
def test_arbitrary_yaml_never_raises_without_libyaml(tmp_path: Path, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CParser", None)
        _, findings = load(tmp_path, text)
    check_positions(text.encode(), findings)


@fuzz
@given(
    text=st.text(
        st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029\ufeff"),
        max_size=80,
    )
)
def test_any_quoted_text_arrives_as_it_was_written(tmp_path: Path, text: str) -> None:
    document, findings = load(tmp_path, "k: '" + text.replace("'", "''") + "'\n")
    if findings:
        assert [finding.rule for finding in findings] == ["control-character"]
    else:
        assert document is not None
        assert document.data == {"k": text}


@fuzz
@given(text=st.from_regex(r"[A-Za-z0-9_+.][A-Za-z0-9_+.\-]{0,20}", fullmatch=True))
def test_any_plain_word_arrives_as_it_was_written(tmp_path: Path, text: str) -> None:
    document, _ = load(tmp_path, f"k: {text}\n")
    assert document is not None
    assert document.data == {"k": None if text == "null" else text}
