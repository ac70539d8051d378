"""Promises of /api/live: it is in the OpenAPI document, and its events are as that says."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from project import close_schema
from switchboard import DOMAIN

from fsgitops.api.app import create_app
from fsgitops.api.live import LiveBoard
from fsgitops.api.operations import build_openapi

if TYPE_CHECKING:
    from served_api import Served


class Records:
    """A lake with one call."""

    def find(self, **wanted: object) -> list[dict[str, Any]]:
        return []

    def today(self) -> dict[str, int]:
        return {"calls": 1, "answered": 1, "billsec": 60}


def read_events(served: Served, *scopes: str) -> dict[str, Any]:
    """Return the data of the first event of each name that somebody with these scopes gets."""

    async def ask() -> dict[str, Any]:
        board = LiveBoard(served.service.pool, served.service.declared, Records(), tick=0.01)
        found: dict[str, Any] = {}
        async for text in board.events(lambda: frozenset(scopes)):
            head, _, data = text.removesuffix("\n\n").partition("\ndata: ")
            found.setdefault(head, json.loads(data))
            if "operate" not in scopes or "event: happened" in found:
                return found
        raise AssertionError("no event")

    return asyncio.run(ask())


def first_event(served: Served, *scopes: str) -> dict[str, Any]:
    found: dict[str, Any] = read_events(served, *scopes)["event: snapshot"]
    return found


def check(data: Any, name: str = "Snapshot") -> None:
    """Hold an event to the document, without a field more or less at any level."""
    schema = build_openapi()["components"]["schemas"][name]
    Draft202012Validator(close_schema(schema)).validate(data)


def test_every_route_of_the_api_is_in_the_document(served: Served) -> None:
    paths = {route.path for route in create_app(served.service).routes}  # type: ignore[attr-defined]
    assert paths - {"/", "/openapi.json"} == set(build_openapi()["paths"])


def test_an_event_is_as_the_document_says(served: Served) -> None:
    check(first_event(served, "read"))
    served.board.add_registration("1020", DOMAIN)
    served.board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    events = read_events(served, "read", "cdr", "operate")
    seen = events["event: snapshot"]
    assert seen["calls"]
    assert seen["agents"][0]["phones"]
    assert seen["calls"][0]["legs"]
    assert seen["today"]["billsec"] == 60
    check(seen)
    assert events["event: happened"]
    check(events["event: happened"], "Happened")


def test_an_event_that_says_more_or_less_than_the_document_is_found(served: Served) -> None:
    seen = first_event(served, "read")
    for wrong in ({**seen, "more": 1}, {"counts": seen["counts"]}):
        with pytest.raises(ValidationError):
            check(wrong)


def test_every_refusal_of_the_stream_is_in_the_document(served: Served) -> None:
    said = build_openapi()["paths"]["/api/live"]["get"]
    assert "text/event-stream" in said["responses"]["200"]["content"]
    no_token = served.get("/api/live", headers={"Authorization": ""})
    board = served.service.board
    for number in range(64):
        board.join(f"token {number}", f"192.0.2.{number}")
    full = served.get("/api/live")
    assert (no_token.status_code, full.status_code) == (401, 503)
    assert {"401", "503"} <= set(said["responses"])


def test_the_parameters_of_the_stream_are_in_the_document(served: Served) -> None:
    said = build_openapi()["paths"]["/api/live"]["get"]["parameters"]
    answer = served.get("/api/live?nothing=1")
    assert answer.status_code == 400
    known = answer.json()["error"].partition("known: ")[2].split(", ")
    assert [item["name"] for item in said] == known
