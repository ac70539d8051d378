"""What each operation of the API does, once its caller has been let in."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from fsgitops.api.edge import Caller, Gate, RefusedError
from fsgitops.api.view import look
from fsgitops.commands.calls import end_call, end_registrations
from fsgitops.commands.credentials import run_credentials
from fsgitops.commands.dial import Asked, Transfer, move_call, place_call
from fsgitops.commands.status import build_status
from fsgitops.errors import FsgitopsError, NotPossibleError, NotThereError, UsageError
from fsgitops.live.audit import audited, record_refusal
from fsgitops.live.calls import join_calls
from fsgitops.live.roster import check_extension, read_number
from fsgitops.schema_parts import json_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.api.declared import DeclaredState
    from fsgitops.api.live import LiveBoard
    from fsgitops.api.pool import SwitchPool
    from fsgitops.api.records import LakeRecords
    from fsgitops.commands.dial import Dialled
    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.kinds.did_route.noun import DidRoute
    from fsgitops.live.roster import Roster
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

_Result = TypeVar("_Result")
_Declared = TypeVar("_Declared", "Agent", "DidRoute")

MAX_LISTED = 100_000
MAX_RECORDS = 1000
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|\+00:00)?)?")


@dataclass(frozen=True, slots=True)
class Service:
    """All that the handlers work with."""

    pool: SwitchPool
    declared: DeclaredState
    gate: Gate
    board: LiveBoard
    records: LakeRecords | None


@dataclass(frozen=True, slots=True)
class Call:
    """One request, taken apart: path, query and body values are text that nobody has checked."""

    service: Service
    caller: Caller
    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]

    async def declared(self) -> tuple[Workspace, Roster]:
        """Return the workspace and roster in force."""
        return await asyncio.to_thread(self.service.declared.current)

    def number(self, name: str, default: int, most: int, least: int = 0) -> int:
        """Return a query parameter that is a whole number. Raises UsageError."""
        text = self.query.get(name)
        if text is None:
            return default
        whole = text.isascii() and text.isdigit() and len(text) < 10
        if not (whole and least <= int(text) <= most):
            raise UsageError(f"`{name}` is a whole number from {least} to {most}")
        return int(text)


def _choose_page(call: Call, declared: Mapping[str, _Declared]) -> list[_Declared]:
    """Return those that are enabled, in order, as far as `limit` and `offset` ask for them."""
    limit, offset = call.number("limit", 1000, MAX_LISTED, 1), call.number("offset", 0, 10**8)
    known = [item for _, item in sorted(declared.items()) if item.enabled]
    return known[offset : offset + limit]


async def list_agents(call: Call) -> Any:
    """Return the enabled agents."""
    _, roster = await call.declared()
    return [agent_to_json(agent) for agent in _choose_page(call, roster.agents)]


async def show_agent(call: Call) -> Any:
    """Return one agent."""
    _, roster = await call.declared()
    agent = find_declared(roster, call.path["id"])
    return agent_to_json(agent) | {
        "caller_id_name": agent.caller_id_name,
        "caller_id_number": agent.caller_id_number,
    }


async def show_credentials(call: Call) -> Any:
    """Return what a phone needs to register as an agent, and write down who asked."""
    workspace, roster = await call.declared()
    agent = find_declared(roster, call.path["id"])
    return await asyncio.to_thread(_reveal, workspace, agent.extension, call.caller.name)


def _reveal(workspace: Workspace, extension: str, user: str) -> dict[str, Any]:
    with audited(workspace, "reveal credentials", extension, user=user):
        found = run_credentials(workspace, extension, reveal=True)
    return {
        "username": found.username,
        "password": found.password,
        "domain": found.domain,
        "websocket_url": found.websocket_url,
        "sip_server": found.host,
        "sip_port": found.public.sip_port,
        "stun_server": found.public.stun,
    }


async def show_agent_status(call: Call) -> Any:
    """Return whether an agent is registered, with its phones and calls."""
    workspace, roster = await call.declared()
    agent = find_declared(roster, call.path["id"])
    target = workspace.target
    seen = await call.service.pool.run(lambda switch: look(switch, target.profile))
    (status,) = build_status(roster, *seen, target.domain, extensions=[agent.extension])
    return {
        "extension": agent.extension,
        "online": bool(status.phones),
        "on_call": bool(status.calls),
        "calls": list(status.calls),
        "phones": json_values(status.phones),
    }


async def list_routes(call: Call) -> Any:
    """Return the enabled routes."""
    _, roster = await call.declared()
    return [route_to_json(route) for route in _choose_page(call, roster.numbers)]


async def show_route(call: Call) -> Any:
    """Return one route."""
    _, roster = await call.declared()
    number = "+" + call.path["id"].strip().removeprefix("+")
    route = roster.numbers.get(number)
    if route is None:
        raise NotThereError("Route not found")
    return route_to_json(route)


async def list_calls(call: Call) -> Any:
    """Return the calls that are up."""
    workspace, roster = await call.declared()
    channels = await call.service.pool.run(lambda switch: switch.channels())
    return json_values(join_calls(channels, roster, workspace.target.domain))


_STATUSES = {
    "ringing": "calling_agent", "answered": "agent_answered", "connected": "connected",
}  # fmt: skip


async def dial(call: Call) -> Any:
    """Ring an agent, then call a number or an extension; with `wait`, until both answered."""
    workspace, roster = await call.declared()
    body, wait = call.body, bool(call.body.get("wait", False))
    asked = Asked(body["agent_extension"], body["destination"], body.get("caller_id_number"))

    def work(switch: Switch, details: dict[str, str]) -> Dialled:
        _refuse_other_name(workspace, roster, asked.extension, body.get("caller_id_name"))
        return place_call(switch, roster, workspace, asked, details, wait=wait)

    said = {"number": asked.number}
    dialled = await _operate(call, workspace, "dial", asked.extension, work, said, patient=wait)
    return {
        "uuid": dialled.uuid,
        "status": _STATUSES[dialled.state],
        "agent_extension": dialled.dial.extension,
        "destination": dialled.dial.number,
        "caller_id_number": dialled.dial.caller_number,
    }


async def hang_up(call: Call) -> Any:
    """End a call."""
    workspace, _ = await call.declared()
    uuid = call.path["uuid"]
    await _operate(call, workspace, "hangup", uuid, lambda switch, _said: end_call(switch, uuid))
    return "Call hung up"


async def transfer(call: Call) -> Any:
    """Send a leg elsewhere."""
    workspace, roster = await call.declared()
    asked = Transfer(
        call.path["uuid"],
        call.body["destination"],
        call.body.get("caller_id_number"),
        bool(call.body.get("other_leg", False)),
    )

    def work(switch: Switch, details: dict[str, str]) -> None:
        details["destination"] = move_call(switch, roster, workspace, asked)

    said = {"destination": asked.destination}
    await _operate(call, workspace, "transfer", asked.uuid, work, said)
    return "Call transferred"


async def kick(call: Call) -> Any:
    """End an agent's registrations."""
    workspace, _ = await call.declared()
    extension = _extension(call.path["id"])

    def work(switch: Switch, details: dict[str, str]) -> int:
        ended = end_registrations(switch, workspace.target, extension)
        details["phones"] = str(len(ended.phones))
        return len(ended.phones)

    ended = await _operate(call, workspace, "kick", extension, work)
    return {"extension": extension, "ended": ended}


async def _operate(
    call: Call,
    workspace: Workspace,
    action: str,
    subject: str,
    work: Callable[[Switch, dict[str, str]], _Result],
    said: Mapping[str, str] = MappingProxyType({}),
    *,
    patient: bool = False,
) -> _Result:
    """Do something to the switch and write it down, also when the switch cannot be reached.

    `said` is what the audit log says of it before anything is done. Those who look at the board are
    told, whatever became of it.
    """
    began = False
    known, who = dict(said), call.caller.name
    happened = call.service.board.happened

    def job(switch: Switch) -> _Result:
        nonlocal began
        began = True
        with audited(workspace, action, subject, user=who, **said) as details:
            result = work(switch, details)
            known.update(details)
            return result

    def refuse(problem: FsgitopsError) -> None:
        record_refusal(workspace, action, subject, str(problem), user=who, **said)

    pool = call.service.pool
    try:
        result = await (pool.run_patiently(job) if patient else pool.run(job))
    except FsgitopsError as problem:
        happened.note_operation(who, action, subject, known, problem)
        if not began:
            await asyncio.to_thread(refuse, problem)
        raise
    happened.note_operation(who, action, subject, known)
    return result


async def list_records(call: Call) -> Any:
    """Return call records."""
    records = call.service.records
    if records is None:
        raise RefusedError(
            501,
            "this API was started without call records: start it with --lake and the extra `cdr`",
        )
    since, until = _time(call.query, "from"), _time(call.query, "to")
    if since and until and until < since:
        raise UsageError("`to` is before `from`")
    agent, did = call.query.get("agent"), call.query.get("did")
    workspace, _ = await call.declared()
    return await asyncio.to_thread(
        records.find,
        since=since,
        until=until,
        agent=None if agent is None else check_extension(agent),
        did=None if did is None else read_number(did, workspace.settings.default_region),
        limit=call.number("limit", 100, MAX_RECORDS, 1),
    )


def find_declared(roster: Roster, extension: str) -> Agent:
    """Return an enabled agent. Raises NotThereError for anything else."""
    agent = roster.agents.get(extension)
    if agent is None or not agent.enabled:
        raise NotThereError("Agent not found")
    return agent


def agent_to_json(agent: Agent) -> dict[str, Any]:
    """Return an agent as the older back end showed it; its id is its extension."""
    return {
        "id": agent.extension,
        "extension": agent.extension,
        "name": agent.name,
        "email": agent.email,
        "is_active": agent.enabled,
    }


def route_to_json(route: DidRoute) -> dict[str, Any]:
    """Return a route as the older back end showed it; its id is its number's digits."""
    return {
        "id": route.did_number.removeprefix("+"),
        "did_number": route.did_number,
        "destination_extension": route.destination_extension,
        "description": route.description,
        "is_active": route.enabled,
    }


def _refuse_other_name(
    workspace: Workspace, roster: Roster, extension: str, name: str | None
) -> None:
    agent = roster.agents.get(extension)
    if name is None or agent is None:
        return
    declared = agent.caller_id_name or workspace.settings.default_caller_name or agent.name
    if name != declared:
        raise NotPossibleError("the caller ID name is always the declared one")


def _extension(text: str) -> str:
    try:
        return check_extension(text)
    except UsageError:
        raise NotThereError("Agent not found") from None


def _time(query: dict[str, str], name: str) -> str | None:
    text = query.get(name)
    if text is None:
        return None
    with suppress(ValueError):
        if _TIME.fullmatch(text) and datetime.fromisoformat(text):
            return text
    raise UsageError(f"`{name}` is a date or a time in UTC, such as 2026-01-31")
