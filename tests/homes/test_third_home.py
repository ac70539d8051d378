"""A home that nobody planned for: one value, and one line in the table."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import builders
import pytest
from scripted_esl import connect_switch

from fsgitops import homes
from fsgitops.errors import SwitchError
from fsgitops.homes.home import Address, Home, Located
from fsgitops.homes.reload import end_rest, plan_reloads, turn_round
from fsgitops.model.plan import Action, Danger, ReloadStep
from fsgitops.routing.fragment import flatten_element
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.steps.needs import classify_change, find_disturbed
from fsgitops.steps.verify import Expected, verify_switch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fsgitops.homes.home import Flat
    from fsgitops.model.plan import Change

ADDRESS = Address("d.example", "internal")
PATH = "ivr_menus/main.xml"
MENU = """\
<include>
<menu name="main"><entry action="menu-top" digits="{digits}"/></menu>
</include>
"""
IVR = """\
<include>
  <configuration name="ivr.conf">
    <menus>
      <X-PRE-PROCESS cmd="include" data="../ivr_menus/*.xml"/>
    </menus>
  </configuration>
</include>
"""


def inside(root: Any) -> Iterator[tuple[str, Any]]:
    for menu in root.find("menus").iterchildren("menu"):
        yield menu.get("name"), menu


def split(said: Flat) -> tuple[dict[str, Flat], Flat]:
    menus: dict[str, dict[str, str]] = {}
    for key, value in said.items():
        menus.setdefault(key.split("/")[0].removeprefix("menu "), {})[key] = value
    return dict(menus), {}


def load(changes: Sequence[Change], _address: Address) -> tuple[ReloadStep, ...]:
    return tuple(
        ReloadStep(f"menu forget {change.resource.name}", "callers hear the old one", of=("main",))
        for change in changes
        if change.action is not Action.CREATE
    )


MENUS = Home(
    name="menus",
    paths=("ivr_menus/*.xml",),
    section="configuration",
    element="menu",
    folders=lambda _: ("ivr_menus",),
    locate=lambda *_: Located("configuration", "ivr.conf"),
    inside=inside,
    flatten=flatten_element,
    split=split,
    missing="the switch does not hold this menu",
    still="deleted, but the switch still holds the menu",
    qualified=True,
    cost=lambda _: (Danger.RELOAD, Danger.CALLS),
    load=load,
)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the line to the table, for all who have read it."""
    there = (*homes.HOMES, MENUS)
    for name, module in list(sys.modules.items()):
        if name.startswith("fsgitops.") and hasattr(module, "HOMES"):
            monkeypatch.setattr(module, "HOMES", there)


def change(action: str) -> Change:
    return builders.change(action, "menu:main", path=PATH)


def test_its_files_are_found() -> None:
    assert homes.home_of(PATH) is MENUS


def test_its_steps_are_planned_and_turned_round() -> None:
    steps = [step.command for step in plan_reloads([change("delete")], ADDRESS)]
    assert steps == ["reloadxml", "menu forget main"]
    back = plan_reloads(turn_round([change("delete")]), ADDRESS)
    assert [step.command for step in back] == ["reloadxml"]


def test_its_changes_cost_what_it_says_and_disturb_whom_its_steps_name() -> None:
    assert classify_change(change("update")) == (Danger.RELOAD, Danger.CALLS)
    plan = builders.plan(change("update"), reloads=plan_reloads([change("update")], ADDRESS))
    found = find_disturbed(plan)
    assert {home: list(named) for home, named in found.items()} == {"menus": ["main"]}


def test_what_it_finishes_with_is_sent_as_it_is_printed(tmp_path: Path) -> None:
    write_skeleton(tmp_path / "conf", "d.example")
    late = [ReloadStep("xml_flush_cache", "menus are cached", home="menus", late=True)]
    refused = [replace(late[0], command="menu forget main")]
    with (
        EmbeddedSwitch(tmp_path / "conf", "word") as running,
        connect_switch(*running.address, "word") as one,
    ):
        assert end_rest(one, late, ADDRESS).left == frozenset()
        with pytest.raises(SwitchError, match="menu forget main"):
            end_rest(one, refused, ADDRESS)


def test_its_elements_are_read_back(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    write_skeleton(conf, "d.example")
    (conf / "autoload_configs/ivr.conf.xml").write_text(IVR)
    (conf / "ivr_menus").mkdir()
    (conf / PATH).write_text(MENU.format(digits="1"))
    said = {PATH: MENU.format(digits="1").encode()}
    other = {PATH: MENU.format(digits="2").encode()}
    with EmbeddedSwitch(conf, "word") as running, connect_switch(*running.address, "word") as one:
        proof = verify_switch(one, Expected(said), [change("create")], ADDRESS)
        assert (proof.mismatches, proof.held.proved) == ((), {"menu": 1})
        found = verify_switch(one, Expected(other), [change("update")], ADDRESS).mismatches
        assert "declared '2', the switch holds '1'" in found[0].message
        left = verify_switch(one, Expected({}, said), [change("delete")], ADDRESS).mismatches
    assert [item.message for item in left] == [MENUS.still]
