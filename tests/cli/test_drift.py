"""Drift from the command line, against the embedded switch."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import SETTINGS, Project
from switchboard import serve

from fsgitops.model.drift import DriftReport
from fsgitops.steps.render_drift import render_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICE = "directory/default/1020.xml"
ROUTE = "dialplan/public/inbound_19495431333.xml"
NAME = "variable effective_caller_id_name"


OF_A_WHOLE_FILE = {
    "test_a_deleted_file_drifts_and_the_direction_tells_whether_it_is_still_loaded",
    "test_each_attribute_has_a_direction",
    "test_something_else_in_the_place_of_a_file_drifts",
    "test_expected_drift_is_left_out_and_counted",
    "test_a_rule_for_an_attribute_does_not_hide_that_a_file_is_gone",
    "test_a_switch_that_cannot_be_asked_exits_1_and_the_files_are_compared",
    "test_watching_repeats_until_stopped",
    "test_metrics_are_written_for_prometheus_all_at_once",
}
"""In the other layout, the file that they take away or break is of two agents."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try everything in both layouts; in the second, with the sweeps."""
    if "applied" in metafunc.fixturenames:
        alone = metafunc.function.__name__ in OF_A_WHOLE_FILE
        layouts = ["files", pytest.param("sharded", marks=pytest.mark.sweep)]
        metafunc.parametrize("applied", layouts[: 1 if alone else 2], indirect=True)


@pytest.fixture
def applied(
    project: Project, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Everything applied, in either layout."""
    if request.param == "sharded":
        settings = project.root / "fsgitops.yaml"
        settings.write_text(settings.read_text() + "layout: sharded\n")
        monkeypatch.setattr(f"{__name__}.ALICE", "directory/fsgitops/agents_1000.xml")
        monkeypatch.setattr(f"{__name__}.ROUTE", "dialplan/fsgitops_dids_194954313.xml")
    project.prepare("apply", "--yes")
    return project


@pytest.fixture
def held(applied: Project) -> Iterator[Project]:
    """The same, with a switch that goes on holding what was applied until it is reloaded."""
    with serve(applied):
        yield applied


def edit(project: Project, path: str, before: str, after: str) -> None:
    file = project.conf / path
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def drift(project: Project, *words: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = project.run("drift", "--json", *words).json()["drift"]
    return items


def test_what_was_just_applied_does_not_drift(applied: Project) -> None:
    ran = applied.run("drift")
    assert ran.code == 0
    assert "No drift in 5 managed files (files and the switch's memory)." in ran.out


def test_nothing_applied_yet_is_no_drift(project: Project) -> None:
    assert project.run("drift").code == 0


def test_an_edited_file_drifts_by_attribute_and_exits_2(applied: Project) -> None:
    edit(applied, ALICE, 'value="Alice"', 'value="Mallory"')
    ran = applied.run("drift")
    assert ran.code == 2
    line = 'effective_caller_id_name: "Alice" -> "Mallory" on disk and in the switch'
    assert line in ran.out


def test_an_edit_that_the_switch_has_not_loaded_is_told_as_such(held: Project) -> None:
    edit(held, ALICE, 'value="Alice"', 'value="Mallory"')
    (item,) = drift(held)
    assert item["kinds"] == ["edited", "not-loaded"]
    (name,) = [a for a in item["attributes"] if a["name"] == NAME]
    assert (name["declared"], name["disk"], name["loaded"]) == ("Alice", "Mallory", "Alice")


def test_a_deleted_file_drifts_and_the_direction_tells_whether_it_is_still_loaded(
    held: Project,
) -> None:
    (held.conf / ALICE).unlink()
    (item,) = drift(held)
    assert (item["kinds"], item["direction"]) == (["deleted"], "both-differ")
    assert "the switch still holds the resource" in item["message"]
    (item,) = drift(held, "--offline")
    assert item["direction"] == "only-declared"


def test_loaded_state_that_is_older_than_the_files_drifts(held: Project) -> None:
    path = held.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    assert held.run("apply", "--yes", "--no-reload").code == 0
    (item,) = drift(held)
    assert (item["kinds"], item["direction"]) == (["not-loaded"], "both-differ")
    assert held.run("drift", "--offline").code == 0


def test_what_the_switch_still_holds_of_ours_is_left_over(held: Project) -> None:
    path = held.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("webrtc: true", "enabled: false"))
    (held.root / "desired/routes.yaml").unlink()
    assert held.run("apply", "--yes", "--no-reload").code == 0
    told = {item["resource"]: (item["kinds"], item["direction"]) for item in drift(held)}
    assert told == {
        "agent:1021": (["left-over"], "only-live"),
        "did:+19495431333": (["left-over"], "only-live"),
    }


def test_what_is_left_over_is_not_counted_among_the_managed_files(held: Project) -> None:
    path = held.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("webrtc: true", "enabled: false"))
    (held.root / "desired/routes.yaml").unlink()
    assert held.run("apply", "--yes", "--no-reload").code == 0
    assert held.run("drift").out.splitlines()[-1] == (
        "Drift: 0 of 3 managed files, 2 left over in the switch (files and the switch's memory): "
        "2 only live"
    )
    path.write_text("agents: []\n")
    allowed = ("--allow", "deletes", "--allow", "empty")
    assert held.run("apply", "--yes", "--no-reload", *allowed).code == 0
    assert held.run("drift").out.splitlines()[-1] == (
        "Drift: 3 left over in the switch (files and the switch's memory): 3 only live"
    )


def test_a_file_of_somebody_else_is_not_left_over(applied: Project) -> None:
    text = (applied.conf / ALICE).read_text().replace("1020", "1077")
    (applied.conf / "directory/default/1077.xml").write_text(text)
    assert applied.run("drift").code == 0


def test_an_extension_of_somebody_else_with_such_a_name_is_not_left_over(applied: Project) -> None:
    theirs = (applied.conf / ROUTE).read_text().replace("19495431333", "100")
    theirs = theirs.replace("^(\\+?100|9495431333)$", "^100$")
    (applied.conf / "dialplan/public/99_theirs.xml").write_text(theirs)
    assert applied.run("drift").code == 0


@pytest.mark.parametrize(
    ("before", "after", "direction", "name"),
    [
        ("</variables>", '<variable name="more" value="1"/>\n</variables>', "only-live",
         "variable more"),
        ('<variable name="accountcode" value="1020"/>', "", "only-declared",
         "variable accountcode"),
        ('value="1020"', 'value="1099"', "both-differ", "variable accountcode"),
    ],
)  # fmt: skip
def test_each_attribute_has_a_direction(
    applied: Project, before: str, after: str, direction: str, name: str
) -> None:
    edit(applied, ALICE, before, after)
    (item,) = drift(applied)
    told = {a["name"]: a["direction"] for a in item["attributes"]}
    assert told[name] == direction


def test_white_space_and_comments_are_no_drift(applied: Project) -> None:
    edit(applied, ALICE, "<params>", "<!-- mine -->\n\n   <params>")
    assert applied.run("drift").code == 0


def test_a_changed_secret_is_told_and_never_shown(applied: Project) -> None:
    file = applied.conf / ALICE
    start = file.read_text().index('a1-hash" value="') + 16
    digest = file.read_text()[start : start + 32]
    edit(applied, ALICE, digest, "0123456789abcdef" * 2)
    ran = applied.run("drift", "--json")
    (attribute,) = ran.json()["drift"][0]["attributes"]
    assert (attribute["secret"], attribute["declared"]) == (True, "(secret)")
    for text in (ran.out, applied.run("drift").out):
        assert digest not in text
        assert "0123456789abcdef" not in text


@pytest.mark.parametrize("what", ["symlink", "directory", "garbage"])
def test_something_else_in_the_place_of_a_file_drifts(applied: Project, what: str) -> None:
    file = applied.conf / ALICE
    file.unlink()
    if what == "symlink":
        file.symlink_to("1021.xml")
    elif what == "directory":
        file.mkdir()
    else:
        file.write_text("<include>\n<user\n</include>\n")
    (item,) = drift(applied, "--offline")
    assert item["kinds"] == (["edited"] if what == "garbage" else ["replaced"])


def test_an_edited_route_drifts(applied: Project) -> None:
    edit(applied, ROUTE, "1020 XML", "1021 XML")
    (item,) = drift(applied)
    told = {a["name"]: (a["declared"], a["loaded"]) for a in item["attributes"]}
    assert told == {
        "inbound_19495431333/action 5 transfer": ("1020 XML default", "1021 XML default")
    }


def test_the_project_key_is_not_needed(applied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    assert applied.run("drift").code == 0
    edit(applied, ALICE, 'value="Alice"', 'value="Mallory"')
    ran = applied.run("drift", "--json")
    (item,) = ran.json()["drift"]
    assert {a["name"] for a in item["attributes"]} == {
        NAME,
    }  # fmt: skip
    assert "no project key" in ran.json()["notes"][0]


def test_what_is_declared_may_be_broken_meanwhile(applied: Project) -> None:
    edit(applied, ALICE, 'value="Alice"', 'value="Mallory"')
    applied.write("desired/agents.yaml", "agents: 7\n")
    ran = applied.run("drift", "--json")
    assert (ran.code, ran.json()["drift"][0]["kinds"]) == (2, ["edited"])
    assert "fsgitops validate" in ran.json()["notes"][0]


def test_expected_drift_is_left_out_and_counted(applied: Project) -> None:
    rules = "drift: {ignore: [{resource: 'agent:*', attribute: 'variable *caller_id_name'}]}\n"
    applied.write("fsgitops.yaml", SETTINGS + rules)
    edit(applied, ALICE, 'value="Alice"', 'value="Mallory"')
    ran = applied.run("drift", "--json")
    assert (ran.code, ran.json()["ignored"]) == (0, 1)
    edit(applied, ALICE, 'value="1020"', 'value="1099"')
    (item,) = drift(applied)
    assert "variable accountcode" in {a["name"] for a in item["attributes"]}
    assert NAME not in {a["name"] for a in item["attributes"]}


def test_a_rule_for_an_attribute_does_not_hide_that_a_file_is_gone(applied: Project) -> None:
    rules = "drift: {ignore: [{resource: 'agent:1020', attribute: 'variable x'}]}\n"
    applied.write("fsgitops.yaml", SETTINGS + rules)
    (applied.conf / ALICE).unlink()
    assert applied.run("drift").code == 2
    applied.write("fsgitops.yaml", SETTINGS + "drift: {ignore: [{resource: 'agent:1020'}]}\n")
    assert applied.run("drift").code == 0


def test_a_misspelt_rule_is_corrected(project: Project) -> None:
    project.write("fsgitops.yaml", SETTINGS + "drift: {ignore: [{resourse: x}]}\n")
    ran = project.run("drift")
    assert (ran.code, "Did you mean `resource`?" in ran.err) == (3, True)


def test_a_switch_that_cannot_be_asked_exits_1_and_the_files_are_compared(
    applied: Project,
) -> None:
    text = SETTINGS.replace("example.com}", "example.com, esl: {port: 1, password: {env: NONE}}}")
    applied.write("fsgitops.yaml", text)
    shutil.copytree(applied.conf, applied.root / "conf")
    (applied.root / "conf" / ALICE).unlink()
    ran = applied.run("drift", "--target", "image", "--json")
    assert (ran.code, ran.json()["switch_asked"]) == (1, False)
    assert "NONE" in ran.json()["switch_problem"]
    assert [item["kinds"] for item in ran.json()["drift"]] == [["deleted"]]
    assert applied.run("drift", "--target", "image", "--offline").code == 2


def test_drift_changes_nothing(applied: Project) -> None:
    edit(applied, ALICE, 'value="Alice"', 'value="Mallory"')
    before = applied.tree()
    applied.run("drift")
    assert applied.tree() == before


def test_watching_repeats_until_stopped(applied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            (applied.conf / ALICE).unlink()
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr("fsgitops.cli.watch.time.sleep", wait)
    ran = applied.run("drift", "--watch", "30", "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, waits, [len(line["drift"]) for line in lines]) == (130, [30, 30], [0, 1])


def test_metrics_are_written_for_prometheus_all_at_once(applied: Project) -> None:
    (applied.conf / ALICE).unlink()
    file = applied.root / "fsgitops.prom"
    assert applied.run("drift", "--metrics", str(file)).code == 2
    samples = dict(
        line.rsplit(" ", 1) for line in file.read_text().splitlines() if not line.startswith("#")
    )
    assert samples['fsgitops_drift_resources{target="sandbox"}'] == "1"
    assert samples['fsgitops_drift_by_kind{target="sandbox",kind="deleted"}'] == "1"
    assert samples['fsgitops_drift_switch_asked{target="sandbox"}'] == "1"
    assert stat.S_IMODE(file.stat().st_mode) & 0o444 == 0o444
    assert [item.name for item in applied.root.glob(".fsgitops.prom*")] == []


@given(st.text(max_size=20))
def test_any_target_name_makes_lines_that_prometheus_reads(name: str) -> None:
    report = DriftReport(
        name, "/c", "d", simulated=False, managed=0, ignored=0, switch_asked=False,
        switch_problem="", notes=(), drift=(),
    )  # fmt: skip
    text = render_metrics(report, checked_at=1.0, seconds=0.5)
    samples = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert len(samples) == 14
    assert all(line.startswith("fsgitops_drift_") for line in samples)
