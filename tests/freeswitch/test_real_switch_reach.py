"""On a real FreeSWITCH: what the plan calls unreachable is, and what it lets pass is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from call_world import NOW, make_world
from sip_phone import CallFailedError, SipPhone, call_from_outside

from fsgitops.routing.call.arrival import Aim, Arrival, judge_arrival
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.outcome import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project import Project
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

NUMBER = "3001"
HANGUP = '<action application="hangup" data="CALL_REJECTED"/>'
ANTI = HANGUP.replace("action", "anti-action")
SET = '<action application="set" data="a=b"/>'


def on(expression: str, inner: str = HANGUP, more: str = "") -> str:
    opened = f'<condition field="destination_number" expression="{expression}"{more}'
    return f"{opened}>{inner}</condition>"


def regexes(rule: str, *expressions: str, then: str = HANGUP) -> str:
    inner = "".join(
        f'<regex field="destination_number" expression="{item}"/>' for item in expressions
    )
    return f'<condition regex="{rule}">{inner}{then}</condition>'


SHAPES = {
    "every number": on("^(.*)$"),
    "no condition on the number": f"<condition>{HANGUP}</condition>",
    "no expression": f'<condition field="destination_number">{HANGUP}</condition>',
    "an expression in an element": (
        f'<condition field="destination_number"><expression>^30</expression>{HANGUP}</condition>'
    ),
    "another number": on("^4"),
    "an expression that is not valid": on("^(30"),
    "a slashed expression": on("/^30/i"),
    "the number as a variable": on("^30").replace(
        '"destination_number"', '"${destination_number}"'
    ),
    "the context": on("^x$", more="").replace('"destination_number"', '"context"'),
    "two conditions": on("^30", "") + on("1$"),
    "the second fails": on("^30") + on("9$", ""),
    "the second fails and nothing is queued": on("^30", "") + on("9$"),
    "an anti-action": on("^4", ANTI),
    "an anti-action behind a match": on("^30", ANTI + SET, ' break="never"') + on("9$", ""),
    "never breaks": on("^4", "", ' break="never"') + on("^30"),
    "breaks on true": on("^30", SET, ' break="on-true"') + on("^30"),
    "always breaks": on("^30", SET, ' break="always"') + on("^30"),
    "any of several": regexes("any", "^4", "^30"),
    "all of several": regexes("all", "^4", "^30"),
    "one of several": regexes("xor", "^30", "1$"),
    "exactly one of several": regexes("xor", "^30", "9$"),
    "all of several, and the first has a group": regexes("all", "^(30)", "^4"),
    "all of several, and the last has a group": regexes("all", "^4", "^(30)"),
    "any of several, and the first has a group": regexes("any", "^(4)", "^30"),
    "any of several, the first has a group, and nothing is done": regexes(
        "any", "^(4)", "^30", then=SET
    ),
    "an anti-action of no turn": on("^4", ANTI.replace("/>", ' loop="0"/>')),
    "nested and true": on("^30", on("1$")),
    "nested and false": on("^30", on("9$")),
    "nested and not required": on("^30", on("9$"), ' require-nested="false"'),
    "nothing queued": on("^30", ""),
    "loop 0": on("^30", HANGUP.replace("/>", ' loop="0"/>'), ' break="never"') + on("9$", ""),
}
CONTINUES = (
    "every number",
    "another number",
    "nothing queued",
    "an anti-action",
    "the second fails",
)


def shapes() -> dict[str, str]:
    plain = {name: f'<extension name="s">{inner}</extension>' for name, inner in SHAPES.items()}
    more = {
        f"{name}, and continue": f'<extension name="s" continue="true">{SHAPES[name]}</extension>'
        for name in CONTINUES
    }
    return plain | more


QUICK = "{originate_timeout=20}"
PARK = '<action application="answer"/><action application="park"/>'
OURS = '<extension name="ours">' + on("^30", PARK) + "</extension>"


def test_the_dialplan_does_with_a_number_what_the_evaluation_says(freeswitch: RealSwitch) -> None:
    """Each shape stands in a context of its own, before an extension that answers."""
    named = list(shapes().items())
    text = "".join(
        f'<context name="shape{at}">\n{extension}\n{OURS}\n</context>\n'
        for at, (_, extension) in enumerate(named)
    )
    file = freeswitch.conf_dir / "dialplan/shapes.xml"
    file.write_text(text)
    real, told = {}, {}
    try:
        with freeswitch.esl() as esl:
            assert esl.api("reloadxml").strip() == "+OK [Success]"
            for at, (name, extension) in enumerate(named):
                answer = esl.api(f"originate {QUICK}loopback/{NUMBER}/shape{at} &park")
                real[name] = not answer.startswith("+OK")
                world = make_world(f'<context name="shape{at}">\n{extension}\n{OURS}\n</context>')
                outcome = Outcomes(world, Clock(NOW, {})).find(Call(NUMBER, f"shape{at}"))
                aim = Aim(f"shape{at}", "", "ours")
                judged = judge_arrival(outcome, aim, lambda took: took.extension)
                told[name] = judged.arrival is Arrival.NEVER
                assert told[name] or judged.arrival is Arrival.ALWAYS, name
            esl.api("hupall NORMAL_CLEARING")
    finally:
        file.unlink()
        with freeswitch.esl() as esl:
            esl.api("reloadxml")
    assert told == real
    assert set(real.values()) == {True, False}


@pytest.fixture
def changed(on_real_switch: Project, freeswitch: RealSwitch) -> Iterator[Project]:
    """The project on the switch, whose hand-written files are put back before it is cleaned up."""
    names = ("sip_profiles/external.xml", "directory/default.xml", "dialplan/public.xml")
    kept = {name: (freeswitch.conf_dir / name).read_bytes() for name in names}
    added = [
        freeswitch.conf_dir / name
        for name in ("dialplan/public/00_ivr.xml", "dialplan/from_carrier.xml")
    ]
    yield on_real_switch
    for name, content in kept.items():
        (freeswitch.conf_dir / name).write_bytes(content)
    for path in added:
        path.unlink(missing_ok=True)
    with freeswitch.esl() as esl:
        assert "Success" in esl.api("sofia profile external rescan")


def applied_all_the_same(project: Project, rule: str) -> int:
    """Apply with the rule turned down, once it has been refused."""
    assert project.run("apply", "--yes").code == 4
    out = project.run("plan").out
    assert f"[{rule}]" in out
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + f"rules: {{{rule}: warning}}\n")
    return project.run("apply", "--yes").code


def test_a_call_to_a_number_that_is_taken_first_never_rings(
    changed: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    """../shared/cases/02."""
    text = f'<extension name="main_ivr">\n{SHAPES["every number"]}\n</extension>\n'
    (freeswitch.conf_dir / "dialplan/public/00_ivr.xml").write_text(text)
    assert applied_all_the_same(changed, "taken-number") == 0
    with pytest.raises(CallFailedError, match="603"):
        call_from_outside(freeswitch, tmp_path, "19495431333")


def test_a_call_that_arrives_in_another_context_never_rings(
    changed: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    """../shared/cases/04."""
    profile = freeswitch.conf_dir / "sip_profiles/external.xml"
    text = profile.read_text()
    before = '<param name="context" value="public"/>'
    assert before in text
    profile.write_text(text.replace(before, before.replace("public", "from-carrier")))
    (freeswitch.conf_dir / "dialplan/from_carrier.xml").write_text(
        f'<include>\n<context name="from-carrier">\n<extension name="night_line">\n{on("^1800")}\n'
        "</extension>\n</context>\n</include>\n"
    )
    with freeswitch.esl() as esl:
        assert "Success" in esl.api("sofia profile external rescan")
    assert applied_all_the_same(changed, "unused-context") == 0
    with pytest.raises(CallFailedError, match="404"):
        call_from_outside(freeswitch, tmp_path, "19495431333")


def test_a_did_in_the_context_of_the_carriers_rings_its_agent(
    changed: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    """It was in `public` first, so it moves, and the read-back finds it there and gone here."""
    assert changed.run("apply", "--yes").code == 0
    profile = freeswitch.conf_dir / "sip_profiles/external.xml"
    before = '<param name="context" value="public"/>'
    text = profile.read_text().replace(before, before.replace("public", "from-carrier"))
    profile.write_text(text)
    (freeswitch.conf_dir / "dialplan/from_carrier.xml").write_text(
        '<include>\n<context name="from-carrier">\n'
        '<X-PRE-PROCESS cmd="include" data="from-carrier/*.xml"/>\n</context>\n</include>\n'
    )
    with freeswitch.esl() as esl:
        assert "Success" in esl.api("sofia profile external rescan")
    settings = changed.root / "fsgitops.yaml"
    domain = f"    domain: {freeswitch.domain}\n"
    assert domain in settings.read_text()
    more = domain + "    inbound_context: from-carrier\n"
    settings.write_text(settings.read_text().replace(domain, more))
    ran = changed.run("apply", "--yes", "--allow", "deletes")
    assert ran.code == 0, ran.err
    password = changed.run("credentials", "1020", "--reveal", "--json").json()["password"]
    with SipPhone(freeswitch, tmp_path / "phone", "1020", password) as phone:
        phone.register()
        phone.answer()
        call_from_outside(freeswitch, tmp_path / "caller", "19495431333")
        assert phone.wait_answered()
    assert changed.run("drift").code == 0


def test_a_folder_that_nothing_includes_is_never_read(
    changed: Project, freeswitch: RealSwitch
) -> None:
    """../shared/cases/05: the apply that is made all the same cannot be proved."""
    path = freeswitch.conf_dir / "directory/default.xml"
    path.write_text(path.read_text().replace('data="default/*.xml"', 'data="team/*.xml"'))
    assert applied_all_the_same(changed, "unread-folder") == 5


def test_an_agent_in_a_context_that_no_dialplan_has_is_refused(changed: Project) -> None:
    agents = changed.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, context: nowhere"))
    assert applied_all_the_same(changed, "unknown-context") == 0
