"""Applications of FreeSWITCH's own: which may run inline, go on, are heard, or keep the call."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from fsgitops.model.trace import Goal
from fsgitops.routing.call.words import to_int

INLINE: Final = frozenset((
    "bridge_export", "check_acl", "cidlookup", "cng_plc", "curl", "curl_sendfile", "distributor",
    "early_hangup", "easyroute", "enum", "eval", "event", "export", "hiredis_raw", "info", "lcr",
    "log", "multiset", "multiunset", "nibblebill", "novideo", "osplookup", "ospnext", "presence",
    "push", "set", "set_global", "set_media_stats", "set_profile_var", "set_user",
    "set_zombie_exec", "smpp_send", "stop", "translate", "unset", "unshift", "verbose_events",
))  # fmt: skip
"""Applications that FreeSWITCH executes inline (`SAF_ROUTING_EXEC`); others are only logged."""
NEUTRAL: Final = frozenset((
    "acknowledge_call", "answer", "bgsystem", "bind_digit_action", "bind_meta_app",
    "blind_transfer_ack", "block_dtmf", "break", "capture_text", "clear_digit_action",
    "clear_speech_cache", "cng_plc", "conference_set_auto_outcall", "debug_media",
    "deduplicate_dtmf", "detect_audio", "detect_silence", "digit_action_set_realm",
    "displace_session", "early_hangup", "enable_heartbeat", "enable_keepalive", "eval", "event",
    "fax_detect", "fifo_track_call", "filter_codecs", "flush_dtmf", "hold", "info", "jitterbuffer",
    "log", "media_reset", "mkdir", "novideo", "park_state", "pre_answer", "preprocess", "presence",
    "privacy", "queue_dtmf", "record_session", "record_session_mask", "record_session_pause",
    "record_session_resume", "record_session_unmask", "recovery_refresh", "remove_bugs", "rename",
    "ring_ready", "sched_broadcast", "sched_cancel", "sched_hangup", "sched_heartbeat",
    "send_display", "send_dtmf", "send_info", "session_loglevel", "set_audio_level",
    "set_media_stats", "set_mute", "set_name", "set_zombie_exec", "sleep", "soft_hold",
    "sofia_sla", "start_dtmf", "start_dtmf_generate", "stop", "stop_displace_session", "stop_dtmf",
    "stop_dtmf_generate", "stop_record_session", "stop_tone_detect",
    "spandsp_start_dtmf", "spandsp_stop_dtmf", "spandsp_start_fax_detect",
    "spandsp_stop_fax_detect", "spandsp_start_tone_detect", "spandsp_stop_tone_detect",
    "stop_video_write_overlay", "system", "t38_gateway", "tone_detect", "unbind_meta_app",
    "unblock_dtmf", "unhold", "verbose_events", "video_refresh", "video_decode",
    "video_write_overlay", "wait_for_answer", "wait_for_silence", "wait_for_video_ready",
    "delay_echo_stop", "group", "callcenter_track", "avmd_start", "avmd_stop", "strftime",
))  # fmt: skip
"""Applications after which the dialplan goes on, and which set nothing that it reads."""
HEARD: Final = frozenset((
    "playback", "say", "phrase", "speak", "gentones", "loop_playback", "sound_test", "broadcast",
    "play_fsv", "record", "record_fsv",
))  # fmt: skip
"""Applications that a caller hears, after which the dialplan goes on."""
STAYS: Final = {
    "callcenter": "waits in the queue {}", "conference": "joins the conference {}",
    "delay_echo": "hears itself", "directory": "is asked for a name in the directory {}",
    "eavesdrop": "listens in on {}", "echo": "hears itself",
    "endless_playback": "hears {} for ever",
    "esf_page_group": "pages {}", "fifo": "is in the queue {}", "intercept": "picks up the call {}",
    "native_eavesdrop": "listens in on {}", "page": "pages {}", "park": "is parked",
    "pickup": "picks up {}", "rxfax": "sends a fax", "three_way": "joins the call {}",
    "txfax": "gets a fax", "userspy": "listens in on {}", "valet_park": "is parked in {}",
}  # fmt: skip
"""Applications that serve the caller until he hangs up, and how that is told."""
SLOW: Final = HEARD | {
    "curl", "detect_silence", "enum", "lcr", "play_and_get_digits", "read", "start_dtmf", "system",
    "wait_for_answer", "wait_for_silence", "wait_for_video_ready",
}  # fmt: skip
"""Applications that take as long as only the call can tell."""
_GOALS: Final = {
    "callcenter": "queue", "conference": "conference", "fifo": "queue", "park": "parking",
    "valet_park": "parking",
}  # fmt: skip

NORMAL: Final = "NORMAL_CLEARING"
CAUSES: Final = {
    "NONE": 0, "UNALLOCATED_NUMBER": 1, "NO_ROUTE_TRANSIT_NET": 2, "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6, "CALL_AWARDED_DELIVERED": 7, "NORMAL_CLEARING": 16, "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18, "NO_ANSWER": 19, "SUBSCRIBER_ABSENT": 20, "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22, "REDIRECTION_TO_NEW_DESTINATION": 23, "EXCHANGE_ROUTING_ERROR": 25,
    "DESTINATION_OUT_OF_ORDER": 27, "INVALID_NUMBER_FORMAT": 28, "FACILITY_REJECTED": 29,
    "RESPONSE_TO_STATUS_ENQUIRY": 30, "NORMAL_UNSPECIFIED": 31, "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38, "NORMAL_TEMPORARY_FAILURE": 41, "SWITCH_CONGESTION": 42,
    "ACCESS_INFO_DISCARDED": 43, "REQUESTED_CHAN_UNAVAIL": 44, "PRE_EMPTED": 45,
    "FACILITY_NOT_SUBSCRIBED": 50, "OUTGOING_CALL_BARRED": 52, "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57, "BEARERCAPABILITY_NOTAVAIL": 58, "SERVICE_UNAVAILABLE": 63,
    "BEARERCAPABILITY_NOTIMPL": 65, "CHAN_NOT_IMPLEMENTED": 66, "FACILITY_NOT_IMPLEMENTED": 69,
    "SERVICE_NOT_IMPLEMENTED": 79, "INVALID_CALL_REFERENCE": 81, "INCOMPATIBLE_DESTINATION": 88,
    "INVALID_MSG_UNSPECIFIED": 95, "MANDATORY_IE_MISSING": 96, "MESSAGE_TYPE_NONEXIST": 97,
    "WRONG_MESSAGE": 98, "IE_NONEXIST": 99, "INVALID_IE_CONTENTS": 100, "WRONG_CALL_STATE": 101,
    "RECOVERY_ON_TIMER_EXPIRE": 102, "MANDATORY_IE_LENGTH_ERROR": 103, "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127, "SUCCESS": 142, "ORIGINATOR_CANCEL": 487, "CRASH": 700,
    "SYSTEM_SHUTDOWN": 701, "LOSE_RACE": 702, "MANAGER_REQUEST": 703, "BLIND_TRANSFER": 800,
    "ATTENDED_TRANSFER": 801, "ALLOTTED_TIMEOUT": 802, "USER_CHALLENGE": 803, "MEDIA_TIMEOUT": 804,
    "PICKED_OFF": 805, "USER_NOT_REGISTERED": 806, "PROGRESS_TIMEOUT": 807, "INVALID_GATEWAY": 808,
    "GATEWAY_DOWN": 809, "INVALID_URL": 810, "INVALID_PROFILE": 811, "NO_PICKUP": 812,
    "SRTP_READ_ERROR": 813, "BOWOUT": 814, "BUSY_EVERYWHERE": 815, "DECLINE": 816,
    "DOES_NOT_EXIST_ANYWHERE": 817, "NOT_ACCEPTABLE": 818, "UNWANTED": 819, "NO_IDENTITY": 820,
    "BAD_IDENTITY_INFO": 821, "UNSUPPORTED_CERTIFICATE": 822, "INVALID_IDENTITY": 823,
    "STALE_DATE": 824, "REJECT_ALL": 825,
}  # fmt: skip
"""Hang-up causes, and their numbers (`CAUSE_CHART` of `src/switch_channel.c`)."""


@cache
def list_modules() -> dict[str, str]:
    """Return the module of each application of FreeSWITCH's own."""
    text = (files(__package__) / "applications.txt").read_text("ascii").replace("\n  ", " ")
    lines = (line.partition(": ") for line in text.splitlines())
    return {name: module for module, _, names in lines for name in names.split()}


def read_cause(text: str) -> str:
    """`switch_channel_str2cause`: a name or a number; what is neither ends a call normally."""
    if "0" <= text[:1] <= "9":
        named = [name for name, number in CAUSES.items() if number == to_int(text)]
        return named[0] if named else "UNKNOWN"
    return text.upper() if text.upper() in CAUSES else NORMAL


def goal_of(application: str, data: str) -> Goal:
    """Return what serves a caller in an application of STAYS."""
    kind = _GOALS.get(application)
    if kind is None:
        return Goal("application", f"{application} {data}".strip())
    # `ROOM@PROFILE+PIN`: the profile and what follows are not the room's name.
    return Goal(kind, data.partition("@")[0].partition("+")[0] if kind == "conference" else data)
