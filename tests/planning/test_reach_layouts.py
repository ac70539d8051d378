"""What `layout: sharded` asks of the conf directory, beyond what `files` does."""

from __future__ import annotations

import pytest
from existing_site import CATCH_ALL, carrier, edit, existing_site, put
from project import Project

INCLUDE = '      <X-PRE-PROCESS cmd="include" data="fsgitops/*.xml"/>\n'
INLINE = CATCH_ALL.format(name="stats", application='set" data="a=b" inline="true')
ROUTES = "did_routes:\n" + "".join(
    f"  - {{did_number: +1949543133{at}, destination_extension: 1020}}\n" for at in range(2)
)


@pytest.fixture
def site(project: Project) -> Project:
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "layout: sharded\n")
    project.write("desired/routes.yaml", ROUTES)
    return existing_site(project)


def test_a_plan_without_anything_in_the_way_says_nothing(site: Project) -> None:
    out = site.run("plan").out
    assert "In the way" not in out
    assert "warning" not in out


def test_groups_that_nothing_includes_are_an_error(site: Project) -> None:
    edit(site, "directory/default.xml", INCLUDE, "")
    out = site.run("plan").out
    assert (
        "agent 1020, 1021 will not be loaded: nothing includes directory/fsgitops/*.xml "
        "[unread-folder]"
    ) in out
    assert "into <groups> of the domain in directory/default.xml" in out
    assert site.run("apply", "--yes").code == 4


def test_groups_that_are_included_among_users_are_an_error(site: Project) -> None:
    edit(site, "directory/default.xml", INCLUDE, "")
    edit(site, "directory/default.xml", "<users>\n", f"<users>\n{INCLUDE}")
    assert "outside of the <groups> of a domain [unread-folder]" in site.run("plan").out
    assert site.run("apply", "--yes").code == 4


def test_a_context_where_no_call_begins_names_the_dids(site: Project) -> None:
    carrier(site)
    out = site.run("plan").out
    assert "did +19495431330, +19495431331 will not be called: no profile" in out
    assert "[unused-context]" in out


def test_a_number_is_taken_where_the_dispatcher_stands(site: Project) -> None:
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    out = site.run("plan").out
    assert "did +19495431330, +19495431331 will not be routed: the extension `ivr`" in out
    (site.conf / "dialplan/public/00_ivr.xml").rename(site.conf / "dialplan/public/zz_ivr.xml")
    assert "taken-number" not in site.run("plan").out


def test_a_context_named_global_is_an_error(site: Project) -> None:
    text = CATCH_ALL.format(name="all", application="hangup")
    put(site, "dialplan/global.xml", f'<context name="global">\n{text}</context>\n')
    out = site.run("plan").out
    assert "without the context `global` (dialplan/global.xml:1)" in out
    assert site.run("apply", "--yes").code == 4
    settings = site.root / "fsgitops.yaml"
    settings.write_text(settings.read_text().replace("layout: sharded", "layout: files"))
    assert "[global-context]" not in site.run("plan").out


def test_what_acts_inline_behind_the_dids_is_a_warning(site: Project) -> None:
    put(site, "dialplan/public/zz_stats.xml", INLINE)
    out = site.run("plan").out
    assert "`stats` (dialplan/public/zz_stats.xml:1) may run its inline actions too" in out
    assert "[runs-behind]" in out
    put(site, "dialplan/public/zz_stats.xml", INLINE.replace("true", "false"))
    assert "[runs-behind]" not in site.run("plan").out


def test_what_acts_inline_before_the_dids_is_as_with_files(site: Project) -> None:
    put(site, "dialplan/public/00_stats.xml", INLINE.replace('name="stats"', 'continue="true"'))
    assert "[runs-behind]" not in site.run("plan").out
