"""`fsgitops status`: each declared agent as the switch sees it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from fsgitops.durable import replace_file
from fsgitops.errors import NotThereError
from fsgitops.homes import home_of
from fsgitops.homes.compare import Memory, compare_said, read_said
from fsgitops.homes.directory import DIRECTORY
from fsgitops.live.calls import LiveCall, join_calls
from fsgitops.live.connect import address_of, connect_target
from fsgitops.live.gateways import GatewayStatus, ask_gateways, render_gateway_metrics
from fsgitops.live.roster import Roster, build_roster, check_extension
from fsgitops.model.compiled import UNKNOWN
from fsgitops.schema_parts import json_values
from fsgitops.workspace.declare import compile_declared, declare_desired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from fsgitops.homes.home import Address
    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Channel, Registration, VertoUser
    from fsgitops.workspace.open import Workspace

_Seen = TypeVar("_Seen", "Registration", "VertoUser")
METRICS_MODE = 0o644
"""Read by another user, and without a secret."""
MATCH, DIFFERS, MISSING, LEFT_OVER = "match", "differs", "missing", "left over"


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """One declared agent now; `memory` tells whether the switch holds what is declared of it.

    `memory` is None where that was not asked.
    """

    agent: Agent
    phones: tuple[Registration, ...]
    calls: tuple[str, ...]
    memory: str | None = None
    differences: tuple[str, ...] = ()
    verto: tuple[VertoUser, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {
            "extension": self.agent.extension,
            "user": self.agent.sip_user,
            "name": self.agent.name,
            "enabled": self.agent.enabled,
            "registered": bool(self.phones),
            "phones": json_values(self.phones),
            "verto": json_values(self.verto),
            "on_call": bool(self.calls),
            "calls": list(self.calls),
            "memory": self.memory,
            "differences": list(self.differences),
        }


@dataclass(frozen=True, slots=True)
class Status:
    """Each declared agent, and who is logged in by mod_verto without being one that is enabled.

    And each gateway, where no agents were asked for.
    """

    agents: tuple[AgentStatus, ...]
    strangers: tuple[VertoUser, ...] = ()
    gateways: tuple[GatewayStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `status` compares a switch with; read once, asked about often."""

    roster: Roster
    compiled: CompiledConfig
    address: Address


def read_declaration(workspace: Workspace) -> Declaration:
    """Load and compile what is declared. Raises DesiredInvalidError with every finding."""
    declared = declare_desired(workspace)
    compilation = compile_declared(workspace, declared)
    roster = build_roster(declared.desired, workspace.kinds)
    return Declaration(roster, compilation.compiled, address_of(workspace.target))


def run_status(workspace: Workspace, extensions: Sequence[str] = ()) -> Status:
    """Return the state of each agent, or of these. Raises SwitchError, NotThereError."""
    declaration = read_declaration(workspace)
    with connect_target(workspace.target, workspace.root) as switch:
        return ask_status(switch, declaration, extensions)


def ask_status(switch: Switch, declaration: Declaration, extensions: Sequence[str] = ()) -> Status:
    """Ask a switch about each agent, or about these, what it holds in memory included."""
    roster, address = declaration.roster, declaration.address
    unknown = [item for item in extensions if check_extension(item) not in roster.agents]
    if unknown:
        raise NotThereError(f"not declared: {', '.join(unknown)}")
    memory = compare_agents(switch, declaration)
    known = {item.extension for item in roster.agents.values() if item.enabled}
    on = {roster.agents[extension].sip_user for extension in known}
    disabled = [(extension, address.domain) for extension in roster.agents.keys() - known]
    for (user, _), there in zip(disabled, switch.users_exist(disabled), strict=True):
        memory[user] = (LEFT_OVER,) if there else ()
    sessions = switch.verto_users()
    agents = build_status(
        roster,
        switch.registrations(address.profile),
        switch.channels(),
        address.domain,
        extensions=extensions,
        memory=memory,
        sessions=sessions,
    )
    strange = (one for one in sessions if one.domain != address.domain or one.user not in on)
    if extensions:
        return Status(agents)
    gateways = ask_gateways(switch, declaration.compiled, address)
    return Status(agents, tuple(strange), gateways)


def write_metrics(path: Path, target: str, status: Status) -> None:
    """Write what is known of gateways, for Prometheus; a reader never sees half a file."""
    lines = render_gateway_metrics(target, status.gateways)
    replace_file(path, "".join(f"{line}\n" for line in lines).encode(), mode=METRICS_MODE)


def compare_agents(switch: Switch, declaration: Declaration) -> dict[str, tuple[str, ...]]:
    """Return for each compiled agent the names of what differs; MISSING where it is not held.

    What is held and not declared differs as well. Values are not told: some are secrets. Without
    the project key, secrets are passed over. Raises SwitchError.
    """
    memory = Memory(switch, declaration.address)
    found: dict[str, tuple[str, ...]] = {}
    for file in declaration.compiled.files.values():
        home = home_of(file.path)
        if home is not DIRECTORY:
            continue
        said, held = read_said(home, file.content), memory.of_file(file.path)
        for name, differences in compare_said(said, held, memory.expand):
            found[name] = (
                (MISSING,)
                if differences is None
                else tuple(one.name for one in differences if UNKNOWN not in (one.wanted or ""))
            )
    return found


def build_status(
    roster: Roster,
    registrations: Iterable[Registration],
    channels: Iterable[Channel],
    domain: str,
    *,
    extensions: Sequence[str] = (),
    memory: Mapping[str, tuple[str, ...]] | None = None,
    sessions: Iterable[VertoUser] = (),
) -> tuple[AgentStatus, ...]:
    """Join what is declared with what a switch said."""
    phones, logged_in = by_user(registrations, domain), by_user(sessions, domain)
    calls = calls_by_agent(join_calls(channels, roster, domain))
    wanted = [check_extension(item) for item in extensions] or sorted(roster.agents)
    return tuple(
        AgentStatus(
            agent,
            tuple(phones.get(agent.sip_user, ())),
            tuple(calls.get(agent.extension, ())),
            *_memory(agent.extension, memory),
            tuple(logged_in.get(agent.sip_user, ())),
        )
        for agent in map(roster.agents.__getitem__, wanted)
    )


def by_user(items: Iterable[_Seen], domain: str) -> dict[str, list[_Seen]]:
    """Return the phones, or the sessions, that each user of a domain has."""
    found: dict[str, list[_Seen]] = {}
    for item in items:
        if item.domain == domain:
            found.setdefault(item.user, []).append(item)
    return found


def calls_by_agent(calls: Iterable[LiveCall]) -> dict[str, list[str]]:
    """Return the uuids of the calls that each agent is in."""
    found: dict[str, list[str]] = {}
    for call in calls:
        for extension in call.agents:
            found.setdefault(extension, []).append(call.uuid)
    return found


def summarise(
    agents: Sequence[AgentStatus], gateways: Sequence[GatewayStatus] = ()
) -> dict[str, int]:
    """Count agents: all, enabled, registered, on a call, and not held as declared; gateways."""
    return {
        "agents": len(agents),
        "enabled": sum(item.agent.enabled for item in agents),
        "registered": sum(bool(item.phones) for item in agents),
        "on_call": sum(bool(item.calls) for item in agents),
        "not_as_declared": sum(item.memory not in (MATCH, None) for item in agents),
        "gateways": len(gateways),
        "gateways_up": sum(item.up for item in gateways),
    }


def _memory(
    extension: str, memory: Mapping[str, tuple[str, ...]] | None
) -> tuple[str | None, tuple[str, ...]]:
    if memory is None:
        return None, ()
    found = memory.get(extension, (MISSING,))
    if not found:
        return MATCH, ()
    return (found[0], ()) if found[0] in (MISSING, LEFT_OVER) else (DIFFERS, found)


def watch_status(workspace: Workspace, extensions: Sequence[str] = ()) -> Iterator[Status]:
    """Yield the state again and again over one connection. Raises as `run_status`."""
    declaration = read_declaration(workspace)
    with connect_target(workspace.target, workspace.root) as switch:
        while True:
            yield ask_status(switch, declaration, extensions)
