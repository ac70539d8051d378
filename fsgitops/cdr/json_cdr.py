"""mod_json_cdr's documents: every form in which it writes or posts them, as one event.

Checked against mod_json_cdr.c and switch_ivr.c (`switch_ivr_generate_json_cdr`):
- a file in `log-dir` is plain JSON; one in `err-log-dir`, after a failed post, is percent-encoded
  or base64 as a whole when `encode` is on (`backup_cdr` writes the escaped text);
- `encode-values` percent-encodes the channel's variables, and nothing else. Its buffer is one byte
  short, so a value of special characters alone loses its last one: the switch's loss, not ours;
- a post is `cdr=…`, percent-encoded or base64, or bare JSON; with `disable-100-continue` the
  Content-Type is lost, so the body itself has to tell which.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from fsgitops.cdr.record import RecordError
from fsgitops.errors import SwitchProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROFILE = {
    "caller_id_name": "Caller-Caller-ID-Name",
    "caller_id_number": "Caller-Caller-ID-Number",
    "destination_number": "Caller-Destination-Number",
    "rdnis": "Caller-RDNIS",
    "context": "Caller-Context",
    "network_addr": "Caller-Network-Addr",
}
# The switch sets these itself, with a space or a colon in each: they tell encoded from plain.
_STAMPS = ("start_stamp", "end_stamp", "profile_start_stamp", "answer_stamp")


def decode_document(body: bytes) -> dict[str, Any]:
    """Return a JSON CDR, from a file or a post, as the event of the same leg.

    Raises RecordError for anything else, a half-written document included.
    """
    from fsgitops.esl.session import decode_json_object

    text = unwrap(body)
    try:
        document = decode_json_object(text)
    except SwitchProtocolError:
        raise RecordError("not a whole JSON document: half-written, cut off or foreign") from None
    if isinstance(document.get("callflow"), dict):
        document["callflow"] = _callflows(text)
    return to_event(document)


def _callflows(text: bytes) -> list[Any]:
    """Return the call flows of a document that has each as an object under the same name.

    So FreeSWITCH wrote them before 1.4, the last one first; a decoder keeps one of a name.
    """

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if "callflow" in found:
            found["callflow"] = [value for name, value in pairs if name == "callflow"]
        return found

    try:
        document = json.loads(
            text.decode("utf-8", "replace"), strict=False, object_pairs_hook=collect
        )
    except (ValueError, RecursionError):
        return []
    flows: list[Any] = document["callflow"]
    return flows


def unwrap(body: bytes) -> bytes:
    """Return the JSON text inside a form field, a percent-encoded or a base64 text."""
    text = body.strip()
    if text[:4] == b"cdr=":
        text = text[4:]
    if text[:1] == b"{":
        return text
    if text[:3] in {b"%7B", b"%7b"}:
        return unquote_to_bytes(text)
    # In a form, a `+` that base64 wrote may have been turned into a space on the way.
    compact = text.replace(b" ", b"+").replace(b"\n", b"")
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return text


def to_event(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parsed document with the names that an event has.

    Raises RecordError when it has no variables: then it is not the record of a call.
    """
    variables = document.get("variables")
    if not isinstance(variables, dict):
        raise RecordError("no `variables` in it: expected a document of mod_json_cdr")
    if is_encoded(variables):
        variables = {
            name: unquote(value) if isinstance(value, str) else value
            for name, value in variables.items()
        }
    event: dict[str, Any] = {f"variable_{name}": value for name, value in variables.items()}
    event["Unique-ID"] = variables.get("uuid")
    event["FreeSWITCH-Switchname"] = document.get("switchname")
    event["Core-UUID"] = document.get("core-uuid")
    event["Call-Direction"] = variables.get("direction")
    for key, value in last_profile(document).items():
        if key in _PROFILE and value != "":
            event[_PROFILE[key]] = value
    return event


def last_profile(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the caller profile in force at the end: the first that the document has."""
    flow = document.get("callflow")
    first = flow[0] if isinstance(flow, list) and flow else {}
    profile = first.get("caller_profile") if isinstance(first, dict) else None
    return profile if isinstance(profile, dict) else {}


def is_encoded(variables: Mapping[str, Any]) -> bool:
    """Tell whether `encode-values` was on when these variables were written."""
    for name in _STAMPS:
        stamp = variables.get(name)
        if isinstance(stamp, str) and stamp:
            return "%20" in stamp or "%3A" in stamp
    return False
