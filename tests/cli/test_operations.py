"""Live operations from the command line, on the embedded switch."""

from __future__ import annotations

import json
import re
import stat
from typing import TYPE_CHECKING

import pytest
from project import Project
from switchboard import DOMAIN, operations

if TYPE_CHECKING:
    from fsgitops.sandbox.switch import EmbeddedSwitch

GONE = "4c02599d-865c-42fd-9045-079b692658b0"


def test_hangup_ends_the_call_once(project: Project, board: EmbeddedSwitch) -> None:
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert project.run("hangup", uuid, "--json").json()["uuid"] == uuid
    ran = project.run("hangup", uuid)
    assert (ran.code, f"no call {uuid}" in ran.err) == (1, True)
    assert [item[2] for item in operations(project)] == ["done", f"failed: no call {uuid}"]


def test_transfer_goes_to_an_agent_a_declared_number_or_outside(
    project: Project, board: EmbeddedSwitch
) -> None:
    project.write("fsgitops.yaml", "default_region: US\ndefault_caller_id: +19495431334\n")
    board.add_registration("1021", DOMAIN)
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    for wanted, arrived, callee in (
        ("1021", "1021", "1021"),
        ("(949) 543-1334", "1021", "1021"),
        ("+18005559999", "+18005559999", "+18005559999"),
    ):
        ran = project.run("transfer", uuid, wanted, "--json")
        assert ran.json()["destination"] == arrived
        (call,) = project.run("calls", "--json").json()["calls"]
        assert (call["uuid"], call["callee"]) == (uuid, callee)


GROUP = """\
ring_groups:
  - {name: sales, extension: 7001, members: [1021]}
  - {name: off, extension: 7002, members: [1021], enabled: false}
did_routes:
  - {did_number: +19495431335, destination_extension: ring_group/sales}
"""


@pytest.mark.parametrize(
    ("wanted", "arrived"),
    [("7001", "7001"), ("ring_group/sales", "group_sales"), ("+19495431335", "group_sales")],
)
def test_a_ring_group_takes_a_call_once_the_switch_holds_it_and_somebody_is_there(
    project: Project, board: EmbeddedSwitch, wanted: str, arrived: str
) -> None:
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    project.write("desired/group.yaml", GROUP)
    ran = project.run("transfer", uuid, wanted)
    assert (ran.code, "ring group sales is not on the switch yet: apply first" in ran.err) == (1, 1)
    assert project.run("apply", "--yes").code == 0
    ran = project.run("transfer", uuid, wanted)
    assert (ran.code, "ring group sales rings nobody who is registered" in ran.err) == (1, True)
    board.add_registration("1021", DOMAIN)
    assert project.run("transfer", uuid, wanted, "--json").json()["destination"] == arrived


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("7002", "ring group off is declared, but disabled"),
        ("7003", "nothing that is declared has the extension 7003"),
        ("ring_group/nobody", "no ring group with the name 'nobody' is declared"),
        ("agent/1020\n", "no agent with the name '1020\\n' is declared"),
    ],
)
def test_what_takes_no_calls_is_called_by_its_kind(
    project: Project, board: EmbeddedSwitch, wanted: str, said: str
) -> None:
    board.add_registration("1020", DOMAIN)
    project.write("desired/group.yaml", GROUP)
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    for words in (("transfer", uuid, wanted), ("dial", "1020", wanted)):
        ran = project.run(*words)
        assert (ran.code, said in ran.err) == (1, True), ran.err
    assert len(project.run("calls", "--json").json()["calls"]) == 1


def test_an_agent_is_connected_with_a_ring_group(project: Project, board: EmbeddedSwitch) -> None:
    for extension in ("1020", "1021"):
        board.add_registration(extension, DOMAIN)
    project.write("desired/group.yaml", GROUP)
    refused = project.run("dial", "1020", "7001").err
    assert refused == "fsgitops: ring group sales is not on the switch yet: apply first\n"
    assert project.run("apply", "--yes").code == 0
    placed = project.run("dial", "1020", "7001", "--json").json()
    assert (placed["number"], placed["caller_id_number"], placed["gateway"]) == (
        "7001", "1020", None,
    )  # fmt: skip


@pytest.mark.parametrize("destination", ["1021", "(949) 543-1334"])
def test_a_transfer_to_an_agent_whom_nothing_reaches_leaves_the_call_where_it_is(
    project: Project, board: EmbeddedSwitch, destination: str
) -> None:
    project.write("fsgitops.yaml", "default_region: US\n")
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    before = project.run("calls", "--json").json()["calls"][0]["legs"]
    ran = project.run("transfer", uuid, destination)
    assert (ran.code, ran.err) == (
        1,
        "fsgitops: agent 1021 is not registered and has no mailbox: register a phone, or enable "
        "its `voicemail` and apply. The call stays where it is\n",
    )
    (call,) = project.run("calls", "--json").json()["calls"]
    assert [leg["uuid"] for leg in call["legs"]] == [leg["uuid"] for leg in before]
    assert operations(project)[-1][2].startswith("failed: agent 1021 is not registered")


@pytest.mark.parametrize("name", ["did/+19495431333", "+19495431333", "(949) 543-1333"])
def test_a_did_is_named_as_it_is_declared_and_leads_nowhere_once_it_is_disabled(
    project: Project, board: EmbeddedSwitch, name: str
) -> None:
    project.write("fsgitops.yaml", "default_region: US\n")
    board.add_registration("1020", DOMAIN)
    uuid, _ = board.add_call("+19495431334", "1021", DOMAIN, "+12025550123")
    assert project.run("transfer", uuid, name, "--json").json()["destination"] == "1020"
    path = next(
        one for one in (project.root / "desired").iterdir() if "+19495431333" in one.read_text()
    )
    path.write_text(re.sub(r"(did_number: \+19495431333)", r"\1, enabled: false", path.read_text()))
    ran = project.run("transfer", uuid, name)
    assert (ran.code, ran.err) == (
        1, "fsgitops: DID route +19495431333 is declared, but disabled\n",
    )  # fmt: skip


def test_who_a_did_leads_to_is_dialled_where_it_is_named(
    project: Project, board: EmbeddedSwitch
) -> None:
    for extension in ("1020", "1021"):
        board.add_registration(extension, DOMAIN)
    placed = project.run("dial", "1020", "did/+19495431334", "--json").json()
    assert (placed["number"], placed["gateway"]) == ("1021", None)


def test_a_mailbox_takes_a_transferred_call_once_it_is_applied(
    project: Project, board: EmbeddedSwitch
) -> None:
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, voicemail: true"))
    ran = project.run("transfer", uuid, "1021")
    assert (ran.code, "no mailbox on the switch yet" in ran.err) == (1, True), ran.err
    assert project.run("apply", "--yes").code == 0
    ran = project.run("transfer", uuid, "1021")
    assert ran.code == 0, ran.err


def test_an_agent_who_is_only_logged_in_by_mod_verto_is_reached(
    project: Project, board: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsgitops.sandbox import answers

    session = f"verto.rtc/u:{GONE}"
    monkeypatch.setitem(answers.COMMANDS, "verto_contact", lambda *_: session)
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert project.run("transfer", uuid, "1021").code == 0
    # The simulation carries no call to a session: what is refused here is not the agent.
    assert "not registered: no phone" not in project.run("dial", "1021", "1020").err


def test_a_transfer_takes_no_call_where_its_agent_may_not_call(
    project: Project, board: EmbeddedSwitch
) -> None:
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("name: Alice", "name: Alice, toll_allow: [local]"))
    project.write("fsgitops.yaml", "default_region: US\ndefault_caller_id: +19495431334\n")
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    ran = project.run("transfer", uuid, "+442079460000")
    assert (ran.code, "toll_allow" in ran.err) == (1, True)
    assert project.run("transfer", uuid, "+18005559999").code == 0


def test_the_leg_at_the_other_end_can_be_transferred(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN)
    board.add_registration("1021", DOMAIN)
    _, agents_leg = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert project.run("transfer", agents_leg, "1021", "--other-leg").code == 0
    (call,) = project.run("calls", "--json").json()["calls"]
    assert (call["caller"], call["agents"]) == ("+12025550123", ["1021"])


@pytest.mark.parametrize("destination", ["1999", "park", "&park()", "1021 XML public", "sofia/x"])
def test_a_transfer_to_what_is_neither_declared_nor_a_number_is_refused(
    project: Project, board: EmbeddedSwitch, destination: str
) -> None:
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert project.run("transfer", uuid, destination).code in (1, 64)
    assert project.run("calls", "--json").json()["calls"][0]["callee"] == "1020"


def test_kick_ends_every_registration_of_one_extension(
    project: Project, board: EmbeddedSwitch
) -> None:
    for port in (5070, 5071):
        board.add_registration("1999", DOMAIN, network_port=port)
    board.add_registration("1020", DOMAIN)
    assert project.run("kick", "1999").out == "Ended 2 registrations.\n"
    assert [item.user for item in board.registrations] == ["1020"]
    assert project.run("kick", "1020").code == 0
    assert project.run("kick", "1020", "--json").json()["ended"] == []


def test_kick_ends_the_mod_verto_sessions_as_well_and_counts_them(
    project: Project, board: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsgitops.sandbox import answers

    monkeypatch.setitem(answers.COMMANDS, "verto_contact", lambda *_: f"verto.rtc/u:{GONE}")
    monkeypatch.setitem(answers.COMMANDS, "verto", lambda *_: "+OK\n")
    assert project.run("kick", "1999").out == "Ended 0 registrations and 1 mod_verto session.\n"


NOBODY = "1999"


@pytest.mark.parametrize(
    "words",
    [
        ("kick", NOBODY), ("credentials", NOBODY), ("dial", NOBODY, "1020"),
        ("dial", "1020", NOBODY), ("status", NOBODY), ("hangup", GONE),
        ("transfer", GONE, "1020"), ("transfer", GONE, NOBODY),
    ],
)  # fmt: skip
def test_who_or_what_is_not_there_is_a_failure_and_a_malformed_word_is_wrong_usage(
    project: Project, board: EmbeddedSwitch, words: tuple[str, ...]
) -> None:
    board.add_registration("1020", DOMAIN)
    ran = project.run(*words)
    assert (ran.code, ran.out) == (1, ""), ran.err
    assert any(word in ran.err for word in (NOBODY, GONE))
    malformed = ["a b" if word in (NOBODY, GONE) else word for word in words]
    assert project.run(*malformed).code == 64


@pytest.mark.parametrize("word", ["@", "", "1020@x", "1020 reboot", "1020\nx", "_all_"])
def test_kick_takes_an_extension_and_nothing_else(
    project: Project, board: EmbeddedSwitch, word: str
) -> None:
    board.add_registration("1020", DOMAIN)
    assert project.run("kick", word).code == 64
    assert len(board.registrations) == 1


def test_the_audit_log_is_not_for_everybody(project: Project, board: EmbeddedSwitch) -> None:
    project.run("hangup", GONE)
    mode = (project.conf / ".fsgitops" / "audit.jsonl").stat().st_mode
    assert stat.S_IMODE(mode) & 0o137 == 0


def test_nothing_is_done_that_cannot_be_written_down(
    project: Project, board: EmbeddedSwitch
) -> None:
    uuid, _ = board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    place = project.conf / ".fsgitops" / "audit.jsonl"
    place.unlink(missing_ok=True)
    place.mkdir()
    ran = project.run("hangup", uuid)
    assert ran.code == 1
    assert "audit log" in ran.err
    assert len(project.run("calls", "--json").json()["calls"]) == 1


def test_an_operation_on_a_switch_that_is_away_fails_and_is_written_down(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "targets:\n  t: {conf_dir: c, domain: d.example, esl: {port: 1}}\n"
    project.write("fsgitops.yaml", text)
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "x")
    ran = project.run("hangup", GONE, "--target", "t")
    text = (project.root / ".fsgitops" / "audit.jsonl").read_text()
    intention, outcome = [json.loads(line)["result"] for line in text.splitlines()]
    assert (ran.code, intention) == (1, "intended")
    assert outcome.startswith("failed: 127.0.0.1:1")


def test_a_token_is_shown_once_and_kept_as_a_hash(project: Project) -> None:
    made = project.run("token", "new", "--name", "console", "--scope", "read", "--json").json()
    path = project.root / ".fsgitops" / "tokens.json"
    assert made["token"] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (listed,) = project.run("token", "list", "--json").json()["tokens"]
    assert (listed["id"], listed["scopes"]) == (made["id"], ["read"])
    assert project.run("token", "revoke", made["id"]).code == 0
    assert project.run("token", "list", "--json").json()["tokens"] == []
    assert project.run("token", "revoke", made["id"]).code == 1
