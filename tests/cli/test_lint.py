"""Promises of `fsgitops lint`: built-in rules and the project's own, found and silenced alike."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from fsgitops.findings import Severity
from fsgitops.kinds.agent.noun import Agent
from fsgitops.model.reading import resource_of
from fsgitops.model.rule import Breach, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from project import Project

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds

POLICY = """\
rules:
  - name: office-has-mail
    kind: agent
    require: {email: {exists: true}}
    message: Everybody has an e-mail address
"""
LISTED = "policy: {entry_points: [house]}\n"


def no_bob(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    for item in desired.of(Agent):
        if item.name == "Bob":
            yield Breach(resource_of(item), ("name",), "no Bob here")


def broken(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    raise KeyError("oops")
    yield


HOUSE = (Rule("no-bob", Severity.WARNING, no_bob, "Nobody is called Bob.", fixed=True),)
BROKEN = Rule("broken", Severity.WARNING, broken, "Never works.")


def install(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    points = [EntryPoint("house", value, "fsgitops.rules")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)


def test_a_yaml_rule_is_reported_like_a_built_in_one(project: Project) -> None:
    project.write("policy/house.yaml", POLICY)
    ran = project.run("lint", "--json")
    assert ran.code == 3
    places = [(item["rule"], item["file"], item["line"]) for item in ran.json()["findings"]]
    assert places == [
        ("office-has-mail", "desired/agents.yaml", 2),
        ("office-has-mail", "desired/agents.yaml", 3),
    ]


def test_validate_and_plan_obey_the_same_rules(project: Project) -> None:
    project.write("policy/house.yaml", POLICY)
    assert project.run("validate").code == 3
    assert project.run("plan").code == 3


def test_an_own_rule_can_be_turned_down_in_the_settings(project: Project) -> None:
    project.write("policy/house.yaml", POLICY)
    project.write("fsgitops.yaml", "default_region: US\nrules: {office-has-mail: warning}\n")
    ran = project.run("lint")
    assert ran.code == 0
    assert "0 errors, 2 warnings" in ran.err
    assert project.run("lint", "--strict").code == 3


def test_an_own_rule_can_be_silenced_on_a_line(project: Project) -> None:
    project.write("policy/house.yaml", POLICY)
    project.write(
        "desired/agents.yaml",
        "agents:\n  # fsgitops: ignore[office-has-mail] because she has no computer\n"
        "  - {extension: 1020, name: Alice}\n",
    )
    assert project.run("lint").code == 0


def test_an_installed_rule_runs_only_when_the_settings_list_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "test_lint:HOUSE")
    assert project.run("lint").out == "Nothing found.\n"
    project.write("fsgitops.yaml", "default_region: US\n" + LISTED)
    assert "warning: no Bob here [no-bob]" in project.run("lint").err


def test_an_installed_rule_can_always_be_turned_off(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "test_lint:HOUSE")
    project.write("fsgitops.yaml", f"default_region: US\nrules: {{no-bob: off}}\n{LISTED}")
    assert project.run("lint").out == "Nothing found.\n"


def test_an_installed_rule_that_fails_is_named_and_nothing_passes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "test_lint:BROKEN")
    project.write("fsgitops.yaml", LISTED)
    ran = project.run("lint")
    assert ran.code == 1
    assert "`house, rule broken` failed: KeyError: 'oops'" in ran.err
    assert "Traceback" not in ran.err


def test_a_listed_entry_point_that_is_not_installed_is_a_finding(project: Project) -> None:
    project.write("fsgitops.yaml", "default_region: US\n" + LISTED)
    ran = project.run("validate")
    assert ran.code == 3
    assert "fsgitops.yaml:2:25: error: no installed package has" in ran.err


def test_all_rules_are_listed_with_their_level(project: Project) -> None:
    project.write("policy/house.yaml", POLICY)
    project.write("fsgitops.yaml", "rules: {many-agents: off}\n")
    ran = project.run("lint", "--rules", "--json")
    levels = {item["name"]: (item["level"], item["own"]) for item in ran.json()["rules"]}
    assert levels["many-agents"] == ("off", False)
    assert levels["office-has-mail"] == ("error", True)
    rows = [line.split() for line in project.run("lint", "--rules").out.splitlines()]
    assert ["duplicate-did", "error"] in [row[:2] for row in rows]
