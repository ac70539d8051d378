"""Events of the embedded switch: their names, and how they look in each format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = """
CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER
CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD
CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA
CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID
API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH
MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE
MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML
NOTIFY PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS
CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO
RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP
PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP
CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE
TEXT SHUTDOWN_REQUESTED CERT_RELOAD ALL
"""
NAMES = frozenset(_NAMES.split())
FORMATS = ("plain", "json", "xml")


def event_name(word: str) -> str | None:
    """Return the event that `word` names, in upper case; None: no such event."""
    name = word.upper().removeprefix("SWITCH_EVENT_")
    return name if name in NAMES else None


def encode_event(style: str, headers: Mapping[str, str], body: str | None) -> bytes:
    """Return the whole frame of an event. `plain` values are percent-encoded."""
    values = dict(headers)
    if body is not None:
        values["Content-Length"] = str(len(_bytes(body)))
    if style == "json":
        payload = _bytes(
            json.dumps(values | ({} if body is None else {"_body": body}), ensure_ascii=False)
        )
    else:
        lines = (f"{key}: {quote(_bytes(value), safe=_SAFE)}\n" for key, value in values.items())
        payload = _bytes("".join(lines) + "\n" + (body or ""))
        style = "plain"
    head = f"Content-Length: {len(payload)}\nContent-Type: text/event-{style}\n\n"
    return head.encode() + payload


_SAFE = "!*'();:@&=+$,/?[]"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
