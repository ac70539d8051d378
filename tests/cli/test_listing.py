"""`fsgitops list` and `get`: what is declared, what it compiles to and what is live."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from project import Project

ALICE = "directory/default/1020.xml"


def states(project: Project, *words: str) -> dict[str, str]:
    rows = project.run("list", *words, "--json").json()["resources"]
    return {f"{row['kind']}:{row['name']}": row["state"] for row in rows}


def sides(project: Project, name: str) -> dict[str, tuple[Any, Any]]:
    found = project.run("get", "agent", name, "--json").json()["attributes"]
    return {item["name"].split()[-1]: (item["before"], item["after"]) for item in found}


def test_what_is_declared_is_listed_with_its_place_and_its_file(project: Project) -> None:
    ran = project.run("list", "did")
    assert ran.code == 0
    assert "did   +19495431333  -> 1020" in ran.out
    assert "dialplan/public/inbound_19495431333.xml" in ran.out
    assert "desired/" in ran.out


@pytest.mark.parametrize("word", ["agent", "agents"])
def test_a_kind_is_named_by_its_word_or_its_section(project: Project, word: str) -> None:
    assert list(states(project, word)) == ["agent:1020", "agent:1021"]


def test_a_word_that_is_no_kind_is_refused_and_the_kinds_are_named(project: Project) -> None:
    ran = project.run("list", "gadget")
    assert ran.code == 64
    assert "gadget: no such kind; there are: agent, did" in ran.err


def test_the_state_is_what_the_next_apply_does(applied: Project) -> None:
    assert set(states(applied).values()) == {"unchanged"}
    applied.write(
        "desired/agents.yaml",
        "agents:\n- {extension: 1020, name: Alina}\n- {extension: 1022, name: New}\n"
        "- {extension: 1023, name: Off, enabled: false}\n",
    )
    assert states(applied, "agent") == {
        "agent:1020": "update",
        "agent:1021": "delete",
        "agent:1022": "create",
        "agent:1023": "off",
    }


def test_a_file_of_somebody_else_blocks_what_should_lie_there(project: Project) -> None:
    foreign = project.conf / ALICE
    foreign.parent.mkdir(parents=True, exist_ok=True)
    foreign.write_text("<include/>\n")
    assert states(project, "agent")["agent:1020"] == "blocked"


def test_what_somebody_else_edited_is_told(applied: Project) -> None:
    file = applied.conf / ALICE
    file.write_text(file.read_text().replace("Alice", "Eve"))
    assert "update, edited by somebody else" in applied.run("list", "agent").out


@pytest.mark.parametrize("layout", ["files", "sharded"])
def test_a_resource_is_shown_as_declared_compiled_and_live(project: Project, layout: str) -> None:
    settings = project.root / "fsgitops.yaml"
    settings.write_text(f"{settings.read_text()}layout: {layout}\n")
    project.prepare("apply", "--yes")
    assert sides(project, "1020")["effective_caller_id_name"] == ("Alice", "Alice")
    agents = project.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "Alina"))
    assert sides(project, "1020")["effective_caller_id_name"] == ("Alice", "Alina")
    assert sides(project, "1021")["effective_caller_id_name"] == ("Bob", "Bob")
    ran = project.run("get", "agent", "1020")
    assert "agent 1020 (Alina)" in ran.out
    assert "state     update" in ran.out


def test_secrets_are_masked_on_both_sides(applied: Project) -> None:
    assert sides(applied, "1020")["a1-hash"] == ("(secret)", "(secret)")


def test_what_is_live_and_no_longer_declared_has_no_place(applied: Project) -> None:
    applied.write("desired/agents.yaml", "agents:\n- {extension: 1020, name: Alice}\n")
    ran = applied.run("get", "agent", "1021")
    assert "declared  (no longer)" in ran.out
    assert "state     delete" in ran.out
    assert sides(applied, "1021")["effective_caller_id_name"] == ("Bob", None)


def test_what_is_neither_declared_nor_managed_is_not_there(project: Project) -> None:
    ran = project.run("get", "agent", "4711")
    assert ran.code == 1
    assert "agent:4711 is neither declared nor managed" in ran.err


def test_the_same_is_printed_as_json_yaml_and_csv(project: Project) -> None:
    rows = project.run("list", "--json").json()["resources"]
    assert yaml.safe_load(project.run("list", "--format", "yaml").out)["resources"] == rows
    read = list(csv.DictReader(io.StringIO(project.run("list", "--format", "csv").out)))
    assert [row["name"] for row in read] == [row["name"] for row in rows]
    assert read[0]["source"] == rows[0]["source"]
    got = project.run("get", "did", "+19495431333", "--json").json()
    assert yaml.safe_load(project.run("get", "did", "+19495431333", "--format", "yaml").out) == {
        key: got[key] for key in ("target", "resource", "fields", "attributes")
    }


@pytest.mark.parametrize(
    "words",
    [
        ("did:+19495431333",), ("+19495431333",), ("did", "19495431333"), ("did", "9495431333"),
        ("(949) 543-1333",), ("dids", "+1 949 543 1333"),
    ],
)  # fmt: skip
def test_a_resource_is_found_by_any_form_that_people_call_it_by(
    project: Project, words: tuple[str, ...]
) -> None:
    ran = project.run("get", *words, "--json")
    assert (ran.code, ran.json()["resource"]["name"]) == (0, "+19495431333"), ran.err


def test_a_name_of_two_kinds_is_not_guessed_at_and_one_of_none_is_not_there(
    project: Project,
) -> None:
    group = "ring_groups:\n  - {name: desk, extension: 7001, members: [1020]}\n"
    project.write("desired/groups.yaml", group)
    project.write("desired/more.yaml", "agents:\n  - {extension: 1055, name: desk, user: desk}\n")
    assert project.run("get", "7001", "--json").json()["resource"]["name"] == "desk"
    assert project.run("get", "desk").code == 0
    ran = project.run("get", "4711")
    assert (ran.code, "4711 is neither declared nor managed" in ran.err) == (1, True)
    ran = project.run("get", "queue:sales")
    assert (ran.code, "no such kind" in ran.err) == (64, True)


def test_one_resource_is_a_table_for_spreadsheets_too(applied: Project) -> None:
    agents = applied.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "=Alice"))
    rows = list(csv.DictReader(io.StringIO(applied.run("get", "1020", "--format", "csv").out)))
    name = next(row for row in rows if row["name"] == "variable effective_caller_id_name")
    assert (name["compiled"], name["live"]) == ("'=Alice", "Alice")
    assert next(row["declared"] for row in rows if row["name"] == "password_version") == "1"
    listed = list(csv.DictReader(io.StringIO(applied.run("list", "--format", "csv").out)))
    assert [row["about"] for row in listed if row["name"] == "1020"] == ["'=Alice"]
