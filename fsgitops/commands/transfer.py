"""`fsgitops transfer`: send one leg of a call elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsgitops.errors import NotPossibleError, NotThereError
from fsgitops.live.audit import audited
from fsgitops.live.calls import join_calls
from fsgitops.live.connect import connect_target
from fsgitops.live.roster import (
    Roster,
    check_gateway,
    check_toll,
    check_uuid,
    choose_caller_id,
    choose_gateway,
    find_agent,
    load_roster,
    read_number,
)
from fsgitops.model.reading import leads_to, name_of
from fsgitops.phone import is_extension
from fsgitops.switch.calls import Onward, ToExtension, ToNumber

if TYPE_CHECKING:
    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.model.noun import Noun
    from fsgitops.settings.shapes import Settings
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

AGENTS_CONTEXT = "default"
"""The context whose dialplan rings agents: what the compiled configuration writes to."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What somebody asked for; nothing in it is trusted."""

    uuid: str
    destination: str
    caller_id: str | None = None
    other_leg: bool = False


def run_transfer(workspace: Workspace, asked: Transfer) -> str:
    """Transfer a leg and write it down; return where it went, as E.164 or an extension.

    Raises UsageError, NotThereError, NotPossibleError, SwitchError.
    """
    wanted = asked.destination
    with audited(workspace, "transfer", asked.uuid, destination=wanted) as details:
        check_uuid(asked.uuid)
        roster = load_roster(workspace)
        with connect_target(workspace.target, workspace.root) as switch:
            where = move_call(switch, roster, workspace.settings, workspace.target, asked)
        details["destination"] = where
    return where


def move_call(
    switch: Switch, roster: Roster, settings: Settings, target: Target, asked: Transfer
) -> str:
    """Transfer a leg at a switch that is at hand; return where to. Raises as `run_transfer`."""
    onward = plan_transfer(roster, settings, target, asked)
    if isinstance(onward, ToNumber):
        _check_tolls(switch, roster, settings, target, asked.uuid, onward.number)
        check_gateway(switch, onward.gateway)  # a leg that was sent there would be lost
    else:
        _check_reached(switch, roster.agents[onward.destination], target.domain)
    if not switch.transfer(check_uuid(asked.uuid), onward, other_leg=asked.other_leg):
        raise NotThereError(f"no call {asked.uuid}")
    return onward.number if isinstance(onward, ToNumber) else onward.destination


def _check_reached(switch: Switch, agent: Agent, domain: str) -> None:
    """Refuse to send a call where neither a phone nor a mailbox takes it: it would be lost.

    The switch is asked for the mailbox, since what is declared may not be applied.
    """
    name = agent.extension
    if switch.count_phones(name, domain):
        return
    if switch.user_params_many([(name, domain, "var", "fsgitops_voicemail")]) == ["true"]:
        return
    lacks = "no mailbox: register a phone, or enable its `voicemail` and apply"
    if agent.voicemail.enabled:
        lacks = "no mailbox on the switch yet: register a phone, or apply first"
    raise NotPossibleError(
        f"agent {name} is not registered and has {lacks}. The call stays where it is"
    )


def _check_tolls(
    switch: Switch, roster: Roster, settings: Settings, target: Target, uuid: str, number: str
) -> None:
    """Refuse to take a call outside that none of its agents might have made there.

    A call without an agent in it, such as one at an IVR, is the operator's to decide on.
    """
    calls = join_calls(switch.channels(), roster, target.domain)
    names = next((call.agents for call in calls if uuid in {leg.uuid for leg in call.legs}), ())
    refusals: list[NotPossibleError] = []
    for name in names:
        try:
            check_toll(find_agent(roster, name), number, settings.default_region)
        except NotPossibleError as refusal:
            refusals.append(refusal)
        else:
            return
    if refusals:
        raise refusals[0]


def plan_transfer(roster: Roster, settings: Settings, target: Target, asked: Transfer) -> Onward:
    """Return where a leg is meant to go: a declared agent, a declared number's, or out."""
    if is_extension(asked.destination):
        agent = find_agent(roster, asked.destination)
        return ToExtension(agent.extension, AGENTS_CONTEXT)
    number = read_number(asked.destination, settings.default_region)
    route = roster.numbers.get(number)
    if route is not None and route.enabled:
        return _follow(roster, route)
    shown = choose_caller_id(roster, settings, asked.caller_id)
    return ToNumber(number, choose_gateway(target), shown)


def _follow(roster: Roster, route: Noun) -> ToExtension:
    """Return where a declared number leads."""
    [resource] = leads_to(route)
    if resource.kind == "agent":
        return ToExtension(find_agent(roster, resource.name).extension, AGENTS_CONTEXT)
    found = roster.reach(resource)
    if found is None:
        raise NotPossibleError(f"{name_of(route)} leads to {resource}, and no call gets there")
    return ToExtension(*found)
