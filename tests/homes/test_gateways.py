"""Gateways of SIP profiles: how a switch is told of them, and what proves that it runs them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import builders
import pytest
from scripted_esl import connect_switch

from fsgitops.errors import SwitchError
from fsgitops.homes import gateways, home_of
from fsgitops.homes.gateways import GATEWAYS
from fsgitops.homes.home import Address, Doing
from fsgitops.homes.reload import plan_reloads, run_reloads, turn_round
from fsgitops.model.plan import Activity, Danger, ResourceActivity
from fsgitops.sandbox.leg import Leg
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.steps.needs import classify_change, find_dangers, find_disturbed
from fsgitops.steps.verify import Expected, verify_switch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsgitops.model.plan import Change
    from fsgitops.switch.client import Switch

ADDRESS = Address("d.example", "internal")
PATH = "sip_profiles/external/carrier.xml"


def xml(name: str = "carrier", **params: str) -> str:
    said = {"proxy": "sip.example.com", "register": "false"} | params
    lines = "".join(f'<param name="{key}" value="{text}"/>\n' for key, text in said.items())
    return f'<include>\n<gateway name="{name}">\n{lines}</gateway>\n</include>\n'


def change(action: str, name: str = "carrier", path: str = PATH) -> Change:
    return builders.change(action, f"gateway:{name}", path=path)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_skeleton(tmp_path / "conf", "d.example")
    return tmp_path / "conf"


@pytest.fixture
def embedded(conf: Path) -> Iterator[EmbeddedSwitch]:
    with EmbeddedSwitch(conf, "word") as one:
        yield one


@pytest.fixture
def switch(embedded: EmbeddedSwitch) -> Iterator[Switch]:
    with connect_switch(*embedded.address, "word") as connected:
        yield connected


def load(switch: Switch, *changes: Change) -> None:
    run_reloads(switch, plan_reloads(changes, ADDRESS), ADDRESS, timeout=5.0)


def mismatches(switch: Switch, files: dict[str, str], *changes: Change) -> list[str]:
    written = {path: text.encode() for path, text in files.items()}
    return [
        item.message
        for item in verify_switch(switch, Expected(written), changes, ADDRESS).mismatches
    ]


def test_its_files_lie_in_a_folder_for_each_profile() -> None:
    assert (home_of(PATH), GATEWAYS.place(PATH, ADDRESS)) == (GATEWAYS, "external")


def test_one_that_is_new_is_begun_by_a_rescan_of_its_profile() -> None:
    others = change("create", "other", "sip_profiles/internal/other.xml")
    steps = plan_reloads([change("create"), others], ADDRESS)
    assert [step.command for step in steps] == [
        "reloadxml",
        "sofia profile external rescan",
        "sofia profile internal rescan",
    ]


def test_one_that_changes_is_killed_before_and_one_that_is_deleted_is_killed_alone() -> None:
    kill, rescan = "sofia profile external killgw carrier", "sofia profile external rescan"
    told = [step.command for step in plan_reloads([change("update")], ADDRESS)]
    assert told == ["reloadxml", kill, rescan]
    told = [step.command for step in plan_reloads([change("delete")], ADDRESS)]
    assert told == ["reloadxml", kill]
    back = plan_reloads(turn_round([change("delete")]), ADDRESS)
    assert [step.command for step in back] == ["reloadxml", rescan]


def test_only_one_that_is_new_disturbs_nobody() -> None:
    assert classify_change(change("create")) == (Danger.RELOAD,)
    for action in ("update", "delete"):
        assert classify_change(change(action)) == (Danger.RELOAD, Danger.GATEWAY_RESTART)


def test_calls_over_it_go_on_and_need_no_permission_of_their_own(
    embedded: EmbeddedSwitch, switch: Switch
) -> None:
    embedded.memory.legs += [
        Leg("sofia/external/1", "outbound", "1", variables={"sip_gateway_name": "carrier"}),
        Leg("sofia/external/2", "inbound", "2", variables={"sip_gateway": "carrier"}),
        Leg("sofia/external/3", "inbound", "3", variables={"sip_gateway": "other"}),
        Leg("sofia/internal/4", "inbound", "4"),
    ]
    changed = replace(change("update"), dangers=classify_change(change("update")))
    plan = builders.plan(changed, reloads=plan_reloads([changed], ADDRESS))
    assert list(find_disturbed(plan)["gateways"]) == ["carrier"]
    doing = GATEWAYS.busy(switch, {"carrier": "carrier"}, ADDRESS)["carrier"]
    assert doing == Doing(registrations=0, calls=2)
    activity = Activity((ResourceActivity(changed.resource, *doing),))
    needs = {need.permission for need in find_dangers(replace(plan, activity=activity))}
    assert needs == {"reload", "gateway-restart"}


def test_it_is_proved_by_what_runs(conf: Path, switch: Switch) -> None:
    (conf / PATH).write_text(xml())
    load(switch, change("create"))
    assert mismatches(switch, {PATH: xml()}, change("create")) == []


def test_a_change_is_taken_once_the_former_one_has_left_the_list(
    conf: Path, switch: Switch
) -> None:
    (conf / PATH).write_text(xml())
    load(switch, change("create"))
    (conf / PATH).write_text(xml(realm="other.example.com"))
    load(switch, change("update"))
    found = switch.gateway("carrier")
    assert found
    assert found.realm == "other.example.com"
    assert [one.name for one in switch.gateways()] == ["carrier", "sandbox"]


def test_a_change_that_no_command_followed_is_not_proved(conf: Path, switch: Switch) -> None:
    """The XML in memory is new, and the gateway that runs is the former one."""
    (conf / PATH).write_text(xml())
    load(switch, change("create"))
    text = xml(realm="other.example.com")
    (conf / PATH).write_text(text)
    load(switch, change("create"))
    (told,) = mismatches(switch, {PATH: text}, change("update"))
    assert told == "realm: declared 'other.example.com', the gateway runs with 'sip.example.com'"


def test_what_no_command_shows_is_proved_by_the_event_that_it_began(
    conf: Path, switch: Switch
) -> None:
    text = xml(**{"auth-username": "one"})
    (conf / PATH).write_text(text)
    switch.session.api("sofia profile external rescan")
    text = xml(**{"auth-username": "two"})
    (conf / PATH).write_text(text)
    load(switch, change("create"))
    (told,) = mismatches(switch, {PATH: text}, change("create"))
    assert told.startswith("the switch kept the gateway of this name that ran before")


def test_one_that_the_profile_does_not_run_is_told(conf: Path, switch: Switch) -> None:
    text = xml(register="true")
    (conf / PATH).write_text(text)
    load(switch, change("create"))
    (told,) = mismatches(switch, {PATH: text}, change("create"))
    assert told.startswith("the profile external holds the gateway and does not run it")


def test_one_in_another_profile_is_not_taken_for_it(conf: Path, switch: Switch) -> None:
    other = "sip_profiles/other/carrier.xml"
    (conf / PATH).write_text(xml())
    load(switch, change("create"))
    (told,) = mismatches(switch, {other: xml()}, change("create", path=other))
    assert told == "the profile other of the switch does not hold this gateway"


def test_one_that_moves_to_another_profile_runs_there(conf: Path, switch: Switch) -> None:
    other = "sip_profiles/internal/carrier.xml"
    (conf / PATH).write_text(xml())
    load(switch, change("create"))
    (conf / PATH).rename((conf / other).parent.mkdir() or conf / other)
    moves = change("delete"), change("create", path=other)
    load(switch, *moves)
    assert [one.profile for one in switch.gateways()] == ["internal", "external"]
    assert mismatches(switch, {other: xml()}, *moves) == []


def test_one_that_is_deleted_and_runs_on_is_told(conf: Path, switch: Switch) -> None:
    (conf / PATH).write_text(xml())
    load(switch, change("create"))
    (conf / PATH).unlink()
    assert mismatches(switch, {}, change("delete")) == [GATEWAYS.still]
    switch.run("reloadxml", "reload")
    (told,) = mismatches(switch, {}, change("delete"))
    assert told == "deleted, but the switch still runs the gateway"
    load(switch, change("delete"))
    assert mismatches(switch, {}, change("delete")) == []


def test_one_that_never_leaves_the_list_is_not_waited_for_for_ever(
    conf: Path, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    (conf / PATH).write_text(xml())
    load(switch, change("create"))
    monkeypatch.setattr(gateways, "GONE_SECONDS", 0.0)
    monkeypatch.setattr(type(switch), "gateways", lambda _: (found,))
    found = switch.gateway("carrier")
    with pytest.raises(SwitchError, match="still lists these gateways: carrier"):
        load(switch, change("update"))
