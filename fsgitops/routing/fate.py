"""What becomes of a call that an extension has taken: does it still ring where it should?"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.pattern import match_groups

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.routing.hunt import Step, Way

_ENDS: Final = frozenset(("hangup", "respond", "redirect", "deflect", "park", "valet_park"))
"""Applications after which nothing else of the queue runs: the call is over, or waits."""
_STAYS: Final = frozenset((
    "answer", "bind_digit_action", "bind_meta_app", "break", "check_acl", "clear_digit_action",
    "cng_plc", "conference", "conference_set_auto_outcall", "db", "deduplicate_dtmf", "delay_echo",
    "detect_audio", "detect_silence", "digit_action_set_realm", "displace_session", "early_hangup",
    "eavesdrop", "echo", "endless_playback", "esf_page_group", "eval", "event", "export", "fax",
    "fifo", "flush_dtmf", "gentones", "group", "hash", "info", "intercept", "ivr", "jitterbuffer",
    "limit", "limit_hash", "log", "loop_playback", "media_reset", "mkdir", "multiset", "multiunset",
    "park_state", "phrase", "play_and_detect_speech", "play_and_get_digits", "play_fsv", "playback",
    "pre_answer", "presence", "preprocess", "privacy", "push", "queue_dtmf", "read", "record",
    "record_fsv", "record_session", "redirect_media", "remove_bugs", "rename", "ring_ready",
    "rxfax", "say", "sched_hangup", "send_display", "send_dtmf", "send_info", "session_loglevel",
    "set", "set_audio_level", "set_global", "set_mute", "set_name", "set_profile_var", "set_user",
    "sleep", "sofia_sla", "soft_hold", "sound_test", "speak", "start_dtmf", "start_dtmf_generate",
    "start_tone_detect", "stop", "stop_displace_session", "stop_dtmf", "stop_dtmf_generate",
    "stop_record_session", "stop_tone_detect", "stopfile", "system", "t38_gateway", "tone_detect",
    "txfax", "unbind_meta_app", "unset", "unshift", "verbose_events", "voicemail",
    "wait_for_answer", "wait_for_silence",
))  # fmt: skip
"""Applications of FreeSWITCH's own that connect the call to nobody whose number was dialled."""
_CONNECTS: Final = frozenset(("bridge", "transfer"))
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_]+)\}|\$([0-9])")
_USER: Final = re.compile(r"(?:^|[,|}\]>:])user/([0-9A-Za-z_.-]+)")
_DIGITS: Final = re.compile(r"[0-9]+")
_OPTIONS: Final = re.compile(r"[\[{<][^\[{<\]}>$]*[\]}>]")
_DOMAIN: Final = re.compile(r"@\$\{[a-z_]+\}")


class Fate(Enum):
    """What becomes of a call at one extension."""

    GOES_ON = "goes on to the extensions behind it"
    RINGS = "rings where it should"
    TAKEN = "is taken"
    UNCERTAIN = "may be taken"


class Aim(NamedTuple):
    """Where a dialled number should ring: a user, who is also reached in `context`."""

    number: str
    user: str
    context: str


def judge_ways(ways: Iterable[Way], aim: Aim) -> Fate:
    """Return what all the ways of an extension make of a call, taken together."""
    fates = {_judge(way, aim) for way in ways}
    if len(fates) == 1:
        return next(iter(fates))
    if fates <= {Fate.GOES_ON, Fate.RINGS}:
        return Fate.GOES_ON
    return Fate.UNCERTAIN


def is_constant(ways: Iterable[Way]) -> bool:
    """Tell whether the ways do the same with every number."""
    return not any(step.application in _CONNECTS for way in ways for step in way.queue)


def _judge(way: Way, aim: Aim) -> Fate:
    values: dict[str, str] = {"destination_number": aim.number}
    fate = Fate.TAKEN if way.stops else Fate.GOES_ON
    for step in way.queue:
        name = step.application
        data = _expand(step, aim.number, values)
        if name in ("set", "export"):
            variable, _, value = data.removeprefix("nolocal:").partition("=")
            values[variable] = value
        elif name in _ENDS:
            return Fate.UNCERTAIN if fate is Fate.UNCERTAIN else Fate.TAKEN
        elif name == "transfer":
            return _judge_transfer(data, aim)
        elif name == "bridge":
            found = _judge_bridge(data, aim)
            if found is not Fate.TAKEN:
                return found
        elif name not in _STAYS and way.stops:
            fate = Fate.UNCERTAIN
    return fate


def _judge_transfer(data: str, aim: Aim) -> Fate:
    words = data.split()
    words = words[1:] if words[:1] and words[0].startswith("-") else words
    if words[:1] == [aim.user] and words[2:3] == [aim.context] and aim.user != aim.number:
        return Fate.RINGS
    return Fate.UNCERTAIN if _may_mean(data, aim) else Fate.TAKEN


def _judge_bridge(data: str, aim: Aim) -> Fate:
    if aim.user in _USER.findall(data):
        return Fate.RINGS
    return Fate.UNCERTAIN if _may_mean(data, aim) else Fate.TAKEN


def _may_mean(data: str, aim: Aim) -> bool:
    """Tell whether data names the number or the user, or something that only a call can tell."""
    plain = _DOMAIN.sub("@", _OPTIONS.sub("", data))
    meant = {aim.number.removeprefix("+"), aim.user}
    return "$" in plain or not meant.isdisjoint(_DIGITS.findall(plain))


def _expand(step: Step, number: str, values: dict[str, str]) -> str:
    if "$" not in step.data:
        return step.data
    groups = match_groups(number, step.expression) if step.expression else None

    def put(match: re.Match[str]) -> str:
        if match[1]:
            return values.get(match[1], match[0])
        at = int(match[2])
        return groups[at] if groups and at < len(groups) else match[0]

    return _VARIABLE.sub(put, step.data)
