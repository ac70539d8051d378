"""One project key takes another's place, group by group."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_kinds import write_paging
from project import KEY

from fsgitops.commands.rotate import edit_rotation
from fsgitops.errors import UsageError
from fsgitops.secret.key import new_key
from fsgitops.settings.shapes import RotationSettings

if TYPE_CHECKING:
    from project import Project

AGENTS = """\
agents:
  - {extension: 1020, name: Alice, groups: [sales]}
  - {extension: 1021, name: Bob, groups: [support]}
  - {extension: 1022, name: Carol}
  - {extension: 1023, name: Dave, password: {env: DAVE}}
"""


@pytest.fixture
def keyed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that is applied, with its key in a file."""
    monkeypatch.delenv("FSGITOPS_KEY")
    monkeypatch.setenv("DAVE", "daves-own-password")
    project.write("desired/agents.yaml", AGENTS)
    (project.root / "desired/routes.yaml").unlink()
    project.write(".fsgitops/key", f"{KEY}\n").chmod(0o600)
    project.prepare("apply", "--yes")
    return project


def password(project: Project, extension: str) -> str:
    data = project.run("credentials", extension, "--reveal", "--json").json()
    return str(data["password"])


def test_starting_makes_a_private_second_key_and_changes_no_password(keyed: Project) -> None:
    before = password(keyed, "1020")
    assert keyed.run("key", "rotate", "--start").code == 0
    mode = (keyed.root / ".fsgitops/key.next").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert password(keyed, "1020") == before
    assert "No changes" in keyed.run("plan").out


def test_only_the_agents_of_the_group_move(keyed: Project) -> None:
    before = {name: password(keyed, name) for name in ("1020", "1021", "1022", "1023")}
    keyed.run("key", "rotate", "--start", "--groups", "sales")
    after = {name: password(keyed, name) for name in before}
    assert [name for name in before if before[name] != after[name]] == ["1020"]
    assert "Plan: 0 to create, 1 to change, 0 to delete" in keyed.run("plan").out


def test_the_plan_explains_which_group_has_which_key(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--groups", "sales")
    told = keyed.run("plan").out
    assert "1 of 3 agents moved to the next key" in told
    assert "group sales: 1 of 1 on the next key" in told
    assert "group support: 0 of 1 on the next key" in told
    data = keyed.run("plan", "--json").json()
    assert "group sales: 1 of 1" in " ".join(data["warnings"])


def test_status_counts_by_group(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--groups", "sales", "--extensions", "1022")
    data = keyed.run("key", "status", "--json").json()
    assert (data["agents"], data["agents_moved"], data["rotation_under_way"]) == (3, 2, True)
    assert data["groups"]["(no group)"] == {"agents": 1, "moved": 1}
    assert data["current_key"] != data["next_key"]


def test_a_pipeline_with_both_keys_in_variables_gets_the_same_passwords(
    keyed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.run("key", "rotate", "--start", "--groups", "sales")
    here = password(keyed, "1020")
    keys = keyed.root / ".fsgitops"
    monkeypatch.setenv("FSGITOPS_KEY", (keys / "key").read_text())
    monkeypatch.setenv("FSGITOPS_KEY_NEXT", (keys / "key.next").read_text())
    (keys / "key").unlink()
    (keys / "key.next").unlink()
    assert password(keyed, "1020") == here


def test_without_the_next_key_a_plan_works_and_an_apply_is_refused(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--groups", "sales")
    (keyed.root / ".fsgitops/key.next").unlink()
    plan = keyed.run("plan")
    assert (plan.code, "FSGITOPS_KEY_NEXT" in plan.err) == (0, True)
    path = keyed.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    ran = keyed.run("apply", "--yes")
    assert (ran.code, "FSGITOPS_KEY_NEXT" in ran.err) == (4, True)


def test_finishing_needs_everybody_to_have_moved(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--groups", "sales")
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "2 of 3 agents" in ran.err) == (64, True)


def test_finishing_needs_the_secrets_of_a_kind_of_ones_own_to_have_moved(keyed: Project) -> None:
    write_paging(keyed)
    keyed.prepare("apply", "--yes")
    keyed.run("key", "rotate", "--start", "--groups", "sales,support", "--extensions", "1022")
    assert keyed.run("apply", "--yes").code == 0
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "1 other resource not moved" in ran.err) == (64, True), ran
    keyed.run("key", "rotate", "--everyone")
    assert keyed.run("apply", "--yes").code == 0
    assert keyed.run("key", "rotate", "--finish").code == 0
    assert "No changes" in keyed.run("plan").out


def test_finishing_waits_until_the_secrets_of_a_kind_of_ones_own_are_applied(
    keyed: Project,
) -> None:
    write_paging(keyed)
    (keyed.root / "conf").mkdir()
    written = ("apply", "--yes", "--no-reload", "--target", "image")
    assert keyed.run(*written).code == 0
    keyed.run("key", "rotate", "--start", "--everyone")
    assert keyed.run(*written, "--only", "agent:*").code == 0
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "not applied yet: 1 paging group at target image" in ran.err) == (64, True)
    assert keyed.run(*written).code == 0
    ran = keyed.run("key", "rotate", "--finish")
    told = "target image: 4 agents, 1 paging group are written, and the switch was not told"
    assert (ran.code, told in ran.out) == (0, True), ran


def test_what_is_named_like_an_extension_does_not_move_with_it(keyed: Project) -> None:
    write_paging(keyed)
    paging = keyed.root / "desired/paging.yaml"
    paging.write_text(paging.read_text().replace("name: warehouse", 'name: "1020"'))
    keyed.prepare("apply", "--yes")
    keyed.run("key", "rotate", "--start", "--extensions", "1020")
    changed = [item["resource"] for item in keyed.run("plan", "--json").json()["changes"]]
    assert changed == ["agent:1020"]


def test_finishing_waits_until_the_new_passwords_are_applied(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--everyone")
    former = (keyed.root / ".fsgitops/key").read_text()
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "not applied yet: 3 agents at target sandbox" in ran.err) == (64, True)
    assert (keyed.root / ".fsgitops/key").read_text() == former
    assert (keyed.root / ".fsgitops/key.next").exists()
    assert "key_rotation" in (keyed.root / "fsgitops.yaml").read_text()
    keyed.run("apply", "--yes", "--only", "agent:1020")
    assert "2 agents at target sandbox" in keyed.run("key", "rotate", "--finish").err
    # The last ones move with partial applies too, so that the manifest still names both keys.
    keyed.run("apply", "--yes", "--only", "agent:1021", "--only", "agent:1022")
    ran = keyed.run("key", "rotate", "--finish")
    assert ran.code == 0, ran.err


def test_an_interrupted_finish_goes_on_after_partial_applies_as_well(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--everyone")
    for extension in ("1020", "1021", "1022"):
        assert keyed.run("apply", "--yes", "--only", f"agent:{extension}").code == 0
    keys = keyed.root / ".fsgitops"
    (keys / "key").rename(keys / "key.previous")
    (keys / "key.next").rename(keys / "key")
    ran = keyed.run("key", "rotate", "--finish")
    assert ran.code == 0, ran.err


def test_a_target_that_was_never_applied_to_from_here_is_told(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--everyone")
    assert keyed.run("apply", "--yes").code == 0
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "target image was not looked at" in ran.out) == (0, True), ran.err


def test_finishing_looks_at_every_target_and_not_at_a_sandbox_beside_them(keyed: Project) -> None:
    path = keyed.root / "fsgitops.yaml"
    text = path.read_text()
    path.write_text(text.replace("image:", "one: {conf_dir: c, domain: a.example}\n  two:"))
    for name, folder in (("one", "c"), ("two", "conf")):
        (keyed.root / folder).mkdir()
        keyed.run("apply", "--yes", "--no-reload", "--target", name)
    keyed.run("key", "rotate", "--start", "--everyone")
    assert keyed.run("apply", "--yes", "--no-reload", "--target", "two").code == 0
    ran = keyed.run("key", "rotate", "--finish", "--target", "two")
    assert (ran.code, "not applied yet: 3 agents at target one." in ran.err) == (64, True), ran
    assert keyed.run("apply", "--yes", "--no-reload", "--target", "one").code == 0
    ran = keyed.run("key", "rotate", "--finish")
    told = "target two: 4 agents are written, and the switch was not told"
    assert (ran.code, told in ran.out) == (0, True), ran


def test_finishing_makes_the_next_key_the_key_and_changes_nothing_more(keyed: Project) -> None:
    settings = (keyed.root / "fsgitops.yaml").read_text()
    former = (keyed.root / ".fsgitops/key").read_text()
    keyed.run("key", "rotate", "--start", "--groups", "sales,support", "--extensions", "1022")
    assert keyed.run("apply", "--yes").code == 0
    moved = password(keyed, "1020")
    assert keyed.run("key", "rotate", "--finish").code == 0
    assert password(keyed, "1020") == moved
    assert "No changes" in keyed.run("plan").out
    assert (keyed.root / ".fsgitops/key.previous").read_text() == former
    assert (keyed.root / "fsgitops.yaml").read_text().strip() == settings.strip()


def test_an_interrupted_finish_is_finished_by_the_next(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--everyone")
    keyed.run("apply", "--yes")
    keys = keyed.root / ".fsgitops"
    (keys / "key").rename(keys / "key.previous")
    (keys / "key.next").rename(keys / "key")
    assert keyed.run("key", "rotate", "--finish").code == 0
    assert "No changes" in keyed.run("plan").out


def test_finishing_without_the_next_key_at_hand_changes_nothing(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--everyone")
    keyed.run("apply", "--yes")
    (keyed.root / ".fsgitops/key.next").unlink()
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "FSGITOPS_KEY_NEXT" in ran.err) == (64, True)
    assert "key_rotation" in (keyed.root / "fsgitops.yaml").read_text()


def test_finishing_refuses_a_file_that_is_not_the_key_the_passwords_come_from(
    keyed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.run("key", "rotate", "--start", "--everyone")
    monkeypatch.setenv("FSGITOPS_KEY_NEXT", new_key())
    assert keyed.run("apply", "--yes").code == 0
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "is not the key in use" in ran.err) == (64, True)
    assert (keyed.root / ".fsgitops/key.next").exists()


def test_a_next_key_that_is_only_a_variable_takes_the_place_of_the_file(
    keyed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keyed.root / ".fsgitops"
    keyed.run("key", "rotate", "--start", "--everyone")
    monkeypatch.setenv("FSGITOPS_KEY_NEXT", (keys / "key.next").read_text())
    (keys / "key.next").unlink()
    assert keyed.run("apply", "--yes").code == 0
    former, moved = (keys / "key").read_text(), password(keyed, "1020")
    assert keyed.run("key", "rotate", "--finish").code == 0
    monkeypatch.delenv("FSGITOPS_KEY_NEXT")
    assert password(keyed, "1020") == moved
    assert "No changes" in keyed.run("plan").out
    assert (keys / "key.previous").read_text() == former
    assert stat.S_IMODE((keys / "key").stat().st_mode) == 0o600
    assert not (keys / "key.next").exists()


def test_finishing_waits_until_the_variable_no_longer_holds_the_former_key(
    keyed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keyed.root / ".fsgitops"
    keyed.run("key", "rotate", "--start", "--everyone")
    keyed.run("apply", "--yes")
    upcoming = (keys / "key.next").read_text()
    monkeypatch.setenv("FSGITOPS_KEY", (keys / "key").read_text())
    ran = keyed.run("key", "rotate", "--finish")
    assert (ran.code, "FSGITOPS_KEY still holds the former key" in ran.err) == (64, True)
    assert "key_rotation" in (keyed.root / "fsgitops.yaml").read_text()
    monkeypatch.setenv("FSGITOPS_KEY", upcoming)
    assert "No changes" in keyed.run("plan").out
    assert keyed.run("key", "rotate", "--finish").code == 0
    assert "No changes" in keyed.run("plan").out


def test_a_second_start_never_overwrites_the_next_key(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start")
    text = (keyed.root / ".fsgitops/key.next").read_text()
    assert keyed.run("key", "rotate", "--start").code == 1
    assert (keyed.root / ".fsgitops/key.next").read_text() == text


@pytest.mark.parametrize("words", [("--groups", "slaes"), ("--extensions", "1999")])
def test_only_who_is_declared_can_move(keyed: Project, words: tuple[str, ...]) -> None:
    keyed.run("key", "rotate", "--start")
    before = (keyed.root / "fsgitops.yaml").read_text()
    ran = keyed.run("key", "rotate", *words)
    assert (ran.code, words[1] in ran.err) == (1, True)
    assert (keyed.root / "fsgitops.yaml").read_text() == before


def test_a_group_that_emptied_meanwhile_is_told(keyed: Project) -> None:
    keyed.run("key", "rotate", "--start", "--groups", "sales")
    path = keyed.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("[sales]", "[support]"))
    assert "no agent with derived secrets is in group sales" in keyed.run("plan").out


@pytest.mark.parametrize(
    "words", [(), ("--finish", "--everyone"), ("--groups", "sales"), ("--finish",)]
)
def test_what_makes_no_sense_is_wrong_usage(keyed: Project, words: tuple[str, ...]) -> None:
    assert keyed.run("key", "rotate", *words).code == 64


SETTINGS = st.sampled_from(
    ["", "project: x\n", "# only a comment\n", "project: x\n\ntargets:\n  a: {conf_dir: c}\n",
     "project: x\nkey_rotation: {groups: [a]}\ndesired: d\n",
     "key_rotation:\n  groups:\n    - a\n\n  everyone: true\nproject: x\n", "project: x"]
)  # fmt: skip
NAMES = st.lists(st.text(min_size=1, max_size=8).filter(str.isprintable), max_size=3).map(tuple)


@given(SETTINGS, st.builds(RotationSettings, everyone=st.booleans(), groups=NAMES))
def test_the_settings_keep_all_else_that_they_say(text: str, rotation: RotationSettings) -> None:
    changed = edit_rotation(text, rotation)
    without = edit_rotation(changed, None)
    for line in text.splitlines():
        if line.strip() and "key_rotation" not in line and not line.startswith(" "):
            assert line in without
    assert "key_rotation" in changed
    assert "key_rotation" not in without


def test_settings_written_in_another_way_are_left_alone() -> None:
    with pytest.raises(UsageError, match="by hand"):
        edit_rotation("{project: x}\n", RotationSettings(everyone=True))


def test_another_key_that_nobody_announced_is_refused_unless_it_is_meant(keyed: Project) -> None:
    keys = keyed.root / ".fsgitops"
    before = (keyed.conf / "directory/default/1020.xml").read_bytes()
    (keys / "key").unlink()
    keyed.run("key", "new")
    assert "Refused unless --allow key is given" in keyed.run("plan", "--format", "markdown").out
    ran = keyed.run("apply", "--yes")
    assert (ran.code, "3 agents would get new secrets" in ran.err) == (4, True)
    assert (keyed.conf / "directory/default/1020.xml").read_bytes() == before
    assert keyed.run("apply", "--yes", "--allow", "key").code == 0
    assert "No changes" in keyed.run("plan").out
    keyed.write("desired/agents.yaml", AGENTS.replace("Carol}", "Carol, password_version: 2}"))
    assert keyed.run("apply", "--yes").code == 0


def test_part_of_a_plan_does_not_bring_another_key_in(keyed: Project) -> None:
    (keyed.root / ".fsgitops/key").unlink()
    keyed.run("key", "new")
    keyed.write("desired/agents.yaml", AGENTS + "  - {extension: 1024, name: Erin}\n")
    ran = keyed.run("apply", "--yes", "--only", "agent:1024")
    assert (ran.code, "--allow key" in ran.err) == (4, True)


def test_going_back_to_the_former_key_once_all_have_moved_is_refused(keyed: Project) -> None:
    settings = (keyed.root / "fsgitops.yaml").read_text()
    keyed.run("key", "rotate", "--start", "--everyone")
    assert keyed.run("apply", "--yes").code == 0
    keyed.write("fsgitops.yaml", settings)
    ran = keyed.run("apply", "--yes")
    assert (ran.code, "--allow key" in ran.err) == (4, True)


def test_after_a_roll_back_the_key_of_before_is_no_other_key(keyed: Project) -> None:
    keys = keyed.root / ".fsgitops"
    former = (keys / "key").read_text()
    (keys / "key").unlink()
    keyed.run("key", "new")
    assert keyed.run("apply", "--yes", "--allow", "key").code == 0
    assert keyed.run("rollback", "--yes").code == 0
    (keys / "key").write_text(former)
    assert "No changes" in keyed.run("plan").out
    keyed.write("desired/agents.yaml", AGENTS.replace("Carol}", "Carol, password_version: 2}"))
    assert keyed.run("apply", "--yes").code == 0
