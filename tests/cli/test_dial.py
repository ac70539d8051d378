"""Calls that `dial` places, on the embedded switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from project import Project
from switchboard import DOMAIN, audit, operations

if TYPE_CHECKING:
    from fsgitops.sandbox.switch import EmbeddedSwitch

GONE = "4c02599d-865c-42fd-9045-079b692658b0"


def test_dial_prints_the_uuid_of_a_call_that_is_up(project: Project, board: EmbeddedSwitch) -> None:
    board.add_registration("1020", DOMAIN)
    ran = project.run("dial", "1020", "(800) 555-1234")
    assert ran.code == 0, ran.err
    (call,) = project.run("calls", "--json").json()["calls"]
    assert ran.out.strip() == call["uuid"]
    assert (call["caller"], call["callee"], call["direction"]) == (
        "1020", "+18005551234", "outbound",
    )  # fmt: skip
    assert operations(project) == [("dial", "1020", "done")]
    kept = audit(project)[-1]
    assert (kept["number"], kept["caller_id"], kept["uuid"], kept["target"]) == (
        "+18005551234", "+19495431333", call["uuid"], "sandbox",
    )  # fmt: skip
    assert kept["user"]


def test_an_extension_is_dialled_and_shown_who_calls(
    project: Project, board: EmbeddedSwitch
) -> None:
    for extension in ("1020", "1021"):
        board.add_registration(extension, DOMAIN)
    ran = project.run("dial", "1020", "1021", "--wait", "--json")
    found = ran.json()
    assert (ran.code, found["state"], found["gateway"], found["caller_id_number"]) == (
        0, "connected", None, "1020",
    )  # fmt: skip
    (call,) = project.run("calls", "--json").json()["calls"]
    assert (call["agents"], call["direction"]) == (["1020", "1021"], "internal")
    assert "gateway" not in audit(project)[-1]


def test_waiting_prints_the_uuid_once_both_have_answered(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN)
    ran = project.run("dial", "1020", "(800) 555-1234", "--wait")
    (call,) = project.run("calls", "--json").json()["calls"]
    assert (ran.code, ran.out) == (0, f"{call['uuid']}\n")
    assert ran.err == (
        "Agent 1020 and +18005551234 answered: connected through sandbox as +19495431333.\n"
    )


@pytest.mark.parametrize(
    ("dial", "said"),
    [
        ("", "no gateway for calls outside: write `dial: {gateway: NAME}` under target `t`"),
        (", dial: {gateway: telnyx}", "the switch has no gateway `telnyx` (it has sandbox)"),
    ],
)
def test_without_its_gateway_no_call_outside_is_placed_or_moved(
    project: Project, board: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch, dial: str, said: str
) -> None:
    board.add_registration("1020", DOMAIN)
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    before = project.run("calls", "--json").json()["calls"][0]["legs"]
    host, port = board.address
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "a password")
    monkeypatch.setenv("FSGITOPS_TARGET", "t")
    project.write(
        "fsgitops.yaml",
        "default_region: US\ndefault_caller_id: +19495431334\ntargets:\n"
        f"  t: {{conf_dir: c, domain: {DOMAIN}, esl: {{host: {host}, port: {port}}}{dial}}}\n",
    )
    for words in (["dial", "1020", "+18005551234"], ["transfer", uuid, "+18005551234"]):
        ran = project.run(*words)
        assert (ran.code, said in ran.err) == (1, True), ran.err
    after = project.run("calls", "--json").json()["calls"]
    assert [leg["uuid"] for leg in after[0]["legs"]] == [leg["uuid"] for leg in before]


def test_the_caller_id_may_be_another_declared_number_only(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN)
    own = project.run("dial", "1020", "+18005551234", "--caller-id", "(949) 543-1334", "--json")
    assert own.json()["caller_id_number"] == "+19495431334"
    ran = project.run("dial", "1020", "+18005551234", "--caller-id", "+12125551234")
    assert (ran.code, "not a declared number" in ran.err) == (1, True)


def test_gateway_and_timeout_come_from_the_settings(project: Project) -> None:
    from fsgitops.commands.dial import Asked, plan_dial
    from fsgitops.live.roster import load_roster
    from fsgitops.workspace.open import open_workspace

    text = (
        "targets:\n  t: {conf_dir: c, domain: d.example, dial: {gateway: carrier, timeout: 12}}\n"
    )
    project.write("fsgitops.yaml", text)
    place = open_workspace(project.root, "t")
    roster = load_roster(place)
    dial = plan_dial(roster, place, Asked("1020", "+18005551234"))
    assert (dial.gateway, dial.timeout, dial.domain) == ("carrier", 12, "d.example")


def test_a_gateway_with_a_meaning_in_dial_strings_is_refused(project: Project) -> None:
    text = "targets:\n  t: {conf_dir: c, domain: d.example, dial: {gateway: 'a/b,c'}}\n"
    project.write("fsgitops.yaml", text)
    assert project.run("validate").code == 3


def test_an_agent_with_two_phones_gets_a_uuid_of_the_switch(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN, network_port=5070)
    board.add_registration("1020", DOMAIN, network_port=5071)
    placed = project.run("dial", "1020", "+18005551234", "--json").json()
    (call,) = project.run("calls", "--json").json()["calls"]
    assert placed["uuid"] == call["uuid"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["1999", "+18005551234"], 1, "no agent 1999 is declared"),
        (["1021", "+18005551234"], 1, "not registered"),
        (["1020", "911"], 64, "wrong length"),
        (["1020", "1021"], 1, "agent 1021 is not registered: no phone to connect with"),
        (["1020", "1999"], 1, "nothing that is declared has the extension 1999"),
        (["1020", "1020"], 64, "cannot be connected with the same extension"),
        (["1020", "+18005551234\nbgapi x"], 64, "is not a telephone number"),
        (["1020}", "+18005551234"], 64, "is no extension"),
    ],
)
def test_what_cannot_be_dialled_is_refused_and_written_down(
    project: Project, board: EmbeddedSwitch, words: list[str], code: int, said: str
) -> None:
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, caller_id_number: 1021"))
    if words[0] != "1021":
        board.add_registration("1020", DOMAIN)
    project.write("fsgitops.yaml", "default_region: US\ndefault_caller_id: +19495431334\n")
    ran = project.run("dial", *words)
    assert (ran.code, said in ran.err) == (code, True), ran.err
    assert project.run("calls").out == "No call is up.\n"
    ((action, subject, result),) = operations(project)
    assert (action, subject, said in result) == ("dial", words[0], True)


def test_a_disabled_agent_is_not_dialled(project: Project, board: EmbeddedSwitch) -> None:
    board.add_registration("1020", DOMAIN)
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("name: Alice", "name: Alice, enabled: false"))
    project.write("desired/routes.yaml", "did_routes: []\n")
    assert "disabled" in project.run("dial", "1020", "+18005551234").err


def test_an_agent_who_may_not_call_abroad_does_not(project: Project, board: EmbeddedSwitch) -> None:
    board.add_registration("1020", DOMAIN)
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("name: Alice", "name: Alice, toll_allow: local"))
    ran = project.run("dial", "1020", "+4930123456")
    assert (ran.code, "may not call +4930123456" in ran.err) == (1, True)
    assert project.run("dial", "1020", "+18005551234").code == 0


@pytest.mark.parametrize(
    ("number", "needed"),
    [
        ("+18765551234", "international"), ("+19005551234", "premium"),
        ("+870773111632", "satellite"),
    ],
)  # fmt: skip
def test_a_dear_number_needs_its_own_toll_class(
    project: Project, board: EmbeddedSwitch, number: str, needed: str
) -> None:
    board.add_registration("1020", DOMAIN)
    path = project.root / "desired" / "agents.yaml"
    text = path.read_text()
    others = {"local", "domestic", "international", "premium", "satellite"} - {needed}
    path.write_text(text.replace("name: Alice", f"name: Alice, toll_allow: {sorted(others)}"))
    ran = project.run("dial", "1020", number)
    assert (ran.code, f"it needs {needed}" in ran.err) == (1, True)
    path.write_text(text.replace("name: Alice", f"name: Alice, toll_allow: {needed}"))
    assert project.run("dial", "1020", number).code == 0


def test_an_agent_without_a_number_to_show_is_told_so(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1021", DOMAIN)
    ran = project.run("dial", "1021", "+18005551234")
    assert (ran.code, "no number to show for agent 1021" in ran.err) == (1, True)


def test_a_default_caller_id_that_is_an_extension_is_not_shown_outside(
    project: Project, board: EmbeddedSwitch
) -> None:
    project.write("fsgitops.yaml", 'default_region: US\ndefault_caller_id: "1020"\n')
    board.add_registration("1021", DOMAIN)
    ran = project.run("dial", "1021", "+18005551234")
    assert (ran.code, "no number to show" in ran.err) == (1, True)
