"""Users of the same number that somebody else declares are found by the plan, with their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from existing_site import existing_site

if TYPE_CHECKING:
    from project import Project

USER = '<include>\n  <user id="{id}"{more}>\n    <params/>\n  </user>\n</include>\n'
POINTERS = """\
      <group name="sales">
        <users>
          <user id="1020" type="pointer"/>
        </users>
      </group>
"""
GROUPS = "    <groups>\n"


@pytest.fixture
def fresh(project: Project) -> Project:
    return existing_site(project)


def put(project: Project, path: str, user: str = "1020", more: str = "") -> None:
    (project.conf / path).write_text(USER.format(id=user, more=more))


def put_pointers(project: Project, *, first: bool) -> None:
    path = project.conf / "directory/default.xml"
    place = GROUPS if first else "    </groups>\n"
    text = path.read_text()
    assert place in text
    new = GROUPS + POINTERS if first else POINTERS + place
    path.write_text(text.replace(place, new))


def rename(project: Project, before: str, after: str) -> None:
    path = project.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace(before, after))


def drop_alice(project: Project) -> None:
    path = project.root / "desired/agents.yaml"
    path.write_text("agents:\n" + path.read_text().splitlines()[2] + "\n")
    (project.root / "desired/routes.yaml").unlink()


@pytest.mark.parametrize("name", ["0rival.xml", "zz_rival.xml"])
def test_a_new_agent_whose_number_somebody_declares_is_a_hazard(fresh: Project, name: str) -> None:
    put(fresh, f"directory/default/{name}")
    ran = fresh.run("plan")
    told = f"directory/default/{name}:2 (a user of group default) declares a user 1020 too"
    assert told in ran.out
    assert "user-declared-twice" in ran.out
    ran = fresh.run("apply", "--yes")
    assert (ran.code, f"{name}:2" in ran.err) == (4, True)
    assert not (fresh.conf / "directory/default/1020.xml").exists()


def test_the_other_agents_can_be_applied(fresh: Project) -> None:
    put(fresh, "directory/default/0rival.xml")
    ran = fresh.run("apply", "--yes", "--exclude", "agent:1020")
    assert ran.code == 0, ran.err


def test_a_number_alias_is_such_a_user_too(fresh: Project) -> None:
    put(fresh, "directory/default/0rival.xml", "2222", ' number-alias="1020"')
    assert "0rival.xml:2" in fresh.run("plan").out


def test_a_user_of_that_number_in_another_domain_is_none(fresh: Project) -> None:
    (fresh.conf / "directory/other.xml").write_text(
        '<include>\n<domain name="other.example"><users>\n<user id="1020"/>\n'
        "</users></domain>\n</include>\n"
    )
    assert "user-declared-twice" not in fresh.run("plan").out


def test_a_user_in_a_comment_is_none(fresh: Project) -> None:
    (fresh.conf / "directory/default/0rival.xml").write_text(
        '<include>\n<!--\n<user id="1020"/>\n-->\n</include>\n'
    )
    assert "user-declared-twice" not in fresh.run("plan").out


def test_a_changed_agent_that_a_look_up_does_not_find_is_a_hazard(applied: Project) -> None:
    put(applied, "directory/default/0rival.xml")
    assert applied.run("plan").code == 0
    rename(applied, "Alice", "Anna")
    ran = applied.run("apply", "--yes")
    assert (ran.code, "directory/default/0rival.xml:2" in ran.err) == (4, True)


def test_a_changed_agent_that_comes_first_stays_as_it_is(applied: Project) -> None:
    put(applied, "directory/default/zz_rival.xml")
    rename(applied, "Alice", "Anna")
    assert applied.run("apply", "--yes").code == 0


def test_a_deleted_agent_that_another_file_declares_is_a_hazard(applied: Project) -> None:
    put(applied, "directory/default/zz_rival.xml")
    drop_alice(applied)
    ran = applied.run("apply", "--yes")
    assert ran.code == 4
    assert "zz_rival.xml:2 (a user of group default) declares a user 1020 too" in ran.err


def test_a_pointer_outlives_its_agent_and_stops_nothing(applied: Project) -> None:
    put_pointers(applied, first=False)
    drop_alice(applied)
    ran = applied.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "directory/default.xml:" in ran.out
    assert "(a pointer of group sales) still names it" in ran.out
    assert "Read back from the switch" in ran.out


@pytest.mark.parametrize("first", [True, False])
def test_a_pointer_is_in_the_way_only_where_it_comes_first(project: Project, first: bool) -> None:
    project.write("desired/agents.yaml", "agents: [{extension: 1021, name: Bob}]\n")
    routes = project.root / "desired/routes.yaml"
    routes.unlink()
    project.prepare("apply", "--yes")
    project.write("desired/agents.yaml", "agents: [{extension: 1020, name: A}]\n")
    put_pointers(project, first=first)
    ran = project.run("plan")
    assert ("(a pointer of group sales) declares a user 1020 too" in ran.out) is first
    assert project.run("apply", "--yes").code == (4 if first else 0)


def test_a_domain_whose_name_only_the_switch_knows_counts_where_it_is_the_only_one(
    fresh: Project,
) -> None:
    path = fresh.conf / "vars.xml"
    path.write_text(path.read_text().replace("domain=sandbox.example", "domain=$${nobody_knows}"))
    put(fresh, "directory/default/0rival.xml")
    assert "0rival.xml:2" in fresh.run("plan").out


def test_a_roll_back_looks_for_them_too(applied: Project) -> None:
    rename(applied, "Alice", "Anna")
    assert applied.run("apply", "--yes").code == 0
    put(applied, "directory/default/0rival.xml")
    ran = applied.run("rollback", "--yes")
    assert (ran.code, "0rival.xml:2" in ran.err) == (4, True)
