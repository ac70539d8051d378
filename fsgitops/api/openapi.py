"""The OpenAPI document of the API, made from the table of operations."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fsgitops import __version__
from fsgitops.api.live import MAX_LISTENERS, MAX_PER_ADDRESS, MAX_PER_CALLER
from fsgitops.api.operations import HAPPENED, OPERATIONS, SNAPSHOT, fields
from fsgitops.api.view import MAX_SEARCH, PRESENCES, SHOWN_AGENTS, SHOWN_CALLS
from fsgitops.commands.token import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.api.operations import Operation

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
                "Error": fields(
                    success={"const": False},
                    error={"type": "string"},
                    request_id={"type": "string"},
                ),
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
    parameters = _parameters("path", dict(operation.path_schemas))
    parameters += _parameters("query", dict(operation.query))
    if parameters:
        found["parameters"] = parameters
    if operation.takes is not None:
        schema = {**operation.takes, "additionalProperties": False}
        found["requestBody"] = {"required": True, "content": _json(schema)}
    return found


def _parameters(place: str, schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": schema,
            **({"description": _PATH[name]} if place == "path" else {}),
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
        "parameters": [
            _query(
                "search",
                {"type": "string", "maxLength": MAX_SEARCH},
                "Agents with each of these words in their extension or name",
            ),
            _query("presence", {"enum": [*PRESENCES, ""]}, "Agents with this presence"),
        ],
        "responses": {"200": good, **_refusals((*_ALWAYS, 500, 503))},
    }


def _query(name: str, schema: dict[str, Any], about: str) -> dict[str, Any]:
    where = {"name": name, "in": "query", "required": False}
    return {**where, "schema": schema, "description": about}


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
    schema = fields(
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
