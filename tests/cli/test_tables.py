"""Tables: agents and routes out of spreadsheets and exports of others, and back again."""

from __future__ import annotations

import csv
import io
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsgitops.commands.importing.table import read_table
from fsgitops.errors import UsageError
from fsgitops.kinds import BUILT_IN
from fsgitops.visible import FORMULA, guard_cell, unguard_cell

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project, Ran

FREEPBX = '''\
extension,name,description,tech,secret,outboundcid,voicemail_enable,voicemail_vmpwd,voicemail_email
1030,Carol Fork,Carol,pjsip,wIld-pony-91-lamp,"""Carol Fork"" <+19495431340>",yes,582071,c@x.org
1031,Dan Spoon,Dan,pjsip,rEd-river-28-moon,,no,,
'''
FUSIONPBX = """\
extension,number_alias,password,effective_caller_id_name,outbound_caller_id_number,call_group,enabled
1032,,bLue-hills-47-star,Erin,+19495431341,"sales,support",true
lobby,1033,gReen-leaf-35-tree,Lobby phone,,,false
"""
SHEET = """\
Ext;Full Name;E-Mail;Room
1034;Frank;frank@example.com;A 1
1035;Grace;;A 2
"""
INBOUND = """\
cidnum,extension,destination,description
,+19495431350,"from-did-direct,1020,1",Main
,9495431351,"from-did-direct,1021,1",
"""


@pytest.fixture
def empty(project: Project) -> Project:
    (project.root / "desired/agents.yaml").unlink()
    (project.root / "desired/routes.yaml").unlink()
    return project


def take(project: Project, text: str | bytes, *words: str) -> Ran:
    place = project.root / "table.csv"
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return project.run("import", "--csv", str(place), *words)


def fields(project: Project, kind: str, name: str) -> dict[str, str]:
    found: dict[str, str] = project.run("get", kind, name, "--json").json()["fields"]
    return found


def test_freepbx_extensions_become_agents_that_keep_their_passwords(empty: Project) -> None:
    ran = take(empty, FREEPBX)
    assert ran.code == 0, ran.err
    carol = fields(empty, "agent", "1030")
    assert (carol["name"], carol["caller_id_number"]) == ("Carol Fork", "+19495431340")
    assert (carol["voicemail.enabled"], carol["voicemail.email"]) == ("true", "c@x.org")
    assert fields(empty, "agent", "1031")["voicemail.enabled"] == "false"
    assert "Columns that are not read: description, tech" in ran.out
    assert "Phones that must register anew: none: each keeps its password" in ran.out
    assert empty.run("apply", "--yes").code == 0


def test_fusionpbx_extensions_become_agents_some_with_a_name(empty: Project) -> None:
    ran = take(empty, FUSIONPBX)
    assert ran.code == 0, ran.err
    assert fields(empty, "agent", "1032")["groups"] == ["sales", "support"]
    lobby = fields(empty, "agent", "1033")
    assert (lobby["user"], lobby["enabled"]) == ("lobby", "false")


def test_a_spreadsheet_with_semicolons_is_read_and_a_column_can_be_named(empty: Project) -> None:
    ran = take(empty, SHEET, "--map", "caller_id_name=Room")
    assert ran.code == 0, ran.err
    frank = fields(empty, "agent", "1034")
    assert (frank["email"], frank["caller_id_name"]) == ("frank@example.com", "A 1")


def test_inbound_routes_become_routes(project: Project) -> None:
    ran = take(project, INBOUND, "--out", "desired/more")
    assert ran.code == 0, ran.err
    assert fields(project, "did", "+19495431350")["destination_extension"] == "1020"
    assert fields(project, "did", "+19495431351")["destination_extension"] == "1021"


def test_rows_are_rejected_with_line_and_reason_and_then_nothing_is_written(
    empty: Project,
) -> None:
    rows = (
        "ext,name,password,voicemail\n"
        '1040,"two\nlines",pA-one-91-lamp,yes\n'
        "1041,Ok,pB-two-92-lamp,yes\n"
        "1041,Twice,pC-three-93-lamp,yes\n"
        "1042,Box,pD-four-94-lamp,perhaps\n"
        "1.94954E+10,Round,,\n"
        ",Nobody,,\n"
        "1043,Many,pE-five-95-lamp,yes,more\n"
    )
    before = empty.tree(empty.root)
    ran = take(empty, rows)
    assert (ran.code, empty.tree(empty.root)) == (3, {**before, "table.csv": rows.encode()})
    for line, reason in [
        (2, "name"), (5, "already declared"), (6, "neither yes nor no"), (7, "rounded"),
        (8, "it has no `extension`"), (9, "it has 5 cells"),
    ]:  # fmt: skip
        assert any(
            f"table.csv:{line}: " in told and reason in told for told in ran.out.splitlines()
        ), (line, reason, ran.out)
    assert "nothing was written" in ran.err
    ran = take(empty, rows, "--skip-rejected")
    assert (ran.code, "Imported: 1 agent" in ran.out) == (0, True)
    assert fields(empty, "agent", "1041")["name"] == "Ok"


@pytest.mark.parametrize("how", ["age", "env", "derive", "a1"])
def test_no_password_is_printed_or_written_in_plain_text(empty: Project, how: str) -> None:
    ran = take(empty, FREEPBX, "--secrets", how)
    assert ran.code == 0, ran.err
    seen = ran.out + ran.err + "".join(
        path.read_text()
        for path in empty.root.rglob("*")
        if path.is_file() and path.name not in ("table.csv", "imported.env")
    )  # fmt: skip
    for secret in ("wIld-pony", "rEd-river", "582071"):
        assert secret not in seen
    if how == "env":
        mode = (empty.root / ".fsgitops/imported.env").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "does not name"),
        (b"1020,sEcret-word-91\n1021,other\n", "does not name"),
        (b"ext,password\n1020,sEcret-word-91\n", "none for name"),
        (b"ext,name,name\n1020,a,b\n", "columns 2, 3 have a name of another one"),
        (b"ext,name\n1020,\xff\n", "not UTF-8"),
        (b'ext,name\n1020,"sEcret-word-91\n', "no row of a table"),
        (b"ext,name\n1020,\x00\n", ""),
    ],
)
def test_what_is_no_table_is_wrong_usage_and_shows_no_cell(
    empty: Project, text: bytes, told: str
) -> None:
    ran = take(empty, text)
    assert ran.code in (3, 64)
    assert told in ran.err
    assert "sEcret-word-91" not in ran.out + ran.err


def test_a_column_that_is_not_there_or_a_field_that_is_none_is_wrong_usage(
    empty: Project,
) -> None:
    assert "no column is called Foo" in take(empty, SHEET, "--map", "email=Foo").err
    assert take(empty, SHEET, "--map", "no_field=Room").code == 64
    assert take(empty, SHEET, "--map", "email").code == 64
    assert empty.run("import", "--skip-rejected").code == 64


def test_an_export_has_no_secret_says_where_each_stands_and_comes_back(project: Project) -> None:
    project.write(
        "desired/agents.yaml",
        "agents:\n"
        "  - {extension: 1020, name: '=1+1', password: {env: ALICE}, groups: [a, b]}\n"
        '  - {extension: 1021, name: "\'t Hooft", voicemail: {email: b@example.com}}\n'
        "  - extension: 1022\n"
        "    name: Carol\n"
        "    password: {a1: 0123456789abcdef0123456789abcdef}\n"
        "    caller_id_number: +19495431333\n"
        "    params: {vm-disk-quota: '100'}\n",
    )
    ran = project.run("export", "agents", "--csv")
    assert ran.code == 0, ran.err
    assert "0123456789abcdef" not in ran.out
    assert "1 secret" in ran.err
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["name"] for row in rows] == ["'=1+1", "'t Hooft", "Carol"]
    assert rows[2]["caller_id_number"] == "'+19495431333"
    before = [fields(project, "agent", name) for name in ("1020", "1021")]
    (project.root / "desired/agents.yaml").unlink()
    assert take(project, ran.out).code == 0
    assert [fields(project, "agent", name) for name in ("1020", "1021")] == before
    assert "password: {env: ALICE}" in (project.root / "desired/agents.yaml").read_text()
    assert project.run("export", "agents", "--csv").out.splitlines()[1] == ran.out.splitlines()[1]


def test_ring_groups_and_routes_are_exported_and_come_back(project: Project) -> None:
    groups = (
        "ring_groups:\n"
        "  - {name: sales, extension: 7001, members: [1020, {agent: 1021, delay: 5}]}\n"
        "  - {name: desk, members: [1020, 1021], fallback: 1020}\n"
    )
    project.write("desired/groups.yaml", groups)
    for kind, file in (("ring_group", "groups"), ("did", "routes")):
        before = project.run("list", kind, "--json").json()["resources"]
        table = project.run("export", kind, "--csv", "--output", str(project.root / "out.csv"))
        assert table.code == 0, table.err
        (project.root / f"desired/{file}.yaml").unlink()
        ran = take(project, (project.root / "out.csv").read_bytes())
        assert ran.code == 0, ran.out + ran.err
        after = project.run("list", kind, "--json").json()["resources"]
        strip = [{**item, "source": ""} for item in before]
        assert [{**item, "source": ""} for item in after] == strip


@given(st.text(max_size=20))
def test_a_guarded_cell_runs_nothing_and_is_what_it_was(text: str) -> None:
    cell = guard_cell(text)
    assert cell[:1] not in tuple(FORMULA)
    assert unguard_cell(cell) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_file_holds_it_is_a_table_or_said_not_to_be(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    place: Path = tmp_path_factory.getbasetemp() / "any.csv"
    place.write_bytes(b"ext,name,password\n" + data)
    try:
        read_table(place, {}, BUILT_IN)
    except UsageError:
        return


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from(" ,;\"'=+-@"),
    min_size=1, max_size=20,
).map(str.strip).filter(bool)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(TEXTS, st.booleans(), st.lists(st.sampled_from("abc"))), max_size=5))
def test_agents_come_back_from_a_table_as_they_were(
    project: Project, agents: list[tuple[str, bool, list[str]]]
) -> None:
    import yaml

    made = [
        {"extension": str(1100 + at), "name": name, "webrtc": webrtc, "groups": groups}
        for at, (name, webrtc, groups) in enumerate(agents)
    ]
    text = yaml.safe_dump({"agents": made}, allow_unicode=True)
    for path in (project.root / "desired").iterdir():
        path.unlink()
    project.write("desired/agents.yaml", text)
    exported = project.run("export", "--csv")
    if exported.code:
        return  # a name that the rules refuse
    (project.root / "desired/agents.yaml").unlink()
    if made:
        assert take(project, exported.out).code == 0
    assert project.run("export", "--csv").out == exported.out


TRUNKS = """\
name,proxy,username,password
my-carrier,sip.example.com,u,tRunk-one-pw
other,192.0.2.1,u,tRunk-one-pw
"""


def test_gateways_of_one_provider_keep_their_passwords(
    empty: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = take(empty, TRUNKS, "--secrets", "env")
    assert ran.code == 0, ran.out
    assert "Phones that must" not in ran.out
    assert "others have too" not in ran.out
    lines = (empty.root / ".fsgitops/imported.env").read_text().splitlines()
    assert lines == [
        "FSGITOPS_gateway_my_2D_carrier_password=tRunk-one-pw",
        "FSGITOPS_gateway_other_password=tRunk-one-pw",
    ]
    for line in lines:
        monkeypatch.setenv(*line.split("=", 1))
    assert empty.run("plan", "--json").json()["unknown_secrets"] is False


@pytest.mark.parametrize("how", ["derive", "a1"])
def test_the_password_of_a_provider_is_neither_made_nor_hashed(empty: Project, how: str) -> None:
    ran = take(empty, TRUNKS, "--secrets", how)
    assert (ran.code, "`password` of a gateway can be neither" in ran.err) == (64, True)
    assert not (empty.root / "desired/gateways.yaml").exists()


def test_a_pin_needs_no_other_column_of_the_mailbox(empty: Project) -> None:
    ran = take(empty, "extension,name,voicemail.pin\n1030,Carol,582071\n", "--secrets", "env")
    assert ran.code == 0, ran.out
    assert "582071" in (empty.root / ".fsgitops/imported.env").read_text()
    assert fields(empty, "agent", "1030")["voicemail.enabled"] == "true"


def test_an_agent_without_a_password_in_the_table_must_register_anew(empty: Project) -> None:
    ran = take(empty, "extension,name,password\n1030,Carol,wIld-pony-91-lamp\n1031,Dan,\n")
    assert "Phones that must register anew: 1031" in ran.out
