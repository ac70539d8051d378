"""Promises of `export-state` and `plan --against`: the same plan elsewhere, and no secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from project import AGENTS, KEY

from fsgitops.commands.export_state import describe_age
from fsgitops.model.plan import is_secret_attribute
from fsgitops.model.state import RecordedState
from fsgitops.routing.fragment import flatten_fragment

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project, Ran


@pytest.fixture
def state(project: Project) -> Path:
    """The recorded live side of an applied project."""
    project.prepare("apply", "--yes")
    place = project.root / "state.json"
    assert project.run("export-state", "--out", str(place)).code == 0
    return place


def away(project: Project, monkeypatch: pytest.MonkeyPatch, *, key: str = "") -> None:
    """Take the conf directory and the key away, as in CI."""
    project.conf.rename(project.root / "gone")
    monkeypatch.setenv("FSGITOPS_KEY", key)


def changes(ran: Ran) -> list[tuple[str, str, list[str]]]:
    return [
        (item["action"], item["resource"], [field["name"] for field in item["attributes"]])
        for item in ran.json()["changes"]
    ]


def test_a_recording_holds_no_secret_and_no_bare_hash(project: Project, state: Path) -> None:
    text = state.read_text()
    manifest = json.loads((project.conf / ".fsgitops" / "manifest.json").read_text())
    secrets = {
        value
        for content in project.tree().values()
        if b"<user " in content
        for name, value in flatten_fragment(content).items()
        if is_secret_attribute(name)
    }
    assert len(secrets) == 3
    assert not [value for value in secrets if f'"{value}"' in text]
    assert not [entry for entry in manifest["entries"].values() if entry["sha256"] in text]


def test_a_recording_counts_the_files_beside_ours_as_a_plan_on_the_switch_does(
    project: Project, state: Path
) -> None:
    (project.conf / "dialplan" / "mine.xml").write_text("<include/>")
    (project.conf / "dialplan" / "default" / "mine.xml").write_text("<include/>")
    project.run("export-state", "--output", str(state))
    there = project.run("plan", "--json").json()["unmanaged"]
    assert there >= 1
    assert project.run("plan", "--against", str(state), "--json").json()["unmanaged"] == there


def test_nothing_has_changed_where_nothing_has_changed(
    project: Project, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("", KEY):
        monkeypatch.setenv("FSGITOPS_KEY", key)
        ran = project.run("plan", "--against", str(state), "--json", "--detailed-exitcode")
        assert (ran.code, changes(ran)) == (0, [])


def test_the_plan_is_the_one_that_the_switch_would_get(
    project: Project, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("desired/agents.yaml", AGENTS.replace("Alice", "Alicia") + NEW)
    project.write("desired/routes.yaml", "did_routes: []\n")
    here = changes(project.run("plan", "--json"))
    away(project, monkeypatch)
    there = changes(project.run("plan", "--against", str(state), "--json"))
    assert [(action, name) for action, name, _ in there] == [
        (action, name) for action, name, _ in here
    ]
    updates = [item for item in here if item[0] == "update"]
    assert updates
    assert [item for item in there if item[0] == "update"] == updates
    assert not project.conf.exists()


NEW = "  - {extension: 1022, name: Carol}\n"


def test_its_age_is_told(project: Project, state: Path) -> None:
    assert "compared with the state recorded less than a minute ago (20" in (
        project.run("plan", "--against", str(state)).err
    )


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=59), "less than a minute ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3, minutes=59), "3 hours ago"),
        (timedelta(days=12), "12 days ago"),
        (timedelta(seconds=-5), "less than a minute ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(age: timedelta, text: str) -> None:
    taken = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert describe_age(taken, taken + age) == f"{text} (2026-01-31 12:00 UTC)"


def test_a_raised_password_version_is_seen_with_the_key_and_only_then(
    project: Project, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = AGENTS.replace("name: Bob,", "name: Bob, password_version: 2,")
    project.write("desired/agents.yaml", raised)
    [(action, name, fields)] = changes(project.run("plan", "--against", str(state), "--json"))
    assert (action, name) == ("update", "agent:1021")
    assert all("a1-hash" in field or "vm-pass" in field for field in fields)
    away(project, monkeypatch)
    ran = project.run("plan", "--against", str(state))
    assert "No changes" in ran.out
    assert "changes of secrets alone are not seen" in ran.err


def test_another_key_is_noticed_and_secrets_are_left_out(
    project: Project, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away(project, monkeypatch, key="QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=")
    ran = project.run("plan", "--against", str(state))
    assert "No changes" in ran.out
    assert "recorded with another project key" in ran.err


def test_drift_of_that_time_is_shown(project: Project, state: Path) -> None:
    [path] = [x for x in project.tree() if "1021" in x]
    place = project.conf / path
    place.write_text(place.read_text().replace("Bob", "Bert"))
    project.run("export-state", "--out", str(state))
    [change] = project.run("plan", "--against", str(state), "--json").json()["changes"]
    assert change["drifted"]
    assert {item["before"] for item in change["attributes"]} == {"Bert"}


def test_a_foreign_file_is_still_in_the_way(project: Project, state: Path) -> None:
    [path] = [x for x in project.tree() if "1021" in x]
    place = project.conf / path
    place.with_name(place.name.replace("1021", "1022")).write_text("<include/>")
    project.run("export-state", "--out", str(state))
    project.write("desired/agents.yaml", AGENTS + NEW)
    [hazard] = project.run("plan", "--against", str(state), "--json").json()["hazards"]
    assert hazard["rule"] == "foreign-file"


def test_such_a_plan_is_refused_by_an_apply(project: Project, state: Path) -> None:
    project.write("desired/agents.yaml", AGENTS + NEW)
    saved = project.root / "plan.json"
    project.run("plan", "--against", str(state), "--out", str(saved))
    assert project.run("apply", str(saved)).code == 4


def test_the_target_of_the_recording_is_meant_and_another_is_refused(
    project: Project, state: Path
) -> None:
    project.conf.rename(project.root / "conf")
    assert project.run("export-state", "--target", "image", "--out", str(state)).code == 0
    assert project.run("plan", "--against", str(state), "--json").json()["target"] == "image"
    ran = project.run("plan", "--against", str(state), "--target", "sandbox")
    assert ran.code == 64
    assert "recorded on target `image`" in ran.err


def test_a_compressed_recording_is_the_same(project: Project, state: Path) -> None:
    packed = state.with_suffix(".json.gz")
    assert project.run("export-state", "--out", str(packed)).code == 0
    assert packed.stat().st_size < state.stat().st_size
    assert project.run("plan", "--against", str(packed)).code == 0


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "fsgitops-state", "version": 9}',
        '{"format": "fsgitops-state", "version": 1, "files": 3}',
        "[" * 200_000,
    ],
)
def test_a_file_that_is_no_recording_is_wrong_usage(project: Project, content: str) -> None:
    place = project.write("state.json", content)
    ran = project.run("plan", "--against", str(place))
    assert ran.code == 64
    assert "Traceback" not in ran.err


def test_a_recorded_path_cannot_leave_the_conf_directory(state: Path) -> None:
    data = json.loads(state.read_text())
    data["files"]["../x.xml"] = next(iter(data["files"].values()))
    with pytest.raises(ValueError, match="leaves the conf directory"):
        RecordedState.from_json(data)


def test_what_is_written_is_read_back_the_same(state: Path) -> None:
    data = json.loads(state.read_text())
    assert RecordedState.from_json(data).to_json() == data


def test_routes_are_recorded_too(state: Path) -> None:
    resources = {item["resource"] for item in json.loads(state.read_text())["files"].values()}
    assert {"agent:1020", "did:+19495431333"} <= resources
