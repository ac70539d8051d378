"""Declaring the public numbers of a conf directory, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from handmade_trees import ansible, included
from test_import import TARGET, handmade

if TYPE_CHECKING:
    from project import Project


def public(project: Project, *extensions: str) -> None:
    """Give a project the users of a role, and extensions in which calls from outside begin."""
    tree = {"dialplan/public/10_numbers.xml": included("".join(extensions))}
    handmade(project, {**ansible(), **tree})


def number(expression: str, *actions: str, name: str = "did", more: str = "") -> str:
    lines = [f'  <extension name="{name}"{more}>']
    lines += [f'    <condition field="destination_number" expression="{expression}">']
    for action in actions:
        application, _, data = action.partition(" ")
        lines.append(f'      <action application="{application}" data="{data}"/>')
    return "\n".join([*lines, "    </condition>", "  </extension>", ""])


def imported(project: Project, *extensions: str) -> list[dict[str, Any]]:
    """Import, and return the routes."""
    public(project, *extensions)
    ran = project.run("import", *TARGET)
    assert ran.code == 0, ran.err
    assert project.run("validate", *TARGET).code == 0, project.run("validate", *TARGET).err
    assert project.run("fmt", "--check").code == 0
    path = project.root / "desired/did_routes.yaml"
    assert path.exists(), ran.out
    items: list[dict[str, Any]] = yaml.load(path.read_text(), yaml.BaseLoader)["did_routes"]
    return items


def left(project: Project, *extensions: str) -> list[str]:
    public(project, *extensions)
    found = project.run("import", "--dry-run", "--json", *TARGET).json()["left"]
    return [one["reason"] for item in found for one in item["reasons"]]


@pytest.mark.parametrize(
    ("expression", "action"),
    [
        (r"^(9495431333)$", "transfer 1001 XML default"),
        (r"^\+?1?(9495431333)$", "transfer 1001 XML default"),
        (r"^\+19495431333$", "transfer 1001 xml default"),
        (r"^(?:\+1|1)?9495431333$", "transfer 1001 XML default"),
        (r"^19495431333$", "bridge user/1001@$${domain}"),
        (r"^\+1(949)(543)(1333)$", "bridge user/1001"),
    ],
    ids=["national", "any", "e164", "alternatives", "bridge", "bridge-without-domain"],
)
def test_a_number_in_the_forms_that_people_write_becomes_a_route(
    project: Project, expression: str, action: str
) -> None:
    routes = imported(project, number(expression, "set domain_name=$${domain}", action))
    assert routes == [{"did_number": "+19495431333", "destination_extension": "1001"}]


def test_several_numbers_of_one_expression_become_routes(project: Project) -> None:
    routes = imported(project, number("^(9495431333|9495431335)$", "transfer 1001 XML default"))
    assert [item["did_number"] for item in routes] == ["+19495431333", "+19495431335"]


def test_many_numbers_in_a_row_become_a_range(project: Project) -> None:
    routes = imported(project, number(r"^\+194954313(\d\d)$", "transfer 1001 XML default"))
    assert routes == [{"did_number": "+19495431300..99", "destination_extension": "1001"}]


def test_numbers_that_lead_to_extensions_by_their_digits_do_so(project: Project) -> None:
    expression = r"^\+1949543(100[1-3])$"
    routes = imported(project, number(expression, "transfer $1 XML default"))
    assert [(item["did_number"], item["destination_extension"]) for item in routes] == [
        ("+19495431001", "1001"), ("+19495431002", "1002"), ("+19495431003", "1003"),
    ]  # fmt: skip


def test_the_user_name_of_a_trunk_is_what_else_the_carrier_dials(project: Project) -> None:
    routes = imported(project, number(r"^(\+19495431333|acct7)$", "transfer 1001 XML default"))
    assert routes == [
        {"did_number": "+19495431333", "destination_extension": "1001", "also": ["acct7"]}
    ]


def test_forms_that_are_taken_as_well_from_now_on_are_told(project: Project) -> None:
    public(project, number("^(9495431333)$", "transfer 1001 XML default"))
    ran = project.run("import", "--dry-run", *TARGET)
    assert "+19495431333: destination_number=+19495431333 19495431333" in ran.out


def test_a_direct_bridge_that_becomes_a_transfer_is_told(project: Project) -> None:
    public(project, number(r"^\+?1?9495431333$", "bridge user/1001@$${domain}"))
    ran = project.run("import", "--dry-run", *TARGET)
    assert "+19495431333: transfer=1001 XML default" in ran.out


def test_a_text_that_is_no_number_and_is_no_longer_taken_is_told(project: Project) -> None:
    public(project, number(r"^\+?1?(9495431333)$", "transfer 1001 XML default"))
    ran = project.run("import", "--dry-run", *TARGET)
    assert "+19495431333: no destination_number=+9495431333" in ran.out


def test_a_domain_that_a_route_sets_and_the_extension_did_not_is_told(project: Project) -> None:
    public(project, number(r"^\+19495431333$", "transfer 1001 XML default"))
    ran = project.run("import", "--dry-run", *TARGET)
    assert "domain_name=pbx.example.com" in ran.out


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        (number("9495431333", "transfer 1001 XML default"), "more than 10,000 numbers"),
        (number("^(.*)$", "transfer 1001 XML default"), "more than 10,000 numbers"),
        (number("^(1001)$", "transfer 1001 XML default"), "it takes 1001: an extension"),
        (number("^(5551212)$", "transfer 1001 XML default"), "has the wrong length"),
        (number("^(911x)$", "transfer 1001 XML default"), "is no telephone number"),
        (number("^00(19495431333)$", "transfer 1001 XML default"), "has the wrong length"),
        (number("^9495431333$", "transfer 7777 XML default"), "7777, which is not declared"),
        (number("^9495431333$", "transfer 1001 XML other"), "not lead to an extension of default"),
        (number("^9495431333$", "transfer 1001"), "not lead to an extension of default"),
        (number("^9495431333$", "bridge sofia/gateway/carrier/1001"), "not ring one user"),
        (number("^9495431333$", "answer", "transfer 1001 XML default"), "do this: answer"),
        (number("^9495431333$", "set x=y", "transfer 1001 XML default"), "do this: set x"),
        (number("^9495431333$", "answer"), "do this: answer"),
        (number("^9495431333$", "transfer 1001 XML default", more=' continue="true"'), "continue"),
        (number("^(94954313(?!33)33)$", "transfer 1001 XML default"), "nobody can say"),
        (
            number("^9495431333$", "transfer 1001 XML default").replace(
                "destination_number", "caller_id_number"
            ),
            "does not ask for destination_number",
        ),
        (
            number("^9495431333$", "transfer 1001 XML default").replace(
                "    <condition", '    <condition wday="2"/>\n    <condition', 1
            ),
            "asks for more than the number",
        ),
        (
            number("^9495431333$", "transfer 1001 XML default").replace(
                "    </condition>", '      <anti-action application="hangup"/>\n    </condition>'
            ),
            "one thing or another",
        ),
    ],
)  # fmt: skip
def test_what_no_route_can_say_is_left_with_the_reason(
    project: Project, extension: str, reason: str
) -> None:
    found = left(project, extension)
    assert len(found) == 1
    assert reason in found[0]


def test_a_number_leads_to_the_context_of_the_target(project: Project) -> None:
    public(project, number(r"^\+19495431333$", "transfer 1001 XML office"))
    path = project.root / "fsgitops.yaml"
    places = "conf_dir: conf, places: {context: office},"
    path.write_text(path.read_text().replace("conf_dir: conf,", places))
    found = project.run("import", "--dry-run", "--json", *TARGET).json()
    assert "did:+19495431333" in [item["resource"] for item in found["imported"]]


def test_a_form_that_carriers_do_not_deliver_here_is_told(project: Project) -> None:
    extension = number(r"^(\+19495431333|19495431333)$", "transfer 1001 XML default")
    public(project, extension)
    path = project.root / "fsgitops.yaml"
    path.write_text(path.read_text().replace("conf_dir: conf,", "conf_dir: conf, did_forms: [],"))
    found = project.run("import", "--dry-run", "--json", *TARGET).json()["left"]
    assert "none of the forms" in found[0]["reasons"][0]["reason"]


def test_after_an_adoption_and_an_apply_numbers_lead_where_they_led(project: Project) -> None:
    """Every number ends as before, and the route's file takes the place of the extension."""
    domain = "set domain_name=$${domain}"
    imported(project, number(r"^\+?1?(9495431333)$", domain, "transfer 1001 XML default"))
    numbers = ("+19495431333", "19495431333", "9495431333", "1001", "1002", "1003")
    before = [outcome(project, each) for each in numbers]
    assert project.run("adopt", ".", "--split", "--yes", *TARGET).code == 0
    ran = project.run("apply", "--yes", "--no-reload", "--allow", "updates", *TARGET)
    assert ran.code == 0, ran.err
    assert "No changes" in project.run("plan", *TARGET).out
    assert [outcome(project, each) for each in numbers] == before
    assert not (project.root / "conf/dialplan/public/10_numbers.xml").exists()


def outcome(project: Project, number: str) -> list[str]:
    inside = ("--context", "default") if len(number) == 4 else ()
    found = project.run("trace", number, *inside, "--json", *TARGET).json()
    return [way["end"]["told"] for way in found["ways"]]
