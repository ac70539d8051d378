"""Declaring the ring groups of a conf directory, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from handmade_trees import ansible, included
from test_import import TARGET, handmade, take_over
from test_import_routes import number, outcome

if TYPE_CHECKING:
    from project import Project

BOTH = "bridge user/1001@${domain_name},user/1002@$${domain}"


def dialplan(project: Project, *extensions: str, public: str = "") -> None:
    files = {"dialplan/default/30_groups.xml": included("".join(extensions))}
    if public:
        files["dialplan/public/10_numbers.xml"] = included(public)
    handmade(project, {**ansible(), **files})


def groups(project: Project) -> list[dict[str, Any]]:
    ran = project.run("import", *TARGET)
    assert ran.code == 0, ran.err
    assert project.run("validate", *TARGET).code == 0
    assert project.run("fmt", "--check").code == 0
    text = (project.root / "desired/ring_groups.yaml").read_text()
    items: list[dict[str, Any]] = yaml.load(text, yaml.BaseLoader)["ring_groups"]
    return items


def test_phones_that_ring_together_are_a_group(project: Project) -> None:
    actions = (
        "set call_timeout=25",
        "set continue_on_fail=true",
        BOTH,
        "transfer 1003 XML default",
    )
    dialplan(project, number("^(7001)$", *actions, name="Sales desk"))
    assert groups(project) == [
        {
            "name": "sales-desk",
            "extension": "7001",
            "members": [
                {"agent": "1001", "timeout": "25"},
                {"agent": "1002", "timeout": "25"},
            ],
            "fallback": "1003",
        }
    ]


def test_phones_that_ring_in_turn_are_a_group(project: Project) -> None:
    dialplan(project, number("^7001$", BOTH.replace(",", "|"), name="turn"))
    assert groups(project)[0]["strategy"] == "sequential"


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        (number("^(700[12])$", BOTH), "not dialled by one extension alone"),
        (number("^7001$", "answer", BOTH), "does not do this: answer"),
        (number("^7001$", "set ringback=%(1,2,3)", BOTH), "does not do this: set ringback"),
        (number("^7001$", BOTH + ",sofia/gateway/carrier/1"), "ring users of the domain alone"),
        (number("^7001$", BOTH + ",user/1099"), "rings 1099, which is not declared"),
        (number("^7001$", BOTH, "voicemail default x 1"), "when nobody answers"),
        (number("^7001$", BOTH, more=' continue="true"'), "asks for more"),
    ],
)
def test_what_no_group_can_say_is_left_with_the_reason(
    project: Project, extension: str, reason: str
) -> None:
    dialplan(project, extension)
    found = project.run("import", "--dry-run", "--json", *TARGET).json()["left"]
    assert [reason in one["reason"] for item in found for one in item["reasons"]] == [True]


def test_a_public_number_may_lead_to_a_group_and_calls_end_as_before(project: Project) -> None:
    actions = ("set domain_name=$${domain}", "transfer 7001 XML default")
    dialplan(
        project,
        number(
            "^7001$", "set hangup_after_bridge=true", BOTH.replace("${domain_name}", "$${domain}")
        ),
        public=number(r"^\+19495431333$", *actions),
    )
    before = [outcome(project, each) for each in ("7001", "+19495431333", "1001")]
    take_over(project)
    assert "No changes to files" in project.run("plan", *TARGET).out
    after = [outcome(project, each) for each in ("7001", "+19495431333", "1001")]
    assert [ends[0] for ends in after] == [ends[0] for ends in before]
