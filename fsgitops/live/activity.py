"""Ask the switch what those whom a plan disturbs are doing now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import SecretError, SwitchError
from fsgitops.homes import HOMES
from fsgitops.live.connect import address_of, connect_target
from fsgitops.model.plan import Activity, Plan, ResourceActivity
from fsgitops.steps.needs import find_disturbed

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch


def observe_plan(plan: Plan, target: Target, root: Path) -> Plan:
    """Return the plan with what those it disturbs are doing, or why that is not known.

    A plan that disturbs nobody asks nothing. Never raises for a switch that cannot be asked: the
    plan is the same without it.
    """
    if not find_disturbed(plan):
        return replace(plan, activity=Activity())
    try:
        with connect_target(target, root) as switch:
            return ask_activity(plan, switch, target)
    except (SwitchError, SecretError, OSError) as problem:
        return replace(plan, activity=Activity(problem=str(problem)))


def ask_activity(plan: Plan, switch: Switch, target: Target) -> Plan:
    """Return the plan with what those whom it disturbs are doing now. Raises SwitchError."""
    disturbed = find_disturbed(plan)
    address = address_of(target)
    agents = [
        ResourceActivity(resources[name], *doing)
        for home in HOMES
        if (resources := disturbed.get(home.name))
        for name, doing in home.busy(switch, resources, address).items()
    ]
    return replace(plan, activity=Activity(tuple(agents)))
