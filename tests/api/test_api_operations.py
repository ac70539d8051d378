"""What each operation of the API answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from switchboard import DOMAIN

if TYPE_CHECKING:
    from served_api import Served


def test_agents_have_the_older_shape(served: Served) -> None:
    assert served.data("/api/agents") == [
        {"id": "1020", "extension": "1020", "name": "Alice", "email": None, "is_active": True},
        {"id": "1021", "extension": "1021", "name": "Bob", "email": None, "is_active": True},
    ]
    assert served.data("/api/agents/1020")["caller_id_number"] == "+19495431333"


def test_lists_come_in_parts(served: Served) -> None:
    (second,) = served.data("/api/agents?limit=1&offset=1")
    assert second["id"] == "1021"
    assert served.get("/api/agents?limit=0").status_code == 400
    assert served.get("/api/agents?limit=x").status_code == 400
    assert served.get("/api/agents?colour=red").status_code == 400


def test_a_disabled_agent_is_not_found(served: Served) -> None:
    assert served.get("/api/agents/1999").status_code == 404
    assert served.get("/api/agents/..%2f").status_code == 404


def test_credentials_are_those_of_the_command_line_and_written_down(served: Served) -> None:
    own = served.project.run("credentials", "1020", "--reveal", "--json").json()
    found = served.data("/api/agents/1020/credentials")
    assert (found["username"], found["password"]) == ("1020", own["password"])
    assert (found["sip_server"], found["sip_port"]) == (own["sip_server"], own["sip_port"])
    lines = (served.project.conf / ".fsgitops" / "audit.jsonl").read_text()
    assert "reveal credentials" in lines
    assert own["password"] not in lines


def test_status_follows_the_switch(served: Served) -> None:
    assert served.data("/api/agents/1020/status")["online"] is False
    served.board.add_registration("1020", DOMAIN)
    served.board.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    found = served.data("/api/agents/1020/status")
    assert (found["extension"], found["online"], found["on_call"]) == ("1020", True, True)


def test_routes_have_the_older_shape(served: Served) -> None:
    assert served.data("/api/inbound-routes")[0] == {
        "id": "19495431333", "did_number": "+19495431333", "destination_extension": "1020",
        "description": None, "is_active": True,
    }  # fmt: skip
    assert served.data("/api/inbound-routes/19495431334")["destination_extension"] == "1021"
    assert served.get("/api/inbound-routes/1").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/agents"),
        ("PUT", "/api/agents/1020"),
        ("DELETE", "/api/agents/1020"),
        ("POST", "/api/inbound-routes"),
        ("PUT", "/api/inbound-routes/19495431333"),
        ("DELETE", "/api/inbound-routes/19495431333"),
    ],
)
def test_declaring_goes_through_git(served: Served, method: str, path: str) -> None:
    answer = served.client.request(method, path, json={"extension": "1030"})
    assert answer.status_code == 405
    assert "git" in answer.json()["error"]
    assert "GET" in answer.headers["allow"]


def test_a_call_is_placed_listed_transferred_and_ended(served: Served) -> None:
    for extension in ("1020", "1021"):
        served.board.add_registration(extension, DOMAIN)
    placed = served.post(
        "/api/calls/dial", {"agent_extension": "1020", "destination": "(800) 555-1234"}
    ).json()["data"]
    assert (placed["destination"], placed["caller_id_number"]) == ("+18005551234", "+19495431333")
    uuid = placed["uuid"]
    (call,) = served.data("/api/calls/active")
    assert (call["uuid"], call["agent"], len(call["legs"])) == (uuid, "1020", 2)
    moved = served.post(f"/api/calls/{uuid}/transfer", {"destination": "1021"})
    assert moved.json() == {"success": True, "message": "Call transferred"}
    ended = served.post(f"/api/calls/{uuid}/hangup")
    assert ended.json() == {"success": True, "message": "Call hung up"}
    assert served.data("/api/calls/active") == []
    assert served.post(f"/api/calls/{uuid}/hangup").status_code == 404


def test_a_call_is_not_transferred_to_whom_nothing_reaches(served: Served) -> None:
    served.board.add_registration("1020", DOMAIN)
    served.post("/api/calls/dial", {"agent_extension": "1020", "destination": "+18005551234"})
    (call,) = served.data("/api/calls/active")
    answer = served.post(f"/api/calls/{call['uuid']}/transfer", {"destination": "1021"})
    assert (answer.status_code, "has no mailbox" in answer.json()["error"]) == (409, True)
    (after,) = served.data("/api/calls/active")
    assert [leg["uuid"] for leg in after["legs"]] == [leg["uuid"] for leg in call["legs"]]


def test_who_waits_is_told_that_both_answered(served: Served) -> None:
    for extension in ("1020", "1021"):
        served.board.add_registration(extension, DOMAIN)
    asked = {"agent_extension": "1020", "destination": "1021", "wait": True}
    placed = served.post("/api/calls/dial", asked).json()["data"]
    assert (placed["status"], placed["destination"]) == ("connected", "1021")
    (call,) = served.data("/api/calls/active")
    assert (call["uuid"], call["agents"]) == (placed["uuid"], ["1020", "1021"])


def test_every_operation_is_written_down_with_its_token(served: Served) -> None:
    served.board.add_registration("1020", DOMAIN)
    served.post("/api/calls/dial", {"agent_extension": "1020", "destination": "+18005551234"})
    served.post("/api/agents/1020/kick")
    served.post("/api/calls/nothing/hangup")
    text = (served.project.conf / ".fsgitops" / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    kept = [line for line in lines if line["result"] != "intended"][-3:]
    assert [item["action"] for item in kept] == ["dial", "kick", "hangup"]
    assert [item["result"] for item in kept] == ["done", "done", "failed: no call nothing"]
    assert all(item["token"].startswith("test (token ") for item in kept)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"agent_extension": "1020"}, 400, "`destination` is required"),
        ({"agent_extension": "1020", "destination": 5}, 400, "must be a string"),
        ({"agent_extension": "1020", "destination": "x"}, 400, "not a telephone number"),
        ({"agent_extension": "1020", "destination": "1021"}, 409, "1021 is not registered"),
        ({"agent_extension": "1020", "destination": "1021", "wait": "yes"}, 400, "a boolean"),
        ({"agent_extension": "1999", "destination": "+18005551234"}, 404, "1999"),
        ({"agent_extension": "1021", "destination": "+18005551234"}, 409, "no number to show"),
        ({"agent_extension": "1020", "destination": "+18005551234", "x": 1}, 400, "unknown field"),
        (
            {"agent_extension": "1020", "destination": "+18005551234", "caller_id_name": "Bank"},
            409,
            "caller ID name",
        ),
        (
            {
                "agent_extension": "1020",
                "destination": "+18005551234",
                "caller_id_number": "+12125551234",
            },
            409,
            "not a declared number",
        ),
        ({"agent_extension": "1020}", "destination": "+18005551234"}, 400, "no extension"),
        (["1020"], 400, "JSON object"),
    ],
)
def test_a_call_that_cannot_be_placed_says_why(
    served: Served, body: object, status: int, said: str
) -> None:
    served.board.add_registration("1020", DOMAIN)
    answer = served.post("/api/calls/dial", body)
    assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text
    assert served.data("/api/calls/active") == []


def test_an_agent_who_is_not_there_is_not_rung(served: Served) -> None:
    answer = served.post(
        "/api/calls/dial", {"agent_extension": "1020", "destination": "+18005551234"}
    )
    assert (answer.status_code, "not registered" in answer.json()["error"]) == (409, True)


def test_kick_ends_registrations(served: Served) -> None:
    served.board.add_registration("1020", DOMAIN)
    assert served.post("/api/agents/1020/kick").json()["data"]["ended"] == 1
    assert served.board.registrations == ()
    assert served.post("/api/agents/@/kick").status_code == 404


def test_records_without_a_lake_are_not_there(served: Served) -> None:
    answer = served.get("/api/cdr")
    assert (answer.status_code, "--lake" in answer.json()["error"]) == (501, True)


def test_records_come_from_the_lake_with_their_filters(served: Served) -> None:
    from dataclasses import replace

    from starlette.testclient import TestClient

    from fsgitops.api.app import create_app

    asked = []

    class Records:
        def find(self, **wanted: object) -> list[dict[str, object]]:
            asked.append(wanted)
            return [{"uuid": "u"}]

        def today(self) -> dict[str, int]:
            return {"calls": 3, "answered": 2, "billsec": 60}

    service = replace(served.service, records=Records())
    client = TestClient(create_app(service), headers=dict(served.client.headers))
    answer = client.get("/api/cdr?from=2026-01-31&agent=1020&did=9495431333&limit=5")
    assert answer.json() == {"success": True, "data": [{"uuid": "u"}]}
    assert asked == [
        {"since": "2026-01-31", "until": None, "agent": "1020", "did": "+19495431333", "limit": 5}
    ]
    for bad in ("from=yesterday", "from=2026-99-01", "agent=1' OR 1", "limit=100000", "x=1"):
        assert client.get(f"/api/cdr?{bad}").status_code == 400


def test_a_change_of_the_files_is_seen_and_a_broken_one_is_not_in_force(served: Served) -> None:
    from fsgitops.api.declared import DeclaredState

    now = [0.0]
    declared = DeclaredState(served.workspace, clock=lambda: now[0])
    served.project.write("desired/more.yaml", "agents:\n  - {extension: 1030, name: New}\n")
    assert "1030" not in declared.current()[1].agents
    now[0] = 3.0
    assert "1030" in declared.current()[1].agents
    served.project.write("desired/more.yaml", "agents:\n  - {extension: 1, nam: New}\n")
    now[0] = 6.0
    assert "1030" in declared.current()[1].agents
    assert declared.problem is not None
    assert "desired/more.yaml:2" in declared.problem
    served.project.write("desired/more.yaml", "agents: []\n")
    now[0] = 9.0
    assert "1030" not in declared.current()[1].agents
    assert declared.problem is None
