"""What mod_verto says of its sessions is read as it is, and never believed to be more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import SwitchProtocolError
from fsgitops.switch.replies import METHODS, VertoUser, read_sessions, read_verto_users

SESSION = "bdf8f956-809e-4dc1-b33e-365a60457bc2"


def session(user: object = "1005", state: str = "CONN_REG", **other: object) -> dict[str, object]:
    return {
        "user": user, "domain": "127.0.0.1", "entity": f"{user}@127.0.0.1", "type": "WS",
        "remoteHost": "127.0.0.1:48888", "state": state, **other,
    }  # fmt: skip


def answer(*users: dict[str, object], addresses: int = 1) -> str:
    profile = {"name": "default-v4", "id": "ws:127.0.0.1:8081", "users": list(users)}
    return json.dumps({"profiles": [profile] * addresses})


def test_a_session_stands_once_however_many_addresses_its_profile_has() -> None:
    assert read_verto_users(answer(session(), addresses=2)) == (
        VertoUser("1005", "127.0.0.1", "127.0.0.1:48888", "default-v4"),
    )


def test_who_has_not_logged_in_is_nobody() -> None:
    assert read_verto_users(answer(session(None, "CONN_NO_REG"))) == ()


@given(st.text() | st.from_type(dict).map(json.dumps) | st.just("[" * 5000))
def test_anything_else_is_told_as_no_answer(text: str) -> None:
    with pytest.raises(SwitchProtocolError):
        read_verto_users(text)


@pytest.mark.parametrize(
    ("said", "sessions"),
    [
        (f"verto.rtc/u:{SESSION}", [SESSION]),
        (f"verto.rtc/u:{SESSION},verto.rtc/u:other", [SESSION, "other"]),
        ("error/user_not_registered", []),
        ("-ERR verto_contact Command not found!\n", []),
        ("", []),
        ("verto.rtc/u:client chose this one", []),
    ],
)
def test_a_contact_names_its_sessions(said: str, sessions: list[str]) -> None:
    assert read_sessions(said) == sessions


def test_logging_in_again_stays_possible() -> None:
    assert "login" not in METHODS.split(",")
