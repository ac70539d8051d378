"""From one event, or one JSON CDR, to one row: the same row, whichever road it came by.

Both roads carry the channel's variables; everything that identifies a record (switch, uuid, leg,
start) is read from those, so that two copies of a record always meet under one key.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from fsgitops.cdr.schema import BUILT, COPIED
from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HOUR_US = 3_600_000_000
MAX_EVENT = 16 * 1024 * 1024
"""Bytes of one event, file or post: what is larger is no record of a call."""

_MAX_PAYLOAD = 256 * 1024
_MAX_NAME, _CUT_TEXT = 1024, 500
_MAX_KEPT = 500
_MAX_US = 4_102_444_800_000_000
_COPIED_KEYS = tuple(COPIED.values())

_SECRET_NAME = re.compile(
    # `digits`: what a caller keys in, voicemail PINs and card numbers included; `sdp`: SRTP keys.
    r"pass(word|wd|phrase)?|secret|credential|a1[-_]?hash|token|crypto|api[-_]?key|private[-_]?key|"
    r"pwd|psw|(^|[-_])(pw|pin|key|auth|cred|nonce|digest|cookie|jwt|otp|dtls|ice|digits)([-_]|$)|"
    r"authorization|sdp",
    re.IGNORECASE,
)
_WORD = re.compile(r"([\w-]+)(\s*=\s*)?")
_SETTING_VALUE = re.compile(r"'[^']*'|[^,}\]\s]*")
_SECRET_HINT = re.compile(r"pass|pwd|psw|secret|token|auth|pin|key|hash", re.IGNORECASE)
_SECRET_ADDRESS = re.compile(r"(://[^/\s:@]*:)[^/\s]*(?=@)|(@[\w.-]+\+)[^+\s]+")
_CONFERENCE_PIN = re.compile(r"^([^+]*\+)[^+\s]+")
_APPLICATION_OF = {
    "last_arg": "variable_last_app",
    "current_application_data": "variable_current_application",
}
_SECRET_VALUE = re.compile(r"a=crypto:|inline:|BEGIN [A-Z ]{0,64}PRIVATE KEY", re.IGNORECASE)
_DIALLED = re.compile(r"\+?[0-9]{3,}")
_RECORDING = (
    "variable_recording_path",
    "variable_recording_file",
    "variable_record_file",
    "variable_cc_record_filename",
)


class RecordError(FsgitopsError):
    """What came is not a record of a call: it is kept in the quarantine."""


class UnplacedError(RecordError):
    """It is the record of a call, and does not say of which switch."""


class Row(NamedTuple):
    """One record on its way. `hour` and `key` identify it; `payload` is what the spool keeps."""

    hour: int
    key: str
    road: str
    payload: bytes


class RecordBuilder:
    """Builds rows. `variables` lists which further channel variables to keep (globs).

    Variables whose names or values look like credentials are never kept, whatever the list says.
    `switch` is the switch's name for records that do not say it: mod_json_cdr of old.
    """

    def __init__(self, variables: Iterable[str] = (), switch: str | None = None) -> None:
        self.switch = switch
        self._patterns = tuple(variables)
        # Callers can send any number of X- headers: the memory of names must not grow with them.
        self._is_wanted = lru_cache(10_000)(self._decide)

    def build(self, event: Mapping[str, Any], road: str, received_us: int) -> Row:
        """Return the row of a decoded CHANNEL_HANGUP_COMPLETE event.

        Raises RecordError when the event names no leg or no switch, or holds what no switch sends.
        """
        try:
            return self._build(event, road, received_us)
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as problem:
            # What came is kept in the quarantine; the thread that reads must not die of it.
            raise RecordError(f"no record can be made of it: {problem!r:.200}") from problem

    def _identify(self, event: Mapping[str, Any]) -> tuple[str, str]:
        """Return the leg's UUID and its switch. Raises UnplacedError, RecordError."""
        uuid = event.get("Unique-ID") or event.get("variable_uuid")
        switch = event.get("FreeSWITCH-Switchname") or self.switch
        if uuid and isinstance(uuid, str) and not switch:
            raise UnplacedError(
                "no `switchname` in it, as of FreeSWITCH before 1.4: "
                "set `cdr: {switch: NAME}` in fsgitops.yaml"
            )
        if not isinstance(uuid, str) or not isinstance(switch, str) or not uuid or not switch:
            raise RecordError("no Unique-ID and switch name in it: expected the record of a call")
        if len(uuid) > _MAX_NAME or len(switch) > _MAX_NAME:
            raise RecordError(f"a UUID or switch name of more than {_MAX_NAME} characters")
        return uuid, switch

    def _build(self, event: Mapping[str, Any], road: str, received_us: int) -> Row:
        get = event.get
        uuid, switch = self._identify(event)
        origin = get("variable_originating_leg_uuid") or get("variable_originator")
        leg = "b" if origin else "a"
        dialled_by = get("variable_user_name") if get("variable_sip_authorized") == "true" else None
        direction = get("Call-Direction") or get("variable_direction")
        built = [
            uuid,
            leg,
            origin or get("variable_bridge_uuid") or get("variable_last_bridge_to"),
            origin or uuid,
            direction,
            None if origin or dialled_by or direction != "inbound" else find_did(event),
            dialled_by or find_agent(event),
            get("variable_sip_gateway_name") or get("variable_sip_gateway"),
            get("variable_hangup_cause") or get("Hangup-Cause"),
            get("variable_sip_network_ip") or get("Caller-Network-Addr"),
            _hide_argument(get("variable_last_app"), get("variable_last_arg")),
            find_recording(event),
            switch,
            received_us,
            road,
            self._keep(event) if self._patterns else None,
        ]
        built.extend(map(get, _COPIED_KEYS))
        hour = start_microseconds(get("variable_start_uepoch")) // HOUR_US
        key = f"{switch}\x1f{uuid}\x1f{leg}"
        payload = _encode(built)
        if len(payload) > _MAX_PAYLOAD:
            payload = _encode(list(map(_cut, built)))
        return Row(hour, key, road, payload)

    def _keep(self, event: Mapping[str, Any]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for header, value in event.items():
            if not header.startswith("variable_"):
                continue
            name = header[9:]
            text = value if isinstance(value, str) else flat_text(value)
            if len(kept) >= _MAX_KEPT:
                break
            if self._is_wanted(name) and text is not None and not _SECRET_VALUE.search(text):
                application = event.get(_APPLICATION_OF.get(name, ""))
                kept[name] = str(_hide_argument(application, text))
        return kept

    def _decide(self, name: str) -> bool:
        return not is_secret_name(name) and any(fnmatchcase(name, p) for p in self._patterns)


def _encode(values: list[Any]) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError:
        # A number beyond 64 bits, or a value nested hundreds deep: no switch sends one, but a
        # hostile file can. `variables`, the last that is built, holds texts.
        *built, kept = values[: len(BUILT)]
        copied = map(flat_text, values[len(BUILT) :])
        return orjson.dumps([*map(_within, built), kept, *copied])


def _cut(value: Any) -> Any:
    """Return a value of a record that is too long to be kept whole: its texts are cut."""
    if isinstance(value, dict):
        return {name[:_CUT_TEXT]: _cut(text) for name, text in value.items()}
    text = value if value is None or isinstance(value, int) else flat_text(value)
    return f"{text[:_CUT_TEXT]}…" if isinstance(text, str) and len(text) > _CUT_TEXT else text


def _within(value: Any) -> Any:
    return value if isinstance(value, int) and abs(value) < 2**63 else flat_text(value)


def is_secret_name(name: str) -> bool:
    """Tell whether a channel variable of this name may hold a credential."""
    return _SECRET_NAME.search(name) is not None


def hide_credentials(text: str) -> str:
    """Return an application's argument without the passwords that its syntax tells apart.

    Those are in its `{name=value}` part, in `scheme://user:password@host`, and in a conference's
    `room@profile+pin`.
    """
    if "=" in text and _SECRET_HINT.search(text):
        text = _hide_settings(text)
    return _SECRET_ADDRESS.sub(r"\1\2***", text) if "@" in text else text


def _hide_settings(text: str) -> str:
    """Return the text with `***` for the value of each `name=value` whose name tells of a secret.

    Word by word: a search for such a name would begin again at every character of a long word.
    """
    shown: list[str] = []
    end = 0
    for word in _WORD.finditer(text):
        if word.start() >= end and word[2] and _SECRET_HINT.search(word[1]):
            shown += text[end : word.end()], "***"
            value = _SETTING_VALUE.match(text, word.end())
            end = value.end() if value else word.end()
    return "".join(shown) + text[end:]


def _hide_argument(application: Any, argument: Any) -> str | None:
    # A variable that was set twice comes as a list, and hides nothing less for that.
    text = flat_text(argument)
    if application == "conference" and text:
        text = _CONFERENCE_PIN.sub(r"\1***", text)
    return hide_credentials(text) if text else text


def start_microseconds(text: Any) -> int:
    """Return a `*_uepoch` value in microseconds since 1970 UTC; 0 for none or nonsense."""
    try:
        value = int(text)
    except (TypeError, ValueError):
        return 0
    return value if 0 < value < _MAX_US else 0


def find_did(event: Mapping[str, Any]) -> str | None:
    """Return the number that an outside caller dialled.

    A gateway that registers is called by its user name: then the To header has the number.
    """
    asked = event.get("variable_sip_req_user")
    for candidate in (asked, event.get("variable_sip_to_user")):
        if isinstance(candidate, str) and _DIALLED.fullmatch(candidate):
            return candidate
    return asked or event.get("Caller-RDNIS") or event.get("Caller-Destination-Number")


def find_agent(event: Mapping[str, Any]) -> str | None:
    """Return the agent whose phone rang; with several phones, the one that answered.

    `dialed_user` is set by the `user` endpoint on both legs (mod_dptools), for each phone in
    turn; `originated_legs` has `uuid;name;number` of every leg (switch_ivr_originate.c).
    """
    dialled = event.get("variable_dialed_user")
    legs = event.get("variable_originated_legs")
    if not dialled or not legs or event.get("variable_originating_leg_uuid"):
        return dialled or event.get("variable_cc_agent")
    if isinstance(legs, list) and legs.count(legs[0]) == len(legs):
        return str(dialled)
    numbers = dict(_originated(legs))
    if len(numbers) < 2:
        return str(dialled)
    answered = numbers.get(str(event.get("variable_bridge_uuid")))
    return answered or (str(dialled) if len(set(numbers.values())) == 1 else None)


def _originated(legs: Any) -> Iterable[tuple[str, str]]:
    for entry in split_array(legs):
        parts = entry.split(";")
        if len(parts) >= 3:
            yield parts[0], parts[-1]


def split_array(value: Any) -> list[str]:
    """Return the items of a variable with several values: a list, or `ARRAY::x|:y`."""
    if isinstance(value, list):
        return [str(item) for item in value]
    text = str(value)
    return text[7:].split("|:") if text.startswith("ARRAY::") else [text]


def flat_text(value: Any) -> str | None:
    """Return a value as FreeSWITCH writes it in one string; None for none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return "ARRAY::" + "|:".join(str(item) for item in value)
    return str(value)


def find_recording(event: Mapping[str, Any]) -> str | None:
    """Return the recording's path, from the variables in which dialplans keep it."""
    for name in _RECORDING:
        if value := event.get(name):
            return str(value)
    folder, file = event.get("variable_record_path"), event.get("variable_record_name")
    if folder and file:
        return f"{folder}/{file}"
    # A tuple: a variable that was set twice comes as a list, which no set can look up.
    if event.get("variable_last_app") in ("record_session", "record"):
        return str(event.get("variable_last_arg") or "").split(" ")[0] or None
    return None
