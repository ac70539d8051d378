from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_esl import PASSWORD, ScriptedEsl, answering, connect_switch, replies_of

from fsgitops.errors import SwitchAuthError, SwitchError, SwitchProtocolError
from fsgitops.switch.client import Switch
from fsgitops.switch.replies import NO_REPLY, ReloadReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DOMAIN = "pbx.example.com"


class StubSession:
    """Answers from a table, and remembers what it was asked."""

    place = "pbx:8021"

    def __init__(self, replies: dict[str, str | bytes] | None = None) -> None:
        self.replies = replies or {}
        self.asked: list[str] = []

    def api_bytes(
        self,
        command: str,
        *,
        timeout: float | None = None,
        sink: Callable[[bytes], None] = lambda _piece: None,
    ) -> bytes:
        self.asked.append(command)
        missing = f"-ERR {command.partition(' ')[0]} Command not found!\n"
        said = self.replies.get(command, missing)
        found = said if isinstance(said, bytes) else said.encode()
        sink(found)
        return found

    def api(self, command: str, *, timeout: float | None = None) -> str:
        return self.api_bytes(command, timeout=timeout).decode("utf-8", "replace")

    def api_many(self, commands: Sequence[str], *, timeout: float | None = None) -> list[str]:
        return [self.api(command) for command in commands]


def switch(replies: dict[str, str | bytes] | None = None) -> Switch:
    return Switch(StubSession(replies))  # type: ignore[arg-type]


def asked(one: Switch) -> list[str]:
    return one.session.asked  # type: ignore[attr-defined,no-any-return]


# --- a captured switch ----------------------------------------------------------------------


@pytest.fixture
def captures(shared: Path) -> Path:
    return shared / "esl-captures"


@pytest.fixture
def captured(captures: Path) -> Iterator[Switch]:
    replies = replies_of(captures / "api-replies.json")
    with (
        ScriptedEsl(answering(replies)) as server,
        connect_switch(server.host, server.port, PASSWORD, reply_timeout=2.0) as one,
    ):
        yield one


def test_a_captured_switch_reloads(captured: Switch) -> None:
    assert captured.run("reloadxml", "reload") == ReloadReply(True, "+OK [Success]")
    assert captured.run("sofia profile external rescan", "rescan").ok


def test_a_captured_switch_tells_its_version_and_uptime(captured: Switch) -> None:
    assert captured.version().startswith("FreeSWITCH Version 1.11.3-dev")
    assert captured.uptime() == 491


def test_a_captured_switch_tells_its_users(captured: Switch) -> None:
    assert captured.users_exist([("1020", "127.0.0.1"), ("9999", "127.0.0.1")]) == [True, False]
    wanted = [
        ("1020", "127.0.0.1", "var", "effective_caller_id_name"),
        ("1020", "127.0.0.1", "param", "password"),
    ]
    assert captured.user_params_many(wanted) == ["Test Agent", "s3cretPassw0rdForAgent1020"]


def test_a_captured_switch_tells_who_is_registered(captured: Switch) -> None:
    (one,) = captured.registrations()
    assert (one.user, one.domain) == ("1020", "127.0.0.1")
    assert one.contact == '"" <sip:1020@127.0.0.1:6070>'
    assert one.status == "Registered(UDP)(unknown)"
    assert (one.expires, one.network_ip, one.network_port) == (3262, "127.0.0.1", 6071)
    assert (one.user_agent, one.call_id, one.host) == ("SIPp test phone", "1-28371@127.0.0.1", "vm")


def test_a_captured_switch_shows_its_domain(captured: Switch) -> None:
    found = captured.locate("directory", "domain", "127.0.0.1")
    assert found is not None
    assert found.startswith(b'<domain name="127.0.0.1">')


def test_a_captured_idle_switch_has_no_calls(captured: Switch) -> None:
    assert captured.channels() == ()


def test_a_captured_call_has_two_legs(captures: Path) -> None:
    replies = replies_of(captures / "api-replies-during-call.json")
    busy = switch(dict(replies))
    caller, called = busy.channels()
    assert {caller.call_uuid, called.call_uuid} == {caller.uuid}
    assert (called.caller_number, called.destination) == ("+12025550123", "1020")
    assert (caller.direction, called.direction) == ("inbound", "outbound")


# --- values ---------------------------------------------------------------------------------


def test_no_reply_means_no_value() -> None:
    one = switch({"global_getvar x": NO_REPLY, f"user_data 1020@{DOMAIN} var x": NO_REPLY})
    assert one.global_variable("x") is None
    assert one.user_params_many([("1020", DOMAIN, "var", "x")]) == [None]


def test_a_value_that_begins_like_an_error_is_a_value() -> None:
    one = switch({f"user_data 1020@{DOMAIN} var x": "-ERR is my name"})
    assert one.user_params_many([("1020", DOMAIN, "var", "x")]) == ["-ERR is my name"]


def test_many_values_keep_their_order() -> None:
    one = switch(
        {
            f"user_data 1020@{DOMAIN} param a": "1",
            f"user_data 1021@{DOMAIN} var b": NO_REPLY,
            f"user_data 1022@{DOMAIN} var c": "3",
        }
    )
    wanted = [
        ("1020", DOMAIN, "param", "a"),
        ("1021", DOMAIN, "var", "b"),
        ("1022", DOMAIN, "var", "c"),
    ]
    assert one.user_params_many(wanted) == ["1", None, "3"]  # type: ignore[arg-type]


def test_what_is_not_in_the_tree_is_none() -> None:
    one = switch(
        {
            f"xml_locate directory domain name {DOMAIN}": "can't find anything\n",
            "xml_locate dialplan context name nope": "can't find anything\n",
            "xml_locate dialplan context name public": b'<context name="public"></context>\n',
        }
    )
    assert one.locate("directory", "domain", DOMAIN) is None
    assert one.locate("dialplan", "context", "nope") is None
    assert one.locate("dialplan", "context", "public") == b'<context name="public"></context>\n'


def test_what_is_located_is_handed_on_as_it_comes() -> None:
    context = b'<context name="public"></context>\n'
    one = switch(
        {
            "xml_locate dialplan context name nope": "can't find anything\n",
            "xml_locate dialplan context name public": context,
        }
    )
    pieces: list[bytes] = []
    assert one.locate_into(pieces.append, "dialplan", "context", "public")
    assert b"".join(pieces) == context
    assert not one.locate_into(pieces.append, "dialplan", "context", "nope")
    with pytest.raises(SwitchError, match="Command not found"):
        one.locate_into(pieces.append, "dialplan", "context", "other")


FLUSH = f"sofia profile internal flush_inbound_reg 1022@{DOMAIN}"

ASKING: list[Callable[[Switch], object]] = [
    Switch.version,
    Switch.uptime,
    Switch.registrations,
    Switch.channels,
    lambda one: one.run("reloadxml", "reload"),
    lambda one: one.run("sofia profile external rescan", "rescan"),
    lambda one: one.run(FLUSH),
    lambda one: one.global_variable("domain"),
    lambda one: one.users_exist([("1020", DOMAIN)]),
    lambda one: one.user_params_many([("1020", DOMAIN, "param", "password")]),
    lambda one: one.user_params_many([("1020", DOMAIN, "var", "x")]),
    lambda one: one.locate("dialplan", "context", "public"),
]


@pytest.mark.parametrize("ask", ASKING)
def test_a_command_that_the_switch_does_not_know_is_an_error(
    ask: Callable[[Switch], object],
) -> None:
    with pytest.raises(SwitchError, match=r"pbx:8021: .*Command not found"):
        ask(switch())


def test_an_error_says_what_was_asked_and_what_the_switch_said() -> None:
    one = switch({"sofia profile internal rescan": "-ERR no way\n"})
    with pytest.raises(SwitchError, match=r"sofia profile internal rescan: .*-ERR no way"):
        one.run("sofia profile internal rescan", "rescan")


@pytest.mark.parametrize("said", ["", "maybe", "TRUE", "-ERR no reply\n"])
def test_an_answer_that_is_neither_true_nor_false_is_an_error(said: str) -> None:
    with pytest.raises(SwitchProtocolError, match="expected true or false"):
        switch({f"user_exists id 1020 {DOMAIN}": said}).users_exist([("1020", DOMAIN)])


@pytest.mark.parametrize("said", ["", "soon", "-5", "9" * 5000])
def test_an_uptime_that_is_no_number_is_an_error(said: str) -> None:
    with pytest.raises(SwitchProtocolError, match="a number of seconds"):
        switch({"uptime": said}).uptime()


def test_a_wrong_password_is_an_auth_error() -> None:
    def script(peer: Any) -> None:
        peer.send(b"Content-Type: auth/request\n\n")
        peer.read_command()
        peer.send(b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")

    with ScriptedEsl(script) as server, pytest.raises(SwitchAuthError):
        connect_switch(server.host, server.port, PASSWORD, reply_timeout=2.0)


def test_an_unknown_profile_is_an_error() -> None:
    one = switch({"sofia xmlstatus profile nope reg": "Invalid Profile!\n"})
    with pytest.raises(SwitchError, match="Invalid Profile"):
        one.registrations("nope")


# --- steps of a reload ----------------------------------------------------------------------


def test_a_step_is_sent_as_it_was_printed() -> None:
    one = switch({FLUSH: "+OK flushing all registrations matching specified call_id\n"})
    assert one.run(FLUSH).ok
    assert asked(one) == [FLUSH]


def test_each_step_has_its_judge() -> None:
    half = "Reload XML [[error near line 9]: x]\n+OK scan complete\n"
    one = switch(
        {FLUSH: "Invalid Profile [internal]", "reloadxml": half, "sofia profile p rescan": half}
    )
    assert not one.run(FLUSH).ok
    assert not one.run("sofia profile p rescan", "rescan").ok
    assert one.run("reloadxml", "reload").line == 9


@pytest.mark.parametrize(
    "command",
    [
        "",
        " reloadxml",
        "reloadxml\n\nexit",
        "sofia profile internal flush_inbound_reg ",
        f"sofia profile internal flush_inbound_reg @{DOMAIN}",
        "verto 'x'",
        'verto "x y"',
        "verto a\\b",
        "expand ${x}",
    ],
)
def test_a_step_that_could_be_more_than_it_seems_is_not_sent(command: str) -> None:
    one = switch()
    with pytest.raises(ValueError, match="as command"):
        one.run(command)
    assert asked(one) == []


# --- arguments ------------------------------------------------------------------------------

HARMLESS = re.compile(r"[A-Za-z0-9._+*#:@\[\]-]+")
WITH_ARGUMENT: dict[str, Callable[[Switch, str], object]] = {
    "global_variable": lambda one, text: one.global_variable(text),
    "run": lambda one, text: one.run(text),
    "users_exist extension": lambda one, text: one.users_exist([(text, DOMAIN)]),
    "users_exist domain": lambda one, text: one.users_exist([("1020", text)]),
    "user_data extension": lambda one, text: one.user_params_many([(text, DOMAIN, "var", "x")]),
    "user_data domain": lambda one, text: one.user_params_many([("1020", text, "param", "x")]),
    "user_data name": lambda one, text: one.user_params_many([("1020", DOMAIN, "var", text)]),
    "user_data place": lambda one, text: one.user_params_many([("1020", DOMAIN, text, "x")]),  # type: ignore[list-item]
    "locate section": lambda one, text: one.locate(text, "domain", DOMAIN),
    "locate tag": lambda one, text: one.locate("directory", text, DOMAIN),
    "locate name": lambda one, text: one.locate("directory", "domain", text),
    "registrations": lambda one, text: one.registrations(text),
}
hostile = st.tuples(
    st.text(), st.sampled_from(list(" \t\r\n\0'\"`\\$&|;<>/,~{}()%\x7f\x85\u2028é")), st.text()
).map("".join)


@pytest.mark.parametrize("call", WITH_ARGUMENT.values(), ids=WITH_ARGUMENT)
@given(text=st.one_of(hostile, st.just("")))
def test_an_argument_that_is_more_than_an_argument_is_refused_unsent(
    call: Callable[[Switch, str], object], text: str
) -> None:
    one = switch()
    with pytest.raises(ValueError, match=r"cannot be used as|expected, found"):
        call(one, text)
    assert asked(one) == []


@pytest.mark.parametrize("call", WITH_ARGUMENT.values(), ids=WITH_ARGUMENT)
@given(text=st.text())
def test_what_reaches_the_switch_is_harmless(
    call: Callable[[Switch, str], object], text: str
) -> None:
    one = switch()
    with contextlib.suppress(ValueError, SwitchError):
        call(one, text)
    for command in asked(one):
        words = command.replace(" */", " ").split(" ")
        assert all(HARMLESS.fullmatch(word) for word in words)


def test_the_arguments_of_real_switches_are_taken() -> None:
    one = switch(
        {
            "user_exists id 1020 [2001:db8::1]": "true",
            "user_exists id 0100 sip-1.example.com": "false",
            "user_exists id +19495431333 10.0.0.1": "true",
        }
    )
    users = [
        ("1020", "[2001:db8::1]"),
        ("0100", "sip-1.example.com"),
        ("+19495431333", "10.0.0.1"),
    ]
    assert one.users_exist(users) == [True, False, True]
