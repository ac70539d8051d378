"""History and roll-back from the command line."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from project import KEY, Project

from fsgitops.live.revisions import list_revisions, prune_revisions
from fsgitops.settings.shapes import HistorySettings


def edit(project: Project, found: str, put: str) -> None:
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace(found, put))


def put_rival(project: Project, number: str) -> None:
    """Put a user of that number first, where only the switch sees it: by a name that it has."""
    user = f'<user id="{number}"><params><param name="a1-hash" value="x"/></params></user>'
    folder = project.conf / "directory/default"
    (folder / "fsgitops-sandbox.txt").write_text(f"<include>\n{user}\n</include>\n")
    line = '<X-PRE-PROCESS cmd="include" data="$${switchname}.txt"/>'
    (folder / "0000.xml").write_text(f"<include>\n{line}\n</include>\n")


@pytest.fixture
def applied(project: Project) -> Project:
    """Three revisions: everything created; one changed; one deleted, one created."""
    project.prepare("apply", "--yes")
    edit(project, "Alice", "Anna")
    project.prepare("apply", "--yes")
    edit(project, "1021", "1022")
    project.prepare("apply", "--yes")
    return project


def state(project: Project) -> dict[str, bytes]:
    manifest = (project.conf / ".fsgitops/manifest.json").read_bytes()
    return {**project.tree(), "manifest": manifest}


def test_every_apply_leaves_a_revision(applied: Project) -> None:
    listed = applied.run("history", "--json").json()
    assert (listed["format"], listed["version"]) == ("fsgitops-history", 1)
    assert [item["revision"] for item in listed["revisions"]] == [1, 2, 3]
    assert [
        (item["created"], item["updated"], item["deleted"]) for item in listed["revisions"]
    ] == [(5, 0, 0), (0, 1, 0), (1, 0, 1)]
    assert {item["ending"] for item in listed["revisions"]} == {"applied"}


def test_a_revision_says_who_when_and_what_the_switch_said(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "erika")
    monkeypatch.setenv("GITHUB_ACTOR", "max")
    shown = project.run("plan", "--json").json()
    project.run("apply", "--yes")
    data = project.run("show", "1", "--json").json()
    assert data["actor"]["sudo_user"] == "erika"
    assert data["actor"]["ci_actor"] == "max"
    assert data["time"].endswith("+00:00")
    assert data["fingerprint"] == shown["fingerprint"]
    assert data["replies"] == [{"command": "reloadxml", "reply": "+OK [Success]"}]
    assert [item["path"] for item in data["changes"]] == [item["path"] for item in shown["changes"]]


def test_a_revision_tells_what_changed_and_no_secret(applied: Project) -> None:
    edit(applied, "webrtc: true", "webrtc: true, password_version: 2")
    applied.run("apply", "--yes")
    text = applied.run("show", "2").out
    assert 'effective_caller_id_name: "Alice" -> "Anna"' in text
    rotated = applied.run("show", "4")
    assert "a1-hash: (secret) -> (secret)" in rotated.out
    revisions = applied.conf / ".fsgitops/revisions"
    hashes = {
        part.split('"')[0]
        for path in revisions.glob("*/before/*")
        for part in path.read_text().split('a1-hash" value="')[1:]
    }
    assert hashes
    told = "".join(path.read_text() for path in revisions.glob("*/*.json"))
    told += rotated.out + applied.run("show", "4", "--json").out
    assert not [secret for secret in hashes if secret in told]


def test_revisions_are_as_protected_as_the_conf_directory(applied: Project) -> None:
    folder = applied.conf / ".fsgitops/revisions"
    assert stat.S_IMODE(folder.stat().st_mode) & 0o777 == 0o700
    for path in folder.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o777 == (0o700 if path.is_dir() else 0o640), path


def test_a_failed_apply_is_in_the_history_too(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.prepare("apply", "--yes")
    put_rival(project, "1022")
    edit(project, "1021", "1022")
    assert project.run("apply", "--yes").code == 5
    data = project.run("show", "2", "--json").json()
    assert data["ending"] == "rolled-back"
    assert "1022" in data["message"]
    assert not list((project.conf / ".fsgitops/revisions/000002").glob("before/*"))


@pytest.mark.parametrize("to", [0, 1, 2])
def test_a_roll_back_brings_back_every_byte_of_then(project: Project, to: int) -> None:
    project.run("plan")
    states = [project.tree()]
    project.run("apply", "--yes")
    states.append(project.tree())
    edit(project, "Alice", "Anna")
    project.run("apply", "--yes")
    states.append(project.tree())
    edit(project, "1021", "1022")
    project.run("apply", "--yes")
    ran = project.run("rollback", str(to), "--yes")
    assert ran.code == 0, ran.err
    assert project.tree() == states[to]


def test_without_a_number_the_last_apply_is_undone(applied: Project) -> None:
    ran = applied.run("rollback", "--yes")
    assert ran.code == 0, ran.err
    assert "undoes 3" in ran.out
    assert "1 created, 0 changed, 1 deleted" in ran.out
    assert (applied.conf / "directory/default/1021.xml").exists()


def test_a_roll_back_is_a_revision_that_can_be_rolled_back(applied: Project) -> None:
    before = state(applied)
    applied.run("rollback", "--yes")
    assert "roll-back to revision 2" in applied.run("history").out
    applied.run("rollback", "--yes")
    assert state(applied)["directory/default/1022.xml"] == before["directory/default/1022.xml"]
    assert applied.tree() == {k: v for k, v in before.items() if k != "manifest"}


def test_a_roll_back_leaves_what_is_declared_for_the_next_plan(applied: Project) -> None:
    applied.run("rollback", "--yes")
    assert "Plan: 0 to create, 0 to change, 0 to delete, 1 to rename" in applied.run("plan").out


def test_a_roll_back_asks_and_a_script_must_say_yes(applied: Project) -> None:
    before = state(applied)
    ran = applied.run("rollback")
    assert (ran.code, state(applied)) == (64, before)
    assert "agent 1021" in ran.out


def test_a_roll_back_needs_no_key(applied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    assert applied.run("rollback", "--yes").code == 0


def test_a_roll_back_stops_at_what_somebody_else_put_there(applied: Project) -> None:
    foreign = applied.conf / "directory/default/1021.xml"
    foreign.write_text("<include>\n</include>\n")
    ran = applied.run("rollback", "--yes")
    assert ran.code == 4
    assert "foreign-file" in ran.err
    assert foreign.read_text() == "<include>\n</include>\n"


def test_a_roll_back_that_the_switch_does_not_hold_is_undone_itself(applied: Project) -> None:
    put_rival(applied, "1021")
    before = state(applied)
    ran = applied.run("rollback", "--yes")
    assert (ran.code, state(applied)) == (5, before)


@pytest.mark.parametrize("number", ["9", "99999999999"])
def test_a_revision_that_is_not_kept_is_told_with_those_that_are(
    applied: Project, number: str
) -> None:
    for word in ("show", "rollback"):
        ran = applied.run(word, number)
        assert ran.code == 1
        assert "kept are 1 to 3" in ran.err


def test_nothing_applied_is_nothing_to_roll_back(project: Project) -> None:
    project.run("plan")
    ran = project.run("rollback", "--yes")
    assert (ran.code, "nothing to roll back" in ran.err) == (64, True)
    assert "No apply is recorded" in project.run("history").out


def test_old_revisions_are_pruned_by_number(project: Project) -> None:
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "history: {keep: 2}\n")
    for name in ("Bea", "Cleo", "Dora"):
        edit(project, "Alice", name)
        assert project.run("apply", "--yes").code == 0
        edit(project, name, "Alice")
        assert project.run("apply", "--yes").code == 0
    folders = sorted(path.name for path in (project.conf / ".fsgitops/revisions").iterdir())
    assert folders == ["000005", "000006"]
    assert project.run("rollback", "4", "--yes").code == 0


def pretend(project: Project, count: int, when: datetime) -> Path:
    """Have `count` revisions, all made at one time; return the state directory."""
    state_dir = project.conf / ".fsgitops"
    folder = state_dir / "revisions"
    for number in range(1, count + 1):
        place = folder / f"{number:06d}"
        if not place.exists():
            shutil.copytree(folder / "000003", place)
        data = json.loads((place / "revision.json").read_text())
        (place / "revision.json").write_text(json.dumps({**data, "time": when.isoformat()}))
    return state_dir


class Clock(datetime):
    """A clock that is 400 days ahead."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(days=400)


def test_old_revisions_are_pruned_by_age_but_never_the_last_ten(applied: Project) -> None:
    state_dir = pretend(applied, 15, datetime.now(UTC) - timedelta(days=2000))
    newest = state_dir / "revisions/000015/revision.json"
    data = json.loads(newest.read_text())
    newest.write_text(json.dumps({**data, "time": datetime.now(UTC).isoformat()}))
    before = state_dir / "revisions/000014/revision.json"
    before.write_text(json.dumps({**data, "time": datetime.now(UTC).isoformat()}))
    prune_revisions(state_dir, HistorySettings())
    assert [kept.number for kept in list_revisions(state_dir)] == list(range(6, 16))


def test_one_apply_with_the_clock_400_days_ahead_removes_no_revision_and_is_told(
    applied: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_dir = pretend(applied, 15, datetime.now(UTC))
    edit(applied, "Bob", "Bea")
    for module in ("revisions", "clock"):
        monkeypatch.setattr(f"fsgitops.live.{module}.datetime", Clock)
    ran = applied.run("apply", "--yes")
    assert ran.code == 0
    assert ("400 days after the newest revision" in ran.err) or (
        "399 days after the newest revision" in ran.err
    )
    assert [kept.number for kept in list_revisions(state_dir)] == list(range(1, 17))
    monkeypatch.undo()
    monkeypatch.setenv("FSGITOPS_KEY", KEY)
    edit(applied, "Bea", "Bob")
    ran = applied.run("apply", "--yes")
    assert "days before the newest revision (16," in ran.err
    assert [kept.number for kept in list_revisions(state_dir)] == list(range(1, 18))


def test_a_clock_that_is_right_is_nothing_to_tell(applied: Project) -> None:
    assert "clock" not in applied.run("plan").err


def test_a_half_removed_revision_is_not_rolled_back_over(applied: Project) -> None:
    (applied.conf / ".fsgitops/revisions/000001/revision.json").unlink()
    assert [item["revision"] for item in applied.run("history", "--json").json()["revisions"]] == [
        2,
        3,
    ]
    assert applied.run("rollback", "1", "--yes").code == 0


def test_a_history_that_names_a_path_outside_is_refused(applied: Project) -> None:
    path = applied.conf / ".fsgitops/revisions/000003/changes.json"
    path.write_text(path.read_text().replace("directory/default/1022.xml", "../../../evil"))
    ran = applied.run("rollback", "--yes")
    assert ran.code == 1
    assert "not a path below the conf directory" in ran.err


def test_a_history_with_terminal_codes_in_it_shows_them(applied: Project) -> None:
    path = applied.conf / ".fsgitops/revisions/000003/revision.json"
    data = json.loads(path.read_text())
    data["actor"]["user"] = "\x1b[31mred"
    path.write_text(json.dumps(data))
    assert "\x1b" not in applied.run("history").out + applied.run("show", "3").out


def test_a_revision_that_cannot_be_read_does_not_make_an_apply_fail_that_is_done(
    applied: Project,
) -> None:
    revisions = applied.conf / ".fsgitops/revisions"
    (revisions / "000001/revision.json").write_text("{}")
    edit(applied, "Anna", "Bea")
    ran = applied.run("apply", "--yes")
    assert (ran.code, "Applied: 0 created, 1 changed" in ran.out) == (0, True), ran.err
    assert (revisions / "000001").exists()
    prune_revisions(applied.conf / ".fsgitops", HistorySettings(keep=1))
    assert [path.name for path in revisions.iterdir()] == ["000004"]
