"""A kind of a project's own from the command line, against the embedded switch."""

from __future__ import annotations

import json

import pytest
import yaml
from jsonschema import Draft7Validator
from own_kinds import PATH, SCHEMA, write_paging
from project import Project
from switchboard import serve

from fsgitops.commands.dial import Transfer, plan_transfer
from fsgitops.live.roster import load_roster
from fsgitops.switch.calls import ToExtension
from fsgitops.workspace.open import open_workspace


@pytest.fixture
def paging(project: Project) -> Project:
    write_paging(project)
    return project


def edit(project: Project, path: str, before: str, after: str) -> None:
    file = project.root / path
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_it_is_planned_applied_and_read_back(paging: Project) -> None:
    plan = paging.run("plan")
    assert plan.code == 0, plan.err
    assert f"+ paging_group warehouse  {PATH}  desired/paging.yaml:2:5" in plan.out
    applied = paging.run("apply", "--yes")
    assert applied.code == 0, applied.err
    assert "4 dialplan files as written" in applied.out
    assert "No changes" in paging.run("plan").out
    assert "No drift" in paging.run("drift").out


def test_no_secret_of_it_is_printed(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    text = (paging.conf / PATH).read_text()
    secret = text.partition("paging_password=")[2].partition('"')[0]
    assert len(secret) == 24
    edit(paging, "desired/paging.yaml", "[1020, 1021]", "[1020]\n    pin: {env: PAGING}")
    (paging.conf / PATH).write_text(text.replace(secret, "f" * 24))
    for words in (("plan", "--full"), ("plan", "--json"), ("drift",), ("diff", "--full")):
        said = paging.run(*words)
        assert secret not in said.out + said.err
        assert "f" * 24 not in said.out + said.err
    assert "action 2 set" in paging.run("plan", "--full").out


def test_an_edit_on_the_switch_is_drift(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    (paging.conf / PATH).write_text((paging.conf / PATH).read_text().replace("page_", "other_"))
    said = paging.run("drift")
    assert "paging_group warehouse" in said.out
    assert said.code != 0


def test_it_is_changed_and_deleted_like_any_resource(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    edit(paging, "desired/paging.yaml", "[1020, 1021]", "[1020]\n    mode: two-way")
    assert "~ paging_group warehouse" in paging.run("plan").out
    assert paging.run("apply", "--yes").code == 0
    (paging.root / "desired/paging.yaml").unlink()
    assert "- paging_group warehouse" in paging.run("plan").out
    assert paging.run("apply", "--yes").code == 0
    assert not (paging.conf / PATH).exists()
    assert "No drift" in paging.run("drift").out


def test_what_is_left_of_a_kind_that_is_no_longer_declared_is_deleted(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    (paging.root / "desired/paging.yaml").unlink()
    settings = paging.root / "fsgitops.yaml"
    settings.write_text(settings.read_text().partition("kinds:")[0])
    for words in (("plan", "--json"), ("drift",), ("history",), ("state",), ("doctor",)):
        said = paging.run(*words)
        assert "Traceback" not in said.out + said.err
    assert "- paging_group warehouse" in paging.run("plan", "--only", "paging_group:ware*").out
    assert "No changes" in paging.run("plan", "--exclude", "paging_group:warehouse").out
    assert "- paging_group warehouse" in paging.run("plan").out
    assert paging.run("apply", "--yes").code == 0
    assert not (paging.conf / PATH).exists()


def test_it_is_protected_and_rolled_back(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    edit(paging, "desired/paging.yaml", "[1020, 1021]", "[1020]\n    protect: true")
    paging.run("apply", "--yes")
    (paging.root / "desired/paging.yaml").unlink()
    assert "protected" in paging.run("plan").out
    ran = paging.run("rollback", "--yes")
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("before", "after", "place", "told"),
    [
        ("extension: 7001", "extension: 70", "desired/paging.yaml:3:16", "`extension`"),
        ("members: [1020, 1021]", "members: [1029]", "desired/paging.yaml:4:15", "no agent has"),
        ("name: warehouse", "name: ware/house", "desired/paging.yaml:2:11", "`name`"),
        ("name: warehouse", "name: ware.house", "desired/paging.yaml:2:11", "0-9, _ and -, the"),
        ("extension: 7001", "exten: 7001", "desired/paging.yaml:3:5", "unknown"),
        ("    members", "    greeting: a,b\n    members", "desired/paging.yaml:4:15", "letters"),
        (
            "  - name", "  - {name: warehouse, extension: 7002, members: []}\n  - name",
            "desired/paging.yaml:3", "already declared",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one_is_a_finding_at_its_place(
    paging: Project, before: str, after: str, place: str, told: str
) -> None:
    edit(paging, "desired/paging.yaml", before, after)
    said = paging.run("validate")
    assert said.code == 3
    assert place in said.out + said.err
    assert told in said.out + said.err


@pytest.mark.parametrize(
    ("before", "after", "place", "told"),
    [
        ("word: paging_group", "word: agent", "fsgitops.yaml:6:11", "means something already"),
        ("word: paging_group", "word: group_x", "fsgitops.yaml:6:11", "could be named as one of"),
        ("section: paging_groups", "section: agents", "fsgitops.yaml:7:14", "means something"),
        ("word: paging_group", "word: Paging", "fsgitops.yaml:6:11", "small letters"),
        ("kinds/paging_group.json", "kinds/other.json", "fsgitops.yaml:8:13", "there is no file"),
        ("kinds/paging_group.json", "../x.json", "fsgitops.yaml:8:13", ""),
        ("30_paging_{name}", "30_paging", "fsgitops.yaml:9", "a path such as"),
        ("reach: paging_{name}", "reach: paging", "fsgitops.yaml:10:12", "what is dialled"),
        ("reach:", "rech:", "fsgitops.yaml:10:5", "Did you mean `reach`?"),
        ("schema:", "shema:", "fsgitops.yaml:8:5", "Did you mean `schema`?"),
        ("paging_group.xml.j2", "absent.xml.j2", "absent.xml.j2", "is missing"),
    ],
)
def test_what_is_wrong_with_the_kind_is_a_finding_at_its_place(
    paging: Project, before: str, after: str, place: str, told: str
) -> None:
    edit(paging, "fsgitops.yaml", before, after)
    said = paging.run("plan")
    assert said.code == 3
    assert place in said.out + said.err
    assert told in said.out + said.err


def test_a_schema_that_is_wrong_is_a_finding_in_every_command(paging: Project) -> None:
    edit(paging, "kinds/paging_group.json", '"maximum": 60', '"multipleOf": 5')
    for words in (("validate",), ("plan",), ("drift",)):
        said = paging.run(*words)
        assert (said.code, "Traceback" in said.err) == (3, False)
        assert "kinds/paging_group.json:" in said.out + said.err


def test_policies_defaults_and_formatting_know_it(paging: Project) -> None:
    unordered = "paging_groups:\n- members: [1020]\n  name: a\n  extension: 7001\n"
    paging.write("desired/paging.yaml", unordered)
    assert paging.run("fmt").code == 0
    assert (paging.root / "desired/paging.yaml").read_text() == (
        "paging_groups:\n- name: a\n  extension: 7001\n  members: [1020]\n"
    )


def test_it_is_explained_and_stands_in_the_schemas(paging: Project) -> None:
    said = paging.run("explain", "paging-groups")
    assert said.code == 0, said.err
    assert "Phones that are called at once" in said.out
    assert "two-way" in paging.run("explain", "paging_group.mode").out
    assert "agent.extension" in paging.run("explain", "extension").out
    assert "paging_group.extension" in paging.run("explain", "extension").out
    schema = json.loads(paging.run("schema", "desired").out)
    items = schema["properties"]["paging_groups"]["items"]
    assert list(items["properties"]) == [*SCHEMA["properties"], "enabled", "protect"]
    Draft7Validator.check_schema(schema)
    declared = yaml.safe_load((paging.root / "desired/paging.yaml").read_text())
    assert list(Draft7Validator(schema).iter_errors(declared)) == []
    defaults = json.loads(paging.run("schema", "settings").out)["properties"]["defaults"]
    assert "paging_groups" in defaults["properties"]


def test_it_is_counted_where_what_is_declared_is_counted(paging: Project) -> None:
    assert "1 paging group" in paging.run("validate").out
    assert json.loads(paging.run("validate", "--json").out)["paging_groups"] == 1


ROUTE = "dialplan/public/inbound_19495431333.xml"


@pytest.mark.parametrize("reach", [True, False], ids=["with reach", "without"])
def test_what_the_switch_still_holds_of_it_is_left_over(paging: Project, reach: bool) -> None:
    if not reach:
        edit(paging, "fsgitops.yaml", "    reach: paging_{name}\n", "")
        edit(paging, "templates/paging_group.xml.j2", "|{{ reach }}", "")
    paging.prepare("apply", "--yes")
    with serve(paging):
        (paging.root / "desired/paging.yaml").unlink()
        assert paging.run("apply", "--yes", "--no-reload").code == 0
        (item,) = paging.run("drift", "--json").json()["drift"]
    assert (item["resource"], item["path"]) == ("paging_group:warehouse", PATH)
    assert item["kinds"] == ["left-over"]


@pytest.mark.parametrize("reach", [True, False], ids=["with reach", "without"])
def test_an_extension_of_somebody_else_that_is_named_alike_is_not_left_over(
    paging: Project, reach: bool
) -> None:
    if not reach:
        edit(paging, "fsgitops.yaml", "    reach: paging_{name}\n", "")
        edit(paging, "templates/paging_group.xml.j2", "|{{ reach }}", "")
    paging.prepare("apply", "--yes")
    theirs = (paging.conf / PATH).read_text().replace("paging_group_warehouse", "paging_group_x")
    (paging.conf / "dialplan/default/99_theirs.xml").write_text(theirs)
    assert paging.run("drift").code == 0


def test_a_secret_of_it_that_everybody_may_read_is_told(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    for path in (PATH, ROUTE):
        (paging.conf / path).chmod(0o644)
    told = paging.run("plan").out
    assert f"{PATH}: every user of that machine may read this file and its secrets" in told
    assert told.count("[secret-exposed]") == 1


def test_a_public_number_may_lead_to_it_while_it_is_there(paging: Project) -> None:
    edit(paging, "desired/routes.yaml", "extension: 1020", "extension: paging_group/warehouse")
    paging.prepare("apply", "--yes")
    assert 'data="paging_warehouse XML default"' in (paging.conf / ROUTE).read_text()
    edit(paging, "fsgitops.yaml", "reach: paging_{name}", "reach: page_{name}")
    assert "page_warehouse XML default" in paging.run("plan").out
    edit(paging, "fsgitops.yaml", "    reach: page_{name}\n", "")
    edit(paging, "templates/paging_group.xml.j2", "|{{ reach }}", "")
    said = paging.run("validate")
    assert "no call can be led to paging group warehouse" in said.err
    (paging.root / "desired/paging.yaml").unlink()
    said = paging.run("validate")
    assert (said.code, "no paging group has the name warehouse" in said.err) == (3, True)


def test_a_call_is_transferred_to_where_a_public_number_leads(paging: Project) -> None:
    edit(paging, "desired/routes.yaml", "extension: 1020", "extension: paging_group/warehouse")
    workspace = open_workspace(paging.root)
    asked = Transfer("uuid", "+19495431333")
    roster = load_roster(workspace)
    onward = plan_transfer(roster, workspace, asked)
    assert onward == ToExtension("paging_warehouse", "default")


def test_it_is_selected_by_its_word(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    edit(paging, "desired/paging.yaml", "7001", "7002")
    edit(paging, "desired/agents.yaml", "Alice", "Anna")
    said = paging.run("plan", "--only", "paging_group:ware*")
    assert ("~ paging_group warehouse" in said.out, "agent 1020" in said.out) == (True, False)
    said = paging.run("plan", "--exclude", "paging_group:*")
    assert "paging_group warehouse" not in said.out
    ran = paging.run("apply", "--yes", "--only", "paging_group:warehouse")
    assert (ran.code, "1 changed" in ran.out) == (0, True)


def test_another_name_is_told_as_a_rename(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    edit(paging, "desired/paging.yaml", "name: warehouse", "name: depot")
    assert "warehouse -> depot" in paging.run("plan").out
    assert paging.run("apply", "--yes").code == 0
    assert sorted(path.name for path in (paging.conf / PATH).parent.glob("30_*")) == [
        "30_paging_depot.xml"
    ]


def test_what_deletes_its_member_is_told(paging: Project) -> None:
    paging.prepare("apply", "--yes")
    paging.write("desired/agents.yaml", "agents: [{extension: 1020, name: Alice}]\n")
    said = paging.run("plan")
    assert said.code == 3
    assert "no agent has the extension 1021" in said.err


def test_its_number_is_nobody_elses(paging: Project) -> None:
    edit(paging, "desired/paging.yaml", "7001", "1020")
    said = paging.run("validate")
    assert (said.code, "1020" in said.err) == (3, True)


def test_a_schema_stands_in_the_project(paging: Project) -> None:
    schema = paging.root / "kinds/paging_group.json"
    (paging.root.parent / "outside.json").write_text(schema.read_text())
    edit(paging, "fsgitops.yaml", "kinds/paging_group.json", "../outside.json")
    assert paging.run("validate").code == 3
    schema.unlink()
    schema.symlink_to(paging.root.parent / "outside.json")
    edit(paging, "fsgitops.yaml", "../outside.json", "kinds/paging_group.json")
    assert paging.run("validate").code == 3


def test_a_file_of_a_later_release_in_the_manifest_is_told_with_the_way_out(
    paging: Project,
) -> None:
    paging.prepare("apply", "--yes")
    manifest = paging.conf / ".fsgitops/manifest.json"
    text = manifest.read_text().replace(PATH, "autoload_configs/callcenter.conf.xml")
    manifest.write_text(text.replace("paging_group:warehouse", "queue:support"))
    said = paging.run("plan")
    assert (said.code, "later release" in said.err, "fsgitops release" in said.err) == (
        1,
        True,
        True,
    )
    assert paging.run("release", "autoload_configs/callcenter.conf.xml").code == 0
    assert paging.run("plan").code == 0
