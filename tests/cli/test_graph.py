"""`fsgitops graph`: where calls go, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from project import Project

    from fsgitops.sandbox.switch import EmbeddedSwitch

DID = "+19495431333"
HOURS = """<include>
  <extension name="hours">
    <condition field="destination_number" expression="^18005550199$"/>
    <condition wday="mon-fri" hour="9-16">
      <action application="transfer" data="1021 XML default"/>
      <anti-action application="hangup" data="NO_ANSWER"/>
    </condition>
  </extension>
</include>
"""


def edges(project: Project, *words: str) -> list[str]:
    found = project.run("graph", *words, "--json").json()
    return tell_edges(found)


def tell_edges(found: dict[str, Any]) -> list[str]:
    names = {node["id"]: f"{node['kind']} {node['name']}" for node in found["nodes"]}
    return [
        f"{names[edge['source']]} -> {names[edge['target']]}: {' | '.join(edge['when'])}"
        for edge in found["edges"]
    ]


def test_a_did_is_drawn_from_the_profile_to_the_mailbox(applied: Project) -> None:
    assert edges(applied, DID) == [
        "door profile external -> context public: ",
        f"context public -> number {DID}: ",
        f"number {DID} -> phone 1020: ",
        "phone 1020 -> mailbox 1020: nobody answers | no phone is registered",
    ]


def test_an_extension_is_drawn_with_all_that_leads_to_it_and_nobody_else(applied: Project) -> None:
    drawn = edges(applied, "1020")
    assert f"number {DID} -> phone 1020: " in drawn
    assert "context default -> phone 1020: " in drawn
    assert not any("1021" in line for line in drawn)
    assert any("1021" in line for line in edges(applied, "--all"))


def test_the_time_is_a_condition_unless_it_is_said(applied: Project) -> None:
    (applied.conf / "dialplan/public/00_hours.xml").write_text(HOURS)
    drawn = [line for line in edges(applied, "--all") if line.startswith("number 18005550199")]
    asked = 'wday="mon-fri" hour="9-16"'
    assert [line.replace(": the time", ": T") for line in drawn] == [
        f"number 18005550199 -> end hangup with NO_ANSWER: T does not match {asked}",
        f"number 18005550199 -> phone 1021: T matches {asked}",
    ]
    at_noon = edges(applied, "--all", "--at", "2026-12-21T12:00")
    assert "number 18005550199 -> phone 1021: " in at_noon


def test_ways_that_end_alike_are_all_drawn(applied: Project) -> None:
    direct = '<anti-action application="bridge" data="user/1021@sandbox.example"/>'
    hours = HOURS.replace('<anti-action application="hangup" data="NO_ANSWER"/>', direct)
    (applied.conf / "dialplan/public/00_hours.xml").write_text(hours)
    led = [line for line in edges(applied, "--all") if line.startswith("number 18005550199 -> ")]
    assert sum("the time matches" in line for line in led) == 1
    assert any("the time does not match" in line and "phone 1021" in line for line in led)


def test_a_number_names_the_extension_that_takes_it(applied: Project) -> None:
    nodes = applied.run("graph", DID, "--json").json()["nodes"]
    (number,) = [node for node in nodes if node["name"] == DID]
    assert number["place"] == f"dialplan/public/inbound_{DID[1:]}.xml:2"


def test_memory_is_drawn_too_and_the_files_as_they_are_or_as_planned(
    applied: Project, switch: EmbeddedSwitch
) -> None:
    in_memory = edges(applied, DID, "--live")
    assert edges(applied, DID, "--disk") == edges(applied, DID) == in_memory
    (applied.conf / f"dialplan/public/inbound_{DID[1:]}.xml").unlink()
    assert edges(applied, DID, "--live") == in_memory
    assert edges(applied, DID, "--disk") != in_memory
    assert edges(applied, DID) == in_memory


def test_the_same_configuration_is_drawn_the_same(applied: Project) -> None:
    first, second = (applied.run("graph", "--all") for _ in range(2))
    assert first.out == second.out
    assert first.out.startswith("flowchart LR\n")
    assert applied.run("graph", "--all", "--format", "dot").out.startswith("digraph calls {\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 64, "name a DID or an extension, or give --all"),
        ((DID, "--all"), 64, "name a DID or an extension, or give --all"),
        ((DID, "--json", "--format", "svg"), 64, "give one of them"),
        ((DID, "--at", "noon"), 64, "is no time"),
        (("1099",), 1, "has the extension 1099"),
        (("did/+19495431399",), 1, "is declared"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(
    applied: Project, words: tuple[str, ...], code: int, said: str
) -> None:
    ran = applied.run("graph", *words)
    assert (ran.code, said in ran.err) == (code, True), ran.err
