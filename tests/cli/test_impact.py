"""What a plan says of callers: whose calls end otherwise than they do now."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fsgitops.model.impact import HEADING

if TYPE_CHECKING:
    from project import Project

TEMPLATES = Path(__file__).parents[2] / "templates"
DID = "+19495431333"
REJECTED = "nobody (hangup with CALL_REJECTED)"
TAKES_ALL = """<include>
  <extension name="main_ivr">
    {0}
    <condition field="destination_number" expression="^(.*)$">
      <action application="{1}" data="{2}"/>
    </condition>
  </extension>
</include>
"""


def take_all(
    project: Project, application: str = "hangup", data: str = "CALL_REJECTED", *, when: str = ""
) -> Path:
    """Write an extension by hand that takes every call from outside."""
    place = project.conf / "dialplan" / "public" / "00_ivr.xml"
    place.write_text(TAKES_ALL.format(when, application, data))
    return place


def edit(project: Project, path: str, before: str, after: str) -> None:
    place = project.root / path
    text = place.read_text()
    assert before in text
    place.write_text(text.replace(before, after))


def impact(project: Project, *words: str) -> dict[str, Any]:
    ran = project.run("plan", "--json", *words)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.json()["impact"]
    return found


def changes(project: Project) -> dict[str, tuple[str, str]]:
    """Return where calls to each number ended, and end, on their likeliest ways."""
    return {
        call["number"]: (call["before"], call["after"])
        for call in impact(project)["calls"]
        if not call["case"]
    }


def test_a_did_that_leads_to_another_agent_is_told_in_one_line(applied: Project) -> None:
    edit(applied, "desired/routes.yaml", "1020", "1021")
    assert f"{HEADING}:\n  {DID}: rings 1020 → rings 1021\n" in applied.run("plan").out


def test_calls_are_not_named_where_only_text_changes(applied: Project) -> None:
    edit(applied, "desired/agents.yaml", "Alice", "Anna")
    assert impact(applied)["calls"] == []
    assert HEADING not in applied.run("plan").out


def test_what_is_deleted_is_why_nobody_is_reached(applied: Project) -> None:
    for name in ("agents", "routes"):
        edit(applied, f"desired/{name}.yaml", "\n  - {", "\n  - {enabled: false, ")
    assert changes(applied) == {
        DID: ("rings 1020", "nobody (DID route deleted)"),
        "1020": ("rings 1020", "nobody (agent deleted)"),
        "1021": ("rings 1021", "nobody (agent deleted)"),
    }


def test_an_agent_whom_a_hand_written_number_rings_is_why_nobody_is_reached(
    applied: Project,
) -> None:
    take_all(applied, "bridge", "user/1021@sandbox.example")
    applied.run("apply", "--yes")
    edit(applied, "desired/agents.yaml", "{extension: 1021", "{enabled: false, extension: 1021")
    assert changes(applied)[DID] == ("rings 1021", "nobody (agent 1021 deleted)")


def test_a_first_plan_tells_whom_new_numbers_get_to(project: Project) -> None:
    assert f"  {DID}: nobody → rings 1020\n" in project.run("plan").out


def test_a_way_that_is_not_the_likeliest_is_told_with_what_it_takes_for_granted(
    applied: Project,
) -> None:
    edit(applied, "desired/agents.yaml", "voicemail: true", "voicemail: false")
    assert (
        "  1020: rings 1020, and nobody answers: leaves a message for 1020 → "
        "nobody (hangup with NO_ANSWER)\n"
    ) in applied.run("plan").out


def test_a_template_that_leads_elsewhere_is_told_of_every_number(applied: Project) -> None:
    text = (TEMPLATES / "agents_dialplan.xml.j2").read_text()
    text = text.replace('data="user/${destination_number}@', 'data="user/1021@')
    applied.write("templates/agents_dialplan.xml.j2", text)
    assert changes(applied) == {
        "1020": ("rings 1020", "rings 1021"),
        DID: ("rings 1020", "rings 1021"),
    }


def test_a_template_that_changes_no_end_is_told_of_no_number(applied: Project) -> None:
    text = (TEMPLATES / "agents_dialplan.xml.j2").read_text()
    text = text.replace('data="1000"', 'data="500"')
    applied.write("templates/agents_dialplan.xml.j2", text)
    assert applied.run("plan").out.splitlines()[-1].startswith("Plan: 0 to create, 1 to change")
    assert impact(applied)["calls"] == []


def test_an_edit_by_hand_is_told_though_the_plan_writes_nothing(applied: Project) -> None:
    applied.run("plan")
    take_all(applied)
    out = applied.run("plan").out
    assert f"  {DID}: rings 1020 → {REJECTED}\n" in out
    assert "hand-written files have changed since the last apply" in out
    assert out.splitlines()[-1].startswith("No changes")


def test_an_edit_by_hand_is_told_behind_a_plan_that_is_remembered(applied: Project) -> None:
    for _ in range(2):
        assert "No changes" in applied.run("plan").out
    take_all(applied)
    for _ in range(2):
        assert changes(applied)[DID] == ("rings 1020", REJECTED)
    take_all(applied).unlink()
    assert "What changes for callers" not in applied.run("plan").out


def test_an_edit_by_hand_that_changes_no_call_is_not_told(applied: Project) -> None:
    place = applied.conf / "dialplan" / "public.xml"
    place.write_text(place.read_text().replace("<context", "<!-- ours -->\n<context"))
    assert HEADING not in applied.run("plan").out


def test_the_next_apply_makes_an_edit_by_hand_what_is_compared_with(applied: Project) -> None:
    place = take_all(applied)
    applied.run("apply", "--yes")
    assert changes(applied) == {}
    place.unlink()
    assert changes(applied) == {DID: (REJECTED, "rings 1020")}


def test_a_profile_that_sends_carriers_elsewhere_is_told(applied: Project) -> None:
    place = applied.conf / "sip_profiles" / "external.xml"
    place.write_text(place.read_text().replace('value="public"', 'value="elsewhere"'))
    (call,) = impact(applied)["calls"]
    assert call["after"] == "nobody (the dialplan has no context elsewhere)"
    assert call["context"] == "elsewhere"


def test_hours_that_lead_a_call_nowhere_else_are_no_change(applied: Project) -> None:
    """As `set open=true` of the stock dialplan, and the hours of another number."""
    place = applied.conf / "dialplan" / "public" / "00_hours.xml"
    hours = '<condition wday="mon-fri" hour="9-16">{}</condition>'
    opens = hours.format('<action application="set" data="open=true"/>')
    other = '<condition field="destination_number" expression="^9$"/>'
    place.write_text(
        f'<include>\n<extension name="open" continue="true">{opens}</extension>\n'
        f'<extension name="other">{hours.format("")}{other}</extension>\n</include>\n'
    )
    assert impact(applied)["calls"] == []


def test_what_holds_at_another_time_only_is_told_as_that(applied: Project) -> None:
    take_all(applied, when='<condition hour="2"/>')
    (call,) = impact(applied)["calls"]
    assert call["case"].startswith("at another time, ")
    assert (call["before"], call["after"]) == ("rings 1020", REJECTED)


def test_what_cannot_be_known_is_said_to_be_unknown_and_why(applied: Project) -> None:
    take_all(applied, "transfer", "${sip_h_X-Target} XML default")
    ((_, after),) = changes(applied).values()
    assert after.startswith("unknown (")
    assert "FreeSWITCH sets ${sip_h_X-Target} during the call" in after


def test_a_file_of_ours_that_somebody_edited_counts_as_it_stands(applied: Project) -> None:
    (place,) = applied.conf.glob("dialplan/public/inbound_*.xml")
    place.write_text(place.read_text().replace("1020 XML", "1021 XML"))
    assert changes(applied) == {DID: ("rings 1021", "rings 1020")}


def test_only_calls_that_follow_from_the_change_are_followed(applied: Project) -> None:
    edit(applied, "desired/agents.yaml", "Bob", "Bill")
    assert impact(applied)["looked_at"] == 1
    edit(applied, "desired/agents.yaml", "Alice", "Anna")
    assert impact(applied)["looked_at"] == 3


@pytest.mark.parametrize("damage", ["", "{}", '{"version": 1}', "[]", '{"version": 2}', None])
def test_a_state_directory_without_a_whole_note_compares_with_the_files(
    applied: Project, damage: str | None
) -> None:
    (note,) = applied.root.rglob("heard.json")
    if damage is None:
        note.unlink()
    else:
        note.write_text(damage)
    take_all(applied)
    assert changes(applied) == {}
    edit(applied, "desired/routes.yaml", "1020", "1021")
    take_all(applied).unlink()
    assert changes(applied) == {DID: ("rings 1020", "rings 1021")}


def test_an_apply_that_changes_nothing_makes_the_note_again(applied: Project) -> None:
    (note,) = applied.root.rglob("heard.json")
    before = note.read_bytes()
    note.unlink()
    applied.run("apply", "--yes")
    assert note.read_bytes() == before


def test_the_note_has_the_mode_of_its_neighbours_and_holds_no_secret(applied: Project) -> None:
    (note,) = applied.root.rglob("heard.json")
    manifest = note.with_name("manifest.json")
    assert stat.S_IMODE(note.stat().st_mode) == stat.S_IMODE(manifest.stat().st_mode)
    (user,) = applied.conf.glob("directory/default/1020.xml")
    (secret,) = {line.split('"')[3] for line in user.read_text().splitlines() if '"a1-hash' in line}
    assert secret not in note.read_text()


def test_a_saved_plan_is_not_applied_when_it_would_do_something_else_to_callers(
    applied: Project,
) -> None:
    edit(applied, "desired/routes.yaml", "1020", "1021")
    saved = str(applied.root / "plan.json")
    applied.run("plan", "--out", saved)
    take_all(applied)
    ran = applied.run("apply", saved)
    assert ran.code != 0
    assert "for callers" in ran.err


def test_a_saved_plan_whose_calls_were_edited_is_refused(applied: Project) -> None:
    edit(applied, "desired/routes.yaml", "1020", "1021")
    saved = applied.root / "plan.json"
    applied.run("plan", "--out", str(saved))
    plan = json.loads(saved.read_text())
    plan["impact"]["calls"] = []
    saved.write_text(json.dumps(plan))
    assert "was edited" in applied.run("apply", str(saved)).err


def test_a_long_list_is_cut_in_text_and_whole_in_json(project: Project) -> None:
    routes = "".join(
        f"  - {{did_number: +194954322{at:02}, destination_extension: 1020}}\n" for at in range(30)
    )
    project.write("desired/more.yaml", "did_routes:\n" + routes)
    shown = project.run("plan").out.partition(f"{HEADING}:\n")[2].splitlines()
    assert shown[19].endswith("nobody → rings 1020")
    assert shown[20] == "  and 13 more numbers"
    full = project.run("plan", "--full").out
    assert full.count("nobody → rings") == len(impact(project)["calls"]) == 33


@pytest.mark.parametrize("name", ["markdown", "html", "github", "gitlab", "junit", "sarif"])
def test_every_format_tells_what_changes_for_callers(applied: Project, name: str) -> None:
    edit(applied, "desired/routes.yaml", "1020", "1021")
    out = applied.run("plan", "--format", name).out
    line = f"{DID}: rings 1020 → rings 1021"
    assert line in out or json.dumps(line)[1:-1] in out


def test_a_group_s_number_is_told_with_its_name(applied: Project) -> None:
    group = "ring_groups:\n  - {name: sales, extension: 2000, members: [1020, 1021]}\n"
    applied.write("desired/groups.yaml", group)
    assert "  2000 (ring_group sales): nobody → rings 1020, 1021\n" in applied.run("plan").out


def test_a_configuration_that_is_not_well_formed_is_why_nothing_is_known(applied: Project) -> None:
    edit(applied, "desired/routes.yaml", "1020", "1021")
    (applied.conf / "dialplan" / "public" / "x.xml").write_text("<extension>\n")
    (note,) = impact(applied)["notes"]
    assert note.startswith("where calls end is not known: ")


NOT_AT_HAND = "hand-written files are not at hand here: calls are followed through ours alone"


def test_a_plan_against_a_recorded_state_follows_calls_through_our_files(applied: Project) -> None:
    state = str(applied.root / "state.json.gz")
    applied.run("export-state", "--output", state)
    edit(applied, "desired/routes.yaml", "1020", "1021")
    edit(applied, "desired/agents.yaml", "voicemail: true", "voicemail: false")
    out = applied.run("plan", "--against", state).out
    told = out.partition(f"{HEADING}:\n")[2].partition("\n\n")[0].splitlines()
    assert told == [
        f"  {DID}: rings 1020 → rings 1021",
        "  1020: rings 1020, and nobody answers: leaves a message for 1020 → "
        "nobody (hangup with NO_ANSWER)",
        f"  {NOT_AT_HAND}",
    ]


def test_a_recorded_file_of_another_shape_is_why_nothing_is_known(applied: Project) -> None:
    place = applied.conf / "dialplan" / "fsgitops_transfer.xml"
    place.write_text(place.read_text().replace("<context", "text\n<context"))
    state = str(applied.root / "state.json")
    applied.run("export-state", "--output", state)
    (note,) = impact(applied, "--against", state)["notes"]
    assert note.startswith("dialplan/fsgitops_transfer.xml changes, and how it is cannot be told")


def test_in_the_other_layout_a_recorded_state_tells_the_same(project: Project) -> None:
    project.write("fsgitops.yaml", "project: test\ndefault_region: US\nlayout: sharded\n")
    project.prepare("apply", "--yes")
    state = str(project.root / "state.json")
    project.run("export-state", "--output", state)
    edit(project, "desired/routes.yaml", "1020", "1021")
    line = f"  {DID}: rings 1020 → rings 1021\n"
    assert line in project.run("plan").out
    assert line in project.run("plan", "--against", state).out


def test_a_roll_back_tells_whom_a_did_rings_again(applied: Project) -> None:
    edit(applied, "desired/routes.yaml", "1020", "1021")
    applied.prepare("apply", "--yes")
    ran = applied.run("rollback", "--yes")
    assert f"{HEADING}:\n  {DID}: rings 1021 → rings 1020\n" in ran.out


def test_a_roll_back_tells_it_in_json_and_whom_nobody_reaches_any_more(applied: Project) -> None:
    applied.write("desired/more.yaml", "agents:\n  - {extension: 1030, name: Carol}\n")
    edit(applied, "desired/routes.yaml", "1020", "1030")
    applied.prepare("apply", "--yes")
    for forget in (False, True):
        if forget:
            applied.prepare("apply", "--yes")
            (applied.conf / ".fsgitops" / "heard.json").unlink()
        told = applied.run("rollback", "--yes", "--json").json()["impact"]["calls"]
        assert [(call["number"], call["before"], call["after"]) for call in told] == [
            (DID, "rings 1030", "rings 1020"),
            ("1030", "rings 1030", "nobody (agent deleted)"),
        ]


def test_a_roll_back_of_text_names_no_call(applied: Project) -> None:
    edit(applied, "desired/agents.yaml", "Alice", "Anna")
    applied.prepare("apply", "--yes")
    assert HEADING not in applied.run("rollback", "--yes").out
