"""What every live operation shares: what is declared, and who may not be rung."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fsgitops.errors import NotPossibleError, NotThereError, UsageError
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.phone import is_extension
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds, Reach
    from fsgitops.model.resource import Resource
    from fsgitops.switch.replies import Registration
    from fsgitops.workspace.open import Workspace

_UUID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")


@dataclass(frozen=True, slots=True)
class Roster:
    """Who and what is declared: agents by extension, routes by public number."""

    agents: Mapping[str, Agent]
    numbers: Mapping[str, DidRoute]
    reach: Callable[[Resource], Reach | None] = lambda _resource: None
    """Where a call goes that is led to a resource; None where it goes nowhere."""


def load_roster(workspace: Workspace) -> Roster:
    """Return what is declared. Raises DesiredInvalidError with every finding."""
    return build_roster(declare_desired(workspace).demand(), workspace.kinds)


def build_roster(desired: Desired, kinds: Kinds) -> Roster:
    """Return the roster of a desired state without errors."""
    return Roster(
        {agent.extension: agent for agent in desired.of(Agent)},
        {route.did_number: route for route in desired.of(DidRoute)},
        partial(kinds.reach, desired),
    )


def check_extension(text: str) -> str:
    """Return an extension. Raises UsageError for anything else."""
    if not is_extension(text):
        raise UsageError(f"{text!a} is no extension: 4 to 6 digits expected, such as 1020")
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
    registrations: tuple[Registration, ...], extension: str, domain: str
) -> list[Registration]:
    """Return the registered phones of one extension."""
    return [item for item in registrations if (item.user, item.domain) == (extension, domain)]
