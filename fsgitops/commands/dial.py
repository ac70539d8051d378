"""`fsgitops dial`: ring an agent, then call a number and connect them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.commands.audit import audited
from fsgitops.commands.connect import connect_target, prepare_conf_dir
from fsgitops.commands.operation import (
    NotPossibleError,
    Roster,
    find_agent,
    load_roster,
    phones_of,
)
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from fsgitops.commands.workspace import Workspace
    from fsgitops.model.desired import Agent
    from fsgitops.settings import Settings, Target
    from fsgitops.switch import Switch
    from fsgitops.switch_dial import Dial

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
    """

    dial: Dial
    uuid: str | None
    answered: bool

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {
            "format": "fsgitops-dial",
            "version": 1,
            "uuid": self.uuid,
            "state": "answered" if self.answered else "ringing",
            "extension": self.dial.extension,
            "number": self.dial.number,
            "caller_id_number": self.dial.caller_number,
            "caller_id_name": self.dial.caller_name,
            "gateway": self.dial.gateway,
            "timeout": self.dial.timeout,
        }


def run_dial(workspace: Workspace, asked: Asked, *, wait: bool = False) -> Dialled:
    """Place a call and write it down; with `wait`, until the agent has answered or not.

    Raises UsageError for what cannot be dialled, NotPossibleError for an agent who cannot be rung,
    SwitchError with the cause when the switch gave up.
    """
    target = workspace.target
    with audited(workspace, "dial", asked.extension, number=asked.number) as details:
        roster = load_roster(workspace)
        prepare_conf_dir(target)
        with connect_target(target, workspace.root) as switch:
            dialled = place_call(switch, roster, workspace.settings, target, asked, wait=wait)
        details.update(call_details(dialled))
    return dialled


def call_details(dialled: Dialled) -> dict[str, str]:
    """Return what the audit log keeps of a call."""
    dial = dialled.dial
    details = {"number": dial.number, "caller_id": dial.caller_number, "gateway": dial.gateway}
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
    phones = phones_of(switch.registrations(target.profile), dial.extension, dial.domain)
    if not phones:
        raise NotPossibleError(f"agent {dial.extension} is not registered: no phone to ring")
    if len(phones) > 1:
        # Each phone is a leg, and FreeSWITCH makes only one leg of a uuid: the second phone would
        # stay silent ("Duplicate UUID!", switch_core_session_request_uuid).
        from dataclasses import replace

        dial = replace(dial, uuid=None)
    found = switch.originate(dial, patience=dial.timeout + PATIENCE if wait else PATIENCE)
    return Dialled(dial, found or dial.uuid, answered=found is not None)


def plan_dial(roster: Roster, settings: Settings, target: Target, asked: Asked) -> Dial:
    """Return the call that is meant, each part checked. Raises UsageError, NotPossibleError."""
    from fsgitops.switch_dial import Dial, plain_name

    agent = find_agent(roster, asked.extension)
    number = read_number(asked.number, settings.default_region)
    check_toll(agent, number, settings.default_region)
    timeout = target.dial.timeout if asked.timeout is None else asked.timeout
    if not 1 <= timeout <= MAX_RING_SECONDS:
        raise UsageError(f"a phone may ring from 1 to {MAX_RING_SECONDS} seconds, not {timeout}")
    name = agent.caller_id_name or settings.default_caller_name or agent.name
    return Dial(
        uuid=str(uuid.uuid4()),
        extension=agent.extension,
        domain=target.domain,
        number=number,
        gateway=target.dial.gateway,
        caller_number=choose_caller_id(roster, settings, asked.caller_id, agent),
        caller_name=plain_name(name),
        timeout=timeout,
    )


def choose_caller_id(
    roster: Roster, settings: Settings, asked: str | None, agent: Agent | None = None
) -> str:
    """Return the number to show outside: the one asked for if it is ours, else as declared."""
    from fsgitops.rules.phone import is_extension

    if asked is not None:
        number = read_number(asked, settings.default_region)
        if number not in roster.numbers:
            raise NotPossibleError(
                f"{number} is not a declared number: only numbers of your own may be shown"
            )
        return number
    if agent is not None and (agent.caller_id_number or "").startswith("+"):
        return str(agent.caller_id_number)
    shown = settings.default_caller_id
    if shown is None or is_extension(shown):
        whose = "the caller" if agent is None else f"agent {agent.extension}"
        raise NotPossibleError(
            f"no number to show for {whose}: declare a `caller_id_number`, set "
            "`default_caller_id` in fsgitops.yaml, or name a declared number"
        )
    return read_number(shown, settings.default_region)


def read_number(text: str, default_region: str | None) -> str:
    """Return a number in E.164. Raises UsageError saying what is wrong with it."""
    from fsgitops.rules.phone import NumberError, normalise_number

    try:
        return normalise_number(text, default_region)
    except NumberError as problem:
        raise UsageError(f"{text!a} {problem}. {problem.hint}") from None


def check_toll(agent: Agent, number: str, region: str | None) -> None:
    """Raise NotPossibleError unless the agent's `toll_allow` covers a call to this number."""
    from fsgitops.rules.phone import toll_class

    kind = toll_class(number, region)
    words = ("local", "domestic") if kind == "domestic" else (kind,)
    if not set(words) & set(agent.toll_allow):
        raise NotPossibleError(
            f"agent {agent.extension} may not call {number}: it needs {' or '.join(words)}, and "
            f"its `toll_allow` is {', '.join(agent.toll_allow) or 'empty'}"
        )
