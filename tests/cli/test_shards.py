"""The layout `sharded`, from the command line: files of several DIDs and agents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from layouts import AGENTS, ROUTES, US, choose

if TYPE_CHECKING:
    from project import Project, Ran

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
