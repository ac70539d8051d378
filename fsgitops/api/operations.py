"""The operations of the API, in one table: routes and the OpenAPI document are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from fsgitops import __version__, phone
from fsgitops.api import handlers
from fsgitops.api.live import KINDS, MAX_LISTENERS, MAX_PER_ADDRESS, MAX_PER_CALLER
from fsgitops.api.records import COLUMNS
from fsgitops.api.view import MAX_SEARCH, PRESENCES, SHOWN_AGENTS, SHOWN_CALLS
from fsgitops.commands.token import SCOPES
from fsgitops.errors import UsageError
from fsgitops.live.calls import LiveCall
from fsgitops.schema_parts import TEXT, objects, shape
from fsgitops.switch.replies import Registration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from fsgitops.api.handlers import Call

Schema = dict[str, Any]

_MAYBE: Schema = {"type": ["string", "null"]}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer"}
EXTENSION: Schema = {"type": "string", "pattern": f"^{phone.EXTENSION}$"}
UUID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$"}
NUMBER: Schema = {"type": "string", "minLength": 1, "maxLength": 40}
DIGITS: Schema = {"type": "string", "pattern": "^\\+?[0-9]{6,15}$"}
TIME: Schema = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|\\+00:00)?)?$",
}


def _whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXTS = _list(TEXT)
AGENT = objects(id=EXTENSION, extension=EXTENSION, name=TEXT, email=_MAYBE, is_active=_FLAG)
ROUTE = objects(
    id=TEXT,
    did_number=TEXT,
    destination_extension=TEXT,
    description=_MAYBE,
    is_active=_FLAG,
)
PHONE, CALL = shape(Registration), shape(LiveCall)
_DETAILS = objects(**AGENT["properties"], caller_id_name=_MAYBE, caller_id_number=_MAYBE)
_CREDENTIALS = objects(
    username=EXTENSION, password=TEXT, domain=TEXT, websocket_url=_MAYBE, sip_server=TEXT,
    sip_port=_COUNT, stun_server=_MAYBE,
)  # fmt: skip
_STATUS = objects(
    extension=EXTENSION, online=_FLAG, on_call=_FLAG, calls=_TEXTS, phones=_list(PHONE)
)
_DIALLED = objects(
    uuid=_MAYBE, status={"enum": ["calling_agent", "agent_answered", "connected"]},
    agent_extension=EXTENSION, destination=TEXT, caller_id_number=TEXT,
)  # fmt: skip
_MAYBE_COUNT: Schema = {"type": ["integer", "null"]}
_TYPES = {"uuid": TEXT, "duration": _MAYBE_COUNT, "billsec": _MAYBE_COUNT}
_RECORD = objects(**{name: _TYPES.get(name, _MAYBE) for name in COLUMNS})
_BOARD_AGENT = objects(
    extension=EXTENSION, name=TEXT, presence={"enum": list(PRESENCES)}, phones=_TEXTS
)
_BOARD_CALL = objects(
    uuid=TEXT, direction=TEXT, caller=TEXT, caller_name=TEXT, callee=TEXT, agents=_TEXTS,
    did=_MAYBE, state=TEXT, since=_COUNT,
    legs=_list(objects(uuid=TEXT, agent=_MAYBE, number=TEXT)),
)  # fmt: skip
_BOARD_GATEWAY = objects(
    name=TEXT, profile=TEXT, up=_FLAG,
    registered={"type": ["boolean", "null"]}, latency_ms={"type": ["number", "null"]},
)  # fmt: skip
SNAPSHOT = {
    **objects(
        project=TEXT,
        target=TEXT,
        simulated=_FLAG,
        switch=objects(up=_FLAG, message=_MAYBE),
        declared=objects(problem=_MAYBE),
        today={
            **objects(calls=_COUNT, answered=_COUNT, billsec=_COUNT),
            "type": ["object", "null"],
            "description": "Since midnight UTC; null without the scope `cdr` or without records",
        },
        scopes={**_TEXTS, "description": "What the listener may do"},
        view=objects(search=TEXT, presence={"enum": [*PRESENCES, ""]}, matching=_COUNT),
        gateways={
            **_list(_BOARD_GATEWAY),
            "description": "Those that the switch runs; `registered` is null where one does not "
            "register, `latency_ms` where no OPTIONS was answered",
        },
        counts=objects(agents=_COUNT, registered=_COUNT, on_call=_COUNT, calls=_COUNT),
        agents=_list(_BOARD_AGENT),
        calls={
            **_list(_BOARD_CALL),
            "description": "`since`: when the call began, in seconds since 1970 (UTC)",
        },
    ),
    "description": "What the operator page shows.",
}
"""The data of an event `snapshot` of /api/live."""

HAPPENED = {
    **_list(objects(number=_COUNT, at=_COUNT, kind={"enum": list(KINDS)}, text=TEXT)),
    "description": "What happened; `at` is in seconds since 1970 (UTC).",
}
"""The data of an event `happened` of /api/live."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what it takes, what it gives, which scope it needs."""

    method: Literal["GET", "POST"]
    path: str
    name: str
    scope: str
    summary: str
    run: Callable[[Call], Awaitable[Any]]
    gives: Schema
    takes: Schema | None = None
    path_schemas: Mapping[str, Schema] = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)
    statuses: tuple[int, ...] = ()

    @property
    def says(self) -> bool:
        """Whether the answer is a `message`, and not `data`."""
        return self.gives is TEXT


_ID = {"id": EXTENSION}
_UUID = {"uuid": UUID}
_DESTINATION: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
_DIAL = objects(
    "",
    ("caller_id_number", "caller_id_name", "wait"),
    agent_extension=EXTENSION,
    destination=_DESTINATION,
    caller_id_number=NUMBER,
    caller_id_name={"type": "string", "maxLength": 80},
    wait=_FLAG,
)
_TRANSFER = objects(
    "",
    ("caller_id_number", "other_leg"),
    destination=_DESTINATION,
    caller_id_number=NUMBER,
    other_leg=_FLAG,
)
_CDR_QUERY = {"from": TIME, "to": TIME, "agent": EXTENSION, "did": NUMBER, "limit": _whole(1, 1000)}
_LIST_QUERY = {"limit": _whole(1, 100_000), "offset": _whole(0, 10**8)}

OPERATIONS = (
    Operation("GET", "/api/agents", "listAgents", "read", "Enabled agents",
              handlers.list_agents, _list(AGENT), query=_LIST_QUERY),
    Operation("GET", "/api/agents/{id}", "showAgent", "read", "One agent",
              handlers.show_agent, _DETAILS, path_schemas=_ID, statuses=(404,)),
    Operation("GET", "/api/agents/{id}/credentials", "showCredentials", "credentials",
              "What a phone needs to register; written to the audit log",
              handlers.show_credentials, _CREDENTIALS, path_schemas=_ID, statuses=(404, 500)),
    Operation("GET", "/api/agents/{id}/status", "showAgentStatus", "read",
              "Whether an agent is registered, and on which phones",
              handlers.show_agent_status, _STATUS, path_schemas=_ID, statuses=(404, 502, 503)),
    Operation("POST", "/api/agents/{id}/kick", "kickAgent", "operate",
              "End an agent's registrations", handlers.kick,
              objects(extension=EXTENSION, ended=_COUNT), path_schemas=_ID,
              statuses=(404, 500, 502, 503)),
    Operation("GET", "/api/inbound-routes", "listRoutes", "read", "Enabled DID routes",
              handlers.list_routes, _list(ROUTE), query=_LIST_QUERY),
    Operation("GET", "/api/inbound-routes/{id}", "showRoute", "read", "One DID route",
              handlers.show_route, ROUTE, path_schemas={"id": DIGITS}, statuses=(404,)),
    Operation("GET", "/api/calls/active", "listCalls", "read", "Calls that are up",
              handlers.list_calls, _list(CALL), statuses=(502, 503)),
    Operation("POST", "/api/calls/dial", "dial", "operate",
              "Ring an agent, then call a number or an extension and connect them",
              handlers.dial, _DIALLED, _DIAL, statuses=(404, 409, 500, 502, 503)),
    Operation("POST", "/api/calls/{uuid}/hangup", "hangUp", "operate", "End a call",
              handlers.hang_up, TEXT, path_schemas=_UUID, statuses=(404, 500, 502, 503)),
    Operation("POST", "/api/calls/{uuid}/transfer", "transfer", "operate",
              "Send one leg of a call to an extension or a number", handlers.transfer, TEXT,
              _TRANSFER, path_schemas=_UUID, statuses=(404, 409, 500, 502, 503)),
    Operation("GET", "/api/cdr", "listCallRecords", "cdr", "Call records, the latest first",
              handlers.list_records, _list(_RECORD), query=_CDR_QUERY, statuses=(500, 501)),
)  # fmt: skip


def check_body(operation: Operation, body: Any) -> dict[str, Any]:
    """Return the body's fields. Raises UsageError naming the first that is wrong."""
    if operation.takes is None:
        return {}
    if not isinstance(body, dict):
        raise UsageError("the body must be a JSON object")
    known: Mapping[str, Schema] = operation.takes["properties"]
    for name in operation.takes["required"]:
        if name not in body:
            raise UsageError(f"`{name}` is required")
    for name, value in body.items():
        if name not in known:
            raise UsageError(f"unknown field {name[:40]!a}; known: {', '.join(known)}")
        kind = bool if known[name]["type"] == "boolean" else str
        if not isinstance(value, kind):
            raise UsageError(f"`{name}` must be a {known[name]['type']}")
        if isinstance(value, str) and len(value) > known[name].get("maxLength", 200):
            raise UsageError(f"`{name}` is too long")
    return body


_DESCRIPTION = """\
Reads what is declared and what the switch does, and operates calls. It declares nothing: creating,
changing and deleting agents and routes goes through git, and those methods answer 405.
"""
_REASONS = {
    400: "The request is malformed; `error` says how",
    401: "No valid bearer token",
    403: "The token lacks the scope",
    404: "There is no such thing",
    409: "Not possible now, or not allowed for this agent; `error` says why",
    413: "The body is too large",
    415: "The body is not JSON",
    429: "Too many requests; `Retry-After` tells how long to wait",
    500: "It could not be done here, such as writing the audit log",
    501: "Not part of this installation",
    502: "The switch refused; `error` holds its words",
    503: "The switch is away; `Retry-After` tells when to ask again",
}
LIVE = "/api/live"
_ALWAYS = (400, 401, 403, 429)
_VIEW: dict[str, Schema] = {
    "search": {"type": "string", "maxLength": MAX_SEARCH},
    "presence": {"enum": [*PRESENCES, ""]},
}
_ABOUT_VIEW = {
    "search": "Agents with each of these words in their extension or name",
    "presence": "Agents with this presence",
}
_PATH = {"id": "Extension, or digits of a public number", "uuid": "uuid of a leg of the call"}


@cache
def build_openapi() -> dict[str, Any]:
    """Return the document as JSON values."""
    paths: dict[str, Any] = {"/health": {"get": _health()}, LIVE: {"get": _live()}}
    for operation in OPERATIONS:
        entry = paths.setdefault(operation.path, {})
        entry[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "fsgitops", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `fsgitops token new`. Scopes: "
                    + "; ".join(f"`{name}`: {text}" for name, text in SCOPES.items()),
                }
            },
            "schemas": {
                "Error": objects(success={"const": False}, error=TEXT, request_id=TEXT),
                "Snapshot": SNAPSHOT,
                "Happened": HAPPENED,
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs the scope `{operation.scope}`.",
        "security": [{"bearer": []}],
        "responses": _responses(operation),
    }
    parameters = _parameters("path", operation.path_schemas, _PATH)
    parameters += _parameters("query", operation.query, {})
    if parameters:
        found["parameters"] = parameters
    if operation.takes is not None:
        schema = {**operation.takes, "additionalProperties": False}
        found["requestBody"] = {"required": True, "content": _json(schema)}
    return found


def _parameters(
    place: str, schemas: Mapping[str, Schema], about: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": schema,
            **({"description": about[name]} if name in about else {}),
        }
        for name, schema in schemas.items()
    ]


def _live() -> dict[str, Any]:
    events = [{"$ref": f"#/components/schemas/{name}"} for name in ("Snapshot", "Happened")]
    stream = {
        "type": "string",
        "description": "Server-sent events. The data of an event `snapshot` is a Snapshot in one "
        "line, that of an event `happened` a Happened; a comment comes now and then.",
        "contentMediaType": "application/json",
        "contentSchema": {"anyOf": events},
    }
    good = {
        "description": "A snapshot at once, and again whenever it differs; with the scope "
        "`operate` also what happened: first all that is kept, then what is new. The stream ends "
        "when the token is revoked or the server stops",
        "content": {"text/event-stream": {"schema": stream}},
    }
    return {
        "operationId": "watchLive",
        "summary": "Agents, calls, the day's figures and what happens",
        "description": f"Needs the scope `read`; the day's figures need `cdr` too, and what "
        f"happened `operate`. Shows at most {SHOWN_AGENTS} agents, those on a call first, and "
        f"{SHOWN_CALLS} calls; `counts` counts all. One token may have {MAX_PER_CALLER} streams "
        f"open, one address {MAX_PER_ADDRESS}, and all together {MAX_LISTENERS}.",
        "security": [{"bearer": []}],
        "parameters": _parameters("query", _VIEW, _ABOUT_VIEW),
        "responses": {"200": good, **_refusals((*_ALWAYS, 500, 503))},
    }


def _responses(operation: Operation) -> dict[str, Any]:
    key = "message" if operation.says else "data"
    good: dict[str, Any] = {
        "type": "object",
        "properties": {"success": {"const": True}, key: operation.gives},
        "required": ["success", key],
    }
    found: dict[str, Any] = {"200": {"description": "Done", "content": _json(good)}}
    body = (413, 415) if operation.takes is not None else ()
    return {**found, **_refusals((*_ALWAYS, *body, *operation.statuses))}


def _refusals(statuses: Iterable[int]) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    return {
        str(status): {"description": _REASONS[status], "content": _json(error)}
        for status in sorted(set(statuses))
    }


def _health() -> dict[str, Any]:
    schema = objects(
        status={"enum": ["ok", "unavailable"]},
        switch={"enum": ["up", "down"]},
        declared={"enum": ["in force", "invalid: the state before is in force"]},
    )
    return {
        "operationId": "health",
        "summary": "Whether the API can reach the switch; needs no token",
        "security": [],
        "responses": {
            "200": {"description": "It can", "content": _json(schema)},
            "503": {"description": "It cannot", "content": _json(schema)},
        },
    }


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
