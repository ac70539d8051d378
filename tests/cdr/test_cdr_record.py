from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakes import make_row
from replay_switch import as_document, read_events

from fsgitops.cdr import listener as listening
from fsgitops.cdr.columns import build_table
from fsgitops.cdr.json_cdr import decode_document
from fsgitops.cdr.record import (
    RecordBuilder,
    RecordError,
    UnplacedError,
    hide_credentials,
    is_secret_name,
    start_microseconds,
)
from fsgitops.cdr.schema import COLUMNS

SHARED = Path(__file__).resolve().parents[3] / "shared"
NOW = 1_795_431_190_118_181
UNSAFE = '\r\n #%&+:;<=>?@[\\]^`{|}"'


def record_of(event: dict, road: str = "esl", variables: tuple[str, ...] = ()) -> dict:
    row = RecordBuilder(variables).build(event, road, NOW)
    return build_table([row.payload]).to_pylist()[0]


def event_by(templates, text: str) -> dict:
    return next(e for e in templates if str(e["Unique-ID"]).startswith(text))


def test_an_inbound_call_that_an_agent_answered_has_its_times_cause_did_and_agent(
    templates,
) -> None:
    record = record_of(event_by(templates, "14136671"))
    assert record["start_time"] == datetime(2026, 11, 23, 10, 52, 58, 238174, tzinfo=UTC)
    assert record["answer_time"] == datetime(2026, 11, 23, 10, 53, 8, 598177, tzinfo=UTC)
    assert record["end_time"] == datetime(2026, 11, 23, 10, 53, 10, 118181, tzinfo=UTC)
    assert (record["duration"], record["billsec"]) == (12, 2)
    assert (record["duration_ms"], record["billsec_ms"]) == (11880, 1520)
    assert (record["progress_ms"], record["pdd_ms"]) == (10020, 10020)
    assert (record["hangup_cause"], record["hangup_cause_q850"]) == ("NORMAL_CLEARING", 16)
    assert (record["leg"], record["agent_extension"]) == ("a", "1020")
    assert record["did_number"] == "19495431333"
    assert record["sip_status"] == 200
    assert record["caller_id_name"] == "Bob 'O' Brien, Jr. 100%"


def test_the_leg_to_the_agent_is_a_b_leg_of_the_same_call(templates) -> None:
    a, b = (record_of(event_by(templates, start)) for start in ("14136671", "a798fd11"))
    assert (b["leg"], b["agent_extension"], b["did_number"]) == ("b", "1020", None)
    assert b["call_uuid"] == a["call_uuid"] == a["uuid"]
    assert (a["other_leg_uuid"], b["other_leg_uuid"]) == (b["uuid"], a["uuid"])


def test_a_call_that_nobody_answered_has_no_answer_time(templates) -> None:
    record = record_of(event_by(templates, "2d9eb488"))
    assert record["answer_time"] is None
    assert record["answered"] is False
    assert record["audio_mos"] is None


def test_the_hostile_caller_gets_the_record_of_what_he_did(captures) -> None:
    capture = captures / "hostile-caller.json.esl"
    if not capture.exists():
        pytest.skip("../shared/esl-captures is not beside this checkout")
    record = record_of(read_events(capture.read_bytes())[0])
    assert record["uuid"] == "04b91bc2-52e5-4126-96df-a443291a85e7"
    assert record["did_number"] == "+19495431333"
    assert record["destination_number"] == "1020"
    assert record["caller_id_number"].startswith("1202\nCaller-Destination-Number: 999\n")


def test_both_roads_give_the_same_record(captures, templates) -> None:
    compared = 0
    for event in templates:
        path = captures / "json_cdr" / f"{event['Unique-ID']}.cdr.json"
        if not path.exists():
            continue
        read = decode_document(path.read_bytes())
        assert record_of(read) == record_of(event)
        builder = RecordBuilder()
        by_json, by_esl = builder.build(read, "json", NOW), builder.build(event, "esl", NOW)
        assert (by_json.hour, by_json.key) == (by_esl.hour, by_esl.key)
        compared += 1
    if not compared:
        pytest.skip("../shared/esl-captures is not beside this checkout")


def encode_values(document: bytes) -> bytes:
    """What switch_url_encode does to the variables: no more than its list, upper-case hex."""
    data = json.loads(document)
    safe = "".join(c for c in map(chr, range(33, 127)) if c not in UNSAFE)
    data["variables"] = {
        k: quote(v, safe=safe) if isinstance(v, str) else v for k, v in data["variables"].items()
    }
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda body: body,
        lambda body: b"cdr=" + quote(body, safe="").encode(),
        lambda body: b"cdr=" + base64.b64encode(body),
        lambda body: quote(body, safe="").encode() + b"\n",
        lambda body: base64.b64encode(body) + b"\n",
        encode_values,
    ],
    ids=["json", "form", "form-base64", "error-file", "error-file-base64", "encode-values"],
)
def test_every_form_that_mod_json_cdr_writes_gives_the_same_record(templates, wrap) -> None:
    # A `%` in a name that came as `%41` cannot be told from an encoded one: the switch's doing.
    body = as_document(event_by(templates, "a1c1d283"))
    assert record_of(decode_document(wrap(body))) == record_of(decode_document(body))


def old_document(templates) -> bytes:
    """What mod_json_cdr of FreeSWITCH 1.2 wrote: each call flow an object of the same name."""
    document = json.loads(as_document(event_by(templates, "14136671")))
    last = document.pop("callflow")[0] | {"profile_index": "2"}
    first = {"profile_index": "1", "caller_profile": {"destination_number": "0", "context": "x"}}
    flows = "".join(f', "callflow": {json.dumps(flow)}' for flow in (last, first))
    return json.dumps(document)[:-1].encode() + flows.encode() + b"}"


@pytest.mark.parametrize("encode", [lambda body: body, lambda body: body[:-1] + b', "x": "\xff"}'])
def test_a_document_with_its_call_flows_as_objects_gives_the_same_record(templates, encode) -> None:
    new = decode_document(as_document(event_by(templates, "14136671")))
    record = record_of(decode_document(encode(old_document(templates))))
    assert record == record_of(new)
    assert record["destination_number"] == "1020"


def test_the_documents_of_both_generations_give_what_the_caller_dialled() -> None:
    folder = SHARED / "cases" / "15-json-cdr-callflow-object" / "json"
    if not folder.is_dir():
        pytest.skip("../shared/cases is not beside this checkout")
    for path in folder.iterdir():
        record = record_of(decode_document(path.read_bytes()))
        found = [record[n] for n in ("caller_id_number", "destination_number", "context")]
        assert found == ["15550100001", "1020", "default"]


def test_a_record_that_does_not_say_its_switch_takes_the_one_that_is_set(templates) -> None:
    document = json.loads(as_document(templates[0]))
    del document["switchname"]
    read = decode_document(json.dumps(document).encode())
    with pytest.raises(UnplacedError, match="switch: NAME"):
        RecordBuilder().build(read, "json", NOW)
    named = RecordBuilder(switch=str(templates[0]["FreeSWITCH-Switchname"]))
    assert named.build(read, "json", NOW).key == RecordBuilder().build(templates[0], "esl", NOW).key


def test_a_document_cut_off_anywhere_is_no_record(templates) -> None:
    body = as_document(templates[0]).rstrip()
    for size in range(0, len(body), 97):
        with pytest.raises(RecordError):
            decode_document(body[:size])


@given(st.binary(max_size=300))
def test_no_bytes_make_the_decoder_fail_otherwise(body: bytes) -> None:
    with contextlib.suppress(RecordError):
        decode_document(body)


_READ = (
    "dialed_user", "originated_legs", "bridge_uuid", "last_arg", "sip_req_user", "sip_to_user",
    "originator", "record_path", "record_name", "user_name", "sip_authorized", "hangup_cause",
    "sip_gateway_name", "sip_network_ip", "start_uepoch", "rtp_audio_in_mos", "sip_term_status",
)  # fmt: skip
_RAW = sorted({column.raw for column in COLUMNS if column.raw} | {f"variable_{n}" for n in _READ})
_VALUE = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just(["a", 1, None])


@given(st.sampled_from(_RAW), _VALUE)
def test_a_hostile_value_costs_no_record(name: str, value: object) -> None:
    event = {"Unique-ID": "u", "FreeSWITCH-Switchname": "s"} | {name: value}
    assert record_of(event)["uuid"] == "u"


@given(st.text(max_size=30) | st.integers() | st.none())
def test_a_start_time_is_a_plausible_one_or_none(text: object) -> None:
    assert 0 <= start_microseconds(text) < 4_102_444_800_000_000


@pytest.mark.parametrize(
    "name",
    ["gw_pwd", "trunk-pw",
     "sip_auth_password", "a1-hash", "vm-password", "rtp_secure_media_key", "switch_r_sdp",
     "pin_number", "sip_h_Authorization", "conference_pin", "digits_dialed", "api_key",
     "rtp_last_audio_crypto_key", "sip_auth_response_token"],
)  # fmt: skip
def test_a_secret_variable_is_never_kept_even_when_listed(name: str, templates) -> None:
    event = dict(templates[0]) | {f"variable_{name}": "hunter2"}
    assert is_secret_name(name)
    row = RecordBuilder(["*", name]).build(event, "esl", NOW)
    assert b"hunter2" not in row.payload


def test_listed_variables_are_kept_and_no_others(templates) -> None:
    record = record_of(templates[0], variables=("sip_from_*",))
    assert set(dict(record["variables"])) >= {"sip_from_user", "sip_from_host"}
    assert "sip_to_user" not in dict(record["variables"])


def test_credentials_in_a_dial_string_are_hidden() -> None:
    text = "{sip_auth_username=joe,sip_auth_password='a b',x=1}sofia/gateway/gw/123"
    assert (
        hide_credentials(text)
        == "{sip_auth_username=***,sip_auth_password=***,x=1}sofia/gateway/gw/123"
    )


def test_an_event_without_a_leg_is_no_record() -> None:
    with pytest.raises(RecordError):
        RecordBuilder().build({"FreeSWITCH-Switchname": "s"}, "esl", NOW)


def test_of_several_phones_the_one_that_answered_is_the_agent(templates) -> None:
    event = dict(event_by(templates, "14136671"))
    event["variable_dialed_user"] = "1030"
    event["variable_originated_legs"] = ["leg-1;Agent;1020", "leg-2;Agent;1030"]
    event["variable_bridge_uuid"] = "leg-1"
    assert record_of(event)["agent_extension"] == "1020"


def test_a_table_of_several_chunks_has_every_record_in_order(templates, monkeypatch) -> None:
    payloads = [make_row(templates, number).payload for number in range(1, 24)]
    whole = build_table(payloads)
    monkeypatch.setattr("fsgitops.cdr.columns.CHUNK_ROWS", 5)
    assert build_table(iter(payloads)).equals(whole)
    assert build_table([]).num_rows == 0


def test_a_record_that_is_too_long_keeps_its_call_and_loses_the_ends_of_its_texts(
    templates,
) -> None:
    event = event_by(templates, "14136671") | {"variable_sip_user_agent": "x" * 10_000_000}
    event |= {f"variable_sip_h_X-{number}": "y" * 100 for number in range(20_000)}
    row = RecordBuilder(["sip_h_*"]).build(event, "esl", NOW)
    assert len(row.payload) < 1_000_000
    record = build_table([row.payload]).to_pylist()[0]
    assert record["uuid"] == event["Unique-ID"]
    assert record["duration"] == 12
    assert record["user_agent"] == "x" * 500 + "…"
    assert len(record["variables"]) == 500


def test_a_record_named_by_a_novel_is_none(templates) -> None:
    event = event_by(templates, "14136671") | {"Unique-ID": "u" * 2000}
    with pytest.raises(RecordError, match="more than 1024 characters"):
        RecordBuilder().build(event, "esl", NOW)


def test_an_event_that_is_too_large_is_not_even_decoded(monkeypatch) -> None:
    monkeypatch.setattr(listening, "MAX_EVENT", 10)
    with pytest.raises(RecordError, match="larger than 10 bytes"):
        listening.decode_event(b'{"Event-Name": 1}')
