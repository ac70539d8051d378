"""`fsgitops dial` and `transfer`: ring an agent and connect them; send a leg elsewhere."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fsgitops.errors import NotPossibleError, NotThereError, SwitchError, UsageError
from fsgitops.homes.compare import Memory
from fsgitops.homes.dialplan import DIALPLAN
from fsgitops.kinds.agent.noun import Agent
from fsgitops.live.audit import audited
from fsgitops.live.calls import join_calls
from fsgitops.live.connect import address_of, connect_target
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
from fsgitops.model.reading import leads_to, references, resource_of
from fsgitops.model.resource import Resource
from fsgitops.switch.calls import (
    CallRefusedError,
    Dial,
    Leg,
    Legs,
    Onward,
    ToExtension,
    ToNumber,
    follow,
    originate,
    plain_name,
)

if TYPE_CHECKING:
    from fsgitops.model.kind import Kind
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace


PATIENCE = 1.0
"""How long an operation waits for a refusal, in seconds: one that comes, comes at once."""

MAX_RING_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed, or a front end sent; nothing in it is trusted."""

    extension: str
    number: str
    caller_id: str | None = None
    timeout: int | None = None


@dataclass(frozen=True, slots=True)
class Dialled:
    """A call under way; `answered` tells whether the agent has picked up already.

    `uuid` is None while several phones of the agent ring: whichever is picked up gives its own.
    `legs` is what became of both, where that was waited for.
    """

    dial: Dial
    uuid: str | None
    answered: bool
    legs: Legs | None = None

    @property
    def state(self) -> str:
        """How far the call is: `ringing`, `answered` (by the agent), `connected`, or `failed`."""
        if self.legs is None:
            return "answered" if self.answered else "ringing"
        if self.legs.joined:
            return "connected"
        last = self.legs.far if self.legs.called else self.legs.agent
        if last.cause is not None:
            return "failed"
        return "answered" if self.legs.called else "ringing"

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        legs = self.legs
        return {
            "uuid": self.uuid,
            "state": self.state,
            "extension": self.dial.extension,
            "number": self.dial.number,
            "caller_id_number": self.dial.caller_number,
            "caller_id_name": self.dial.caller_name,
            "gateway": self.dial.gateway,
            "timeout": self.dial.timeout,
            "legs": legs
            and {
                "agent": asdict(legs.agent),
                "destination": {"called": legs.called, **asdict(legs.far)},
            },
        }


class NotConnectedError(SwitchError):
    """A call that was placed, and that not both have answered. Its text tells who did not."""

    def __init__(self, dialled: Dialled) -> None:
        super().__init__(describe_failure(dialled))
        self.dialled = dialled


def describe_failure(dialled: Dialled) -> str:
    """Return who did not answer, with FreeSWITCH's name of the cause."""
    dial, legs = dialled.dial, dialled.legs
    if legs is None or not legs.called:
        cause = legs.agent.cause if legs else None
        said = f"did not answer: {cause}" if cause else "has not answered yet; the phone rings on"
        return f"agent {dial.extension} {said}; {dial.number} was not called"
    if legs.far.cause:
        return f"agent {dial.extension} answered; {dial.number} did not: {legs.far.cause}"
    return f"agent {dial.extension} answered; {dial.number} has not yet, and the call goes on"


def run_dial(workspace: Workspace, asked: Asked, *, wait: bool = False) -> Dialled:
    """Place a call and write it down; with `wait`, until both have answered or one has not.

    Raises UsageError for what cannot be dialled; NotPossibleError for an agent who cannot be rung,
    and a gateway that takes no call, before any phone rings; NotConnectedError with the cause.
    """
    with audited(workspace, "dial", asked.extension, number=asked.number) as details:
        roster = load_roster(workspace)
        with connect_target(workspace.target, workspace.root) as switch:
            return place_call(switch, roster, workspace, asked, details, wait=wait)


def place_call(
    switch: Switch,
    roster: Roster,
    workspace: Workspace,
    asked: Asked,
    details: dict[str, str],
    *,
    wait: bool,
) -> Dialled:
    """Place a call at a switch that is at hand. Raises as `run_dial`.

    What the audit log keeps of it is added to `details`, however it ended.
    """
    dial = plan_dial(roster, workspace, asked)
    phones = switch.count_phones(dial.extension, dial.domain)
    if not phones:
        raise NotPossibleError(f"agent {dial.extension} is not registered: no phone to ring")
    if dial.gateway is not None:
        check_gateway(switch, dial.gateway)
    elif dial.context is not None:
        _check_reached(switch, roster, workspace, asked.number)
    elif not switch.count_phones(dial.number, dial.domain):
        raise NotPossibleError(f"agent {dial.number} is not registered: no phone to connect with")
    if phones > 1:
        # Each phone is a leg, and FreeSWITCH makes only one leg of a uuid: the second phone would
        # stay silent ("Duplicate UUID!", switch_core_session_request_uuid).
        dial = replace(dial, uuid=None)
    dialled = _ring(switch, dial, wait=wait)
    details |= {"number": dial.number, "caller_id": dial.caller_number}
    details |= {"gateway": dial.gateway} if dial.gateway else {}
    details |= {"uuid": dialled.uuid} if dialled.uuid else {}
    if dialled.legs and not dialled.legs.joined:
        raise NotConnectedError(dialled)
    return dialled


def _ring(switch: Switch, dial: Dial, *, wait: bool) -> Dialled:
    """Begin the call; what became of its legs is told for one that was waited for or refused."""
    if wait:
        dial = replace(dial, mark=str(uuid.uuid4()))
        legs = follow(switch.session, dial, dial.timeout + PATIENCE)
        return Dialled(dial, legs.agent.uuid, answered=legs.called, legs=legs)
    try:
        found = originate(switch.session, dial, PATIENCE)
    except CallRefusedError as refused:
        legs = Legs(Leg(cause=refused.cause, uuid=dial.uuid))
        return Dialled(dial, dial.uuid, answered=False, legs=legs)
    return Dialled(dial, found or dial.uuid, answered=found is not None)


def plan_dial(roster: Roster, workspace: Workspace, asked: Asked) -> Dial:
    """Return the call that is meant, each part checked. Raises UsageError, NotPossibleError."""
    settings, target = workspace.settings, workspace.target
    agent = find_agent(roster, asked.extension)
    number, gateway, context, shown = _plan_far_end(roster, workspace, asked, agent)
    timeout = target.dial.timeout if asked.timeout is None else asked.timeout
    if not 1 <= timeout <= MAX_RING_SECONDS:
        raise UsageError(f"a phone may ring from 1 to {MAX_RING_SECONDS} seconds, not {timeout}")
    name = agent.caller_id_name or settings.default_caller_name or agent.name
    return Dial(
        uuid=str(uuid.uuid4()),
        extension=agent.extension,
        domain=target.domain,
        number=number,
        gateway=gateway,
        context=context,
        caller_number=shown,
        caller_name=plain_name(name),
        timeout=timeout,
        transfers=target.places.transfers,
    )


def _plan_far_end(
    roster: Roster, workspace: Workspace, asked: Asked, agent: Agent
) -> tuple[str, str | None, str | None, str]:
    """Return who is called, by which gateway or in which context, and which number is shown.

    An agent is rung without either.
    """
    settings = workspace.settings
    if (found := roster.find(asked.number)) is not None:
        resource = _lead_on(roster, found)
        there = _lead(roster, resource, asked.number)
        told = f"{roster.kinds[resource.kind].told} {resource.name}"
        if resource == resource_of(agent):
            raise UsageError(f"{told} cannot be connected with the same extension")
        if asked.caller_id is not None:
            raise UsageError(f"{told} is shown the extension: no caller ID can be chosen")
        rung = resource.kind == agent.kind
        return there.destination, None, None if rung else there.context, agent.extension
    number = read_number(asked.number, settings.default_region)
    check_toll(agent, number, settings.default_region)
    shown = choose_caller_id(roster, settings, asked.caller_id, agent)
    return number, choose_gateway(workspace.target), None, shown


@dataclass(frozen=True, slots=True)
class Transfer:
    """What somebody asked for; nothing in it is trusted."""

    uuid: str
    destination: str
    caller_id: str | None = None
    other_leg: bool = False


def run_transfer(workspace: Workspace, asked: Transfer) -> str:
    """Transfer a leg and write it down; return where it went: as E.164, or what is dialled.

    Raises UsageError, NotThereError, NotPossibleError, SwitchError.
    """
    wanted = asked.destination
    with audited(workspace, "transfer", asked.uuid, destination=wanted) as details:
        check_uuid(asked.uuid)
        roster = load_roster(workspace)
        with connect_target(workspace.target, workspace.root) as switch:
            details["destination"] = move_call(switch, roster, workspace, asked)
    return details["destination"]


def move_call(switch: Switch, roster: Roster, workspace: Workspace, asked: Transfer) -> str:
    """Transfer a leg at a switch that is at hand; return where to. Raises as `run_transfer`."""
    onward = plan_transfer(roster, workspace, asked)
    if isinstance(onward, ToNumber):
        _check_tolls(switch, roster, workspace, asked.uuid, onward.number)
        check_gateway(switch, onward.gateway)  # a leg that was sent there would be lost
    else:
        stays = ". The call stays where it is"
        _check_reached(switch, roster, workspace, asked.destination, stays)
    if not switch.transfer(check_uuid(asked.uuid), onward, other_leg=asked.other_leg):
        raise NotThereError(f"no call {asked.uuid}")
    return onward.number if isinstance(onward, ToNumber) else onward.destination


def _check_reached(
    switch: Switch, roster: Roster, workspace: Workspace, text: str, then: str = ""
) -> None:
    """Refuse to send a call where nothing takes it: it would be lost. `then` ends the message.

    The switch is asked, since what is declared may not be applied.
    """
    target = workspace.target
    resource = find_destination(roster, text, workspace.settings.default_region)
    assert isinstance(resource, Resource)
    kind, noun = roster.kinds[resource.kind], roster.desired.get(resource)
    if not (isinstance(noun, Agent) or _is_held(switch, kind, resource, roster, target)):
        lacks = "is not on the switch yet: apply first"
    elif _is_taken(switch, roster, target.domain, resource, set()):
        return
    elif not isinstance(noun, Agent):
        lacks = "rings nobody who is registered or has a mailbox"
    elif noun.voicemail.enabled:
        lacks = "is not registered and has no mailbox on the switch yet: register a phone, or apply"
        lacks += " first"
    else:
        lacks = "is not registered and has no mailbox: register a phone, or enable its `voicemail`"
        lacks += " and apply"
    raise NotPossibleError(f"{kind.told} {resource.name} {lacks}{then}")


def _is_held(
    switch: Switch, kind: Kind[Any], resource: Resource, roster: Roster, target: Target
) -> bool:
    """Tell whether the loaded dialplan has a resource, where calls to it go."""
    place = roster.reach(resource).context
    held = Memory(switch, address_of(target)).of_place(DIALPLAN, place)
    ours = (kind.ours(place, name, partial(held.get, name)) for name in held.names())
    return any(left is not None and left.name == resource.name for left in ours)


def _is_taken(
    switch: Switch, roster: Roster, domain: str, resource: Resource, seen: set[Resource]
) -> bool:
    """Tell whether a phone or a mailbox takes a call, or, in a group, that of anybody it rings."""
    noun, name = roster.desired.get(resource), resource.name
    if isinstance(noun, Agent):
        return bool(
            switch.count_phones(name, domain)
            or switch.user_params_many([(name, domain, "var", "fsgitops_voicemail")]) == ["true"]
        )
    if noun is None or resource in seen:
        return False
    seen.add(resource)
    found = list(references(noun))
    return not any(item.mark.does == "rings" for item in found) or any(
        _is_taken(switch, roster, domain, item.resource, seen) for item in found
    )


def _check_tolls(
    switch: Switch, roster: Roster, workspace: Workspace, uuid: str, number: str
) -> None:
    """Refuse to take a call outside that none of its agents might have made there.

    A call without an agent in it, such as one at an IVR, is the operator's to decide on.
    """
    calls = join_calls(switch.channels(), roster, workspace.target.domain)
    names = next((call.agents for call in calls if uuid in {leg.uuid for leg in call.legs}), ())
    refusals: list[NotPossibleError] = []
    for name in names:
        try:
            check_toll(find_agent(roster, name), number, workspace.settings.default_region)
        except NotPossibleError as refusal:
            refusals.append(refusal)
        else:
            return
    if refusals:
        raise refusals[0]


def plan_transfer(roster: Roster, workspace: Workspace, asked: Transfer) -> Onward:
    """Return where a leg is meant to go: what people dial inside, a declared number's, or out."""
    wanted = find_destination(roster, asked.destination, workspace.settings.default_region)
    if isinstance(wanted, Resource):
        return _lead(roster, wanted, asked.destination)
    shown = choose_caller_id(roster, workspace.settings, asked.caller_id)
    target = workspace.target
    return ToNumber(wanted, choose_gateway(target), shown, target.places.transfers)


def find_destination(roster: Roster, text: str, region: str | None) -> Resource | str:
    """Return who of ours is meant, or a number outside as E.164. Raises as `Roster.find`."""
    if (found := roster.find(text)) is None:
        number = read_number(text, region)
        if (route := roster.numbers.get(number)) is None:
            return number
        found = resource_of(route)
    return _lead_on(roster, found)


def _lead_on(roster: Roster, found: Resource) -> Resource:
    """Return whom a declared number leads to, or who was named. Raises NotPossibleError."""
    route = roster.numbers.get(found.name)
    if route is None or found != resource_of(route):
        return found
    if not route.enabled:
        told = roster.kinds[found.kind].told
        raise NotPossibleError(f"{told} {found.name} is declared, but disabled")
    return leads_to(route)[0]


def _lead(roster: Roster, resource: Resource, text: str) -> ToExtension:
    """Return where a call goes to get there: by its own number, where that was dialled."""
    number, context = roster.reach(resource)
    return ToExtension(text if roster.desired.lengths.hold(text) else number, context)
