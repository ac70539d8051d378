"""What live operations share: what is declared, who may not be rung, how a call goes outside."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from fsgitops.errors import NotPossibleError, NotThereError, UsageError
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.model.desired import Desired
from fsgitops.model.kind import Kinds
from fsgitops.model.reading import resource_of
from fsgitops.model.resource import Resource
from fsgitops.phone import NumberError, is_extension, normalise_number, toll_class
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fsgitops.model.kind import Reach
    from fsgitops.settings.shapes import Settings
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Registration
    from fsgitops.workspace.open import Workspace


_UUID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")


@dataclass(frozen=True, slots=True)
class Roster:
    """Who and what is declared: agents by extension, routes by public number, and all of it."""

    agents: Mapping[str, Agent]
    numbers: Mapping[str, DidRoute]
    desired: Desired = field(default_factory=Desired)
    kinds: Kinds = field(default_factory=partial(Kinds, ()))
    users: Mapping[str, Agent] = field(init=False)
    """The agents by what their phones register as."""
    trunks: Mapping[str, str] = field(init=False)
    """Public numbers by what else carriers dial for them."""

    def __post_init__(self) -> None:
        """Find out who registers as what: once."""
        users = {agent.sip_user: agent for agent in self.agents.values()}
        object.__setattr__(self, "users", users)
        trunks = {name: number for number, route in self.numbers.items() for name in route.also}
        object.__setattr__(self, "trunks", trunks)

    def find(self, text: str) -> Resource | None:
        """Return what is named as KIND/NAME, or whom people dial by this number. It may be off.

        Raises NotThereError for an extension that nobody has.
        """
        word, _, name = text.partition("/")
        if word in self.kinds:
            return Resource(word, name)
        for kind in self.kinds.values():
            for noun in self.desired.of(kind.noun) if kind.reach else ():
                if text in kind.dialled(noun):
                    return resource_of(noun)
        if self.desired.lengths.hold(text):
            raise NotThereError(f"nothing that is declared has the extension {text}")
        return None

    def reach(self, resource: Resource) -> Reach:
        """Return where a call goes that is led there. Raises NotThereError, NotPossibleError."""
        told, noun = self.kinds[resource.kind].told, self.desired.get(resource)
        if noun is None:
            raise NotThereError(f"no {told} with the name {resource.name!a} is declared")
        if not noun.enabled:
            raise NotPossibleError(f"{told} {resource.name} is declared, but disabled")
        found = self.kinds.reach(self.desired, resource)
        if found is None:
            raise NotPossibleError(f"no call can be led to {told} {resource.name}")
        return found


def load_roster(workspace: Workspace) -> Roster:
    """Return what is declared. Raises DesiredInvalidError with every finding."""
    return build_roster(declare_desired(workspace).demand(), workspace.kinds)


def build_roster(desired: Desired, kinds: Kinds) -> Roster:
    """Return the roster of a desired state without errors."""
    return Roster(
        {agent.extension: agent for agent in desired.of(Agent)},
        {route.did_number: route for route in desired.of(DidRoute)},
        desired,
        kinds,
    )


def check_extension(text: str) -> str:
    """Return an extension. Raises UsageError for anything else."""
    if not is_extension(text):
        raise UsageError(f"{text!a} is no extension: digits expected, such as 1020")
    return text


def check_uuid(text: str) -> str:
    """Return a call's uuid. Raises UsageError for anything else."""
    if not _UUID.fullmatch(text):
        raise UsageError(
            f"{text!a} is no uuid of a call: letters, digits, `.`, `_`, `@` and `-` expected; "
            "`fsgitops calls` shows them"
        )
    return text


def find_agent(roster: Roster, extension: str) -> Agent:
    """Return a declared agent that is enabled. Raises NotThereError, NotPossibleError."""
    agent = roster.agents.get(check_extension(extension))
    if agent is None:
        raise NotThereError(f"no agent {extension} is declared")
    if not agent.enabled:
        raise NotPossibleError(f"agent {extension} is declared, but disabled")
    return agent


def phones_of(
    registrations: tuple[Registration, ...], users: Collection[str], domain: str
) -> list[Registration]:
    """Return the phones that are registered as one of these users."""
    return [item for item in registrations if item.user in users and item.domain == domain]


MAX_NAMED = 10


def choose_gateway(target: Target) -> str:
    """Return the target's gateway for calls outside. Raises NotPossibleError without one."""
    if target.dial.gateway is None:
        raise NotPossibleError(
            f"no gateway for calls outside: write `dial: {{gateway: NAME}}` under target "
            f"`{target.name}` in fsgitops.yaml (`sofia status gateway` on the switch lists them)"
        )
    return target.dial.gateway


def check_gateway(switch: Switch, name: str) -> None:
    """Raise NotPossibleError unless the switch has this gateway and places calls by it."""
    found = switch.gateway(name)
    if found is None:
        others = sorted(item.name for item in switch.gateways())[:MAX_NAMED]
        known = f"it has {', '.join(others)}" if others else "it has none"
        raise NotPossibleError(
            f"the switch has no gateway `{name}` ({known}): set `dial: {{gateway: NAME}}` in "
            "fsgitops.yaml, or add the gateway and rescan its SIP profile"
        )
    if found.status != "UP":
        raise NotPossibleError(
            f"gateway `{name}` is {found.status or 'in no known state'} (registration: "
            f"{found.state}), and the switch places no call by it; `sofia status gateway {name}` "
            "on the switch tells more"
        )


def choose_caller_id(
    roster: Roster, settings: Settings, asked: str | None, agent: Agent | None = None
) -> str:
    """Return the number to show outside: the one asked for if it is ours, else as declared."""
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
    if shown is None or settings.extensions.lengths.hold(shown):
        whose = "the caller" if agent is None else f"agent {agent.extension}"
        raise NotPossibleError(
            f"no number to show for {whose}: declare a `caller_id_number`, set "
            "`default_caller_id` in fsgitops.yaml, or name a declared number"
        )
    return read_number(shown, settings.default_region)


def read_number(text: str, default_region: str | None) -> str:
    """Return a number in E.164. Raises UsageError saying what is wrong with it."""
    try:
        return normalise_number(text, default_region)
    except NumberError as problem:
        raise UsageError(f"{text!a} {problem}. {problem.hint}") from None


def check_toll(agent: Agent, number: str, region: str | None) -> None:
    """Raise NotPossibleError unless the agent's `toll_allow` covers a call to this number."""
    kind = toll_class(number, region)
    words = ("local", "domestic") if kind == "domestic" else (kind,)
    if not set(words) & set(agent.toll_allow):
        raise NotPossibleError(
            f"agent {agent.extension} may not call {number}: it needs {' or '.join(words)}, and "
            f"its `toll_allow` is {', '.join(agent.toll_allow) or 'empty'}"
        )
