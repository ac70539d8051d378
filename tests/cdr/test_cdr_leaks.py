"""Call records hold no credential, whatever the channel's variables were named or carried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from lakes import NOW_US, START_US, document, flush_all
from leak_search import Search
from replay_switch import renew

from fsgitops.cdr.json_cdr import decode_document
from fsgitops.cdr.lake import open_lake
from fsgitops.cdr.record import RecordBuilder, hide_credentials
from fsgitops.cdr.spool import Spool
from fsgitops.cli.cdr import invoke

if TYPE_CHECKING:
    from pathlib import Path

WORD = "Zq-planted-9Wk"
PIN = "739182"
SEARCH = Search({"password": WORD, "PIN": PIN})
# What FreeSWITCH itself, its stock dialplan, and people's dialplans call them.
NAMES = (
    "sip_auth_password",
    "sip_auth_response",
    "sip_h_Authorization",
    "sip_h_Proxy-Authorization",
    "sip_h_X-Auth-Token",
    "default_password",
    "vm-password",
    "vm_pin",
    "a1-hash",
    "rtp_secure_media_key",
    "rtp_last_audio_local_crypto_key",
    "conference_pin",
    "user_secret",
    "api_key",
    "read_digits_result",
)
ARGUMENTS = (
    f"[sip_auth_password={WORD}]sofia/gateway/carrier/+19495431333",
    f"{{sip_auth_username=u,sip_auth_password='{WORD}'}}sofia/external/1@sip.example",
    f"curl https://u:{WORD}@crm.example/x",
    f"conference room@default+{PIN}",
    f"https://crm.example/x?token={WORD}&a=b",
)


def planted(template: dict, number: int, argument: str) -> dict:
    event = renew(template, number, START_US)
    event |= {f"variable_{name}": WORD for name in NAMES}
    return event | {"variable_last_arg": argument, "variable_current_application_data": argument}


@pytest.mark.parametrize("road", ["esl", "json"])
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_no_record_in_spool_lake_or_listing_holds_a_credential(
    templates: list[dict], tmp_path: Path, capfdbinary, road: str, argument: str
) -> None:
    event = planted(templates[0], 1, argument)
    if road == "json":
        event = decode_document(document(event))
    spool = Spool(tmp_path / "spool")
    spool.add([RecordBuilder(["*"]).build(event, road, NOW_US)])
    found = [hit for path in spool_files(tmp_path) for hit in SEARCH.find(path.name, read(path))]
    flush_all(spool, open_lake(str(tmp_path / "lake"), create=True))
    for path in (tmp_path / "lake").rglob("*.parquet"):
        # Parquet is compressed: its bytes would hide a leak from the search.
        rows = json.dumps(pq.read_table(path).to_pylist(), default=str)
        assert "variables" in rows
        found += SEARCH.find(path.name, rows.encode())
    for form in ("json", "csv", "table"):
        place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
        assert invoke([*place, "list", "--format", form]) == 0
        found += SEARCH.find(form, capfdbinary.readouterr().out)
    assert found == []


def test_a_conference_s_pin_and_an_argument_set_twice_are_hidden(templates: list[dict]) -> None:
    builder = RecordBuilder(["last_arg"])
    for application, argument in (
        ("conference", f"room+{PIN}"),
        ("conference", f"room@wide+{PIN}+flags{{mute}}"),
        ("bridge", [f"{{sip_auth_password={WORD}}}user/1", "user/2"]),
    ):
        event = planted(templates[0], 1, "")
        event |= {"variable_last_app": application, "variable_last_arg": argument}
        del event["variable_current_application_data"]
        row = builder.build(event, "esl", NOW_US)
        assert SEARCH.find(application, row.payload) == []


def test_the_rest_of_an_argument_stays(templates: list[dict]) -> None:
    for argument in (
        "sofia/gateway/carrier/+19495431333",
        "user/1020@pbx.example.com",
        "sofia/internal/+19495431333@pbx.example.com",
        "https://crm.example:8443/call@home",
        "room@wide",
    ):
        assert hide_credentials(argument) == argument
    assert hide_credentials("https://u:p@crm.example/x") == "https://u:***@crm.example/x"


def spool_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "spool").rglob("*") if path.is_file()]


def read(path: Path) -> bytes:
    return path.read_bytes()
