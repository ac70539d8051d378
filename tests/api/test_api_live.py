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
from fsgitops.api.openapi import build_openapi

if TYPE_CHECKING:
    from served_api import Served


class Records:
    """A lake with one call."""

    def find(self, query: object) -> list[dict[str, Any]]:
        return []

    def today(self) -> dict[str, int]:
        return {"calls": 1, "answered": 1, "billsec": 60}


def first_event(served: Served, scopes: frozenset[str]) -> dict[str, Any]:
    """Return the data of the first event that somebody with these scopes gets."""

    async def ask() -> str:
        board = LiveBoard(served.service.pool, served.service.declared, Records())
        async for text in board.events(lambda: scopes):
            return text
        raise AssertionError("no event")

    text = asyncio.run(ask())
    head, data = text.removesuffix("\n\n").split("\ndata: ")
    assert head == "event: snapshot"
    found: dict[str, Any] = json.loads(data)
    return found


def check(data: dict[str, Any]) -> None:
    """Hold an event to the document, without a field more or less at any level."""
    schema = build_openapi()["components"]["schemas"]["Snapshot"]
    Draft202012Validator(close_schema(schema)).validate(data)


def test_every_route_of_the_api_is_in_the_document(served: Served) -> None:
    paths = {route.path for route in create_app(served.service).routes}  # type: ignore[attr-defined]
    assert paths - {"/", "/openapi.json"} == set(build_openapi()["paths"])


def test_an_event_is_as_the_document_says(served: Served) -> None:
    check(first_event(served, frozenset({"read"})))
    served.board.add_registration("1020", DOMAIN)
    served.board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    seen = first_event(served, frozenset({"read", "cdr"}))
    assert seen["calls"]
    assert seen["agents"][0]["phones"]
    assert seen["today"]["billsec"] == 60
    check(seen)


def test_an_event_that_says_more_or_less_than_the_document_is_found(served: Served) -> None:
    seen = first_event(served, frozenset({"read"}))
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
