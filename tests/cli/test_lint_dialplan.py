"""Promises of `fsgitops lint --dialplan`: what the rules find in a whole dialplan, and where."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fsgitops.rules.table import DIALPLAN_RULES
from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from project import Project, Ran

GOLDEN = Path(__file__).parent.parent / "golden" / "dialplan"
CASES = sorted(GOLDEN.iterdir())
SPY = """\
<include>
{above}  <extension name="spy">{behind}
    <condition field="destination_number" expression="^779$">
      <action application="eavesdrop" data="all"/>
    </condition>
  </extension>
</include>
"""
IGNORE = "<!-- fsgitops: ignore[{}] because the supervisors train new people -->"


@pytest.fixture
def site(project: Project) -> Project:
    """A conf directory without anything to find, as the target `image`; nothing is applied."""
    write_skeleton(project.root / "conf", "pbx.example.com")
    return project


def lint(site: Project, *words: str) -> Ran:
    return site.run("lint", "--dialplan", "--target", "image", *words)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_golden_conf_directory_has_just_the_findings_beside_it(site: Project, case: Path) -> None:
    shutil.copytree(
        case, site.root / "conf", dirs_exist_ok=True, ignore=lambda *_: ["expected.txt"]
    )
    assert lint(site).err == (case / "expected.txt").read_text()


def test_each_rule_has_a_golden_case() -> None:
    assert {rule.name for rule in DIALPLAN_RULES} <= {case.name for case in CASES}
    for case in CASES:
        assert f"[{case.name}]" in (case / "expected.txt").read_text()


def test_a_site_of_which_nothing_is_to_be_said_ends_with_0(site: Project) -> None:
    ran = lint(site)
    assert (ran.code, ran.out, ran.err) == (0, "Nothing found.\n", "")


@pytest.mark.parametrize(("level", "code"), [("error", 3), ("warning", 0), ("off", 0)])
def test_a_rule_has_the_level_of_the_settings(site: Project, level: str, code: int) -> None:
    site.write("conf/dialplan/default/20_spy.xml", SPY.format(above="", behind=""))
    settings = site.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + f"rules: {{listening-in: {level}}}\n")
    ran = lint(site)
    assert (ran.code, f": {level}: the extension" in ran.err) == (code, level != "off")


@pytest.mark.parametrize("where", ["above", "behind"])
def test_a_comment_before_an_extension_silences_it(site: Project, where: str) -> None:
    comment = IGNORE.format("listening-in")
    words = {"above": "", "behind": ""} | {where: f"  {comment}" + "\n" * (where == "above")}
    site.write("conf/dialplan/default/20_spy.xml", SPY.format(**words))
    assert lint(site).err == ""


def test_a_comment_of_another_rule_silences_nothing_and_is_told(site: Project) -> None:
    above = f"  {IGNORE.format('open-leg')}\n"
    site.write("conf/dialplan/default/20_spy.xml", SPY.format(above=above, behind=""))
    err = lint(site).err
    assert "dialplan/default/20_spy.xml:3:3: warning: the extension" in err
    told = "20_spy.xml:2:3: warning: nothing on line 3 breaks open-leg [silence-unused]"
    assert told in err


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("<!-- fsgitops: ignore[listening-in] -->", "[silence-reason]"),
        ("<!-- fsgitops: ignore[listening] because it is so -->", "[silence-unknown]"),
        ("<!-- fsgitops: let it be -->", "[silence-form]"),
        ("<!-- fsgitops: ignore[unsafe-value] because it is so -->", "[silence-unknown]"),
    ],
)
def test_a_comment_that_is_no_good_is_told_at_its_place(
    site: Project, comment: str, told: str
) -> None:
    text = SPY.format(above=f"  {comment}\n", behind="")
    site.write("conf/dialplan/default/20_spy.xml", text)
    ran = lint(site)
    assert (ran.code, "20_spy.xml:2:3: error: " in ran.err, told in ran.err) == (3, True, True)


def test_what_files_of_a_template_bring_in_is_told_where_the_resource_is_declared(
    site: Project,
) -> None:
    site.write(
        "templates/did_route.xml.j2",
        '<include>\n<extension name="inbound_{{ digits }}">\n'
        '<condition field="destination_number" expression="{{ expression }}">\n'
        '<action application="transfer" data="{{ destination }} XML default"/>\n'
        "</condition>\n</extension>\n</include>\n",
    )
    err = lint(site).err
    assert "desired/routes.yaml:2:5: warning: the extension inbound_19495431333 connects" in err


def test_json_has_the_findings(site: Project) -> None:
    site.write("conf/dialplan/default/20_spy.xml", SPY.format(above="", behind=""))
    (found,) = lint(site, "--json").json()["findings"]
    place = (found["rule"], found["severity"], found["file"], found["line"], found["column"])
    assert place == ("listening-in", "warning", "dialplan/default/20_spy.xml", 2, 3)


def test_no_secret_of_the_configuration_is_shown(site: Project) -> None:
    text = SPY.format(above="", behind="").replace("^779$", "^$${default_password}$")
    site.write("conf/dialplan/default/20_spy.xml", text)
    variables = site.root / "conf/vars.xml"
    line = '<X-PRE-PROCESS cmd="set" data="default_password=hunter2hunter2"/>\n'
    variables.write_text(variables.read_text().replace("<include>\n", f"<include>\n{line}"))
    err = lint(site).err
    assert ("[listening-in]" in err, "hunter2" in err) == (True, False)


def test_errors_in_what_is_declared_are_told_first(site: Project) -> None:
    site.write("desired/more.yaml", "agents: [{extension: 1020, name: Twice}]\n")
    ran = lint(site)
    assert (ran.code, "[duplicate-extension]" in ran.err) == (3, True)
