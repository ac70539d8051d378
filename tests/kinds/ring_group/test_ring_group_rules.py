"""Ring groups: who may be in one, which times have an effect, and whose number is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from existing_site import existing_site, put

if TYPE_CHECKING:
    from project import Project

GROUP = "  - {{name: sales, extension: 7001, members: [1020, 1021], {more}}}\n"
TAKES = """\
<extension name="hall">
  <condition field="destination_number" expression="^70">
    <action application="{application}" data="{data}"/>
  </condition>
</extension>
"""


def found(project: Project, *groups: str, more: str = "") -> list[tuple[str, int, str]]:
    """Declare groups; return rule, column and message of what is found."""
    lines = "".join(f"  - {{{group}}}\n" for group in groups)
    project.write("desired/groups.yaml", f"{more}ring_groups:\n{lines}")
    findings = project.run("validate", "--json").json()["findings"]
    return [(item["rule"], item["column"], item["message"]) for item in findings]


def rules(project: Project, *groups: str, more: str = "") -> list[str]:
    return [rule for rule, _, _ in found(project, *groups, more=more)]


def test_a_group_of_agents_is_sound(project: Project) -> None:
    assert found(project, "name: sales, extension: 7001, members: [1020, {agent: 1021}]") == []


def test_a_member_that_nobody_declares_is_found_at_its_place(project: Project) -> None:
    assert found(project, "name: sales, members: [1020, 1012]") == [
        ("unknown-destination", 35, "no agent has the extension 1012")
    ]


def test_a_member_that_is_disabled_is_found(project: Project) -> None:
    more = "agents: [{extension: 1030, name: Cy, enabled: false}]\n"
    [(rule, _, message)] = found(project, "name: sales, members: [1020, 1030]", more=more)
    assert rule == "disabled-destination"
    assert message.endswith("so the group would never ring there")


def test_a_member_is_in_a_group_once(project: Project) -> None:
    assert found(project, "name: sales, members: [1020, {agent: 1020}]") == [
        ("repeated-member", 43, "agent 1020 is in the ring group sales twice")
    ]


@pytest.mark.parametrize("members", ["[]", f"[{', '.join(str(1000 + n) for n in range(65))}]"])
def test_a_group_has_1_to_64_members(project: Project, members: str) -> None:
    [(_, _, message)] = found(project, f"name: sales, members: {members}")
    assert "a list of 1 to 64 agents" in message


@pytest.mark.parametrize(
    "times",
    [
        "strategy: sequential, members: [1020], timeout: 30",
        "strategy: sequential, members: [1020, {agent: 1021, delay: 5}]",
        "members: [1020, {agent: 1021, delay: 30}], timeout: 30",
    ],
)
def test_a_time_without_effect_is_a_warning(project: Project, times: str) -> None:
    assert rules(project, f"name: sales, {times}") == ["idle-time"]


def test_times_with_an_effect_are_none(project: Project) -> None:
    times = "members: [1020, {agent: 1021, delay: 29, timeout: 5}], timeout: 30"
    assert found(project, f"name: sales, {times}") == []


def test_an_agent_and_a_group_have_no_number_in_common(project: Project) -> None:
    assert found(project, "name: sales, extension: 1020, members: [1021]") == [
        ("duplicate-number", 30, "agent:1020 has the number 1020 already")
    ]


def test_nor_do_two_groups(project: Project) -> None:
    group = "extension: 7001, members: [1020]"
    assert rules(project, f"name: a, {group}", f"name: b, {group}") == ["duplicate-number"]


def test_a_circle_of_fallbacks_is_found_also_where_it_is_written_as_numbers(
    project: Project,
) -> None:
    one = "name: one, extension: 7001, members: [1020], fallback: 7002"
    two = "name: two, extension: 7002, members: [1021], fallback: ring_group/one"
    [(rule, _, message)] = found(project, one, two)
    assert rule == "circular-destination"
    assert "ring_group:one -> ring_group:two -> ring_group:one" in message


def declared(site: Project) -> Project:
    site.write("desired/groups.yaml", "ring_groups:\n" + GROUP.format(more="fallback: 1020"))
    return site


def test_an_extension_that_takes_its_number_first_is_an_error_of_the_plan(project: Project) -> None:
    site = declared(existing_site(project))
    assert "[taken-number]" not in site.run("plan").out
    put(site, "dialplan/default/00_hall.xml", TAKES.format(application="park", data=""))
    assert (
        "ring_group sales will not ring when it is dialled: the extension `hall` "
        "(dialplan/default/00_hall.xml:1) takes the number first [taken-number]"
    ) in site.run("plan").out
    assert site.run("apply", "--yes").code == 4


def test_one_that_sends_its_number_to_the_group_takes_nothing(project: Project) -> None:
    site = declared(existing_site(project))
    led = TAKES.format(application="transfer", data="group_sales XML default")
    put(site, "dialplan/default/00_hall.xml", led)
    assert "taken-number" not in site.run("plan").out


def test_an_agent_whom_a_group_rings_cannot_be_left_out(project: Project) -> None:
    declared(project)
    assert project.run("apply", "--yes").code == 0
    project.write("desired/agents.yaml", "agents: [{extension: 1020, name: Alice}]\n")
    ran: Any = project.run("plan")
    assert (ran.code, "no agent has the extension 1021" in ran.out + ran.err) == (3, True)
