"""DIDs as carriers send them: behind a prefix, or as the user name of a trunk, in both layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from project import Project

SETTINGS = """\
default_region: US
layout: {layout}
targets:
  pbx: {{conf_dir: conf, domain: pbx.example.com, did_prefixes: ["00", "7799"]}}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020, also: [acct.1, "4512345"]}
  - {did_number: +442071838750, destination_extension: 1021}
"""


@pytest.fixture(params=["files", "sharded"])
def site(project: Project, request: pytest.FixtureRequest) -> Project:
    project.write("fsgitops.yaml", SETTINGS.format(layout=request.param))
    write_skeleton(project.root / "conf", "pbx.example.com")
    project.write("desired/routes.yaml", ROUTES)
    return project


def test_each_form_rings_whom_the_number_leads_to(site: Project) -> None:
    for number, extension in {
        "0019495431333": "1020", "779919495431333": "1020", "9495431333": "1020",
        "acct.1": "1020", "4512345": "1020", "00442071838750": "1021", "02071838750": "1021",
    }.items():  # fmt: skip
        out = site.run("trace", number, "--registered", "1020,1021", "--target", "pbx").out
        assert f"It rings {extension}" in out, out
    for number in ("acctx1", "0119495431333", "45123456", "001949543133"):
        assert (
            "It rings"
            not in site.run("trace", number, "--registered", "1020,1021", "--target", "pbx").out
        ), number


def test_a_name_has_one_number(site: Project) -> None:
    site.write("desired/more.yaml", "did_routes:\n  - {did_number: +19495431334, also: [acct.1], "
               "destination_extension: 1020}\n")  # fmt: skip
    ran = site.run("validate")
    assert ran.code == 3
    assert "a call to acct.1 goes to +19495431333 already [duplicate-trunk-name]" in ran.err


@pytest.mark.parametrize("name", ["a b", "a|b", "+1949", "(a)", "a@b", "ü", "a$"])
def test_a_name_is_plain(project: Project, name: str) -> None:
    text = ROUTES.replace("acct.1", f'"{name}"')
    project.write("desired/routes.yaml", text)
    ran = project.run("validate")
    assert (ran.code, "routes.yaml:2:" in ran.err) == (3, True), ran.err


@pytest.mark.parametrize("prefix", ["+", "1234567", "0*", ""])
def test_a_prefix_is_digits(project: Project, prefix: str) -> None:
    project.write("fsgitops.yaml", SETTINGS.format(layout="files").replace("7799", prefix))
    ran = project.run("validate")
    assert (ran.code != 0, "digits in quotes, at most 6" in ran.err) == (True, True), ran.err
