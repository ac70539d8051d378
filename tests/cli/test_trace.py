"""`fsgitops trace`: where a call goes, over the files and the switch's memory."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from project import AGENTS, ROUTES

from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project, Ran

    from fsgitops.sandbox.switch import EmbeddedSwitch

DID = "+19495431333"
CATCH_ALL = """<include>
  <extension name="main_ivr">
    <condition field="destination_number" expression="^(.*)$">
      <action application="hangup" data="CALL_REJECTED"/>
    </condition>
  </extension>
</include>
"""
CARRIER = """<include>
  <context name="from-carrier">
    <extension name="night_line">
      <condition field="destination_number" expression="^18005550199$">
        <action application="answer"/>
      </condition>
    </extension>
  </context>
</include>
"""


def put(project: Project, path: str, text: str) -> Path:
    place = project.conf / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def trace(project: Project, *words: str) -> Ran:
    return project.run("trace", *words)


def ends(ran: Ran) -> list[str]:
    return [way["end"]["told"] for way in ran.json()["ways"]]


def test_a_did_rings_its_agent_and_then_the_mailbox(applied: Project) -> None:
    ran = trace(applied, DID)
    assert ran.code == 0
    assert "=> It rings 1020" in ran.out
    assert "Or rings 1020, and nobody answers:" in ran.out
    assert "=> It leaves a message for 1020" in ran.out
    assert f"dialplan/public/inbound_{DID[1:]}.xml:" in ran.out


def test_each_form_of_a_did_arrives_and_another_number_does_not(applied: Project) -> None:
    for number in (DID, DID[1:], DID[2:]):
        assert ends(trace(applied, number, "--json"))[0] == "rings 1020"
    ran = trace(applied, "+12025550123")
    assert ran.code == 2
    assert "=> It ends nowhere: it is hung up, because" in ran.out


def test_every_did_of_a_sharded_layout_arrives(project: Project) -> None:
    write_skeleton(project.root / "conf", "pbx.example.com")
    text = (project.root / "fsgitops.yaml").read_text()
    sharded = text.replace("domain: pbx.example.com}", "domain: pbx.example.com, layout: sharded}")
    project.write("fsgitops.yaml", sharded)
    ran = project.run("apply", "--yes", "--target", "image", "--no-reload")
    assert ran.code == 0, ran.err
    for number in (DID, DID[1:]):
        found = trace(project, number, "--target", "image", "--json")
        assert ends(found)[0] == "rings 1020"
        assert "inbound_fsgitops.xml" in found.out


def test_a_hand_written_extension_that_takes_the_number_is_named_with_its_line(
    applied: Project,
) -> None:
    put(applied, "dialplan/public/00_ivr.xml", CATCH_ALL)
    ran = trace(applied, DID)
    assert ran.code == 2
    assert "main_ivr (dialplan/public/00_ivr.xml:2) takes it" in ran.out
    assert "=> It is hung up: hangup with CALL_REJECTED" in ran.out


def test_a_call_comes_in_where_the_carriers_profile_sends_it(applied: Project) -> None:
    profile = applied.conf / "sip_profiles" / "external.xml"
    profile.write_text(profile.read_text().replace('value="public"', 'value="from-carrier"'))
    put(applied, "dialplan/from_carrier.xml", CARRIER)
    main = applied.conf / "freeswitch.xml"
    if "dialplan/*.xml" not in main.read_text():
        pytest.skip("the sandbox includes other files")
    ran = trace(applied, DID)
    assert ran.code == 2
    assert "Note: calls from outside come in through profile external in the context" in ran.out
    assert "no extension of the context from-carrier takes it" in ran.out
    assert trace(applied, DID, "--context", "public").code == 0


def test_an_agent_calls_in_its_own_context_and_others_must_be_in_the_directory(
    applied: Project,
) -> None:
    found = trace(applied, "1020", "--as", "1021", "--json").json()
    assert (found["context"], found["user"], found["caller"]) == ("default", "1021", "1021")
    assert found["ways"][0]["end"]["fate"] == "rings"
    gone = trace(applied, "1020", "--as", "1099")
    assert (gone.code, "has no agent 1099" in gone.err) == (1, True)


def test_a_phone_that_is_not_registered_does_not_ring(applied: Project) -> None:
    ran = trace(applied, DID, "--registered", "1021", "--json")
    assert ends(ran) == ["leaves a message for 1020"]
    assert "no phone of 1020 is registered" in ran.out
    assert ends(trace(applied, DID, "--registered", "1020", "--json"))[0] == "rings 1020"


def test_the_switchs_memory_is_asked_and_who_is_registered_there(
    applied: Project, switch: EmbeddedSwitch
) -> None:
    put(applied, "dialplan/public/00_ivr.xml", CATCH_ALL)
    found = trace(applied, DID, "--live", "--json").json()
    assert (found["source"], found["arrives"]) == ("live", True)
    assert [way["end"]["told"] for way in found["ways"]] == ["leaves a message for 1020"]
    assert trace(applied, DID).code == 2


def test_the_time_of_the_call_decides(applied: Project) -> None:
    put(
        applied,
        "dialplan/public/00_night.xml",
        CATCH_ALL.replace('field="destination_number" expression="^(.*)$"', 'hour="20-6"'),
    )
    assert trace(applied, DID, "--at", "2026-12-24T18:00").code == 0
    night = trace(applied, DID, "--at", "2026-12-24T22:00")
    assert (night.code, "CALL_REJECTED" in night.out) == (2, True)


def test_verbose_shows_why_each_extension_passes_the_call_on(applied: Project) -> None:
    assert "does not match" not in trace(applied, DID[:-1] + "4").out
    shown = trace(applied, DID[:-1] + "4", "--verbose").out
    assert f"'{DID[:-1]}4' does not match ^(\\+?{DID[1:]}" in shown


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((DID, "--at", "noon"), 64, "write it like 2026-12-24T18:00"),
        ((DID, "--as", "1020", "--context", "x"), 64, "exclude each other"),
        ((DID, "--json", "--format", "mermaid"), 64, "give one of them"),
        (("",), 64, "expected a number"),
        (("1\x1b[2J",), 64, "expected a number"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(
    applied: Project, words: tuple[str, ...], code: int, said: str
) -> None:
    ran = trace(applied, *words)
    assert ran.code == code
    assert said in ran.err
    assert "\x1b" not in ran.err


def test_nothing_is_traced_before_there_are_files(project: Project) -> None:
    ran = trace(project, DID, "--disk")
    assert ran.code == 1
    assert "run `fsgitops apply` first" in ran.err
    assert not project.conf.exists()


def test_a_call_is_traced_as_the_plan_leaves_the_files_before_they_are_written(
    applied: Project,
) -> None:
    applied.write("desired/routes.yaml", ROUTES.replace("extension: 1020", "extension: 1021"))
    assert ends(trace(applied, DID, "--json"))[0] == "rings 1021"
    assert "by the files as the plan leaves them" in trace(applied, DID).out
    now = trace(applied, DID, "--disk", "--json")
    assert (ends(now)[0], now.json()["source"]) == ("rings 1020", "disk")
    assert applied.run("apply", "--yes").code == 0
    assert ends(trace(applied, DID, "--disk", "--json"))[0] == "rings 1021"


def test_what_a_plan_deletes_takes_no_call(applied: Project) -> None:
    applied.write("desired/routes.yaml", "did_routes: []\n")
    ran = trace(applied, DID)
    assert (ran.code, "=> It ends nowhere" in ran.out) == (2, True)
    assert trace(applied, DID, "--disk").code == 0


def test_a_trace_asks_for_no_secret(applied: Project) -> None:
    secret = "extension: 1020, password: {env: NOBODY_HAS_THIS}"
    applied.write("desired/agents.yaml", AGENTS.replace("extension: 1020", secret))
    assert ends(trace(applied, DID, "--json"))[0] == "rings 1020"


def test_what_has_no_plan_is_not_traced(applied: Project) -> None:
    applied.write("desired/routes.yaml", "did_routes: [{did_number: 1}]\n")
    ran = trace(applied, DID)
    assert (ran.code, "desired/routes.yaml:1:" in ran.out + ran.err) == (3, True)


def test_a_secret_of_the_configuration_is_not_shown(applied: Project) -> None:
    variables = applied.conf / "vars.xml"
    line = '<X-PRE-PROCESS cmd="set" data="default_password=s3cretPhrase99"/>'
    variables.write_text(variables.read_text().replace("<include>\n", f"<include>\n{line}\n", 1))
    put(
        applied,
        "dialplan/public/00_check.xml",
        CATCH_ALL.replace("destination_number", "${default_password}").replace(
            "CALL_REJECTED", "$1 $${default_password}"
        ),
    )
    for words in ((), ("--json",), ("--format", "mermaid"), ("--verbose",)):
        ran = trace(applied, DID, *words)
        assert ran.code == 2
        assert "s3cretPhrase99" not in ran.out + ran.err


def test_a_chart_has_no_markup_of_a_name(applied: Project) -> None:
    hostile = CATCH_ALL.replace("main_ivr", 'a&quot;] --> b["&lt;img src=x>`%%{init}')
    put(applied, "dialplan/public/00_ivr.xml", hostile)
    ran = trace(applied, DID, "--format", "mermaid")
    first, *lines = ran.out.splitlines()
    assert first == "flowchart TD"
    named = next(line for line in lines if "00_ivr.xml" in line)
    assert named.count('"') == 2
    assert "<" not in ran.out
    assert "`" not in ran.out


def test_the_answer_of_a_broken_configuration_is_its_file_and_line(applied: Project) -> None:
    put(applied, "dialplan/public/00_ivr.xml", "<include>\n<extension>\n</include>\n")
    ran = trace(applied, DID)
    assert ran.code == 1
    assert "dialplan/public" in ran.err


def test_the_json_of_a_trace_names_every_step(applied: Project) -> None:
    found = json.loads(trace(applied, DID, "--from", "+12025550123", "--json").out)
    steps = found["ways"][0]["steps"]
    assert steps[0]["what"] == "enters"
    taken = [step for step in steps if step["what"] == "takes"]
    assert all(step["place"] for step in taken)
    assert found["caller"] == "+12025550123"
    moved = next(step for step in steps if step["application"] == "transfer")
    assert moved["data"] == "1020 XML default"


def test_what_passes_a_call_on_is_counted_as_it_would_be_shown(applied: Project) -> None:
    brief, verbose = applied.run("trace", DID), applied.run("trace", DID, "--verbose")
    counted = re.findall(r"(\d+) extensions? pass", brief.out)
    assert sum(map(int, counted)) == verbose.out.count("passes it on")
    listed = applied.run("trace", DID, "--json").json()["ways"][0]["steps"]
    assert [step["what"] for step in listed].count("passes") <= sum(map(int, counted))


def test_a_pin_that_the_dialplan_sets_is_not_shown_wherever_it_stands(applied: Project) -> None:
    put(
        applied,
        "dialplan/public/00_room.xml",
        """<include>
<extension name="room"><condition field="destination_number" expression="^77$">
<action application="set" data="room_pin=4711"/>
<action application="export" data="nolocal:room_password=s3cr3t"/>
<action application="set" data="sip_auth_username=1020"/>
<action application="log" data="INFO ${room_pin} s3cr3t"/>
<action application="conference" data="room@default+9876+flags{mute}"/>
</condition></extension>
</include>""",
    )
    for words in ((), ("--verbose",), ("--json",), ("--format", "mermaid")):
        shown = trace(applied, "77", *words).out
        assert not [secret for secret in ("4711", "s3cr3t", "9876") if secret in shown]
    assert "log INFO (secret) (secret)" in trace(applied, "77").out


@pytest.mark.parametrize("command", ["trace 1020", "graph", "numbers", "test"])
def test_two_sources_at_once_are_refused(applied: Project, command: str) -> None:
    ran = applied.run(*command.split(), "--disk", "--live")
    assert ran.code == 64
    assert "--disk and --live exclude each other" in ran.err
