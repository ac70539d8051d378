"""Taking over what lies in hand-written files of several users and extensions."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project import Project

from fsgitops.homes.foreign import take_out
from fsgitops.routing.fragment import FragmentError, flatten_fragment

STAFF = "directory/default/staff.xml"
OWN = "directory/default/1020.xml"
DID = "dialplan/public/00_by_hand.xml"
OTHER = """\
  <!-- the lift -->
  <user id="1030"><params><param name="password" value="lift-secret"/></params></user>
"""


def _user(project: Project, extension: str) -> str:
    """Return what an apply writes of an agent, without what stands around it."""
    text = (project.conf / f"directory/default/{extension}.xml").read_text()
    found = re.search(r" *<user .*</user>\n", text, re.DOTALL)
    assert found
    return found[0]


@pytest.fixture
def staff(project: Project) -> Project:
    """Two declared agents and another user lie in one hand-written file; nothing is managed."""
    assert project.run("apply", "--yes").code == 0
    users = [_user(project, extension) for extension in ("1020", "1021")]
    text = "<include>\n" + users[0].replace("Alice", "Alicia") + OTHER + users[1] + "</include>\n"
    shutil.rmtree(project.conf / ".fsgitops")
    for extension in ("1020", "1021"):
        (project.conf / f"directory/default/{extension}.xml").unlink()
    (project.conf / STAFF).write_text(text)
    return project


def test_others_in_a_file_are_split_off_or_kept_only_where_that_is_said(staff: Project) -> None:
    ran = staff.run("adopt", STAFF, "--yes")
    assert (ran.code, "--split" in ran.err, "1030" in ran.err) == (64, True, True)
    ran = staff.run("adopt", STAFF, "--keep", "--yes", "--json")
    assert (ran.code, ran.json()["adopted"]) == (0, [])
    assert ran.json()["left"] == [{"path": STAFF, "reason": "kept: it holds 1030"}]


def test_what_is_ours_moves_to_its_own_files_and_the_rest_keeps_its_bytes(staff: Project) -> None:
    before = (staff.conf / STAFF).read_bytes()
    ran = staff.run("adopt", ".", "--split", "--yes")
    assert (ran.code, (staff.conf / STAFF).read_bytes()) == (0, before)
    assert f"agent 1021  {STAFF}; the next apply moves it to" in ran.out
    assert 'effective_caller_id_name: "Alicia" -> "Alice"' in ran.out
    assert "what else is in it (1030) keeps its bytes" in ran.out
    plan = staff.run("plan").out
    assert "Plan: 0 to create, 0 to change, 0 to delete, 2 to another file" in plan
    assert staff.run("apply", "--yes").code == 0
    assert (staff.conf / STAFF).read_text() == f"<include>\n{OTHER}</include>\n"
    assert b"Alice" in (staff.conf / OWN).read_bytes()
    assert staff.run("plan", "--detailed-exitcode").code == 0
    assert staff.run("drift").code == 0
    entries = json.loads((staff.conf / ".fsgitops/manifest.json").read_text())["entries"]
    assert STAFF not in entries


def test_of_an_agent_that_moves_nobody_is_told_that_a_pointer_outlives_it(staff: Project) -> None:
    path = staff.conf / "directory/default.xml"
    pointer = '<group name="sales"><users><user id="1020" type="pointer"/></users></group>\n'
    path.write_text(path.read_text().replace("</groups>", f"{pointer}</groups>"))
    staff.run("adopt", ".", "--split", "--yes")
    for words in (["apply", "--yes"], ["rollback", "--yes"]):
        ran = staff.run(*words, "--allow", "updates", "--allow", "deletes")
        assert (ran.code, "2 moved to another file" in ran.out) == (0, True), ran.err
        assert "still names it" not in ran.out


def test_between_adoption_and_apply_nothing_is_drift_and_every_command_knows_the_file(
    staff: Project,
) -> None:
    staff.run("adopt", ".", "--split", "--yes")
    state = str(staff.root / "state.json")
    against = ["plan", "--against", state]
    for words in (["drift"], ["status"], ["export-state", "--output", state], against):
        assert staff.run(*words).code == 0, words
    listed = staff.run("list", "agent", "--json").json()["resources"]
    assert {item["path"] for item in listed} == {OWN, OWN.replace("1020", "1021")}
    assert staff.run("release", STAFF).code == 0
    assert "user-declared-twice" in staff.run("plan").out


def test_a_roll_back_puts_the_elements_back(staff: Project) -> None:
    staff.run("adopt", ".", "--split", "--yes")
    before = staff.tree()
    assert staff.run("apply", "--yes").code == 0
    ran = staff.run("rollback", "--yes")
    assert (ran.code, staff.tree()) == (0, before), ran.err
    assert "2 to another file" in staff.run("plan").out
    assert staff.run("apply", "--yes").code == 0


def test_a_roll_back_never_writes_over_what_somebody_changed_since(staff: Project) -> None:
    staff.run("adopt", ".", "--split", "--yes")
    assert staff.run("apply", "--yes").code == 0
    text = (staff.conf / STAFF).read_text().replace("1030", "1031")
    (staff.conf / STAFF).write_text(text)
    ran = staff.run("rollback", "--yes")
    assert (ran.code, STAFF in ran.err) == (4, True)
    assert (staff.conf / STAFF).read_text() == text


def test_a_file_that_says_nothing_more_goes_and_comes_back(staff: Project) -> None:
    text = (staff.conf / STAFF).read_text().replace(OTHER, "")
    (staff.conf / STAFF).write_text(text)
    ran = staff.run("adopt", ".", "--yes")
    assert (ran.code, "the next apply deletes it" in ran.out) == (0, True)
    assert staff.run("apply", "--yes").code == 0
    assert not (staff.conf / STAFF).exists()
    assert staff.run("rollback", "--yes").code == 0
    assert (staff.conf / STAFF).read_text() == text


def test_a_part_of_a_plan_takes_out_that_part_alone(staff: Project) -> None:
    staff.run("adopt", ".", "--split", "--yes")
    users = (staff.conf / STAFF).read_text()
    ran = staff.run("apply", "--yes", "--only", "agent:1021")
    left = (staff.conf / STAFF).read_text()
    assert (ran.code, "1021" in left, "Alicia" in left) == (0, False, True), ran.err
    assert users.startswith(left.removesuffix("</include>\n"))
    assert staff.run("apply", "--yes").code == 0
    assert (staff.conf / STAFF).read_text() == f"<include>\n{OTHER}</include>\n"


def test_others_may_be_changed_between_adoption_and_apply(staff: Project) -> None:
    staff.run("adopt", ".", "--split", "--yes")
    text = (staff.conf / STAFF).read_text().replace("lift-secret", "another")
    (staff.conf / STAFF).write_text(text)
    assert staff.run("apply", "--yes").code == 0
    assert "another" in (staff.conf / STAFF).read_text()


def test_all_takes_what_is_as_declared_and_lists_what_differs(staff: Project) -> None:
    ran = staff.run("adopt", "--all", "--split", "--yes", "--json")
    told = ran.json()
    assert {"path": STAFF, "reason": "1 difference from what is declared"} in told["left"]
    assert STAFF not in {item["path"] for item in told["adopted"]}
    assert (staff.conf / "dialplan/public/inbound_19495431333.xml").exists()
    assert {item["resource"] for item in told["adopted"]} >= {"did:+19495431333"}


def test_a_lost_manifest_is_made_again_and_the_next_plan_is_empty(project: Project) -> None:
    project.run("apply", "--yes")
    files = len(json.loads((project.conf / ".fsgitops/manifest.json").read_text())["entries"])
    shutil.rmtree(project.conf / ".fsgitops")
    ran = project.run("adopt", "--all", "--yes", "--json")
    assert (len(ran.json()["adopted"]), ran.json()["left"]) == (files, [])
    assert project.run("plan", "--detailed-exitcode").code == 0


def test_files_and_all_are_not_said_at_once_nor_neither(project: Project) -> None:
    assert project.run("adopt", "--yes").code == 64
    assert project.run("adopt", ".", "--all", "--yes").code == 64


def test_no_secret_of_another_user_is_shown(staff: Project) -> None:
    for words in (["--split"], ["--keep"], []):
        ran = staff.run("adopt", ".", "--yes", *words)
        assert "lift-secret" not in ran.out + ran.err


def test_a_second_user_of_the_number_in_the_file_is_not_guessed_at(staff: Project) -> None:
    text = (staff.conf / STAFF).read_text().replace("1030", "1020")
    (staff.conf / STAFF).write_text(text)
    ran = staff.run("adopt", ".", "--split", "--yes")
    assert f"{STAFF} is left: it holds 2 elements of the name 1020" in ran.out


def test_a_file_at_a_declared_path_is_not_taken_where_others_would_be_lost(
    staff: Project,
) -> None:
    (staff.conf / STAFF).rename(staff.conf / OWN)
    ran = staff.run("adopt", OWN, "--yes")
    assert (ran.code, "would delete 1030" in ran.err) == (4, True)


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        (r"^(?:\+?1)?(9495431333)$", True),
        (r"^\+?19495431333$", True),
        (r"^\+?1?(9495431333)$", True),
        (r"^(\+?19495431333|19495431334)$", False),
        (r"9495431333", None),
    ],
)
def test_an_extension_is_taken_over_where_it_serves_declared_numbers_alone(
    project: Project, expression: str, taken: bool | None
) -> None:
    by_hand = (
        f'<include>\n<extension name="by_hand"><condition field="destination_number" '
        f'expression="{expression}"><action application="transfer" data="1020 XML default"/>'
        "</condition></extension>\n</include>\n"
    )
    assert project.run("apply", "--yes", "--only", "agent:*").code == 0
    (project.conf / DID).write_text(by_hand)
    ran = project.run("adopt", DID, "--yes", "--json")
    if taken is None:
        assert ran.code == 4
        return
    assert (ran.code, bool(ran.json().get("adopted"))) == (0, taken), ran.err
    if not taken:
        assert "takes 19495431334 as well" in ran.json()["left"][0]["reason"]
        return
    assert project.run("apply", "--yes").code == 0
    assert not (project.conf / DID).exists()
    assert project.run("plan", "--detailed-exitcode").code == 0


ELEMENTS = st.lists(
    st.sampled_from(
        [
            '<user id="1020"><params><param name="a" value="b"/></params></user>',
            '  <user id="1021"/>\n',
            '<user id="1022" number-alias="22">\n</user>',
            '<user id="1020" type="pointer"/>',
            "<!-- <user id='1020'/> -->\n",
            '<X-PRE-PROCESS cmd="set" data="a=b"/>\n',
            '<group name="g"><users><user id="1040"/></users></group>\n',
            "\n",
            "\t",
        ]
    ),
    max_size=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ELEMENTS, st.sampled_from(["", "<?xml version='1.0'?>\n", "\ufeff"]))
def test_what_is_left_of_a_file_says_what_it_said_without_what_was_taken(
    elements: list[str], head: str
) -> None:
    # What stands on the line of `</include>` goes with it.
    content = f"{head}<include>\n{''.join(elements)}\n</include>\n".encode()
    names = {"1020", "22"}
    rest = [item for item in elements if 'id="1020"><' not in item and "number-alias" not in item]
    try:
        left = take_out(content, STAFF, names)
    except FragmentError:
        return
    expected = flatten_fragment(f"<include>\n{''.join(rest)}\n</include>\n".encode())
    assert flatten_fragment(left) == expected
    lines = iter(content)
    assert all(byte in lines for byte in left), "nothing is moved, and nothing is added"


def test_what_lies_in_a_file_of_everything_is_left_with_the_reason(staff: Project) -> None:
    """As in some images, where freeswitch.xml holds the whole configuration."""
    users = (staff.conf / STAFF).read_text().replace("<include>", "").replace("</include>", "")
    (staff.conf / STAFF).unlink()
    place = staff.conf / "directory/default.xml"
    line = '<X-PRE-PROCESS cmd="include" data="default/*.xml"/>'
    whole = place.read_text().replace(line, f"{line}\n{users}")
    (staff.conf / "everything.xml").write_text(whole)
    place.unlink()
    main = staff.conf / "freeswitch.xml"
    main.write_text(main.read_text().replace("directory/*.xml", "everything.xml"))
    ran = staff.run("adopt", ".", "--split", "--yes")
    assert "everything.xml is left: elements are taken only out of files of directory/" in ran.out


def test_adopt_all_says_what_it_looked_at(project: Project) -> None:
    project.run("apply", "--yes")
    shutil.rmtree(project.conf / ".fsgitops")
    (project.conf / OWN).unlink()
    ran = project.run("adopt", "--all", "--yes")
    assert "looked at the 5 paths of what is declared, where 4 stand" in ran.err


def test_users_that_stand_in_the_file_of_their_domain_are_taken_out_of_it(staff: Project) -> None:
    users = (staff.conf / STAFF).read_text().replace("<include>\n", "").replace("</include>\n", "")
    (staff.conf / STAFF).unlink()
    place = staff.conf / "directory/default.xml"
    line = '<X-PRE-PROCESS cmd="include" data="default/*.xml"/>\n'
    place.write_text(place.read_text().replace(line, line + users))
    ran = staff.run("adopt", "directory", "dialplan", "--split", "--yes")
    assert (ran.code, "directory/default.xml; the next apply moves it" in ran.out) == (0, True)
    assert staff.run("apply", "--yes").code == 0
    left = place.read_text()
    assert ("1030" in left, "1020" in left, line in left) == (True, False, True)
    assert staff.run("plan", "--detailed-exitcode").code == 0
