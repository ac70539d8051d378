"""Who is let in, how often, from where; and what happens when the switch is away."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from scripted_esl import connect_switch
from served_api import token
from starlette.testclient import TestClient
from switchboard import DOMAIN

from fsgitops.api.app import create_app
from fsgitops.api.edge import Buckets, Gate, RefusedError, host_name, is_loopback
from fsgitops.api.pool import SwitchPool
from fsgitops.api.serve import build_service, serve
from fsgitops.commands.token import match_token, new_token, read_tokens, revoke_token
from fsgitops.errors import SwitchTimeoutError, SwitchUnreachableError, UsageError
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.switch.client import Switch

if TYPE_CHECKING:
    from pathlib import Path

    from served_api import Served

EVERY = (
    ("GET", "/api/agents", "read"),
    ("GET", "/api/agents/1020", "read"),
    ("GET", "/api/agents/1020/credentials", "credentials"),
    ("GET", "/api/agents/1020/status", "read"),
    ("POST", "/api/agents/1020/kick", "operate"),
    ("GET", "/api/inbound-routes", "read"),
    ("GET", "/api/inbound-routes/19495431333", "read"),
    ("GET", "/api/calls/active", "read"),
    ("POST", "/api/calls/dial", "operate"),
    ("POST", "/api/calls/u/hangup", "operate"),
    ("POST", "/api/calls/u/transfer", "operate"),
    ("GET", "/api/cdr", "cdr"),
    ("GET", "/api/live", "read"),
)


def test_every_route_is_in_the_list_above(served: Served) -> None:
    paths = {route.path for route in served.client.app.routes} - {"/", "/health", "/openapi.json"}
    assert len(paths) == len(EVERY)


@pytest.mark.parametrize(("method", "path", "scope"), EVERY)
def test_nothing_is_given_without_a_token_or_without_its_scope(
    served: Served, method: str, path: str, scope: str
) -> None:
    ask = served.client.request
    for wrong in ("", "Bearer x", "Bearer fsg_00000000_x", "Basic eDp5", "Bearer "):
        answer = ask(method, path, headers={"Authorization": wrong})
        assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
    others = [item for item in ("read", "cdr", "operate", "credentials") if item != scope]
    answer = ask(method, path, headers=token(served.project, *others))
    assert (answer.status_code, scope in answer.json()["error"]) == (403, True)


def test_a_revoked_or_expired_token_is_refused_at_once(served: Served) -> None:
    secret, made = new_token(served.project.root, "gone", ["read"])
    headers = {"Authorization": f"Bearer {secret}"}
    assert served.get("/api/agents", headers=headers).status_code == 200
    revoke_token(served.project.root, made.id)
    assert served.get("/api/agents", headers=headers).status_code == 401
    late, _ = new_token(served.project.root, "late", ["read"], days=1)
    (kept,) = [item for item in read_tokens(served.project.root) if item.name == "late"]
    from dataclasses import replace

    assert match_token([kept], late) is kept
    assert match_token([replace(kept, expires="2020-01-01T00:00:00+00:00")], late) is None


def test_a_token_with_a_foreign_secret_is_refused(tmp_path: Path) -> None:
    first, _ = new_token(tmp_path, "one", ["read"])
    second, _ = new_token(tmp_path, "two", ["read"])
    mixed = "_".join([*first.split("_")[:2], second.split("_", 2)[2]])
    assert match_token(read_tokens(tmp_path), mixed) is None
    assert match_token(read_tokens(tmp_path), first) is not None


def test_buckets_fill_again_with_time() -> None:
    now = [0.0]
    buckets = Buckets(60, lambda: now[0])
    assert [buckets.take("a") for _ in range(15)] == [0.0] * 15
    assert buckets.take("a") == pytest.approx(1.0)
    assert buckets.take("b") == 0.0
    now[0] = 1.0
    assert buckets.take("a") == 0.0


def test_buckets_do_not_grow_without_end() -> None:
    buckets = Buckets(60, lambda: 0.0)
    for number in range(10_050):
        buckets.take(str(number))
    assert len(buckets) == 10_000


def test_too_many_operations_are_told_to_wait(served: Served) -> None:
    answers = [served.post("/api/calls/u/hangup") for _ in range(20)]
    assert [answer.status_code for answer in answers[:15]] == [404] * 15
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert served.get("/api/agents").status_code == 200


def test_guessing_tokens_is_slowed_down_and_hurts_nobody_else(served: Served) -> None:
    wrong = {"Authorization": "Bearer fsg_1_x"}
    statuses = [served.get("/api/agents", headers=wrong).status_code for _ in range(20)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert served.get("/api/agents").status_code == 200


def test_a_request_keeps_its_id_and_a_strange_one_gets_another(served: Served) -> None:
    assert served.get("/nope", headers={"X-Request-ID": "abc-1"}).json()["request_id"] == "abc-1"
    strange = served.get("/nope", headers={"X-Request-ID": "a b\u00e9".encode("latin-1")})
    assert len(strange.headers["x-request-id"]) == 36


def test_only_listed_origins_read_and_operate(served: Served) -> None:
    good, bad = {"Origin": "https://console.example"}, {"Origin": "https://evil.example"}
    assert served.get("/api/agents", headers=good).headers["access-control-allow-origin"]
    assert "access-control-allow-origin" not in served.get("/api/agents", headers=bad).headers
    assert served.post("/api/calls/u/hangup", headers=good).status_code == 404
    assert served.post("/api/calls/u/hangup", headers=bad).status_code == 403
    asked = {**good, "Access-Control-Request-Method": "POST"}
    assert served.client.options("/api/calls/dial", headers=asked).status_code == 200


def test_without_tokens_only_loopback_names_are_answered(served: Served) -> None:
    service = build_service(served.workspace, served.connect, anonymous=["read"])
    with TestClient(
        create_app(service, loopback_only=True), base_url="http://localhost:3000"
    ) as client:
        assert client.get("/api/agents").status_code == 200
        assert client.get("/api/agents", headers={"Host": "evil.example"}).status_code == 403
        assert client.post("/api/calls/u/hangup").status_code == 401
        evil = {"Origin": "http://localhost.evil.example:3000"}
        assert client.post("/api/calls/u/hangup", headers=evil).status_code == 403


def test_without_tokens_nothing_is_served_to_the_network(served: Served) -> None:
    with pytest.raises(UsageError, match="loopback"):
        serve(served.workspace, "0.0.0.0", 3000, ["read"], lambda _: None)


@pytest.mark.parametrize(
    ("header", "name"),
    [("localhost:3000", "localhost"), ("[::1]:3000", "[::1]"), ("http://a.example", "a.example")],
)
def test_host_names_lose_their_port(header: str, name: str) -> None:
    assert host_name(header) == name


def test_loopback_is_told_from_what_looks_like_it() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "127.0.0.1.evil.example", "", "192.0.2.1")))


def test_a_body_is_json_and_small(served: Served) -> None:
    send = served.client.post
    assert send("/api/calls/dial", content=b"a=b").status_code == 415
    json_type = {"Content-Type": "application/json"}
    assert send("/api/calls/dial", content=b"{", headers=json_type).status_code == 400
    assert send("/api/calls/dial", content=b"[" * 20_000, headers=json_type).status_code == 413
    assert send("/api/calls/dial", content=b"[" * 9000, headers=json_type).status_code == 400


def test_no_answer_lets_a_caller_act_on_the_terminal_of_whoever_prints_it(served: Served) -> None:
    name = "Eve \u202eecnanif\u202c\x1b[2J\u200b"
    served.board.add_call("+19495431333", "1020", "sandbox.example", "+12025550123", name)
    answer = served.get("/api/calls/active")
    assert answer.text.isprintable()
    assert answer.json()["data"][0]["caller_name"] == name


def test_a_switch_that_is_away_is_503_and_comes_back_by_itself(served: Served) -> None:
    assert served.get("/health").json()["status"] == "ok"
    host, port = served.board.address
    served.board.stop()
    for path in ("/health", "/api/calls/active", "/api/agents/1020/status"):
        answer = served.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), path
    assert served.post("/api/calls/u/hangup").status_code == 503
    assert served.get("/api/agents").status_code == 200
    served.service.pool.clock = lambda: time.monotonic() + 5
    with EmbeddedSwitch(served.project.conf, "a password", host, port):
        assert served.get("/health").json()["switch"] == "up"
        assert served.get("/api/calls/active").status_code == 200


def test_a_switch_that_takes_the_connection_and_says_nothing_is_503(served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        def connect() -> Switch:
            return connect_switch("127.0.0.1", port, "x", connect_timeout=0.1, reply_timeout=0.1)

        service = build_service(served.workspace, connect, anonymous=["read"])
        with TestClient(create_app(service)) as client:
            assert client.get("/health").status_code == 503
            assert client.get("/api/calls/active").status_code == 503


def test_all_who_ask_for_health_at_a_time_share_one_question(served: Served) -> None:
    import httpx

    asked = []

    class Pool:
        async def run(self, job: Any, *, timeout: float) -> int:
            asked.append(timeout)
            await asyncio.sleep(0)
            return 1

    async def ask() -> list[int]:
        from dataclasses import replace

        app = create_app(replace(served.service, pool=Pool()))  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answers = await asyncio.gather(*(client.get("/health") for _ in range(50)))
        return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200] * 50
    assert len(asked) < 10


def test_a_failed_connection_is_not_tried_again_for_everybody() -> None:
    tries = []
    now = [0.0]

    def connect() -> Switch:
        tries.append(now[0])
        raise SwitchUnreachableError("nobody there")

    async def ask() -> None:
        pool = SwitchPool(connect, size=1, clock=lambda: now[0])
        pool.start()
        for moment in (0.0, 0.1, 0.9, 1.5):
            now[0] = moment
            with pytest.raises(SwitchUnreachableError, match="nobody there"):
                await pool.run(lambda switch: switch.uptime())
        await asyncio.to_thread(pool.stop)

    asyncio.run(ask())
    assert tries == [0.0, 1.5]


def test_a_full_queue_refuses_and_a_slow_job_is_not_waited_for() -> None:
    async def ask() -> None:
        pool = SwitchPool(lambda: None, size=0, waiting=1)  # type: ignore[arg-type, return-value]
        pool.start()
        with pytest.raises(SwitchTimeoutError):
            await pool.run(lambda _: None, timeout=0.01)
        with pytest.raises(SwitchUnreachableError, match="too many requests wait"):
            await pool.run(lambda _: None, timeout=0.01)
        pool.stop()

    asyncio.run(ask())


def test_a_broken_connection_is_opened_again_before_the_next_job(served: Served) -> None:
    seen: list[Any] = []

    async def ask() -> None:
        pool = SwitchPool(served.connect, size=1)
        pool.start()
        for _ in range(2):
            await pool.run(lambda switch: seen.append(switch))
        await pool.run(lambda switch: switch.close())
        await pool.run(lambda switch: seen.append(switch))
        await asyncio.to_thread(pool.stop)

    asyncio.run(ask())
    assert seen[0] is seen[1]
    assert seen[1] is not seen[2]


def test_an_unknown_token_file_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / ".fsgitops").mkdir()
    (tmp_path / ".fsgitops" / "tokens.json").write_text("[]")
    gate = Gate(tmp_path)
    with pytest.raises(Exception, match="not a list of tokens"):
        gate.admit("Bearer x", "127.0.0.1", "read")


def test_anonymous_may_what_was_allowed_and_nothing_else(tmp_path: Path) -> None:
    gate = Gate(tmp_path, anonymous=frozenset({"read"}))
    assert gate.admit("", "127.0.0.1", "read").name == "anonymous"
    with pytest.raises(RefusedError) as refused:
        gate.admit("", "127.0.0.1", "operate")
    assert refused.value.status == 401


def test_the_page_may_run_its_own_script_and_reach_nothing_else(served: Served) -> None:
    answer = served.get("/", headers={"Authorization": ""})
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "http://" not in answer.text
    assert "https://" not in answer.text


def test_live_events_come_when_something_changes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    from fsgitops.api.live import LiveBoard

    monkeypatch.setattr("fsgitops.api.live.CACHE_SECONDS", 0.0)

    async def watch() -> list[dict[str, Any]]:
        service = served.service
        board = LiveBoard(service.pool, service.declared, None, tick=0.02)
        left = [200]

        def more() -> frozenset[str]:
            left[0] -= 1
            return frozenset({"read"} if left[0] > 0 else ())

        seen: list[dict[str, Any]] = []
        stream = board.events(more)
        async for text in stream:
            if text.startswith("event: snapshot\ndata: "):
                seen.append(json.loads(text.split("data: ", 1)[1]))
                if len(seen) == 1:
                    served.board.add_registration("1020", DOMAIN)
                    served.board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
                else:
                    break
        await stream.aclose()  # type: ignore[attr-defined]
        return seen

    first, second = asyncio.run(watch())
    assert first["counts"] == {"agents": 2, "registered": 0, "on_call": 0, "calls": 0}
    assert second["counts"] == {"agents": 2, "registered": 1, "on_call": 1, "calls": 1}
    assert second["agents"][0]["presence"] == "on call"
    assert second["calls"][0]["did"] == "+19495431333"


def test_a_page_that_looks_at_a_switch_that_is_away_is_told(served: Served) -> None:
    served.board.stop()
    found = asyncio.run(served.service.board.snapshot())
    assert found["switch"]["up"] is False
    assert found["switch"]["message"]
