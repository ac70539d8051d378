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


RANGES = """\
did_routes:
  - {did_number: (949) 543-1300..1303, destination_extension: 4300..4303}
  - did_number: +19495431398..402
    destination_extension: agent/4300
"""


def declare_range(site: Project, text: str = RANGES, agents: int = 4) -> None:
    rows = "".join(f"  - {{extension: {4300 + at}, name: Agent {at}}}\n" for at in range(agents))
    site.write("desired/agents.yaml", f"agents:\n{rows}")
    site.write("desired/routes.yaml", text)


def test_a_range_is_a_route_for_each_number_and_each_rings_its_own_extension(site: Project) -> None:
    declare_range(site, RANGES.replace("1398..402", "1398..9"))
    ran = site.run("validate")
    assert (ran.code, "6 DID routes" in ran.out) == (0, True), ran.err
    for number, extension in {
        "+19495431300": "4300", "9495431303": "4303", "0019495431302": "4302",
        "+19495431399": "4300",
    }.items():  # fmt: skip
        out = site.run("trace", number, "--registered", extension, "--target", "pbx").out
        assert f"It rings {extension}" in out, out
    found = site.run("list", "did", "--json").json()["resources"]
    assert [one["name"] for one in found] == [
        *(f"+1949543130{at}" for at in range(4)), "+19495431398", "+19495431399",
    ]  # fmt: skip
    assert {one["source"].rpartition(":")[0] for one in found} == {
        "desired/routes.yaml:2",
        "desired/routes.yaml:3",
    }


@pytest.mark.parametrize(
    ("number", "destination", "said"),
    [
        ("+19495431300..1303", "4300..4302", "has 3 numbers, and the range of the item has 4"),
        ("+19495431303..1300", "4300", "goes down, from 1303 to 1300"),
        ("+19495431300..31399", "4300", "is no range"), ("..1300", "4300", "is no range"),
        ("+1949543[1-20000]", "4300", "is no range"),
        ("+19495431300..", "4300", "is no range"), ("+1949543 00..0001", "4300", "does not begin"),
    ],
)  # fmt: skip
def test_what_is_no_range_is_told_at_its_place(
    site: Project, number: str, destination: str, said: str
) -> None:
    declare_range(
        site,
        f'did_routes:\n  - {{did_number: "{number}", destination_extension: "{destination}"}}\n',
    )
    ran = site.run("validate")
    assert ran.code == 3
    assert said in ran.err, ran.err
    assert "[invalid-range]" in ran.err
    assert "routes.yaml:2:" in ran.err


def test_a_range_is_written_in_brackets_too(site: Project) -> None:
    found = []
    for number, leads in (("130[0-3]", "430[0-3]"), ("1300..1303", "4300..4303")):
        item = f'{{did_number: "+1949543{number}", destination_extension: "{leads}"}}'
        declare_range(site, f"did_routes:\n  - {item}\n")
        found.append(site.run("list", "did", "--json").json()["resources"])
    assert (len(found[0]), found[0]) == (4, found[1])


def test_a_number_that_two_ranges_hold_is_found(site: Project) -> None:
    declare_range(site, RANGES.replace("+19495431398..402", "+19495431303..1304"))
    ran = site.run("validate")
    assert (ran.code, "the number +19495431303 already has a route" in ran.err) == (3, True)
