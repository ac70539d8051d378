"""What people have to do because of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import builders
import pytest

from fsgitops.model.plan import (
    Action,
    Activity,
    AttributeChange,
    Baseline,
    Change,
    Plan,
    ResourceActivity,
)
from fsgitops.model.resource import Resource
from fsgitops.model.review import Review
from fsgitops.model.task import find_tasks
from fsgitops.steps.render_html import render_html
from fsgitops.steps.render_text import render_plan

if TYPE_CHECKING:
    from project import Project


def change(action: Action, name: str, *names: str, **more: object) -> Change:
    more = {"path": f"directory/default/{name}.xml", **more}
    return builders.change(action, f"agent:{name}", *map(builders.secret, names), **more)


def plan(*changes: Change, **more: object) -> Plan:
    return builders.plan(*changes, **more)


def told(given: Plan) -> list[str]:
    return [task.text for task in find_tasks(given)]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (
            change(Action.UPDATE, "1000", "param a1-hash"),
            "SIP password changes: give 1000 its new credentials; a phone with the old password is "
            "cut off when it registers again",
        ),
        (change(Action.DELETE, "1022"), "phone of 1022 will be cut off"),
        (
            change(Action.UPDATE, "1000", "param vm-a1-hash"),
            "voicemail PIN changes: tell 1000 its new PIN",
        ),
        (change(Action.CREATE, "1023"), "new: set up the phone of 1023 with its credentials"),
    ],
)
def test_a_change_of_an_agent_that_people_notice_is_told(what: Change, text: str) -> None:
    assert told(plan(what)) == [text]


def test_what_nobody_has_to_do_anything_about_is_not_told() -> None:
    route = builders.change("delete", "did:+19495431333")
    assert told(plan(change(Action.UPDATE, "1000", "variable callgroup"), route)) == []


def test_a_hash_in_place_of_a_password_is_not_said_to_be_of_another_one() -> None:
    adopted = builders.change(
        "update", "agent:1000",
        AttributeChange("param a1-hash", None, "(secret)", secret=True),
        AttributeChange("param password", "(secret)", None, secret=True),
        AttributeChange("param vm-password", "(secret)", None, secret=True),
        path="directory/default/1000.xml",
    )  # fmt: skip
    assert told(plan(adopted)) == [
        "SIP password of 1000 is replaced by a hash: give 1000 its credentials, unless the "
        "password stays the same"
    ]


def test_a_rename_is_told_once_with_both_numbers() -> None:
    before, after = Resource("agent", "1020"), Resource("agent", "2020")
    halves = (
        change(Action.DELETE, "1020", renamed_to=after),
        change(Action.CREATE, "2020", renamed_from=before),
    )
    assert told(plan(*halves)) == [
        "extension changes: 1020 -> 2020; its phone will be cut off: give it the credentials of "
        "the new extension"
    ]


def test_a_phone_that_is_known_not_to_be_registered_is_not_said_to_be_cut_off() -> None:
    deleted = change(Action.DELETE, "1022")
    silent = Activity((ResourceActivity(deleted.resource),))
    assert told(plan(deleted, activity=silent)) == [
        "phone of 1022 can no longer register; none is registered now"
    ]
    unknown = Activity(problem="no route")
    assert told(plan(deleted, activity=unknown)) == ["phone of 1022 will be cut off"]


def test_without_the_key_no_password_is_said_to_change() -> None:
    what = change(Action.UPDATE, "1000", "param a1-hash", "param vm-a1-hash")
    assert told(plan(what, unknown_secrets=True)) == [
        "no project key here: the SIP password of 1000 may change"
    ]


def test_phones_that_are_kicked_are_cut_off_at_once() -> None:
    what = change(Action.UPDATE, "1000", "param a1-hash")
    assert "cut off at once" in told(plan(what, kick_rotated=True))[0]


def test_a_roll_back_brings_back_credentials_that_are_not_the_declared_ones() -> None:
    what = change(Action.UPDATE, "1000", "param a1-hash")
    assert "give 1000 its earlier credentials" in told(plan(what, baseline=Baseline.EARLIER))[0]


def test_what_was_deleted_earlier_and_is_loaded_now_is_told_too() -> None:
    assert told(plan(unloaded=(change(Action.DELETE, "1022"),))) == [
        "phone of 1022 will be cut off"
    ]


def test_many_agents_are_one_sentence_and_all_of_them_are_in_the_data() -> None:
    changes = [change(Action.DELETE, str(1000 + at)) for at in range(12)]
    (task,) = find_tasks(plan(*changes))
    assert len(task.agents) == 12
    assert task.text.startswith("phones of 1000, 1001, ")
    assert task.text.endswith("1009 and 2 more will be cut off")


def test_an_agent_whose_file_was_deleted_comes_back_with_its_earlier_credentials() -> None:
    what = change(Action.CREATE, "1021", drifted=True, restored=True)
    assert told(plan(what)) == ["back again: 1021, with its earlier credentials"]
    other = change(Action.CREATE, "1021", drifted=True)
    assert told(plan(other)) == [
        "back again: 1021, not as last applied: give 1021 its credentials, unless they stayed the "
        "same"
    ]


def test_everybody_is_named_where_nothing_is_to_be_left_out() -> None:
    rotated = [change(Action.UPDATE, str(1000 + at), "param a1-hash") for at in range(31)]
    assert "1009 and 21 more" in told(plan(*rotated))[0]
    [task] = find_tasks(plan(*rotated), full=True)
    assert all(str(1000 + at) in task.text for at in range(31))
    lines = "\n".join(line.text for line in render_plan(plan(*rotated), full=True))
    for shown in (lines, render_html(Review("plan", "s", (), plan(*rotated)))):
        assert "1029 and 1030 their new credentials" in shown


def test_a_phone_file_that_was_deleted_is_no_new_agent_in_a_plan(project: Project) -> None:
    project.prepare("apply", "--yes")
    [file] = project.root.glob(".fsgitops/sandbox/**/directory/**/1021.xml")
    file.unlink()
    assert "back again: 1021, with its earlier credentials" in project.run("plan").out
    agents = (project.root / "desired/agents.yaml").read_text()
    project.write("desired/agents.yaml", agents.replace("name: Bob", "name: Robert"))
    assert "back again: 1021, not as last applied" in project.run("plan").out
