"""What a change can cost, and which permissions a plan needs."""

from __future__ import annotations

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.homes.home import Address
from fsgitops.homes.reload import plan_reloads
from fsgitops.model.plan import (
    Action,
    Activity,
    Change,
    Danger,
    Limits,
    Plan,
    ResourceActivity,
)
from fsgitops.model.resource import Resource
from fsgitops.steps.needs import (
    classify_change,
    classify_changes,
    find_dangers,
    find_disturbed,
    find_excess,
)

AGENT = Resource("agent", "1020")
ROUTE = Resource("did", "+19495431333")


def change(action: Action, resource: Resource, *names: str) -> Change:
    folder = "directory/default" if resource.kind == "agent" else "dialplan/public"
    attributes = (builders.attribute(name, "a", "b") for name in names)
    return builders.change(action, resource, *attributes, path=f"{folder}/x.xml")


def plan(*changes: Change, kick_rotated: bool = False, **more: object) -> Plan:
    steps = plan_reloads(changes, Address("d", "internal"), kick_rotated=kick_rotated)
    return builders.plan(*classify_changes(changes), reloads=steps, **more)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (change(Action.CREATE, AGENT, "param a1-hash"), "reload"),
        (change(Action.UPDATE, AGENT, "variable callgroup"), "reload"),
        (change(Action.UPDATE, AGENT, "param a1-hash"), "reload registration"),
        (change(Action.DELETE, AGENT), "reload registration"),
        (change(Action.DELETE, ROUTE), "reload"),
        (change(Action.UPDATE, AGENT, "protect"), "nothing"),
        (change(Action.UPDATE, AGENT, "protect", "variable callgroup"), "reload"),
    ],
)
def test_a_change_costs(what, expected):
    assert " ".join(classify_change(what)) == expected


def test_what_costs_nothing_needs_no_permission():
    assert find_dangers(plan(change(Action.UPDATE, AGENT, "protect"))) == []


def test_a_deletion_needs_the_permission_for_registrations_while_nobody_knows():
    needs = find_dangers(plan(change(Action.DELETE, AGENT)))
    assert [need.permission for need in needs] == ["reload", "registration"]


@pytest.mark.parametrize(
    ("registrations", "calls", "expected"),
    [(0, 0, ["reload"]), (1, 0, ["reload", "registration"]), (0, 2, ["reload", "calls"]),
     (1, 1, ["reload", "registration", "calls"])],
)  # fmt: skip
def test_a_deletion_needs_what_the_agent_would_lose_now(registrations, calls, expected):
    seen = Activity((ResourceActivity(AGENT, registrations, calls),))
    needs = find_dangers(plan(change(Action.DELETE, AGENT), activity=seen))
    assert [need.permission for need in needs] == expected


def test_a_switch_that_could_not_be_asked_says_nothing_of_anybody():
    needs = find_dangers(plan(change(Action.DELETE, AGENT), activity=Activity(problem="gone")))
    assert Danger.REGISTRATION in [need.permission for need in needs]


def test_rotated_agents_are_asked_about_only_when_they_are_kicked():
    rotated = change(Action.UPDATE, AGENT, "param a1-hash")
    assert find_disturbed(plan(rotated)) == {}
    [(home, disturbed)] = find_disturbed(plan(rotated, kick_rotated=True)).items()
    assert (home, disturbed["1020"].resource) == ("directory", AGENT)


def test_a_class_names_three_and_counts_the_rest():
    deleted = (change(Action.DELETE, Resource("agent", str(1000 + n))) for n in range(9))
    because = find_dangers(plan(*deleted))[1].because
    assert because.endswith("agent:1000, agent:1001, agent:1002 and 6 more")


def permissions(*, managed=100, deletes=0, updates=0, declared=1, limits=None) -> list[str]:
    needs = find_excess(
        managed=managed,
        deletes=deletes,
        updates=updates,
        declared=declared,
        limits=limits or Limits(),
    )
    return [need.permission for need in needs]


@pytest.mark.parametrize(
    ("managed", "deletes", "updates", "expected"),
    [
        (100, 30, 50, []),
        (100, 31, 0, ["deletes"]),
        (100, 0, 51, ["updates"]),
        (100, 31, 51, ["deletes", "updates"]),
        (10, 4, 0, ["deletes"]),
        (9, 9, 9, []),
        (0, 0, 0, []),
    ],
)
def test_the_share_decides_once_there_are_enough(managed, deletes, updates, expected):
    assert permissions(managed=managed, deletes=deletes, updates=updates) == expected


def test_nothing_declared_needs_a_permission_however_little_is_managed():
    assert permissions(managed=1, deletes=1, declared=0) == ["empty"]


def test_nothing_declared_and_nothing_managed_is_fine():
    assert permissions(managed=0, declared=0) == []


def test_a_share_of_exactly_the_limit_is_allowed_whatever_floats_make_of_it():
    limits = Limits(deletes_percent=0.7, minimum=1)
    assert permissions(managed=1000, deletes=7, limits=limits) == []
    assert permissions(managed=1000, deletes=8, limits=limits) == ["deletes"]


def test_the_reason_tells_numbers_and_the_limit():
    (need,) = find_excess(managed=20, deletes=12, updates=0, declared=8, limits=Limits())
    assert need.because == (
        "12 of 20 managed resources would be deleted (60%), more than the 30% allowed"
    )


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 100), st.integers(0, 10**6))
def test_a_larger_plan_never_needs_less(managed, deletes, percent, more):
    limits = Limits(deletes_percent=percent, minimum=0)
    small = permissions(managed=managed, deletes=deletes, limits=limits)
    large = permissions(managed=managed, deletes=deletes + more, limits=limits)
    assert set(small) <= set(large)
