"""The main job from the command line, against the embedded switch."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from project import Project
from switchboard import serve

TEMPLATES = Path(__file__).parents[2] / "templates"


def test_an_empty_project_has_nothing_to_plan(project: Project) -> None:
    for path in (project.root / "desired").iterdir():
        path.unlink()
    assert "No changes" in project.run("plan").out


def test_a_first_plan_creates_everything_declared(project: Project) -> None:
    ran = project.run("plan")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "Plan: 5 to create, 0 to change, 0 to delete"


def test_a_plan_writes_nothing_below_the_conf_directory(project: Project) -> None:
    project.run("plan")
    before = project.tree()
    project.run("plan")
    assert project.tree() == before
    assert "directory/default/1020.xml" not in before


def test_an_apply_is_read_back_from_the_switch(project: Project) -> None:
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "2 agents and 3 dialplan files as written" in ran.out


def test_a_second_plan_is_empty(project: Project) -> None:
    project.prepare("apply", "--yes")
    ran = project.run("plan", "--detailed-exitcode")
    assert (ran.code, "No changes" in ran.out) == (0, True)


def test_the_detailed_exit_code_is_2_when_changes_are_pending(project: Project) -> None:
    assert project.run("plan", "--detailed-exitcode").code == 2


def test_a_change_is_told_by_attribute(project: Project) -> None:
    project.prepare("apply", "--yes")
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    lines = project.run("plan").out
    assert 'effective_caller_id_name: "Alice" -> "Anna"' in lines
    assert "Plan: 0 to create, 1 to change, 0 to delete" in lines


def test_an_ordinary_change_is_planned_without_deepdiff(project: Project) -> None:
    project.prepare("apply", "--yes")
    desired = project.root / "desired"
    for path in desired.iterdir():
        path.write_text(path.read_text().replace("Alice", "Anna").replace(": 1020}", ": 1021}"))
    code = (
        "import sys; from fsgitops.cli import run;"
        f"print(run(['-C', {str(project.root)!r}, 'plan', '--detailed-exitcode']));"
        "print([name for name in ('deepdiff', 'numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Plan: 0 to create, 2 to change, 0 to delete" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["2", "[]"]


def test_an_action_that_a_template_moves_is_told_as_moved(project: Project) -> None:
    project.prepare("apply", "--yes")
    lines = (TEMPLATES / "did_route.xml.j2").read_text().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if 'data="domain_name=' in line)
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    project.write("templates/did_route.xml.j2", "".join(lines))
    told = project.run("plan").out
    assert "inbound_19495431333/action 1 set moved to place 2" in told
    assert "inbound_19495431333/action 2 set: " in told


@pytest.mark.parametrize("content", [b"<include>{{ nothing }}</include>\n", b"\xff"])
def test_what_is_wrong_with_a_template_stands_on_its_line_in_the_repository(
    project: Project, content: bytes
) -> None:
    (project.root / "templates").mkdir()
    (project.root / "templates/agent.xml.j2").write_bytes(content)
    ran = project.run("plan", "--format", "github")
    assert ran.code == 3
    assert ran.out.startswith("::error file=templates/agent.xml.j2,line=1,")


def test_an_apply_writes_only_what_changed(project: Project) -> None:
    project.prepare("apply", "--yes")
    unchanged = project.conf / "directory/default/1021.xml"
    inode = unchanged.stat().st_ino
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    assert project.run("apply", "--yes").code == 0
    assert unchanged.stat().st_ino == inode
    assert b"Anna" in (project.conf / "directory/default/1020.xml").read_bytes()


def test_an_agent_gone_from_the_yaml_is_gone_from_the_switch(project: Project) -> None:
    project.prepare("apply", "--yes")
    path = project.root / "desired" / "agents.yaml"
    path.write_text(
        path.read_text().splitlines()[0] + "\n" + path.read_text().splitlines()[1] + "\n"
    )
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "Applied: 0 created, 0 changed, 1 deleted" in ran.out
    assert not (project.conf / "directory/default/1021.xml").exists()


def test_a_disabled_agent_is_a_deleted_one(project: Project) -> None:
    project.prepare("apply", "--yes")
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("webrtc: true", "enabled: false"))
    assert "Plan: 0 to create, 0 to change, 1 to delete" in project.run("plan").out


def test_a_file_edited_by_hand_is_told_as_drift(project: Project) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default/1020.xml"
    file.write_bytes(file.read_bytes().replace(b"Alice", b"Mallory"))
    out = project.run("plan").out
    assert "drift" in out
    assert 'effective_caller_id_name: "Mallory" -> "Alice"' in out


def test_a_file_deleted_by_hand_is_created_again(project: Project) -> None:
    project.prepare("apply", "--yes")
    (project.conf / "directory/default/1020.xml").unlink()
    out = project.run("plan").out
    assert "Plan: 1 to create, 0 to change, 0 to delete" in out
    assert "drift" in out


def test_white_space_attribute_order_and_comments_are_no_difference(project: Project) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default/1020.xml"
    text = file.read_text()
    text = text.replace('name="toll_allow" value="domestic,international,local"',
                        'value="domestic,international,local"   name="toll_allow"')  # fmt: skip
    file.write_text(text.replace("<params>", "<!-- mine -->\n\n  <params>"))
    assert "No changes" in project.run("plan").out


def test_a_line_that_freeswitch_would_drop_is_a_difference(project: Project) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default/1020.xml"
    file.write_text("".join(line.strip() for line in file.read_text().splitlines()) + "\n")
    assert "Plan: 0 to create, 1 to change, 0 to delete" in project.run("plan").out


def test_a_foreign_file_in_the_way_stops_the_apply(project: Project) -> None:
    project.run("plan")
    foreign = project.conf / "directory/default/1020.xml"
    foreign.write_text("<include>\n</include>\n")
    before = project.tree()
    ran = project.run("apply", "--yes")
    assert (ran.code, project.tree()) == (4, before)
    assert "foreign-file" in ran.err


def test_a_symbolic_link_in_the_way_is_never_followed(project: Project) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default/1020.xml"
    elsewhere = project.root / "elsewhere.xml"
    elsewhere.write_text("precious")
    file.unlink()
    file.symlink_to(elsewhere)
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    ran = project.run("apply", "--yes")
    assert (ran.code, elsewhere.read_text()) == (4, "precious")


def test_a_folder_that_leads_out_of_the_conf_directory_is_never_followed(project: Project) -> None:
    project.run("plan")
    outside = project.root / "outside"
    outside.mkdir()
    (project.conf / "directory/default").rmdir()
    (project.conf / "directory/default").symlink_to(outside)
    ran = project.run("apply", "--yes")
    assert (ran.code, list(outside.iterdir())) == (4, [])


def test_unmanaged_files_are_counted_and_left_alone(project: Project) -> None:
    project.run("plan")
    (project.conf / "directory/default/9999.xml").write_text("<include>\n</include>\n")
    assert "1 unmanaged file left alone" in project.run("plan").out
    project.run("apply", "--yes")
    assert (project.conf / "directory/default/9999.xml").exists()


def test_a_rotated_password_is_masked_on_both_sides(project: Project) -> None:
    project.prepare("apply", "--yes")
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("webrtc: true", "webrtc: true, password_version: 2"))
    out = project.run("plan").out
    assert "a1-hash: (secret) -> (secret)" in out


def test_without_the_key_a_plan_works_and_an_apply_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    plan = project.run("plan")
    assert (plan.code, "known after apply" in plan.out) == (0, True)
    ran = project.run("apply", "--yes")
    told = "no project key; nothing was touched. Run `fsgitops key new`, or set FSGITOPS_KEY"
    assert (ran.code, told in ran.err, "above" in ran.err) == (4, True, False)


def test_without_the_key_an_applied_state_shows_no_changes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.prepare("apply", "--yes")
    monkeypatch.delenv("FSGITOPS_KEY")
    assert "No changes" in project.run("plan").out


def test_without_the_key_a_changed_attribute_is_still_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.prepare("apply", "--yes")
    monkeypatch.delenv("FSGITOPS_KEY")
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    assert 'effective_caller_id_name: "Alice" -> "Anna"' in project.run("plan").out


def test_no_reload_writes_for_an_image_and_asks_no_switch(project: Project) -> None:
    (project.root / "conf").mkdir()
    ran = project.run("apply", "--yes", "--no-reload", "--target", "image")
    assert ran.code == 0, ran.err
    assert (project.root / "conf/directory/default/1020.xml").exists()


def test_an_unreachable_switch_is_found_out_before_any_file_is_touched(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "conf").mkdir()
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "x")
    monkeypatch.setenv("FSGITOPS_ESL_PORT", "1")
    ran = project.run("apply", "--yes", "--target", "image")
    assert (ran.code, project.tree(project.root / "conf")) == (1, {})
    assert "127.0.0.1:1" in ran.err


def test_a_file_that_holds_secrets_is_not_readable_by_everybody(project: Project) -> None:
    project.run("apply", "--yes")
    mode = (project.conf / "directory/default/1020.xml").stat().st_mode
    assert stat.S_IMODE(mode) == 0o640


def test_an_apply_asks_and_a_script_must_say_yes(project: Project) -> None:
    ran = project.run("apply")
    assert (ran.code, "--yes" in ran.err) == (64, True)


def test_the_json_of_a_plan_tells_its_version_and_every_change(project: Project) -> None:
    data = project.run("plan", "--json").json()
    assert (data["format"], data["version"]) == ("fsgitops-plan", 1)
    assert data["summary"] == {"create": 5, "update": 0, "delete": 0, "rename": 0}
    assert [item["resource"] for item in data["changes"]] == [
        "agent:1020", "agent:1021", "dialplan:agents", "dialplan:transfers",
        "did:+19495431333",
    ]  # fmt: skip


def test_the_same_input_gives_the_same_plan_bytes(project: Project) -> None:
    assert project.run("plan", "--json").out == project.run("plan", "--json").out


def test_the_json_of_an_apply_tells_what_was_proved(project: Project) -> None:
    data = project.run("apply", "--yes", "--json").json()
    assert (data["outcome"], data["agents_proved"], data["extensions_proved"]) == ("applied", 2, 3)


def test_an_interrupted_apply_is_undone_by_the_next_plan(project: Project) -> None:
    project.prepare("apply", "--yes")
    before = project.tree()
    from fsgitops.transaction.folder import hash_file
    from fsgitops.transaction.stage import Operation
    from fsgitops.transaction.transact import begin_transaction, replace_files

    file = project.conf / "directory/default/1020.xml"
    operation = Operation("directory/default/1020.xml", b"half-done", hash_file(file))
    replace_files(begin_transaction(project.conf, project.conf / ".fsgitops", [operation], b"{}"))
    assert project.tree() != before
    ran = project.run("plan")
    assert (ran.code, project.tree()) == (0, before)
    assert "undone" in ran.err


def test_commands_for_the_sandbox_use_the_one_that_runs(project: Project) -> None:
    project.prepare("apply", "--yes")
    with serve(project) as switch:
        switch.add_registration("1021", "sandbox.example")
        path = project.root / "desired" / "agents.yaml"
        path.write_text(path.read_text().replace("webrtc: true", "enabled: false"))
        ran = project.run("apply", "--yes")
        assert "Registrations ended: 1" in ran.out, ran.err
        assert switch.registrations == ()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_path_in_the_way_is_never_told_as_no_changes(
    project: Project, options: tuple[str, ...]
) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default/1020.xml"
    file.unlink()
    file.symlink_to("/etc/hostname")
    ran = project.run("plan", "--detailed-exitcode", *options)
    assert ran.code == 2
    assert "as written" not in ran.out


@pytest.mark.parametrize(
    ("wanted", "edited"),
    [
        ('<param name="a1-hash" value=', "<param value="),
        ('<param name="a1-hash" value=', '<param nam="a1-hash" value='),
        ('<param name="a1-hash" value=', '<param name="a1_hsah" value='),
        ('<param name="a1-hash" value=', '<param name="a1-hash" val='),
        ('<user id="1020">', '<user id="1020" password="57f218120cf00072b4a48ee0">'),
    ],
)
def test_a_secret_that_a_hand_edit_misplaced_is_still_masked(
    project: Project, wanted: str, edited: str
) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default/1020.xml"
    text = file.read_text()
    hashed = text.partition('a1-hash" value="')[2].partition('"')[0]
    file.write_text(text.replace(wanted, edited))
    for ran in (project.run("plan"), project.run("plan", "--json")):
        assert "drift" in ran.out
        assert hashed not in ran.out
        assert "57f218120cf00072b4a48ee0" not in ran.out


@pytest.mark.parametrize("name", ["manifest.json", "transaction/journal.json", "plan.json"])
def test_json_that_nests_without_end_is_a_plain_error(project: Project, name: str) -> None:
    project.prepare("apply", "--yes")
    project.write(f".fsgitops/sandbox/conf/.fsgitops/{name}", "[" * 200_000)
    words = ("apply", str(project.conf / ".fsgitops" / name)) if name == "plan.json" else ("plan",)
    ran = project.run(*words)
    assert ran.code in (1, 64)
    assert name in ran.err


@pytest.mark.parametrize("password", ["a\udcffb", "a\n\napi version"])
def test_an_esl_password_that_is_no_line_of_text_is_a_plain_error(
    project: Project, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    (project.root / "conf").mkdir()
    for name in ("FSGITOPS_ESL_PASSWORD", "NAMED"):
        monkeypatch.setenv(name, password)
        ran = project.run("apply", "--yes", "--target", "image")
        assert (ran.code, name in ran.err) == (1, True)
        monkeypatch.delenv(name)
        esl = "esl: {password: {env: NAMED}}"
        target = f"targets: {{image: {{conf_dir: conf, domain: a.example, {esl}}}}}\n"
        project.write("fsgitops.yaml", f"default_region: US\n{target}")


def test_a_state_directory_that_is_a_link_is_not_written_to(project: Project) -> None:
    (project.root / "conf").mkdir()
    (project.root / "elsewhere").mkdir()
    (project.root / "conf/.fsgitops").symlink_to("../elsewhere")
    ran = project.run("apply", "--yes", "--no-reload", "--target", "image")
    assert (ran.code, "the state directory is a link" in ran.err) == (1, True)
    assert list((project.root / "elsewhere").iterdir()) == []
    assert project.tree(project.root / "conf") == {}
