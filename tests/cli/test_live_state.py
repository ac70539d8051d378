"""What is on the embedded switch now, from the command line: status, registrations and calls."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from project import Project
from switchboard import DOMAIN

from fsgitops.model.wording import label_attribute

if TYPE_CHECKING:
    from fsgitops.sandbox.switch import EmbeddedSwitch


def test_status_tells_who_is_there_and_that_memory_matches(
    project: Project, board: EmbeddedSwitch
) -> None:
    board.add_registration("1020", DOMAIN)
    data = project.run("status", "--json").json()
    assert data["summary"] == {
        "agents": 2, "enabled": 2, "registered": 1, "on_call": 0, "not_as_declared": 0,
        "gateways": 0, "gateways_up": 0,
    }  # fmt: skip
    first, second = data["agents"]
    assert (first["extension"], first["registered"], first["memory"]) == ("1020", True, "match")
    assert first["phones"][0]["network_port"] == 5070
    assert (second["registered"], second["phones"]) == (False, [])


def test_status_without_the_key_passes_over_the_secrets(
    project: Project, board: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    assert project.run("status", "1020", "--json").json()["agents"][0]["memory"] == "match"


def test_status_names_what_the_switch_holds_otherwise(
    project: Project, board: EmbeddedSwitch
) -> None:
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "Alicia"))
    (found,) = project.run("status", "1020", "--json").json()["agents"]
    assert (found["memory"], found["differences"]) == (
        "differs", ["variable effective_caller_id_name"],
    )  # fmt: skip
    assert "1 agent differs on the switch" in project.run("status").out


def test_status_names_in_full_what_differs(project: Project, board: EmbeddedSwitch) -> None:
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "Alicia, groups: [night, sales]"))
    (found,) = project.run("status", "1020", "--json").json()["agents"]
    assert len(", ".join(found["differences"])) > 48
    labels = ", ".join(map(label_attribute, found["differences"]))
    assert f"differs: {labels}" in project.run("status", "1020").out
    assert "variable " not in labels


def test_status_tells_an_agent_that_was_never_applied_and_one_left_over(
    project: Project, board: EmbeddedSwitch
) -> None:
    project.write("desired/more.yaml", "agents:\n  - {extension: 1022, name: New}\n")
    agents = project.root / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, enabled: false"))
    routes = project.root / "desired" / "routes.yaml"
    routes.write_text(routes.read_text().replace("1021", "1020"))
    found = project.run("status", "1021", "1022", "--json").json()["agents"]
    assert [item["memory"] for item in found] == ["left over", "missing"]


def test_status_filters(project: Project, board: EmbeddedSwitch) -> None:
    board.add_registration("1020", DOMAIN)
    there = project.run("status", "--registered", "--json").json()["agents"]
    missing = project.run("status", "--missing", "--json").json()["agents"]
    assert [item["extension"] for item in there] == ["1020"]
    assert [item["extension"] for item in missing] == ["1021"]
    assert project.run("status", "--missing", "--registered").code == 64


def test_status_of_an_agent_that_is_not_declared_fails(
    project: Project, board: EmbeddedSwitch
) -> None:
    ran = project.run("status", "1999")
    assert (ran.code, "not declared: 1999" in ran.err) == (1, True)


def test_watch_shows_each_change(project: Project, board: EmbeddedSwitch) -> None:
    from fsgitops.commands.status import watch_status
    from fsgitops.workspace.open import open_workspace

    seen = watch_status(open_workspace(project.root), ["1020"])
    assert not next(seen).agents[0].phones
    board.add_registration("1020", DOMAIN)
    board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    (agent,) = next(seen).agents
    assert (len(agent.phones), len(agent.calls)) == (1, 1)


def test_watch_prints_a_line_of_json_each_time(
    project: Project, board: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = itertools.count()

    def pause(_seconds: float) -> None:
        if next(pauses) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("fsgitops.cli.watch.time.sleep", pause)
    ran = project.run("status", "--watch", "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, [line["format"] for line in lines]) == (130, ["fsgitops-status"] * 2)


def test_registrations_lists_phones_of_nobody_too(project: Project, board: EmbeddedSwitch) -> None:
    assert project.run("registrations").out == "No phone is registered.\n"
    board.add_registration("1999", DOMAIN)
    (found,) = project.run("registrations", "--json").json()["registrations"]
    assert (found["user"], found["domain"]) == ("1999", DOMAIN)
    assert f"1999@{DOMAIN}" in project.run("registrations").out


def test_calls_joins_the_legs_and_names_the_number_called(
    project: Project, board: EmbeddedSwitch
) -> None:
    assert project.run("calls").out == "No call is up.\n"
    board.add_call("+19495431333", "1020", DOMAIN, "+12025550123", "Eve")
    (call,) = project.run("calls", "--json").json()["calls"]
    assert (call["did"], call["agent"], call["caller"], len(call["legs"])) == (
        "+19495431333", "1020", "+12025550123", 2,
    )  # fmt: skip


def test_a_callers_name_moves_no_terminal(project: Project, board: EmbeddedSwitch) -> None:
    board.add_call("+19495431333", "1020", DOMAIN, "+12025550123", "Eve\x1b[2J\nnext")
    out = project.run("calls").out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


TRICK = "Eve \u202eecnanif\u202c\x1b[2J\u200b"


@pytest.mark.parametrize(
    "words",
    [["calls"], ["status"], ["registrations"]],
    ids=lambda words: words[0],
)
def test_neither_text_nor_json_lets_a_caller_act_on_the_terminal(
    project: Project, board: EmbeddedSwitch, words: list[str]
) -> None:
    board.add_call("+19495431333", "1020", DOMAIN, TRICK, TRICK)
    board.add_registration("1020", DOMAIN, contact=f"sip:{TRICK}@192.0.2.1")
    for more in ([], ["--json"]):
        ran = project.run(*words, *more)
        assert all(line.isprintable() for line in f"{ran.out}\n{ran.err}".split("\n"))
    assert TRICK in json.dumps(ran.json(), ensure_ascii=False).replace("\\u001b", "\x1b")
