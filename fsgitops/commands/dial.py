"""`fsgitops dial`: ring an agent, then call a number and connect them."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from fsgitops.errors import NotPossibleError, SwitchError, UsageError
from fsgitops.live.audit import audited
from fsgitops.live.connect import connect_target
from fsgitops.live.roster import (
    Roster,
    check_gateway,
    check_toll,
    choose_caller_id,
    choose_gateway,
    find_agent,
    load_roster,
    read_number,
)
from fsgitops.phone import is_extension
from fsgitops.switch.calls import CallRefusedError, Dial, Leg, Legs, plain_name

if TYPE_CHECKING:
    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.settings.shapes import Settings
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
        return {
            "format": "fsgitops-dial",
            "version": 1,
            "uuid": self.uuid,
            "state": self.state,
            "extension": self.dial.extension,
            "number": self.dial.number,
            "caller_id_number": self.dial.caller_number,
            "caller_id_name": self.dial.caller_name,
            "gateway": self.dial.gateway,
            "timeout": self.dial.timeout,
            "legs": None if self.legs is None else legs_to_json(self.legs),
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


def legs_to_json(legs: Legs) -> dict[str, Any]:
    """Return what became of both legs: `called` tells whether the far one was tried."""
    return {
        "agent": asdict(legs.agent),
        "destination": {"called": legs.called, **asdict(legs.far)},
    }


def run_dial(workspace: Workspace, asked: Asked, *, wait: bool = False) -> Dialled:
    """Place a call and write it down; with `wait`, until both have answered or one has not.

    Raises UsageError for what cannot be dialled; NotPossibleError for an agent who cannot be rung,
    and a gateway that takes no call, before any phone rings; NotConnectedError with the cause.
    """
    target = workspace.target
    with audited(workspace, "dial", asked.extension, number=asked.number) as details:
        roster = load_roster(workspace)
        with connect_target(target, workspace.root) as switch:
            try:
                dialled = place_call(switch, roster, workspace.settings, target, asked, wait=wait)
            except NotConnectedError as failed:
                details.update(call_details(failed.dialled))
                raise
        details.update(call_details(dialled))
    return dialled


def call_details(dialled: Dialled) -> dict[str, str]:
    """Return what the audit log keeps of a call."""
    dial = dialled.dial
    details = {"number": dial.number, "caller_id": dial.caller_number}
    details |= {"gateway": dial.gateway} if dial.gateway else {}
    return details | ({"uuid": dialled.uuid} if dialled.uuid else {})


def place_call(
    switch: Switch,
    roster: Roster,
    settings: Settings,
    target: Target,
    asked: Asked,
    *,
    wait: bool = False,
) -> Dialled:
    """Place a call at a switch that is at hand. Raises as `run_dial`."""
    dial = plan_dial(roster, settings, target, asked)
    phones = switch.count_phones(dial.extension, dial.domain)
    if not phones:
        raise NotPossibleError(f"agent {dial.extension} is not registered: no phone to ring")
    if dial.gateway is not None:
        check_gateway(switch, dial.gateway)
    elif not switch.count_phones(dial.number, dial.domain):
        raise NotPossibleError(f"agent {dial.number} is not registered: no phone to connect with")
    if phones > 1:
        # Each phone is a leg, and FreeSWITCH makes only one leg of a uuid: the second phone would
        # stay silent ("Duplicate UUID!", switch_core_session_request_uuid).
        dial = replace(dial, uuid=None)
    if wait:
        return _wait_for_both(switch, replace(dial, mark=str(uuid.uuid4())))
    try:
        found = switch.originate(dial, patience=PATIENCE)
    except CallRefusedError as refused:
        legs = Legs(Leg(cause=refused.cause, uuid=dial.uuid))
        raise NotConnectedError(Dialled(dial, dial.uuid, answered=False, legs=legs)) from None
    return Dialled(dial, found or dial.uuid, answered=found is not None)


def _wait_for_both(switch: Switch, dial: Dial) -> Dialled:
    legs = switch.follow_call(dial, patience=dial.timeout + PATIENCE)
    dialled = Dialled(dial, legs.agent.uuid, answered=legs.called, legs=legs)
    if not legs.joined:
        raise NotConnectedError(dialled)
    return dialled


def plan_dial(roster: Roster, settings: Settings, target: Target, asked: Asked) -> Dial:
    """Return the call that is meant, each part checked. Raises UsageError, NotPossibleError."""
    agent = find_agent(roster, asked.extension)
    number, gateway, shown = _plan_far_end(roster, settings, target, asked, agent)
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
        caller_number=shown,
        caller_name=plain_name(name),
        timeout=timeout,
    )


def _plan_far_end(
    roster: Roster, settings: Settings, target: Target, asked: Asked, agent: Agent
) -> tuple[str, str | None, str]:
    """Return who is called, by which gateway (none for an agent), and which number is shown."""
    if is_extension(asked.number):
        other = find_agent(roster, asked.number).extension
        if other == agent.extension:
            raise UsageError(f"agent {other} cannot be connected with the same extension")
        if asked.caller_id is not None:
            raise UsageError(f"agent {other} is shown the extension: no caller ID can be chosen")
        return other, None, agent.extension
    number = read_number(asked.number, settings.default_region)
    check_toll(agent, number, settings.default_region)
    shown = choose_caller_id(roster, settings, asked.caller_id, agent)
    return number, choose_gateway(target), shown
