"""`fsgitops test`: what is expected of calls, declared beside the resources, and proved."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from project import Project, Ran

    from fsgitops.sandbox.switch import EmbeddedSwitch

DID = "+19495431333"
GROUP = """\
ring_groups:
  - name: sales
    extension: 7001
    strategy: sequential
    members: [{agent: 1020, timeout: 10}, {agent: 1021, timeout: 15}]
    fallback: 1021
"""
CATCH_ALL = """<include>
  <extension name="main_ivr">
    <condition field="destination_number" expression="^(.*)$">
      <action application="hangup" data="CALL_REJECTED"/>
    </condition>
  </extension>
</include>
"""
MENU = """<include>
  <extension name="night" continue="true">
    <condition wday="1" break="never">
      <action application="playback" data="/sounds/ivr/closed.wav"/>
      <action application="hangup" data="NORMAL_CLEARING"/>
    </condition>
  </extension>
  <extension name="menu">
    <condition field="destination_number" expression="^5000$">
      <action application="ivr" data="main"/>
    </condition>
  </extension>
  <extension name="callers">
    <condition field="destination_number" expression="^6000$"/>
    <condition field="caller_id_number" expression="^1202">
      <action application="transfer" data="1020 XML default"/>
      <anti-action application="hangup" data="USER_BUSY"/>
    </condition>
  </extension>
</include>
"""
IVR = """<include>
<configuration name="ivr.conf"><menus><menu name="main">
<entry action="menu-exec-app" digits="1" param="transfer 1020 XML default"/>
<entry action="menu-exec-app" digits="2" param="transfer 1021 XML default"/>
</menu></menus></configuration>
</include>
"""


def expect(project: Project, text: str, *words: str) -> dict[str, Any]:
    """Declare expectations, and return the verdict on each by its name."""
    project.write("desired/tests/calls.yaml", text)
    ran = project.run("test", "--json", *words)
    assert ran.out, ran.err
    proof = ran.json()
    assert ran.code == (0 if proof["holds"] else 1)
    return {item["name"]: item for item in proof["verdicts"]}


def one(project: Project, what: str, *words: str) -> Any:
    """Return the verdict on one expectation of a call to the DID."""
    return expect(project, f"tests:\n  - {{name: it, call: {DID}, {what}}}\n", *words)["it"]


@pytest.fixture
def with_menu(project: Project) -> Project:
    """A project whose dialplan has a menu, and its applied files."""
    assert project.run("plan").code == 0
    for path, text in (("dialplan/default/00_menu.xml", MENU), ("autoload_configs/ivr.xml", IVR)):
        place = project.conf / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return project


def test_before_anything_is_applied_the_call_does_what_the_plan_makes_it_do(
    project: Project,
) -> None:
    assert one(project, "rings: 1020, then: {leaves_message: 1020}")["holds"]
    assert not (project.conf / "directory/default/1020.xml").exists()
    assert not one(project, "rings: 1020", "--disk")["holds"]


def test_what_happens_in_its_place_is_said_with_the_extension_and_its_line(
    applied: Project,
) -> None:
    place = applied.conf / "dialplan/public/00_ivr.xml"
    place.write_text(CATCH_ALL)
    applied.write(
        "desired/tests/calls.yaml", f"tests:\n  - {{name: it, call: {DID}, rings: 1020}}\n"
    )
    ran = applied.run("test")
    assert ran.code == 1
    assert "FAIL  it (desired/tests/calls.yaml:2:5)" in ran.out
    assert f"{DID}: expected: rings 1020" in ran.out
    assert (
        "found: it is hung up: hangup with CALL_REJECTED, by main_ivr "
        "(dialplan/public/00_ivr.xml:2)" in ran.out
    )
    assert "1 of 1 expectation fails" in ran.out


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("rings: 1021", "rings 1020"),
        ("rings: [1020, 1021]", "rings 1020"),
        ("leaves_message: 1020", "rings 1020"),
        ("hangs_up: true", "rings 1020"),
        ("reaches: gateway/carrier", "rings 1020"),
        ("rings: 1020, plays: hello.wav", "rings 1020; the caller hears nothing before"),
        ("rings: 1020, then: {hangs_up: true}", "leaves a message for 1020"),
        ("rings: 1020, then: {leaves_message: 1020, within: 5}",
         "leaves a message for 1020 after 31 s"),
        ("rings: 1020, then: [{leaves_message: 1020}, {hangs_up: true}]",
         "nothing follows: leaves a message for 1020"),
        ("rings: 1020, registered: [1021]", "leaves a message for 1020"),
    ],
)  # fmt: skip
def test_what_does_not_happen_fails_and_what_does_is_named(
    project: Project, what: str, found: str
) -> None:
    verdict = one(project, what)
    assert (verdict["holds"], verdict["found"]) == (False, found)


def test_a_group_that_rings_in_turn_is_a_row_of_what_follows(project: Project) -> None:
    project.write("desired/groups.yaml", GROUP)
    found = expect(
        project,
        """tests:
  - name: in turn
    call: 7001
    as: 1020
    reaches: ring_group/sales
    rings: 1020
    then:
      - {rings: 1021, within: 10}
      - {reaches: agent/1021, rings: 1021, within: 25}
      - {hangs_up: NO_ANSWER}
  - {name: too late, call: 7001, as: 1020, rings: 1020, then: {rings: 1021, within: 9}}
  - {name: together, call: 7001, as: 1020, rings: [1020, 1021]}
""",
    )
    assert found["in turn"]["holds"], found["in turn"]
    assert found["too late"]["found"] == "rings 1021 after 10 s"
    assert found["together"]["found"] == "rings 1020"


def test_keys_of_a_menu_files_that_are_heard_and_times_are_expected(with_menu: Project) -> None:
    found = expect(
        with_menu,
        """tests:
  - {name: first, call: 5000, as: 1021, at: 2026-12-24T18:00, reaches: menu/main}
  - {name: key, call: 5000, as: 1021, at: 2026-12-24T18:00, presses: 1, reaches: menu/main,
     rings: 1020}
  - {name: no key, call: 5000, as: 1021, at: 2026-12-24T18:00, presses: 7, rings: 1020}
  - {name: sunday, call: 5000, as: 1021, at: 2026-12-20T18:00, plays: closed.wav,
     hangs_up: NORMAL_CLEARING}
  - {name: part of a name, call: 5000, as: 1021, at: 2026-12-20T18:00, plays: osed.wav}
  - {name: any time, call: 5000, as: 1021, presses: 2, rings: 1021}
  - {name: late, call: 5000, as: 1021, at: 2026-12-24T18:00, presses: 2, rings: 1021, within: 60}
""",
    )
    held = {name for name, verdict in found.items() if verdict["holds"]}
    assert held == {"first", "key", "sunday"}
    assert found["no key"]["found"] == "is in the menu main"
    assert "hears /sounds/ivr/closed.wav before" in found["part of a name"]["found"]
    assert found["any time"]["assumed"] == [
        'the time matches wday="1" (nobody says when the call is placed)'
    ]
    assert "nobody knows how many seconds" in found["late"]["found"]


def test_what_is_expected_holds_whoever_calls_unless_the_caller_is_said(
    with_menu: Project,
) -> None:
    always = "call: 6000, context: default, at: 2026-12-24T18:00, rings: 1020"
    found = expect(
        with_menu,
        f"tests:\n  - {{name: anybody, {always}}}\n  - {{name: one, from: 12025, {always}}}\n",
    )
    assert found["one"]["holds"]
    assert found["anybody"]["assumed"] == [
        "caller_id_number does not match ^1202 (nobody says what ${caller_id_number} is)"
    ]


def test_ways_that_end_alike_may_differ_before_that(with_menu: Project) -> None:
    place = with_menu.conf / "dialplan/default/00_menu.xml"
    fails = '<action application="hangup" data="USER_BUSY"/>'
    ring = '<action application="bridge" data="user/{}@${{domain}}"/>'
    text = MENU.replace('data="1020 XML default"/>', 'data="1020 XML default"/>', 1)
    text = text.replace(
        '<action application="transfer" data="1020 XML default"/>', ring.format(1020) + fails
    )
    text = text.replace(
        '<anti-action application="hangup"',
        ring.format(1021).replace("action ", "anti-action ") + '<anti-action application="hangup"',
    )
    place.write_text(text)
    told = "{name: it, call: 6000, context: default, at: 2026-12-24T18:00, rings: %s}"
    for agent in (1020, 1021):
        found = expect(with_menu, f"tests:\n  - {told % agent}\n")["it"]
        assert found["found"] == f"rings {2041 - agent}"


def test_the_memory_of_the_switch_is_asked(applied: Project, switch: EmbeddedSwitch) -> None:
    (applied.conf / "dialplan/public/00_ivr.xml").write_text(CATCH_ALL)
    assert one(applied, "leaves_message: 1020", "--live")["holds"]  # nobody is registered
    assert one(applied, "registered: [1020], rings: 1020", "--live")["holds"]
    assert not one(applied, "rings: 1020")["holds"]


def test_files_and_a_word_choose_and_what_chooses_nothing_is_said(project: Project) -> None:
    text = "tests:\n  - {{name: {0}, call: {1}, rings: 1020}}\n"
    project.write("desired/tests/a.yaml", text.format("reception", DID))
    project.write("desired/b.yaml", text.format("other", DID))

    def chosen(*words: str) -> list[str]:
        return [item["name"] for item in project.run("test", "--json", *words).json()["verdicts"]]

    assert chosen() == ["other", "reception"]
    assert chosen("desired/tests") == chosen("-k", "CEPT") == ["reception"]
    assert chosen("desired/b.yaml", "-k", "1949") == ["other"]
    ran = project.run("test", "-k", "nobody")
    assert (ran.code, "no enabled expectation with 'nobody'" in ran.err) == (1, True)
    assert project.run("test", "desired/nowhere.yaml").code == 64


def test_a_disabled_expectation_is_not_looked_at_and_none_is_no_failure(project: Project) -> None:
    project.write(
        "desired/t.yaml", f"tests:\n  - {{name: x, call: {DID}, rings: 1021, enabled: false}}\n"
    )
    ran = project.run("test")
    assert (ran.code, "Nothing is expected of any call" in ran.out) == (0, True)


def test_coverage_names_what_no_call_comes_to_and_may_fail(with_menu: Project) -> None:
    project = with_menu
    text = f"tests:\n  - {{name: it, call: '{DID[2:]}', at: 2026-12-24T18:00, rings: 1020}}\n"
    project.write("desired/t.yaml", text)
    found = {
        item["kind"]: item
        for item in project.run("test", "--coverage", "--json").json()["coverage"]
    }
    assert found["did"] == {"kind": "did", "touched": 1, "names": []}
    assert found["agent"] == {"kind": "agent", "touched": 1, "names": ["1021"]}
    assert found["key"]["names"] == ["main/1", "main/2"]
    assert "agent: 1 of 2; not: 1021" in project.run("test", "--coverage").out
    assert project.run("test", "--fail-under", "40").code == 0
    assert project.run("test", "--fail-under", "41").code == 1
    keys = "  - {name: k, call: 5000, as: 1021, at: 2026-12-24T18:00, presses: 2, rings: 1021}\n"
    project.write("desired/t.yaml", text + keys)
    [key] = [item for item in project.run("test", "--coverage", "--json").json()["coverage"]
             if item["kind"] == "key"]  # fmt: skip
    assert key["names"] == ["main/1"]


def test_junit_has_a_case_for_each_with_its_place(project: Project) -> None:
    project.write(
        "desired/t.yaml",
        f'tests:\n  - {{name: "a <b>", call: {DID}, rings: 1020}}\n'
        f"  - {{name: no, call: {DID}, rings: 1021}}\n",
    )
    ran = project.run("test", "--format", "junit")
    root = ET.fromstring(ran.out)
    assert (root.get("tests"), root.get("failures"), ran.code) == ("2", "1", 1)
    good, bad = root.iter("testcase")
    assert (good.get("name"), good.get("file"), good.get("line")) == (
        "a <b>",
        "desired/t.yaml",
        "2",
    )
    assert "found: rings 1020" in (bad[0].get("message") or "")


def validate(project: Project, text: str) -> Ran:
    project.write("desired/t.yaml", text)
    return project.run("validate")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("call: 1, rings: 1099", "no agent has the extension 1099 [unknown-destination]"),
        ("call: 1, as: 1099, rings: 1020", "no agent has the extension 1099"),
        ("call: 1, leaves_message: 1099", "no agent has the extension 1099"),
        ("call: 1", "nothing is expected here [idle-expectation]"),
        ("call: 1, rings: 1020, then: {within: 3}", "nothing is expected here"),
        ("call: 1, as: 1020, context: x, rings: 1020", "`as` and `context` exclude each other"),
        ("call: 1, reaches: ring_group/sales", 'no ring_group is called "sales" [unknown-goal]'),
        ("call: 1, reaches: moon/base", 'no call reaches a "moon"'),
        ("call: 1, hangs_up: BUSY", "expected true, or a hang-up cause such as USER_BUSY"),
        ("call: 1, hangs_up: false", "expected true, or a hang-up cause"),
        ("call: 1, at: 2026-13-01T00:00, rings: 1020", "expected a time such as"),
        ("call: 'a b', rings: 1020", "expected a number, or what is dialled"),
        ("call: 1, voicemail: 1020", "Did you mean `leaves_message`?"),
        ("call: 1, rings: 1020, then: {ring: 1021}", "Did you mean `rings`?"),
        ("rings: 1020", "this expectation has no `call`"),
        ("call: 1, rings: []", "expected an agent or a list"),
    ],
)
def test_what_is_declared_wrongly_is_a_finding_with_its_place(
    project: Project, what: str, told: str
) -> None:
    ran = validate(project, f"tests:\n  - {{name: it, {what}}}\n")
    assert ran.code == 3
    assert told in ran.out + ran.err
    assert "desired/t.yaml:2:" in ran.out + ran.err


def test_an_unknown_agent_can_be_silenced_and_a_number_that_nothing_takes_is_no_finding(
    project: Project,
) -> None:
    text = f"""tests:
  - name: hand-written
    call: {DID}
    rings: 1000  # fsgitops: ignore[unknown-destination] because somebody wrote it by hand
  - {{name: nowhere, call: 404404, hangs_up: true}}
"""
    ran = validate(project, text)
    assert ran.code == 0, ran.out
    assert "2 expectations" in ran.out


def test_expectations_are_no_resources(project: Project) -> None:
    before = project.run("plan", "--json").json()
    project.write("desired/t.yaml", f"tests:\n  - {{name: it, call: {DID}, rings: 1020}}\n")
    after = project.run("plan", "--json").json()
    assert [item["resource"] for item in after["changes"]] == [
        item["resource"] for item in before["changes"]
    ]
    assert project.run("apply", "--yes").code == 0
    assert "expectation" not in project.run("export-state", "--json").out


def test_a_kind_of_ones_own_keeps_the_section_tests(project: Project) -> None:
    schema = '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}'
    project.write("kinds/probe.json", schema)
    text = (project.root / "fsgitops.yaml").read_text()
    kind = "{word: probe, section: tests, schema: kinds/probe.json, files: {}}"
    project.write("fsgitops.yaml", f"{text}kinds: [{kind}]\n")
    told = project.run("validate")
    assert "means something already" not in told.out + told.err


TEXTS = st.text(max_size=12) | st.sampled_from(["1020", DID, "true", "menu/main", "+1", "$1", ""])
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(-5, 5000),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["rings", "within", "then", "plays"]) | TEXTS, inner, max_size=3
        )
    ),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["name", "call", "from", "as", "context", "at", "registered", "presses", "rings", "reaches",
     "leaves_message", "plays", "hangs_up", "within", "then", "description", "enabled"]
)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(item=st.dictionaries(FIELDS, VALUES, max_size=6))
def test_whatever_stands_there_is_proved_or_is_a_finding(
    project: Project, item: dict[str, Any]
) -> None:
    import yaml

    whole = {"name": "it", "call": DID, "rings": 1020, **item}
    project.write("desired/t.yaml", yaml.safe_dump({"tests": [whole]}))
    ran = project.run("test")
    assert ran.code in (0, 1, 3)
    assert "Traceback" not in ran.err
