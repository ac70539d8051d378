"""Ask the switch what the agents that a plan disturbs are doing now."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import SecretError, SwitchError
from fsgitops.model.plan import Activity, AgentActivity, Plan
from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fsgitops.settings import Target
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Channel

# `sofia/internal/1020@pbx.example.com`, with `sip:` before the user where the switch called it.
_LEG = re.compile(r"sofia/[^/]+/(?:sips?:)?([^@;]+)@")


def observe_plan(plan: Plan, target: Target, root: Path) -> Plan:
    """Return the plan with what its agents are doing, or why the switch could not be asked.

    A plan that disturbs nobody asks nothing. Never raises for a switch that cannot be asked: the
    plan is the same without it.
    """
    from fsgitops.live.connect import connect_target
    from fsgitops.steps.danger import find_disturbed

    if not find_disturbed(plan):
        return replace(plan, activity=Activity())
    try:
        with connect_target(target, root) as switch:
            return ask_activity(plan, switch, target)
    except (SwitchError, SecretError, OSError) as problem:
        return replace(plan, activity=Activity(problem=str(problem)))


def ask_activity(plan: Plan, switch: Switch, target: Target) -> Plan:
    """Return the plan with what its agents are doing now. Raises SwitchError."""
    from fsgitops.steps.danger import find_disturbed

    names = find_disturbed(plan)
    if not names:
        return replace(plan, activity=Activity())
    registered = Counter(
        item.user for item in switch.registrations(target.profile) if item.domain == target.domain
    )
    calls = count_legs(switch.channels(), set(names))
    agents = (
        AgentActivity(Resource("agent", name), registered[name], calls[name]) for name in names
    )
    return replace(plan, activity=Activity(tuple(agents)))


def count_legs(channels: Iterable[Channel], names: set[str]) -> Counter[str]:
    """Return how many legs each agent has a part in: it is called, calls, or is the leg's phone.

    A caller from outside can claim any number, so this may count too much and never too little.
    """
    legs: Counter[str] = Counter()
    for channel in channels:
        leg = _LEG.match(channel.name)
        parts = {channel.caller_number, channel.destination, leg[1] if leg else ""}
        legs.update(parts & names)
    return legs
