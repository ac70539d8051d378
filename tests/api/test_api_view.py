"""What a page is shown of one look at the switch: the agents it searches for, and no more."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from builders import noun
from hypothesis import given
from hypothesis import strategies as st
from switchboard import DOMAIN

from fsgitops.api.live import LiveBoard
from fsgitops.api.view import EVERYBODY, MAX_VIEWS, SHOWN_AGENTS, View, build_board, read_view
from fsgitops.errors import UsageError
from fsgitops.live.roster import Roster
from fsgitops.switch.replies import Registration

if TYPE_CHECKING:
    from served_api import Served

    from fsgitops.api.view import Board

MANY = Roster(
    {
        str(10_000 + n): noun("agent", extension=str(10_000 + n), name=f"Agent {n}")
        for n in range(2000)
    },
    {},
)
PHONE = Registration(
    user="11999", domain=DOMAIN, contact="sip:x", user_agent="evil\u202ephone", status="Registered",
    expires=60, network_ip="192.0.2.1", network_port=5060, call_id="1", host="",
)  # fmt: skip


@pytest.fixture(scope="module")
def many() -> Board:
    return build_board(MANY, ((PHONE,), ()), DOMAIN, {"head": 1}, 0)


def extensions(board: Board, **query: str) -> list[str]:
    return [item["extension"] for item in board.show(read_view(query))["agents"]]


def test_the_search_reaches_agents_beyond_those_that_are_shown(many: Board) -> None:
    assert len(many.show()["agents"]) == SHOWN_AGENTS
    assert "11500" not in extensions(many)
    assert extensions(many, search="11500") == ["11500"]
    assert extensions(many, search="1500  AGENT") == ["11500"]
    assert many.show(read_view({"search": "agent"}))["view"]["matching"] == 2000


def test_the_filter_keeps_one_presence(many: Board) -> None:
    assert extensions(many, presence="available") == ["11999"]
    assert extensions(many, presence="on call") == []
    assert many.show(View("", "offline"))["view"]["matching"] == 1999


def test_the_figures_are_those_of_everybody_whatever_is_searched_for(many: Board) -> None:
    found = many.show(View("11500"))
    assert found["counts"] == {"agents": 2000, "registered": 1, "on_call": 0, "calls": 0}
    assert found["head"] == 1


def test_what_phones_call_themselves_moves_no_text(many: Board) -> None:
    (agent,) = many.show(View("11999"))["agents"]
    assert agent["phones"] == ["evil\\u202ephone"]


def test_views_are_kept_for_all_who_ask_and_never_too_many(many: Board) -> None:
    assert many.show(EVERYBODY) is many.show(EVERYBODY)
    for number in range(2 * MAX_VIEWS):
        many.show(View(str(number)))
    assert len(many.made) == MAX_VIEWS


@given(st.dictionaries(st.sampled_from(["search", "presence", "x"]), st.text(max_size=100)))
def test_any_query_is_a_view_or_a_mistake_of_the_caller(query: dict[str, str]) -> None:
    try:
        view = read_view(query)
    except UsageError:
        return
    assert view.presence in ("", "on call", "available", "offline")
    assert view.search == " ".join(view.search.split())


@pytest.mark.parametrize(
    "query", ["search=" + "x" * 81, "presence=away", "colour=red", "search=a&search=b"]
)
def test_a_stream_of_another_view_is_refused(served: Served, query: str) -> None:
    assert served.get(f"/api/live?{query}").status_code == 400


def messages(served: Served, *scopes: str) -> dict[str, Any]:
    async def first() -> dict[str, Any]:
        board = LiveBoard(served.service.pool, served.service.declared, None, tick=0.0)
        board.happened.note_operation("console", "kick", "1020", {"phones": "2"})
        stream = board.events(lambda: frozenset(scopes))
        text = await anext(aiter(stream))
        if "operate" in scopes:
            text += await anext(aiter(stream))
        await stream.aclose()  # type: ignore[attr-defined]
        parts = [part.split("\ndata: ") for part in text.split("\n\n") if part]
        return {name.removeprefix("event: "): json.loads(data) for name, data in parts}

    return asyncio.run(first())


def test_events_are_for_those_who_operate(served: Served) -> None:
    found = messages(served, "read")
    assert list(found) == ["snapshot"]
    assert found["snapshot"]["scopes"] == ["read"]
    found = messages(served, "read", "operate")
    (done, watching) = [event["text"] for event in found["happened"]]
    assert done == "console ended 2 registrations of 1020"
    assert watching == "Watching from here on: no page was open before"


def test_a_call_is_shown_with_its_legs_so_that_one_of_them_can_be_moved(served: Served) -> None:
    uuid, other = served.board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    found = asyncio.run(served.service.board.snapshot())
    assert found["calls"][0]["legs"] == [
        {"uuid": uuid, "agent": None, "number": "+12025550123"},
        {"uuid": other, "agent": "1020", "number": "1020"},
    ]


def test_an_agent_on_a_call_counts_as_registered_only_with_a_phone(served: Served) -> None:
    served.board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    served.board.add_registration("1021", DOMAIN)
    found = asyncio.run(served.service.board.snapshot())
    assert found["counts"] == {"agents": 2, "registered": 1, "on_call": 1, "calls": 1}
    assert [item["presence"] for item in found["agents"]] == ["on call", "available"]
    only = asyncio.run(served.service.board.snapshot(View("bob", "available")))
    assert [item["extension"] for item in only["agents"]] == ["1021"]
