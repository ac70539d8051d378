"""The API when callers, switch and files misbehave at awkward moments."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from served_api import token
from starlette.testclient import TestClient

from fsgitops.api.app import create_app
from fsgitops.api.edge import RefusedError
from fsgitops.api.live import MAX_LISTENERS, MAX_PER_ADDRESS, MAX_PER_CALLER, LiveBoard
from fsgitops.api.pool import SwitchPool
from fsgitops.api.records import LakeRecords
from fsgitops.commands.token import new_token, read_tokens
from fsgitops.errors import FsgitopsError, SwitchTimeoutError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from served_api import Served

TODAY = {"calls": 7, "answered": 5, "billsec": 60}


class Records:
    def find(self, **wanted: object) -> list[dict[str, Any]]:
        return []

    def today(self) -> dict[str, int]:
        return TODAY


@pytest.mark.parametrize(
    ("scopes", "shown"), [(frozenset({"read"}), None), (frozenset({"read", "cdr"}), TODAY)]
)
def test_the_figures_of_the_day_need_the_scope_of_call_records(
    served: Served, scopes: frozenset[str], shown: dict[str, int] | None
) -> None:
    async def first() -> dict[str, Any]:
        service = served.service
        board = LiveBoard(service.pool, service.declared, Records())
        stream = board.events(lambda: scopes)
        text = await anext(aiter(stream))
        await stream.aclose()  # type: ignore[attr-defined]
        found: dict[str, Any] = json.loads(text.split("data: ", 1)[1])
        return found

    assert asyncio.run(first())["today"] == shown


def test_places_for_listeners_are_taken_before_the_answer_begins(served: Served) -> None:
    board = served.service.board
    places = [board.join(f"token {n}", f"192.0.2.{n}") for n in range(MAX_LISTENERS)]
    answer = served.get("/api/live")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "close pages that nobody looks at" in answer.json()["error"]
    board.leave(places[0])
    board.join("token 1", "192.0.2.1")


def test_one_token_cannot_take_the_places_of_others(served: Served) -> None:
    board = served.service.board
    greedy, other = token(served.project), token(served.project)
    caller = served.service.gate.identify(greedy["Authorization"], "192.0.2.1").key
    places = [board.join(caller, f"192.0.2.{n}") for n in range(MAX_PER_CALLER)]
    answer = served.get("/api/live", headers=greedy)
    assert answer.status_code == 429
    assert "fsgitops token new" in answer.json()["error"]
    board.close()
    assert served.get("/api/live", headers=other).status_code == 200
    board.leave(places[0])
    assert served.get("/api/live", headers=greedy).status_code == 200


@pytest.mark.parametrize(
    ("one", "same", "another"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::2:3:4:5", "2001:db8:0:1::1"),
    ],
)
def test_one_address_cannot_take_all_places_with_many_tokens(
    served: Served, one: str, same: str, another: str
) -> None:
    board = served.service.board
    for number in range(MAX_PER_ADDRESS):
        board.join(f"token {number}", one)
    with pytest.raises(RefusedError, match="close pages or programs there"):
        board.join("one more", same)
    board.join("one more", another)


def test_a_board_remembers_only_who_is_looking(served: Served) -> None:
    board = served.service.board
    for number in range(100):
        board.leave(board.join(f"token {number}", f"192.0.2.{number}"))
    assert not board.listeners


def test_a_listener_that_goes_away_gives_up_its_place(served: Served) -> None:
    board = served.service.board
    board.close()
    for _ in range(MAX_LISTENERS + 1):
        assert served.get("/api/live").status_code == 200


def test_a_damaged_token_file_ends_nothing_with_a_traceback(served: Served) -> None:
    (served.project.root / ".fsgitops" / "tokens.json").write_text("{")
    answer = served.get("/api/live")
    assert (answer.status_code, "not a list of tokens" in answer.json()["error"]) == (500, True)


def test_a_sender_who_hangs_up_in_the_middle_is_no_fault_of_ours(served: Served) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert answer_to(served, receive)[0]["status"] == 400


def answer_to(served: Served, receive: Callable[[], Any]) -> list[Any]:
    """Post a body that comes from `receive`; return what is sent back."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"host", b"localhost")]
    headers += [(k.lower().encode(), v.encode()) for k, v in token(served.project).items()]
    scope = {
        "type": "http", "method": "POST", "path": "/api/calls/dial", "headers": headers,
        "query_string": b"", "client": ("127.0.0.1", 1), "root_path": "", "scheme": "http",
        "server": ("localhost", 1), "http_version": "1.1", "raw_path": b"/api/calls/dial",
    }  # fmt: skip
    asyncio.run(create_app(served.service)(scope, receive, send))
    return sent


def test_a_body_that_never_ends_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsgitops.api.app.BODY_SECONDS", 0.0)

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    head, body = answer_to(served, never)
    assert head["status"] == 400
    assert b"in time" in body["body"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/agents/1020/kick", None),
        ("/api/calls/some-call/hangup", None),
        ("/api/calls/some-call/transfer", {"destination": "1021"}),
        ("/api/calls/dial", {"agent_extension": "1020", "destination": "+18005551234"}),
    ],
)
def test_an_operation_that_reaches_no_switch_is_written_down(
    served: Served, path: str, body: dict[str, str] | None
) -> None:
    served.board.stop()
    assert served.post(path, body).status_code == 503
    (line,) = audit_lines(served)
    assert line["result"].startswith("failed: ")
    assert line["token"].startswith("test (token ")


def test_a_call_under_another_name_is_refused_and_written_down(served: Served) -> None:
    body = {"agent_extension": "1020", "destination": "+18005551234", "caller_id_name": "The Bank"}
    assert served.post("/api/calls/dial", body).status_code == 409
    _, line = audit_lines(served)
    assert (line["action"], line["subject"]) == ("dial", "1020")
    assert "always the declared one" in line["result"]


def audit_lines(served: Served) -> list[dict[str, str]]:
    place = served.project.conf / ".fsgitops" / "audit.jsonl"
    return [json.loads(line) for line in place.read_text().splitlines()]


def test_what_was_reported_as_failed_does_not_happen_later() -> None:
    now = [0.0]
    done: list[str] = []

    def connect() -> Any:
        now[0] += 100.0  # a switch that took its time
        return None

    pool = SwitchPool(connect, size=1, clock=lambda: now[0])
    pool.start()
    try:
        with pytest.raises(SwitchTimeoutError):
            asyncio.run(pool.run(lambda _switch: done.append("rang")))
    finally:
        pool.stop()
    assert done == []


def test_a_damaged_lake_is_no_mistake_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = pytest.importorskip("fsgitops.cdr.query")

    def damaged(*_args: Any) -> None:
        raise UsageError("the query failed: not a Parquet file\n\nLINE 1: CREATE VIEW")

    monkeypatch.setattr(query, "list_records", damaged)
    with pytest.raises(FsgitopsError) as caught:
        LakeRecords(str(tmp_path)).find()
    assert not isinstance(caught.value, UsageError)
    assert "LINE 1" not in str(caught.value)


def test_a_fault_is_answered_with_its_id_in_the_header(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(served.service.declared, "current", fail)
    app = create_app(served.service)
    client = TestClient(app, raise_server_exceptions=False, headers=token(served.project))
    answer = client.get("/api/agents", headers={"X-Request-ID": "abc"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "abc")


def test_a_wrong_reading_of_an_operation_does_not_speak_of_git(served: Served) -> None:
    answer = served.get("/api/agents/1020/kick")
    assert (answer.status_code, "git" in answer.json()["error"]) == (405, False)


def test_tokens_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda number: new_token(tmp_path, f"t{number}", ["read"])[1].id, range(40))
        assert sorted(made) == sorted(item.id for item in read_tokens(tmp_path))
