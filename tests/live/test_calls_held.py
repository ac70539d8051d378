"""What calls do by a switch's memory, once an apply has loaded its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from controlled_switch import AGENT, ROUTE, SETTINGS
from misbehaving_esl import answer

if TYPE_CHECKING:
    from pathlib import Path

    from controlled_switch import Mischief, Runner
    from project import Project

DID = "+19495431333"
FIRST = (
    '<extension name="from_elsewhere"><condition field="destination_number" expression="^(.*)$">'
    '<action application="hangup" data="CALL_REJECTED"/></condition></extension>'
)


def elsewhere(conf: Path, name: str, first: str = FIRST) -> Mischief:
    """Answer for a context as mod_xml_curl might: with another extension before all of the files.

    What stands in the files is held as written, so no read-back finds anything.
    """

    def mischief(command: str, _count: int) -> object:
        if command != f"xml_locate dialplan context name {name}":
            return None
        files = sorted((conf / "dialplan" / name).glob("*.xml"))
        texts = (file.read_text().split("<include>")[-1] for file in files)
        inside = "".join(text.partition("</include>")[0] for text in texts)
        return answer(f'<context name="{name}">\n{first}\n{inside}\n</context>')

    return mischief


def test_a_call_that_arrives_is_applied_and_little_is_asked_for_that(run: Runner) -> None:
    ran = run()
    assert ran.code == 0, ran.err
    assert "Read back from the switch: 1 agent and 3 dialplan files as written." in ran.out
    contexts = [item for item in run.commands if item.startswith("xml_locate dialplan")]
    assert len(contexts) <= 6


@pytest.mark.parametrize(
    ("context", "lost"),
    [
        ("public", f"did:{DID}: a call to {DID}"),
        ("default", "agent:1020: a call to 1020"),
    ],
)
def test_a_call_that_the_switch_sends_elsewhere_undoes_the_apply(
    run: Runner, conf: Path, context: str, lost: str
) -> None:
    ran = run(mischief=elsewhere(conf, context))
    assert ran.code == 5
    assert "the switch holds what the files say, and calls get lost all the same" in ran.err
    where = f"the extension `from_elsewhere` of the context {context}"
    assert f"{lost} does not arrive by what the switch holds: {where} takes it first" in (ran.err)
    assert not (conf / f"dialplan/public/inbound_{DID[1:]}.xml").exists()
    assert "Applied" not in ran.out


@pytest.mark.parametrize(("level", "told"), [("warning", True), ("off", False)])
def test_the_level_of_the_rule_decides_what_becomes_of_the_apply(
    run: Runner, project: Project, conf: Path, level: str, told: bool
) -> None:
    project.write("fsgitops.yaml", SETTINGS + f"rules: {{lost-call: {level}}}\n")
    ran = run(mischief=elsewhere(conf, "public"))
    assert (ran.code, "does not arrive" in ran.out + ran.err) == (0, told), ran.err


def test_the_rule_is_silenced_on_the_line_of_the_resource(
    run: Runner, project: Project, conf: Path
) -> None:
    because = "  # fsgitops: ignore[lost-call] because the switch asks another service\n"
    project.write("desired/routes.yaml", ROUTE.rstrip("\n") + because)
    ran = run(mischief=elsewhere(conf, "public"))
    assert (ran.code, "does not arrive" in ran.out + ran.err) == (0, False), ran.err


@pytest.mark.parametrize("application", ["socket", "set"])
def test_a_call_of_which_the_switch_leaves_open_where_it_goes_is_not_lost(
    run: Runner, conf: Path, application: str
) -> None:
    first = FIRST.replace("hangup", application).replace("CALL_REJECTED", "a=b")
    first = first.replace("<extension ", '<extension continue="true" ')
    assert run(mischief=elsewhere(conf, "public", first)).code == 0


def test_of_many_some_are_followed_and_that_is_said(run: Runner, project: Project) -> None:
    agents = "".join(
        f"  - {{extension: {number}, name: A{number}}}\n" for number in range(2000, 2150)
    )
    project.write("desired/agents.yaml", AGENT.format(more="") + agents)
    ran = run()
    assert ran.code == 0, ran.err
    assert "; calls to 76 of 152 resources arrive." in ran.out
