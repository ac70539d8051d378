"""What a plan says of numbers that nobody declares: which of them end otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from project import AGENTS, ROUTES

if TYPE_CHECKING:
    from project import Project

TEMPLATES = Path(__file__).parents[2] / "templates"
SHORT = """<include>
  <extension name="short">
    <condition field="destination_number" expression="^7$">
      <action application="transfer" data="1021 XML default"/>
    </condition>
  </extension>
  <extension name="house">
    <condition field="destination_number" expression="^2\\d{3}$">
      <action application="echo"/>
    </condition>
  </extension>
</include>
"""
TAKES = """  <extension name="night_lines">
    <condition field="destination_number" expression="^2[01]\\d\\d$">
      <action application="hangup" data="USER_BUSY"/>
    </condition>
  </extension>
"""


def _write_by_hand(project: Project) -> None:
    (project.conf / "dialplan/default/20_house.xml").write_text(SHORT)
    project.prepare("apply", "--yes")


def _take_more(project: Project, text: str = TAKES) -> None:
    """Let the agents' template take numbers that a hand-written file has taken."""
    template = (TEMPLATES / "agents_dialplan.xml.j2").read_text()
    project.write(
        "templates/agents_dialplan.xml.j2", template.replace("<include>\n", f"<include>\n{text}", 1)
    )


def _numbers(project: Project) -> list[dict[str, Any]]:
    ran = project.run("plan", "--json")
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = ran.json()["impact"]["numbers"]
    return found


def test_numbers_that_a_template_takes_from_a_hand_written_extension_are_told_exactly(
    applied: Project,
) -> None:
    _write_by_hand(applied)
    _take_more(applied)
    (found,) = _numbers(applied)
    assert (found["numbers"], found["count"]) == ("2000-2199", 200)
    told = (
        "2000-2199 in default: hears itself → nobody (hangup with USER_BUSY) "
        "(night_lines (dialplan/default/10_fsgitops_agents.xml:2))"
    )
    assert told in applied.run("plan").out
    for form in ("markdown", "html", "junit"):
        assert "2000-2199 in default" in applied.run("plan", "--format", form).out


def test_a_number_by_hand_that_led_to_a_deleted_agent_is_told(applied: Project) -> None:
    _write_by_hand(applied)
    applied.write(
        "desired/agents.yaml",
        AGENTS.replace("- {extension: 1021", "- {enabled: false, extension: 1021"),
    )
    (found,) = _numbers(applied)
    assert (found["numbers"], found["before"]) == ("7", "rings 1021")
    assert found["after"].startswith("nobody (")


def test_what_leads_nowhere_before_and_after_is_not_told(applied: Project) -> None:
    _take_more(applied)
    assert _numbers(applied) == []


def test_declared_numbers_are_not_told_a_second_time(applied: Project) -> None:
    _write_by_hand(applied)
    applied.write("desired/routes.yaml", ROUTES.replace("1020", "1021"))
    assert _numbers(applied) == []


def test_a_saved_plan_keeps_what_it_says_of_numbers(applied: Project) -> None:
    _write_by_hand(applied)
    _take_more(applied)
    saved = str(applied.root / "saved.json")
    assert applied.run("plan", "--out", saved).code == 0
    shown = applied.run("apply", saved, "--yes")
    assert shown.code == 0, shown.err
    assert "2000-2199 in default: hears itself" in shown.out
