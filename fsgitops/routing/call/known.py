"""Applications of FreeSWITCH's own: which may run inline, go on, are heard, or keep the call."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from fsgitops.model.causes import CAUSES
from fsgitops.model.trace import Goal
from fsgitops.routing.call.words import DyedError, is_dyed, to_int

if TYPE_CHECKING:
    from fsgitops.routing.call.state import State

INLINE: Final = frozenset((
    "bridge_export", "check_acl", "cidlookup", "cng_plc", "curl", "curl_sendfile", "distributor",
    "early_hangup", "easyroute", "enum", "eval", "event", "export", "hiredis_raw", "info", "lcr",
    "log", "multiset", "multiunset", "nibblebill", "novideo", "osplookup", "ospnext", "presence",
    "push", "set", "set_global", "set_media_stats", "set_profile_var", "set_user",
    "set_zombie_exec", "smpp_send", "stop", "translate", "unset", "unshift", "verbose_events",
))  # fmt: skip
"""Applications that FreeSWITCH executes inline (`SAF_ROUTING_EXEC`); others are only logged."""
NEUTRAL: Final = frozenset((
    "acknowledge_call", "bgsystem", "bind_digit_action", "bind_meta_app",
    "blind_transfer_ack", "block_dtmf", "break", "capture_text", "clear_digit_action",
    "clear_speech_cache", "cng_plc", "conference_set_auto_outcall", "debug_media",
    "deduplicate_dtmf", "detect_audio", "detect_silence", "digit_action_set_realm",
    "displace_session", "early_hangup", "enable_heartbeat", "enable_keepalive", "eval", "event",
    "fax_detect", "fifo_track_call", "filter_codecs", "flush_dtmf", "hold", "info", "jitterbuffer",
    "log", "media_reset", "mkdir", "novideo", "park_state", "preprocess", "presence",
    "privacy", "queue_dtmf", "record_session", "record_session_mask", "record_session_pause",
    "record_session_resume", "record_session_unmask", "recovery_refresh", "remove_bugs", "rename",
    "sched_broadcast", "sched_cancel", "sched_hangup", "sched_heartbeat", "sched_transfer",
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
LETS_GO: Final = dict.fromkeys(("callcenter", "fifo"), "the caller leaves the queue")
"""Those of them behind which the dialplan goes on by itself."""
LEADS: Final = frozenset((
    "bgsystem", "bind_digit_action", "bind_meta_app", "callcenter", "conference",
    "conference_set_auto_outcall", "fifo", "limit", "play_and_get_digits", "sched_broadcast",
    "sched_transfer", "system", "tone_detect", "voicemail",
))  # fmt: skip
"""Applications that may lead elsewhere, besides where the dialplan goes on."""
SLOW: Final = HEARD | {
    "curl", "detect_silence", "enum", "lcr", "play_and_get_digits", "read", "start_dtmf", "system",
    "wait_for_answer", "wait_for_silence", "wait_for_video_ready",
}  # fmt: skip
"""Applications that take as long as only the call can tell."""
MEDIA_FIRST: Final = HEARD | (STAYS.keys() - {"park", "pickup", "rxfax", "txfax"}) | {
    "avmd_start", "blind_transfer_ack", "clear_speech_cache", "conference_set_auto_outcall",
    "detect_audio", "detect_silence", "displace_session", "fax_detect", "ivr", "park_state",
    "play_and_get_digits", "preprocess", "read", "record_session", "remove_bugs", "set_audio_level",
    "set_mute", "soft_hold", "sofia_sla", "spandsp_start_dtmf", "spandsp_start_fax_detect",
    "spandsp_start_tone_detect", "start_dtmf", "start_dtmf_generate", "stop_record_session",
    "t38_gateway", "tone_detect", "voicemail", "wait_for_silence", "wait_for_video_ready",
}  # fmt: skip
"""Applications without SAF_SUPPORT_NOMEDIA: the call is pre-answered before they are executed."""
_GOALS: Final = {
    "callcenter": "queue", "conference": "conference", "fifo": "queue", "park": "parking",
    "valet_park": "parking",
}  # fmt: skip

NORMAL: Final = "NORMAL_CLEARING"


@cache
def list_modules() -> dict[str, str]:
    """Return the module of each application of FreeSWITCH's own."""
    text = (files(__package__) / "applications.txt").read_text("ascii").replace("\n  ", " ")
    lines = (line.partition(": ") for line in text.splitlines())
    return {name: module for module, _, names in lines for name in names.split()}


def read_cause(text: str) -> str:
    """`switch_channel_str2cause`: a name or a number; what is neither ends a call normally.

    Raises DyedError.
    """
    if is_dyed(text):
        raise DyedError("a cause is read from it")
    if "0" <= text[:1] <= "9":
        named = [name for name, number in CAUSES.items() if number == to_int(text)]
        return named[0] if named else "UNKNOWN"
    return text.upper() if text.upper() in CAUSES else NORMAL


def goal_of(state: State, application: str, data: str) -> Goal:
    """Return what serves a caller in an application of STAYS. Raises DyedError."""
    kind = _GOALS.get(application)
    if kind is None:
        return Goal("application", f"{application} {data}".strip())
    if kind == "conference":
        # `ROOM@PROFILE+PIN`: the profile and what follows are not the room's name.
        data = data.partition("@")[0]
        pinned = state.search(data, r"^([^+]*)\+")
        data = (pinned.groups[1] or "") if pinned else data
    return Goal(kind, data)
