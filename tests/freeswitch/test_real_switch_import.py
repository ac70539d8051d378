"""The stock configuration with a few users of its own, taken over on a real FreeSWITCH."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fresh_switch import run_freeswitch
from real_switch import switch_template
from sip_phone import SipPhone, require_sipp

from fsgitops.routing.directory import Directory, descend
from fsgitops.routing.tree import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plain_esl import PlainEsl
    from project import Project
    from real_switch import RealSwitch

    from fsgitops.routing.tree import Element

pytestmark = pytest.mark.freeswitch

STAFF = """\
<include>
  <!-- The front desk -->
  <user id="1040" number-alias="1040">
    <params>
      <param name="password" value="front-desk-1"/>
      <param name="vm-enabled" value="false"/>
    </params>
    <variables>
      <variable name="user_context" value="default"/>
      <variable name="accountcode" value="desk"/>
      <variable name="effective_caller_id_name" value="Front desk"/>
      <variable name="site_floor" value="2"/>
    </variables>
  </user>
  <user id="lobby" number-alias="1041">
    <params>
      <param name="password" value="lobby-password-1"/>
      <param name="vm-enabled" value="false"/>
    </params>
    <variables>
      <variable name="user_context" value="default"/>
    </variables>
  </user>
</include>
"""
NUMBER = r"""<include>
  <extension name="desk">
    <condition field="destination_number" expression="^\+?1?(9495431333)$">
      <action application="set" data="domain_name=$${domain}"/>
      <action application="transfer" data="1000 XML default"/>
    </condition>
  </extension>
</include>
"""
NUMBERS = ("1000", "1019", "5000", "9196", "+19495431333", "9495431333")
KEPT = ("user_context", "accountcode", "effective_caller_id_name", "toll_allow", "site_floor")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    """A switch of its own: all its users are taken over."""
    yield from run_freeswitch(tmp_path_factory.mktemp("stock"), switch_template())


def read_values(esl: PlainEsl, domain: str) -> dict[str, dict[str, str]]:
    """What the switch holds of each user, but for what a hash takes the place of."""
    root = Directory(as_section(esl.api(f"xml_locate directory domain name {domain}")))
    found = {}
    for name in ("1000", "1001", "1019", "1040", "1041", "lobby"):
        user = root.user(name, domain)
        assert user is not None, name
        found[name] = {key: user.value("variables", key) or "" for key in KEPT}
    return found


def as_section(answer: str) -> Element:
    text = f'<document><section name="directory">{answer}</section></document>\n'
    return parse(text.encode())


def extensions(esl: PlainEsl, context: str) -> list[str]:
    """The names of a context's extensions, in order, without those of fsgitops."""
    root = parse(f"<d>{esl.api(f'xml_locate dialplan context name {context}')}</d>\n".encode())
    names = [one.attributes.get("name", "") for one in descend(root, "context", "extension")]
    return [name for name in names if not name.startswith(("fsgitops", "inbound_", "desk"))]


def outcomes(project: Project) -> list[list[str]]:
    words = ("--disk", "--json")
    made = (
        project.run(
            "trace", one, *(() if len(one) > 4 else ("--context", "default")), *words
        ).json()
        for one in NUMBERS
    )
    return [[way["end"]["told"] for way in trace["ways"]] for trace in made]


def test_a_stock_switch_is_taken_over_and_no_phone_notices(
    project: Project, stock: RealSwitch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_sipp()
    monkeypatch.setenv("TEST_ESL_PASSWORD", stock.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    for path in (project.root / "desired").iterdir():
        path.unlink()
    project.write("fsgitops.yaml", stock.settings())
    (stock.conf_dir / "directory/default/staff.xml").write_text(STAFF)
    (stock.conf_dir / "dialplan/public/05_desk.xml").write_text(NUMBER)
    variables = (stock.conf_dir / "vars.xml").read_text()
    [password] = re.findall(r'data="default_password=([^"]*)"', variables)
    with (
        stock.esl() as esl,
        SipPhone(stock, tmp_path / "desk", "1040", "front-desk-1") as desk,
        SipPhone(stock, tmp_path / "lobby", "lobby", "lobby-password-1") as lobby,
        SipPhone(stock, tmp_path / "stock", "1000", password) as first,
    ):
        assert "Success" in esl.api("reloadxml")
        for phone in (desk, lobby, first):
            phone.register()
        before = read_values(esl, stock.domain), extensions(esl, "default"), outcomes(project)
        contexts = extensions(esl, "public")
        ran = project.run("import")
        assert (ran.code, "22 agents, 1 DID route" in ran.out) == (0, True), ran.out + ran.err
        assert "Phones that must register anew: none" in ran.out
        assert project.run("adopt", ".", "--split", "--yes").code == 0
        ran = project.run("apply", "--yes", "--allow", "updates")
        assert ran.code == 0, ran.err
        assert "No changes" in project.run("plan").out
        assert project.run("drift").code == 0
        status = esl.api("sofia status profile internal reg")
        assert all(f"{name}@" in status for name in ("1040", "lobby", "1000"))
        for phone in (desk, lobby, first):
            phone.register()
        after = read_values(esl, stock.domain), extensions(esl, "default"), outcomes(project)
        assert after[1:] == before[1:]
        assert extensions(esl, "public") == contexts
        told = {"1041": {"accountcode": "1041"}, "lobby": {"accountcode": "1041"}}
        for name, values in before[0].items():
            gets = {**told.get(name, {})}
            if name in told:
                gets["effective_caller_id_name"] = "lobby"
            assert after[0][name] == {**values, **gets}
