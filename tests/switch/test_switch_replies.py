from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import SwitchProtocolError
from fsgitops.switch.replies import (
    ReloadReply,
    read_channels,
    read_registrations,
    read_reload,
    read_rescan,
)

DOMAIN = "pbx.example.com"


def registration(**changed: str) -> str:
    """One `<registration>` as mod_sofia writes it."""
    fields = {
        "call-id": "1-28371@192.0.2.7",
        "user": f"1020@{DOMAIN}",
        "contact": "&quot;&quot; &lt;sip:1020@192.0.2.7:6070&gt;",
        "agent": "Desk phone",
        "status": "Registered(UDP)(unknown) exp(2026-11-23 11:51:54) expsecs(3262)",
        "ping-status": "Reachable",
        "host": "pbx",
        "network-ip": "192.0.2.7",
        "network-port": "6071",
        "sip-auth-user": "1020",
        "sip-auth-realm": DOMAIN,
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"        <{name}>{value}</{name}>" for name, value in fields.items()]
    return "\n".join(["    <registration>", *lines, "    </registration>"])


def registrations(*entries: str) -> str:
    head = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<profile>\n  <registrations>\n'
    return head + "".join(f"{entry}\n" for entry in entries) + "  </registrations>\n</profile>\n"


# --- reloads ----------------------------------------


def test_only_success_is_success() -> None:
    assert read_reload("+OK [Success]\n").ok


@pytest.mark.parametrize(
    "said",
    [
        "+OK [[error near line 6890]: unexpected closing tag </user>]\n",
        "+OK [Cannot Open log directory or XML Root!]\n",
        "+OK []\n",
        "+OK\n",
        "+OK [Success] really\n",
        "-ERR [Success]\n",
        "",
    ],
)
def test_an_ok_that_is_not_success_is_a_failure(said: str) -> None:
    assert not read_reload(said).ok


def test_a_parse_error_tells_its_line() -> None:
    said = "+OK [[error near line 6890]: unexpected closing tag </user>]"
    assert read_reload(f"{said}\n") == ReloadReply(False, said, 6890)


def test_a_rescan_that_could_not_parse_fails_though_it_says_ok() -> None:
    said = "Reload XML [[error near line 12]: unclosed <!--]\n+OK scan complete\n"
    assert read_rescan(said) == ReloadReply(False, said.rstrip("\n"), 12)


@pytest.mark.parametrize(
    "said",
    [
        "Invalid Profile [nope]",
        "Reload XML [Success]\n-ERR cannot find config for profile x\n",
        "+OK scan complete\n",
        "Reload XML [Success]\n",
    ],
)
def test_half_a_rescan_is_a_failure(said: str) -> None:
    assert not read_rescan(said).ok


@given(st.text())
def test_reading_any_reload_answer_never_fails_and_only_success_is_ok(said: str) -> None:
    assert read_reload(said).ok == (said.rstrip("\n") == "+OK [Success]")
    assert not read_rescan(said).ok


# --- registrations ----------------------------------------


def test_a_call_id_cannot_forge_a_registration() -> None:
    # A real mod_sofia 1.11 accepted this Call-ID in a REGISTER and wrote it out like this.
    evil = f"evil</call-id><user>1005@{DOMAIN}</user><call-id>"
    (one,) = read_registrations(registrations(registration(call_id=evil)))
    assert one.user == "1020"
    assert one.call_id == evil


def test_a_call_id_cannot_hide_the_registrations_after_it() -> None:
    entries = [registration(call_id="</registration><!--"), registration(user=f"1021@{DOMAIN}")]
    assert [one.user for one in read_registrations(registrations(*entries))] == ["1020", "1021"]


sip_word = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\0", exclude_categories=["Cs"])
)


@given(sip_word)
def test_whatever_the_call_id_the_users_are_the_truth(call_id: str) -> None:
    entries = [registration(call_id=call_id), registration(user=f"1021@{DOMAIN}")]
    found = read_registrations(registrations(*entries))
    assert [one.user for one in found] == ["1020", "1021"]
    assert found[0].call_id == call_id


def test_entities_are_undone_once() -> None:
    (one,) = read_registrations(registrations(registration(agent="&lt;b&gt;&amp;quot;&apos;")))
    assert one.user_agent == "<b>&quot;'"


def test_an_entity_of_somebody_elses_is_left_as_text() -> None:
    (one,) = read_registrations(registrations(registration(agent="&xxe; &#65;")))
    assert one.user_agent == "&xxe; &#65;"


def test_utf8_in_a_user_agent_is_read_despite_the_header() -> None:
    said = registrations(registration(agent="Zoë")).encode()
    (one,) = read_registrations(said.decode("utf-8", "replace"))
    assert one.user_agent == "Zoë"


def test_an_expired_registration_has_negative_seconds() -> None:
    status = "Registered(TLS-NAT)(unknown) exp(2026-11-23 11:51:54) expsecs(-3)"
    (one,) = read_registrations(registrations(registration(status=status)))
    assert (one.status, one.expires) == ("Registered(TLS-NAT)(unknown)", -3)


def test_no_registrations_is_an_empty_tuple() -> None:
    assert read_registrations(registrations()) == ()


@given(st.text())
def test_reading_any_registrations_raises_only_protocol_errors(said: str) -> None:
    with pytest.raises(SwitchProtocolError):
        read_registrations(said)
    read_registrations(registrations(said))


# --- calls ----------------------------------------


def test_a_row_with_missing_or_odd_values_is_still_a_channel() -> None:
    body = json.dumps({"row_count": 1, "rows": [{"uuid": "a", "created_epoch": "x", "dest": 7}]})
    (one,) = read_channels(body.encode())
    assert (one.uuid, one.created, one.destination) == ("a", 0, "")


@pytest.mark.parametrize("body", [b"", b"0 total.", b"[]", b'{"rows": 1}', b'{"rows": [1]}'])
def test_an_answer_that_is_no_list_of_rows_is_an_error(body: bytes) -> None:
    with pytest.raises(SwitchProtocolError):
        read_channels(body)


def test_a_caller_name_that_is_not_utf8_does_not_hide_the_calls() -> None:
    body = b'{"row_count":1,"rows":[{"uuid":"a","cid_name":"caf\xe9"}]}'
    assert [leg.caller_name for leg in read_channels(body)] == ["caf�"]
