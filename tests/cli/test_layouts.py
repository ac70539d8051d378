"""Layouts of a site, from the command line: what differs is where the files are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fsgitops.commands.layout import edit_layout
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from project import Project, Ran

AGENTS = """\
agents:
  - {extension: 1020, name: Alice}
  - {extension: 1021, name: Bob}
  - {extension: 999998, name: Zoe}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
  - {did_number: +442071838750, destination_extension: 999998}
"""
US = ROUTES.splitlines(keepends=True)[1]
OTHER = {"files": "sharded", "sharded": "files"}


def choose(project: Project, layout: str) -> None:
    settings = project.root / "fsgitops.yaml"
    lines = settings.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("layout:")]
    settings.write_text("\n".join((*kept, f"layout: {layout}")) + "\n")


@pytest.fixture(params=["files", "sharded"])
def site(project: Project, request: pytest.FixtureRequest) -> Project:
    """Applied in the one layout, and in the other."""
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    choose(project, request.param)
    project.prepare("apply", "--yes")
    return project


def layout_of(site: Project) -> str:
    return (site.root / "fsgitops.yaml").read_text().rpartition("layout: ")[2].strip()


def test_to_the_other_layout_everything_moves_and_nothing_else_happens(site: Project) -> None:
    """Files of one resource and of several, in both directions; nobody's registration ends."""
    choose(site, OTHER[layout_of(site)])
    plan = site.run("plan", "--json").json()
    others = [
        item["resource"]
        for item in plan["changes"]
        if item["resource"] not in (item["renamed_from"], item["renamed_to"])
    ]
    assert others == ["dialplan:dids"]
    assert [step["command"] for step in plan["reloads"]] == ["reloadxml", "xml_flush_cache"]
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "No changes" in site.run("plan").out
    assert site.run("drift").code == 0


def test_the_command_shows_that_there_are_only_moves_and_applies_nothing(site: Project) -> None:
    before, settings = site.tree(), (site.root / "fsgitops.yaml").read_text()
    other = OTHER[layout_of(site)]
    ran = site.run("layout", other)
    assert ran.code == 0, ran.err
    assert "6 to another file" in ran.out
    how = "created" if other == "sharded" else "deleted"
    assert (
        f"Only moves: 6 resources to another file; dialplan:dids, which finds them, is {how}. "
        "No registration and no call ends.\n"
    ) in ran.out
    assert site.tree() == before
    assert (site.root / "fsgitops.yaml").read_text() == settings
    choose(site, other)
    assert ran.out.startswith(site.run("plan").out)


def test_the_command_says_what_else_is_in_the_plan(site: Project) -> None:
    site.write("desired/agents.yaml", AGENTS.replace("Bob", "Ben"))
    ran = site.run("layout", OTHER[layout_of(site)])
    assert "Not only moves: agent:1021 would be created, changed or deleted" in ran.out


def test_the_command_says_that_nothing_changes_in_the_same_layout(site: Project) -> None:
    ran = site.run("layout", layout_of(site))
    assert "Nothing changes: no file lies elsewhere in this layout." in ran.out


def test_the_layout_is_written_into_the_settings_and_applies_as_it_was_shown(site: Project) -> None:
    settings = site.root / "fsgitops.yaml"
    layout, other = layout_of(site), OTHER[layout_of(site)]
    settings.write_text("# ours\n" + settings.read_text().rstrip() + "  # since May\n")
    wanted = settings.read_text().replace(f"layout: {layout}", f"layout: {other}")
    ran = site.run("layout", other, "--write", "--json")
    assert ran.code == 0, ran.err
    assert ran.json()["format"] == "fsgitops-plan"
    assert settings.read_text() == wanted
    assert site.run("apply", "--yes").code == 0
    assert site.run("plan", "--detailed-exitcode").code == 0


def test_the_command_counts_files_in_both_layouts(site: Project) -> None:
    found = site.run("layout", "--json").json()
    assert found["layout"] == layout_of(site)
    assert found["kinds"]["agent"] == {
        "enabled": 3,
        "files": {"files": 3, "sharded": 2},
        "fullest": {"files": 1, "sharded": 2},
    }
    assert found["needs"] == []
    out = site.run("layout").out
    assert out.startswith(f"Target sandbox: layout {layout_of(site)}\n")
    assert f"fsgitops layout {OTHER[layout_of(site)]}" in out


def test_the_command_says_what_the_other_layout_needs_of_the_conf_directory(
    project: Project,
) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default.xml"
    line = '<X-PRE-PROCESS cmd="include" data="fsgitops/*.xml"/>'
    assert line in file.read_text()
    file.write_text(file.read_text().replace(line, ""))
    needs = project.run("layout", "--json").json()["needs"]
    assert needs == [f"put {line} into <groups> of the domain in directory/default.xml"]
    assert f"Layout sharded needs this first: put {line} into <groups>" in project.run("layout").out
    ran = project.run("layout", "sharded")
    assert "[unread-folder]" in ran.out
    assert "An apply would refuse this" in ran.out
    assert "Only moves" not in ran.out


def test_write_needs_a_layout(project: Project) -> None:
    ran = project.run("layout", "--write")
    assert (ran.code, "--write needs a layout" in ran.err) == (64, True), ran


@pytest.mark.parametrize(
    ("text", "path", "wanted"),
    [
        ("", ("layout",), "layout: sharded\n"),
        ("project: a\n", ("layout",), "project: a\n\nlayout: sharded\n"),
        ("layout: files # x\na: b\n", ("layout",), "layout: sharded # x\na: b\n"),
        ("layout: 'files' # x\na: b\n", ("layout",), "layout: sharded # x\na: b\n"),
        (
            'targets:\n  a: {layout: files}\n  b: {layout: "files"}\n',
            ("targets", "b", "layout"),
            "targets:\n  a: {layout: files}\n  b: {layout: sharded}\n",
        ),
        (
            "layout: files\ntargets:\n  a:\n    layout: files  # old\n",
            ("targets", "a", "layout"),
            "layout: files\ntargets:\n  a:\n    layout: sharded  # old\n",
        ),
    ],
)
def test_a_layout_is_set_and_nothing_else_changes(
    text: str, path: tuple[str, ...], wanted: str
) -> None:
    assert edit_layout(text, path, "sharded") == wanted


@pytest.mark.parametrize(
    "text", ["{project: a}\n", '"layout": files\n', "layout: &a files\nb: *a\n"]
)
def test_a_layout_that_cannot_be_set_safely_is_left_to_a_person(text: str) -> None:
    with pytest.raises(UsageError, match="set `layout` to `sharded` by hand"):
        edit_layout(text, ("layout",), "sharded")


def test_the_layout_of_a_target_is_set_where_it_has_its_own(project: Project) -> None:
    settings = project.root / "fsgitops.yaml"
    own = settings.read_text().replace("{conf_dir: conf,", "{conf_dir: conf, layout: sharded,")
    settings.write_text(own)
    (project.root / "conf").mkdir()
    ran = project.run("layout", "files", "--write", "--target", "image")
    assert ran.code == 0, ran.err
    assert settings.read_text() == own.replace("layout: sharded", "layout: files")
    assert ran.out.endswith("Next: fsgitops apply --target image\n")


SHARD = "dialplan/fsgitops_dids_194954313.xml"


@pytest.fixture
def sharded(project: Project) -> Project:
    """Agents, a ring group and DIDs, applied in the layout for large sites."""
    choose(project, "sharded")
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/groups.yaml", "ring_groups:\n  - {name: all, members: [1020, 1021]}\n")
    leads = ROUTES.replace("destination_extension: 1021", "destination_extension: ring_group/all")
    project.write("desired/routes.yaml", leads)
    project.prepare("apply", "--yes")
    return project


def changed(ran: Ran) -> list[tuple[str, str]]:
    return [(item["action"], item["resource"]) for item in ran.json()["changes"]]


def test_a_did_of_a_file_of_several_leads_to_a_group(sharded: Project) -> None:
    assert 'data="group_all XML default"' in (sharded.conf / SHARD).read_text()


def test_what_somebody_edited_in_a_context_is_drift_of_that_did_alone(sharded: Project) -> None:
    file = sharded.conf / SHARD
    file.write_text(file.read_text().replace("group_all XML default", "1021 XML default"))
    (item,) = sharded.run("drift", "--json").json()["drift"]
    assert (item["resource"], item["path"]) == ("did:+19495431334", SHARD)
    assert [attribute["name"] for attribute in item["attributes"]] == [
        "inbound_19495431334/action 5 transfer"
    ]
    assert changed(sharded.run("plan", "--json")) == [("update", "did:+19495431334")]


def test_what_stands_around_the_dids_is_theirs(sharded: Project) -> None:
    """A context of another name is never found: that is drift, and the next apply puts it back."""
    file = sharded.conf / SHARD
    before = file.read_bytes()
    file.write_text(file.read_text().replace('context name="', 'context name="x'))
    items = sharded.run("drift", "--offline", "--json").json()["drift"]
    names = [attribute["name"] for item in items for attribute in item["attributes"]]
    assert names == [
        "context fsgitops_dids_194954313 (beside all)",
        "context xfsgitops_dids_194954313 (beside all)",
    ]  # fmt: skip
    assert sharded.run("apply", "--yes").code == 0
    assert file.read_bytes() == before


def test_what_stands_around_is_no_drift_where_what_is_declared_has_errors(sharded: Project) -> None:
    """Then nobody knows what was applied to an edited file."""
    file = sharded.conf / SHARD
    file.write_text(file.read_text().replace("group_all XML default", "1021 XML default"))
    sharded.write("desired/agents.yaml", "agents: 5\n")
    names = {
        attribute["name"]
        for item in sharded.run("drift", "--offline", "--json").json()["drift"]
        for attribute in item["attributes"]
    }
    assert not any("beside all" in name for name in names)


def test_one_did_is_chosen_protected_released_and_rolled_back(sharded: Project) -> None:
    before = (sharded.conf / SHARD).read_bytes()
    sharded.write("desired/routes.yaml", ROUTES.replace("extension: 1020", "extension: 999998"))
    only = sharded.run("plan", "--only", "did:+19495431333", "--json")
    assert changed(only) == [("update", "did:+19495431333")]
    ran = sharded.run("apply", "--yes", "--only", "did:+19495431333")
    assert ran.code == 0, ran.err
    assert "group_all XML default" in (sharded.conf / SHARD).read_text()
    rolled = sharded.run("rollback", "--yes")
    assert rolled.code == 0, rolled.err
    assert (sharded.conf / SHARD).read_bytes() == before
    sharded.write("desired/routes.yaml", ROUTES.replace("1020}", "1020, protect: true}"))
    assert sharded.run("apply", "--yes").code == 0
    sharded.write("desired/routes.yaml", ROUTES.replace("  - {did_number: +19495431333", "  # -"))
    ran = sharded.run("apply", "--yes", "--allow", "deletes")
    assert (ran.code, "did:+19495431333 is protected" in ran.err) == (4, True), ran.err


def test_a_did_of_another_prefix_is_a_rename_in_another_file(sharded: Project) -> None:
    text = (sharded.root / "desired/routes.yaml").read_text()
    sharded.write("desired/routes.yaml", text.replace("+19495431333", "+12125550123"))
    planned = sharded.run("plan", "--json").json()
    assert [
        (item["action"], item["resource"], item["renamed_from"], item["renamed_to"])
        for item in planned["changes"]
    ] == [
        ("create", "did:+12125550123", "did:+19495431333", None),
        ("delete", "did:+19495431333", None, "did:+12125550123"),
    ]


def test_a_way_to_write_numbers_comes_with_its_first_did(sharded: Project) -> None:
    """The dispatcher follows the declared countries, and --only takes it along."""
    text = (sharded.root / "desired/routes.yaml").read_text()
    german = "  - {did_number: +493090182000, destination_extension: 1020}\n"
    sharded.write("desired/routes.yaml", text + german)
    assert changed(sharded.run("plan", "--only", "did:+493090182000", "--json")) == [
        ("update", "dialplan:dids"), ("create", "did:+493090182000"),
    ]  # fmt: skip


def test_a_shard_that_everybody_may_read_is_told_once(sharded: Project) -> None:
    (sharded.conf / "directory/fsgitops/agents_1000.xml").chmod(0o644)
    assert sharded.run("plan").out.count("[secret-exposed]") == 1


def test_no_secret_of_a_shard_is_shown(sharded: Project) -> None:
    text = (sharded.conf / "directory/fsgitops/agents_1000.xml").read_text()
    hashes = re.findall(r'name="(?:vm-)?a1-hash" value="([0-9a-f]{32})"', text)
    assert len(hashes) >= 2
    sharded.write("desired/agents.yaml", AGENTS.replace("Bob", "Ben"))
    for words in (
        ("plan", "--full"), ("plan", "--json"), ("plan", "--format", "html"), ("drift", "--json"),
        ("layout", "files", "--full"), ("layout", "files", "--json"),
    ):  # fmt: skip
        ran = sharded.run(*words)
        assert not [value for value in hashes if value in ran.out + ran.err], words


def test_a_shard_is_adopted_for_all_that_it_holds(sharded: Project) -> None:
    assert sharded.run("release", SHARD).code == 0
    assert sharded.run("plan").out.count("[foreign-file]") == 1
    ran = sharded.run("adopt", SHARD, "--yes")
    assert ran.code == 0, ran.err
    assert "No changes" in sharded.run("plan").out


def test_who_is_on_a_shard_is_told_where_he_lies(sharded: Project) -> None:
    """`show` and `history` name files; `status` and `credentials` go by the agent."""
    assert sharded.run("credentials", "1021", "--json").json()["username"] == "1021"
    found = sharded.run("status", "--json").json()["agents"]
    assert [(item["extension"], item["memory"]) for item in found] == [
        ("1020", "match"), ("1021", "match"), ("999998", "match"),
    ]  # fmt: skip


def test_a_move_of_many_needs_no_permission(project: Project) -> None:
    """It deletes nobody, so the limits on what one plan may delete or change do not count it."""
    many = "".join(f"  - {{extension: {n}, name: A{n}}}\n" for n in range(2000, 2060))
    project.write("desired/agents.yaml", "agents:\n" + many)
    (project.root / "desired/routes.yaml").unlink()
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "allow: []\nlimits: {minimum: 1}\n")
    choose(project, "files")
    assert project.run("apply", "--yes", "--allow", "reload").code == 0
    for layout in ("sharded", "files"):
        choose(project, layout)
        ran = project.run("apply", "--yes", "--allow", "reload")
        assert (ran.code, "60 moved to another file" in ran.out) == (0, True), ran.err


GERMAN, HUNGARIAN, ITALIAN = (
    f"  - {{did_number: {number}, destination_extension: 1020}}\n"
    for number in ("+493090182000", "+3612345678", "+390612345678")
)
DISPATCH = "dialplan/public/inbound_fsgitops.xml"


def declare_in_shards(project: Project, *routes: str, apply: bool = True) -> None:
    """Declare these routes, and Alice."""
    choose(project, "sharded")
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", f"did_routes:\n{''.join(routes)}")
    if apply:
        ran = project.run("apply", "--yes", "--allow", "deletes")
        assert ran.code == 0, ran.err


def ways_of(project: Project) -> list[str]:
    return re.findall(r'name="fsgitops_dids_?([^"]*)"', (project.conf / DISPATCH).read_text())


def test_a_number_that_is_left_out_is_still_found_as_its_country_writes_it(
    project: Project,
) -> None:
    """What finds it stays while it is there, whatever else a partial plan does."""
    declare_in_shards(project, US, GERMAN)
    declare_in_shards(project, US, US.replace("333", "334"), apply=False)
    for chosen in (("--only", "did:+19495431334"), ("--exclude", "did:+493090182000")):
        ran = project.run("apply", "--yes", *chosen)
        assert ran.code == 0, ran.err
        assert ways_of(project) == ["", "1_", "49_0"]
    assert project.run("apply", "--yes").code == 0
    assert ways_of(project) == ["", "1_"]


def test_a_partial_plan_that_would_find_one_number_and_lose_another_is_refused(
    project: Project,
) -> None:
    declare_in_shards(project, US, GERMAN)
    declare_in_shards(project, US, HUNGARIAN, apply=False)
    ran = project.run("apply", "--yes", "--only", "did:+3612345678")
    assert ran.code == 64
    assert "dialplan:dids would change with what is selected" in ran.err
    assert "did:+493090182000; select these too" in ran.err
    both = ("--only", "did:+3612345678", "--only", "did:+493090182000")
    assert project.run("apply", "--yes", *both).code == 0
    assert ways_of(project) == ["", "1_", "3_0"]


def test_a_number_that_takes_another_form_alone_is_found_by_it(project: Project) -> None:
    """Where its rival is gone, the dispatcher comes along with a number that changes, too."""
    declare_in_shards(project, HUNGARIAN, ITALIAN)
    assert ways_of(project) == [""]
    declare_in_shards(project, HUNGARIAN, apply=False)
    ran = project.run("apply", "--yes", "--only", "did:+3612345678")
    assert ran.code == 0, ran.err
    assert ways_of(project) == ["", "3_0"]


def test_who_moves_in_a_partial_plan_is_still_there(site: Project) -> None:
    choose(site, OTHER[layout_of(site)])
    ran = site.run("plan", "--only", "agent:1020")
    assert "1 to another file" in ran.out
    assert "is not there once" not in ran.out + ran.err


OWN_ROUTE = """\
<include>
  <extension name="inbound_{{{{ digits }}}}">
    <condition{more} field="destination_number" expression="{expression}">
      <action application="transfer" data="{{{{ destination }}}} XML {{{{ context }}}}"/>
    </condition>
  </extension>
</include>
"""
PUBLIC = ' field="context" expression="^public$"/>\n<condition'


@pytest.mark.parametrize(
    ("more", "expression", "why"),
    [
        ("", r"^(00|\+)?{{ digits }}$", "must compare with it"),
        ("", "{{ digits }}", "must compare with it"),
        (PUBLIC, "{{ expression }}", "the context of a call is that of its digits"),
        ("", r"^(\+?{{ digits }})$", None),
        ("", "{{ expression }}", None),
    ],
)
def test_an_own_template_takes_a_number_only_as_the_dispatcher_finds_it(
    project: Project, more: str, expression: str, why: str | None
) -> None:
    """As `files`, it may take any form; in shards, a call in another one never gets to it."""
    text = OWN_ROUTE.format(more=more, expression=expression)
    project.write("templates/did_route.xml.j2", text)
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    choose(project, "files")
    project.prepare("apply", "--yes")
    choose(project, "sharded")
    ran = project.run("plan")
    assert (why is None) == (ran.code == 0), ran.err
    assert why is None or why in ran.out + ran.err


def test_who_moves_and_changes_keeps_his_phone_and_is_shown_what_changes(site: Project) -> None:
    """Only another password ends a registration; the move is not told as a move alone."""
    site.write("desired/agents.yaml", AGENTS.replace("Bob", "Bert"))
    other = OTHER[layout_of(site)]
    told = site.run("layout", other).out
    assert "Not only moves: agent:1021 would be created, changed or deleted too." in told
    choose(site, other)
    text = site.run("plan").out
    assert '      effective_caller_id_name: "Bob" -> "Bert"' in text
    plan = site.run("plan", "--json").json()
    needs = [item["permission"] for item in plan["needs"]]
    assert (plan["tasks"], needs) == ([], ["reload"])
    commands = [step["command"] for step in plan["reloads"]]
    assert commands == ["reloadxml", "xml_flush_cache"]
    [half] = [
        item for item in plan["changes"]
        if item["resource"] == "agent:1021" and item["action"] == "create"
    ]  # fmt: skip
    assert [item["after"] for item in half["attributes"]] == ["Bert"]
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "No changes" in site.run("plan").out


def test_what_somebody_edited_is_told_where_it_moves_and_ends_no_registration(
    site: Project,
) -> None:
    (edited,) = (
        path for path in site.conf.rglob("directory/**/*.xml") if "Bob" in path.read_text()
    )
    edited.write_text(edited.read_text().replace("Bob", "Eve"))
    choose(site, OTHER[layout_of(site)])
    plan = site.run("plan", "--json").json()
    assert (plan["tasks"], [step["command"] for step in plan["reloads"]]) == (
        [], ["reloadxml", "xml_flush_cache"],
    )  # fmt: skip
    drifted = [item for item in plan["changes"] if item["drifted"]]
    assert [item["path"] for item in drifted] == [str(edited.relative_to(site.conf))]
    text = site.run("plan").out
    assert "(drift: changed by somebody else since the last apply)" in text
    assert '      effective_caller_id_name: "Eve" -> "Bob"' in text
    told = site.run("plan", "--format", "sarif").out
    assert f"{edited.relative_to(site.conf)} was changed by somebody else" in told
    assert "an apply will move agent 1021" in told
    assert site.run("apply", "--yes").code == 0
    assert "No changes" in site.run("plan").out


@pytest.mark.parametrize("option, task, needs", [
    ("voicemail: {pin: {plaintext: true, value: '739182'}}", "pin", ["reload"]),
    ("voicemail: true, password_version: 2", "password", ["reload", "registration"]),
])  # fmt: skip
def test_who_moves_and_gets_another_secret_is_told_as_if_he_stayed(
    site: Project, option: str, task: str, needs: list[str]
) -> None:
    site.write("desired/agents.yaml", AGENTS.replace("Bob", "Bob, voicemail: true"))
    site.prepare("apply", "--yes")
    site.write("desired/agents.yaml", AGENTS.replace("Bob", f"Bob, {option}"))
    choose(site, OTHER[layout_of(site)])
    plan = site.run("plan", "--json").json()
    assert (plan["tasks"][0]["kind"], plan["tasks"][0]["agents"]) == (task, ["1021"])
    assert [item["permission"] for item in plan["needs"]] == needs
    assert "flush_inbound_reg" not in str(plan["reloads"])
    kicked = site.run("plan", "--json", "--kick-rotated").json()
    ended = "flush_inbound_reg 1021@" in str(kicked["reloads"])
    assert ended == ("registration" in needs)


def test_without_the_key_a_move_is_a_move(site: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(site, OTHER[layout_of(site)])
    monkeypatch.delenv("FSGITOPS_KEY")
    plan = site.run("plan", "--json").json()
    assert (plan["unknown_secrets"], plan["tasks"]) == (True, [])
    moved = [item for item in plan["changes"] if item["renamed_from"]]
    assert (len(moved), [item["attributes"] for item in moved if item["attributes"]]) == (6, [])


def test_the_other_targets_that_a_written_layout_is_for_are_named(project: Project) -> None:
    """`layout` of all is written where the target has none of its own."""
    target = "\n    conf_dir: {0}\n    domain: {1}.example\n    esl: {{password: {{env: NONE}}}}\n"
    declared = [f"  {name}:{target.format(project.conf, name)}" for name in ("east", "west")]
    settings = project.root / "fsgitops.yaml"
    text = settings.read_text().partition("targets:")[0]
    settings.write_text(f"{text}targets:\n{declared[0]}{declared[1]}    layout: files\n")
    project.write("desired/agents.yaml", AGENTS)
    ran = project.run("layout", "sharded", "--write", "--target", "sandbox")
    assert ran.code == 0, ran.err
    assert "Wrote fsgitops.yaml: layout sharded, also for target east. Next" in ran.out
