"""One leg of a call: who calls what, and its variables, as FreeSWITCH keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.words import DyedError, is_dyed, to_int
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

_ARRAY: Final = "ARRAY::"
_BETWEEN: Final = "|:"

PROFILE: Final = (
    "dialplan", "username", "caller_id_name", "caller_id_number", "orig_caller_id_name",
    "orig_caller_id_number", "callee_id_name", "callee_id_number", "ani", "aniii", "network_addr",
    "rdnis", "destination_number", "uuid", "source", "transfer_source", "context", "chan_name",
    "profile_index", "caller_ton", "caller_numplan", "destination_number_ton",
    "destination_number_numplan", "ani_ton", "ani_numplan", "rdnis_ton", "rdnis_numplan",
    "screen_bit", "privacy_hide_name", "privacy_hide_number", "profile_created_time",
    "created_time", "answered_time", "progress_time", "progress_media_time", "hungup_time",
    "transferred_time",
)  # fmt: skip
"""Fields of a caller profile (`switch_caller_get_field_by_name`)."""

_RUN_TIME: Final = frozenset((
    "uuid", "call_uuid", "session_id", "channel_name", "direction", "endpoint_disposition",
    "ep_codec_string", "read_codec", "read_rate", "write_codec", "write_rate", "local_media_ip",
    "local_media_port", "remote_media_ip", "remote_media_port", "advertised_media_ip",
    "video_possible", "zrtp_secure_media_confirmed_audio",
    "presence_id", "recovery_profile_name", "sofia_profile_name", "sofia_profile_url",
    "media_webrtc",
    "dialstatus", "originate_causes", "hangup_cause",
    "proto_specific_hangup_cause", "start_stamp", "start_epoch", "start_uepoch", "answer_stamp",
    "answer_epoch", "answer_uepoch", "end_epoch", "switch_r_sdp", "switch_m_sdp",
    "digits_dialed", "playback_ms", "playback_samples", "record_ms", "record_seconds",
    "current_application_response", "transfer_history", "dtmf_type", "flip_record_on_hold",
    "is_outbound", "loopback_leg", "is_loopback", "limit_usage", "rtp_use_codec_string",
    "originating_leg_uuid", "audio_media_flow", "video_media_flow", "text_media_flow",
))  # fmt: skip
"""Variables that FreeSWITCH sets itself while a call is up. Those that name the leg that it is
bridged to (`signal_bond`) are set once somebody has answered: then nothing more is evaluated."""
_RUN_TIME_FAMILIES: Final = (
    "sip_", "rtp_", "rtcp_", "verto_", "remote_", "local_sdp", "fax_", "lcr_", "enum_", "curl_",
    "cc_", "conference_", "playback_", "record_", "api_result", "detect_", "aleg_", "bleg_",
)  # fmt: skip


@lru_cache(maxsize=4096)
def _fold(name: str) -> str:
    if is_dyed(name):
        raise DyedError("the name of a variable is made from it")
    return fold(name)


@lru_cache(maxsize=4096)
def _is_set_by_switch(key: str) -> bool:
    return key in _RUN_TIME or key.startswith(_RUN_TIME_FAMILIES)


RINGS, MEDIA, ANSWERED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Profile:
    """What a call is about; a transfer makes a new one. None in place of a text: nobody set it."""

    fields: Mapping[str, Value | None]

    @property
    def number(self) -> str:
        """Return the dialled number, raw."""
        return _text(self.fields.get("destination_number"))

    @property
    def context(self) -> str:
        """Return the context's name, raw."""
        return _text(self.fields.get("context"))

    @property
    def dialplan(self) -> str:
        """Return the dialplan's name, raw."""
        return _text(self.fields.get("dialplan"))

    def with_fields(self, **changed: Value | None) -> Profile:
        """Return the profile with other values of some fields."""
        return replace(self, fields={**self.fields, **changed})


def _text(value: Value | None) -> str:
    return value.text if value else ""


@dataclass(slots=True)
class Leg:
    """The state of one channel. `globals_` are the switch's, and shared by all its channels."""

    profile: Profile
    globals_: dict[str, Value]
    variables: dict[str, Value] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    hunted: Profile | None = None
    """The profile of execute_extension, while it runs: FreeSWITCH has room for one."""
    scope: dict[str, Value] = field(default_factory=dict)
    progress: int = 0
    """How far it is answered: RINGS, MEDIA, ANSWERED."""
    hidden: set[str] = field(default_factory=set)
    hidden_fields: frozenset[str] = frozenset()
    """Variables and fields whose readers are noted in `needed`: outcome.py."""
    needed: list[str] = field(default_factory=list)

    @property
    def current(self) -> Profile:
        """Return the profile that fields are read from (`switch_channel_get_caller_profile`)."""
        return self.hunted or self.profile

    def get(self, name: str, index: int = -1) -> Value | None:
        """`switch_channel_get_variable_dup`; None: not set."""
        key = _fold(name)
        if key in self.hidden:
            self.needed.append(key)
        if index > -1:
            items = self.lists.get(key)
            if items is not None and key in self.variables:
                if index < len(items):
                    return Value(items[index])
                return self._outside(name, key)
        elif key in self.scope:
            return self.scope[key]
        elif key in self.variables:
            return self.variables[key]
        return self._outside(name, key)

    def _outside(self, name: str, key: str) -> Value | None:
        fields = self.current.fields
        if key in fields and (found := self.read_field(name)) is not None:
            return found
        if key in self.globals_:
            return self.globals_[key]
        if key not in fields and _is_set_by_switch(key):
            return Value(f"${{{name}}}", (f"FreeSWITCH sets ${{{name}}} during the call",))
        return None

    def may_hold(self, key: str) -> bool:
        """Tell whether a variable is set, which is no field and none that FreeSWITCH sets."""
        return key in self.variables or key in self.globals_

    def read_field(self, name: str) -> Value | None:
        """`switch_caller_get_field_by_name`; None: not set."""
        key = _fold(name)
        if key in self.hidden_fields:
            self.needed.append(key)
        return self.current.fields.get(key)

    def copy(self) -> Leg:
        """Return a leg that changes by itself."""
        lists = {name: list(items) for name, items in self.lists.items()}
        return replace(
            self, globals_=dict(self.globals_), variables=dict(self.variables), lists=lists,
            scope=dict(self.scope), hidden=set(self.hidden),
        )  # fmt: skip

    def set(self, name: str, value: Value | None) -> None:
        """Set a variable, or take it away where the value is empty or None."""
        name, bracket, index = name.partition("[")
        key = _fold(name)
        if not key:
            return
        if not bracket:
            self.hidden.discard(key)
        if value is None or not value.text:
            self.variables.pop(key, None)
            self.lists.pop(key, None)
            return
        if bracket:
            self._set_item(key, to_int(index), value)
            return
        self.lists.pop(key, None)
        if value.text.startswith(_ARRAY):
            self.lists[key] = value.text.removeprefix(_ARRAY).split(_BETWEEN)
        self.variables[key] = value

    def note_application(self, name: str, data: Value) -> None:
        """Set the variables that tell what is executed (`switch_core_session_exec`)."""
        self.variables["current_application"] = Value(name)
        if not data.text or data.text.startswith(_ARRAY):
            self.set("current_application_data", data)
        else:
            self.variables["current_application_data"] = data

    def exported(self) -> dict[str, Value]:
        """Return the variables that a leg gets which this one makes (`export_vars`)."""
        listed = self.get("export_vars")
        return {
            name: value
            for item in (listed.text.split(",") if listed else ())
            if (name := fold(item.removeprefix("nolocal:"))) and (value := self.get(item))
        }

    def push(self, name: str, value: Value | None, *, front: bool = False) -> None:
        """Add to a list (`SWITCH_STACK_PUSH`, `SWITCH_STACK_UNSHIFT`)."""
        key = _fold(name)
        before = self._before(key)
        if value is None or not value.text or before is None:
            self.set(name, value)
            return
        items = self.lists.get(key) or [before.text]
        items = [value.text, *items] if front else [*items, value.text]
        self._keep(key, items, (*before.why, *value.why))

    def _set_item(self, key: str, index: int, value: Value) -> None:
        if not -1 < index <= 4000:
            return
        before = self._before(key)
        items = list(self.lists.get(key, ()))
        items += [""] * (index + 1 - len(items))
        items[index] = value.text
        self._keep(key, items, (*(before.why if before else ()), *value.why))

    def _before(self, key: str) -> Value | None:
        if key in self.hidden:
            self.needed.append(key)
        return self.variables.get(key)

    def _keep(self, key: str, items: list[str], why: tuple[str, ...]) -> None:
        self.lists[key] = items
        text = _BETWEEN.join(items)
        self.variables[key] = Value(f"{_ARRAY}{text}" if len(items) > 1 else text, why)
