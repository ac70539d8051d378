"""Output keeps to the terminal's width; what goes elsewhere keeps its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchboard import DOMAIN, running_switch
from terminal import ESCAPE, show

from fsgitops.console.stream import display_width, draw_lines, wrap

if TYPE_CHECKING:
    from project import Project

LONG = "Alexandra Catherine Featherstonehaugh of the Second Floor, North Wing"


def plain(text: str) -> str:
    return ESCAPE.sub("", text)


def widest(text: str) -> int:
    return max(display_width(line) for line in text.splitlines())


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    "words",
    [
        ("explain", "agent"),
        ("explain", "settings.targets"),
        ("explain", "unknown-destination"),
        ("explain", "agent.email"),
        ("lint", "--rules"),
        ("plan",),
        ("doctor",),
        ("history",),
        ("plan", "--target", "nowhere"),
    ],
)
def test_output_keeps_to_the_width(
    words: tuple[str, ...], columns: int, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("desired/agents.yaml", f"agents:\n- {{extension: 1020, name: '{LONG}'}}\n")
    monkeypatch.delenv("COLUMNS", raising=False)
    whole = project.run("-q", *words)
    monkeypatch.setenv("COLUMNS", str(columns))
    wrapped = project.run("-q", *words)
    wide, narrow = whole.out + whole.err, wrapped.out + wrapped.err
    long_words = max(len(word) for word in wide.split())
    assert widest(narrow) <= max(columns, long_words + 8)
    assert sorted(narrow.split()) == sorted(wide.split())


def test_a_changed_plan_keeps_to_the_terminal(project: Project) -> None:
    project.run("apply", "--yes")
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", f'"{LONG}"'))
    narrow = plain(show("fsgitops", "-q", "plan", cwd=project.root))
    assert LONG not in narrow
    assert LONG in " ".join(narrow.split())
    long_words = max(len(word) for word in narrow.split())
    assert widest(narrow) <= max(80, long_words + 8)


def test_status_keeps_to_80_columns_and_loses_nothing(project: Project) -> None:
    with running_switch(project) as switch:
        switch.add_registration("1020", DOMAIN)
        whole = project.run("status").out
        narrow = plain(show("fsgitops", "-q", "status", cwd=project.root))
    assert widest(whole) > 80 >= widest(narrow)
    # The seconds until a registration expires go on counting.
    assert {word for word in whole.split() if not word.isdigit()} <= set(narrow.split())


def test_lines_that_go_elsewhere_stay_whole(project: Project) -> None:
    assert LONG not in project.run("explain", "agent").out
    assert widest(project.run("explain", "agent").out) > 100


def test_columns_in_the_environment_sets_the_width(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert widest(project.run("explain", "agent").out) <= 70
    for word in ("0", "-3", "many", "9" * 40):
        monkeypatch.setenv("COLUMNS", word)
        assert project.run("explain", "agent").code == 0


@given(
    st.lists(
        st.lists(st.text("ab \u6f22\u0301", max_size=40), min_size=3, max_size=3),
        max_size=5,
    ),
    st.integers(20, 120),
)
def test_a_table_of_any_width_holds_every_word(rows: list[list[str]], width: int) -> None:
    head = ("ONE", "TWO TWO", "THREE")
    whole = " ".join([*head, *(cell for row in rows for cell in row)]).split()
    lines = draw_lines(head, rows, width=width)
    assert sorted(" ".join(lines).split()) == sorted(whole)


@given(st.text("ab -", max_size=200), st.integers(20, 80))
def test_a_wrapped_text_holds_every_word(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert " ".join(lines).split() == text.split()
    longest = max((len(word) for word in text.split()), default=0)
    assert all(len(line) <= max(width, longest + width // 2) for line in lines)


def test_no_cell_acts_on_a_terminal_or_is_longer_than_asked() -> None:
    lines = draw_lines(("A", "B"), [["\x1b[2J\nx", "1234567"]], limit=6)
    assert lines == ["A           B", "\\x1b[2J\\nx  12345…"]


def test_a_table_that_fits_stays_as_it_is() -> None:
    assert draw_lines(("A", "B"), [["1", "22"]], width=80) == ["A  B", "1  22"]
