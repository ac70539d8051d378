"""Two domains of one switch: a target for each, and no call gets from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from office_site import run_office, write_office
from project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACME = """\
<include>
  <domain name="acme.example">
    <params>
      <param name="dial-string" value="${sofia_contact(*/${dialed_user}@${dialed_domain})}"/>
    </params>
    <groups>
      <group name="acme">
        <users>
          <X-PRE-PROCESS cmd="include" data="acme/*.xml"/>
        </users>
      </group>
      <X-PRE-PROCESS cmd="include" data="acme_groups/*.xml"/>
    </groups>
  </domain>
</include>
"""
CONTEXT = """\
<include>
  <context name="{0}">
    <X-PRE-PROCESS cmd="include" data="{0}/*.xml"/>
  </context>
</include>
"""
TARGET = """\
  acme:
    conf_dir: {conf}
    domain: acme.example
    esl: {esl}
    state_dir: {state}
    inbound_context: to-acme
    tenant: acme
    places:
      directory: directory/acme
      groups: directory/acme_groups
      dialplan: dialplan/acme
      context: acme
      contexts: dialplan/whole
"""


@pytest.fixture
def office(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    conf = tmp_path / "conf"
    write_office(conf)
    (conf / "directory/acme.xml").write_text(ACME)
    for name in ("acme", "to-acme"):
        (conf / f"dialplan/{name}.xml").write_text(CONTEXT.format(name))
    context = '<param name="context" value="to-acme"/>'
    door = f'<profile name="acme"><settings>{context}</settings></profile>'
    (conf / "sip_profiles/acme.xml").write_text(door)
    yield from run_office(project, conf, monkeypatch)


@pytest.fixture
def acme(office: Project, tmp_path: Path) -> Project:
    """The other domain: a project of its own, with an agent of the same extension."""
    text = (office.root / "fsgitops.yaml").read_text()
    esl = text.partition("esl: ")[2].partition("\n")[0]
    conf, state = tmp_path / "conf", tmp_path / "conf/.fsgitops-acme"
    other = Project(tmp_path / "acme", office.capsys)
    head = "project: acme\ndefault_region: US\ntargets:\n"
    other.write("fsgitops.yaml", head + TARGET.format(conf=conf, esl=esl, state=state))
    other.write("desired/agents.yaml", "agents: [{extension: 1020, name: A, voicemail: true}]")
    other.write(
        "desired/routes.yaml",
        "did_routes: [{did_number: +19495431334, destination_extension: 1020}]",
    )
    return other


def run(project: Project, target: str, *words: str) -> str:
    ran = project.run(*words, "--target", target)
    assert ran.code == 0, ran.out + ran.err
    return ran.out


def files(project: Project, conf: Path) -> set[str]:
    found = project.tree(conf).items()
    return {path for path, text in found if b"fsgitops" in text and not path.startswith(".")}


@pytest.mark.parametrize("layout", ["files", "sharded"])
def test_each_domain_has_files_and_contexts_of_its_own(
    office: Project, acme: Project, tmp_path: Path, layout: str
) -> None:
    for project in (office, acme):
        text = (project.root / "fsgitops.yaml").read_text()
        project.write("fsgitops.yaml", f"layout: {layout}\n{text}")
    run(office, "office", "apply", "--yes")
    first = files(office, tmp_path / "conf")
    run(acme, "acme", "apply", "--yes")
    both = files(office, tmp_path / "conf")
    assert "dialplan/whole/fsgitops_transfer_acme.xml" in both - first
    assert first <= both
    for project, target in ((office, "office"), (acme, "acme")):
        assert "No changes: every managed file is as declared." in run(project, target, "plan")
        run(project, target, "drift")
        text = run(project, target, "trace", "1020", "--as", "1020" if target == "acme" else "1021")
        assert "rings 1020" in text


def test_what_is_taken_from_one_domain_leaves_the_other(
    office: Project, acme: Project, tmp_path: Path
) -> None:
    run(office, "office", "apply", "--yes")
    before = files(office, tmp_path / "conf")
    run(acme, "acme", "apply", "--yes")
    for file in (acme.root / "desired").iterdir():
        file.write_text("agents: []\n")
    run(acme, "acme", "apply", "--yes", "--allow", "empty", "--allow", "deletes")
    assert files(office, tmp_path / "conf") == before


def test_no_call_of_a_domain_names_the_other(
    office: Project, acme: Project, tmp_path: Path
) -> None:
    """All that our files of a domain ring, look up, transfer to and run is of that domain."""
    run(office, "office", "apply", "--yes")
    first = files(office, tmp_path / "conf")
    run(acme, "acme", "apply", "--yes")
    tree = office.tree(tmp_path / "conf")
    strangers = {"first": (b"acme",), "second": (b"office.example", b"XML inside", b"XML default")}
    for path in files(office, tmp_path / "conf"):
        whose = "first" if path in first else "second"
        assert not any(word in tree[path] for word in strangers[whose]), path
    second = [text for path, text in tree.items() if path.startswith("dialplan/acme/")]
    assert second
    assert all(b'fsgitops_transfer"' not in text for text in second)


def test_an_own_template_that_names_the_other_context_is_refused(acme: Project) -> None:
    from fsgitops.steps.read_templates import packaged_templates

    text = (packaged_templates() / "did_route.xml.j2").read_text()
    acme.write("templates/did_route.xml.j2", text.replace("{{ transfers }}", "fsgitops_transfer"))
    err = acme.run("plan", "--target", "acme").err
    assert "write {{ transfers }} in place of fsgitops_transfer" in err


def test_operations_close_their_legs_with_the_context_of_the_domain() -> None:
    from fsgitops.switch.calls import ToNumber, transfer_command

    sent = transfer_command(
        "a", ToNumber("+12025550123", "g", "+19495431333", "fsgitops_transfer_acme")
    )
    assert "XML fsgitops_transfer_acme!" in sent
    assert "force_transfer_context=fsgitops_transfer_acme," in sent


def test_doctor_says_what_keeps_phones_of_a_domain_from_registering(
    office: Project, acme: Project, tmp_path: Path
) -> None:
    file = tmp_path / "conf/sip_profiles/internal.xml"
    forced = '<settings>\n<param name="force-register-domain" value="$${domain}"/>'
    file.write_text(file.read_text().replace("<settings>", forced))
    said = {
        name: {
            item["name"]: item
            for item in project.run("doctor", "--json", "--target", name).json()["checks"]
        }
        for project, name in ((office, "office"), (acme, "acme"))
    }
    assert "registering" not in said["office"]
    assert said["acme"]["registering"]["message"] == (
        "the profile internal takes every phone for one of the domain office.example "
        "(force-register-domain): one of acme.example cannot register"
    )


def test_doctor_says_that_phones_log_in_to_another_realm(office: Project, tmp_path: Path) -> None:
    file = tmp_path / "conf/sip_profiles/internal.xml"
    realm = '<settings>\n<param name="challenge-realm" value="asterisk"/>'
    file.write_text(file.read_text().replace("<settings>", realm))
    checks = office.run("doctor", "--json", "--target", "office").json()["checks"]
    (said,) = [item["message"] for item in checks if item["name"] == "registering"]
    assert "every phone log in to the realm asterisk (challenge-realm)" in said


def test_no_call_of_a_domain_gets_to_the_other(office: Project, acme: Project) -> None:
    """What only the other domain has, is dialled in vain from each context."""
    run(office, "office", "apply", "--yes")
    run(acme, "acme", "apply", "--yes")
    for project, target, ways in (
        (
            acme,
            "acme",
            [("1021", "--as", "1020"), ("+19495431333",), ("1021", "--context", "acme")],
        ),
        (acme, "acme", [("1021", "--context", "fsgitops_transfer_acme")]),
        (office, "office", [("+19495431334",), ("+19495431334", "--context", "inside")]),
    ):
        for way in ways:
            ran = project.run("trace", *way, "--target", target)
            assert (ran.code, "rings" in ran.out) == (2, False), ran.out
