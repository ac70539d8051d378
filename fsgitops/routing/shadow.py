"""Which hand-written extensions take a number before the extensions of fsgitops see it.

Nothing is guessed from names: each extension that stands before ours in the same context is
evaluated for each number, as mod_dialplan_xml would (hunt.py), and so is what becomes of a call
that it has taken: does that still ring where it should?
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.glob import MARK
from fsgitops.routing.hunt import Extension, TooManyWaysError, list_ways, read_extension
from fsgitops.routing.pattern import Numbers, match_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.routing.hunt import Step, Way
    from fsgitops.routing.tree import Element

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


class Wanted(NamedTuple):
    """A declared number: the forms that it is dialled in, and the user that it rings.

    `run` is the run of files of ours that its route stands in (glob.py).
    """

    name: str
    forms: tuple[str, ...]
    user: str
    run: int


class Taker(NamedTuple):
    """An extension that takes a number before ours; `form` is set where not every form is taken."""

    name: str
    extension: Extension
    certain: bool
    form: str = ""


def find_takers(
    context: Element, wanted: Sequence[Wanted], users_context: str
) -> tuple[list[Taker], list[Extension]]:
    """Return what takes each number before its own extension is asked, and what guards.

    One that rings the user all the same takes nothing: Local_Extension of the stock dialplan
    serves 1000 to 1019 well. `users_context` is where a transfer to the user's number rings it.
    """
    search = _Search(context.attributes.get("name", ""), wanted, users_context)
    run = -1
    for child in context.children:
        if child.name == MARK:
            run = int(child.attributes["run"])
        elif child.name == "extension":
            search.ask(read_extension(child), run)
    return list(search.takers()), search.guards


class _Search:
    def __init__(self, context: str, wanted: Sequence[Wanted], users_context: str) -> None:
        self.context = context
        self.wanted = wanted
        self.users_context = users_context
        self.flat = [(index, form) for index, item in enumerate(wanted) for form in item.forms]
        self.numbers = Numbers([form for _, form in self.flat])
        self.settled: dict[int, Extension | None] = {}
        """Numbers that an extension takes for certain; None: it rings the user."""
        self.uncertain: dict[int, Extension] = {}
        self.guards: list[Extension] = []
        """Extensions that take any number whatever, but only in some calls."""

    def ask(self, extension: Extension, run: int) -> None:
        """Let one extension take its numbers: those whose files are read behind run `run`."""
        tests = extension.tests
        judged = [self.numbers.search(test) for test in tests]
        touched = [indexes for pair in judged for indexes in pair]
        ways_for = cache(partial(self._list_ways, extension))
        nothing = ways_for((False,) * len(tests))
        concerned = self._list_concerned(nothing, touched)
        guarded = nothing is None or concerned is None
        for index in concerned or set().union(*touched):
            if not self._is_open(index, run):
                continue
            truth = tuple(
                None if index in given_up else index in found for found, given_up in judged
            )
            ways = ways_for(truth)
            if self._settle(index, ways, extension) is Fate.UNCERTAIN:
                if ways is nothing:
                    guarded = True
                else:
                    self.uncertain.setdefault(index, extension)
        if guarded and any(self._is_open(index, run) for index in range(len(self.flat))):
            self.guards.append(extension)

    def _list_concerned(
        self, nothing: frozenset[Way] | None, found: list[frozenset[int]]
    ) -> Iterable[int] | None:
        """Return which numbers to look at; None: none but those found, and any call may be taken.

        `nothing` is what happens where none of the expressions matches.
        """
        if nothing is None:
            return None
        if is_constant(nothing):
            fate = judge_ways(nothing, Aim("", "", ""))
            if fate is Fate.UNCERTAIN:
                return None
            return range(len(self.flat)) if fate is Fate.TAKEN else set().union(*found)
        return range(len(self.flat))

    def _is_open(self, index: int, run: int) -> bool:
        return index not in self.settled and self.wanted[self.flat[index][0]].run > run

    def _settle(self, index: int, ways: frozenset[Way] | None, extension: Extension) -> Fate:
        at, form = self.flat[index]
        if ways is None:
            return Fate.UNCERTAIN
        fate = judge_ways(ways, Aim(form, self.wanted[at].user, self.users_context))
        if fate in (Fate.TAKEN, Fate.RINGS):
            self.settled[index] = extension if fate is Fate.TAKEN else None
        return fate

    def _list_ways(
        self, extension: Extension, truth: tuple[bool | None, ...]
    ) -> frozenset[Way] | None:
        try:
            tests = dict(zip(extension.tests, truth, strict=True))
            return list_ways(extension, tests, self.context)
        except TooManyWaysError:
            return None

    def takers(self) -> Iterator[Taker]:
        """Yield what takes each number, one for each number at most."""
        forms: list[list[int]] = [[] for _ in self.wanted]
        for index, (at, _) in enumerate(self.flat):
            forms[at].append(index)
        for item, indexes in zip(self.wanted, forms, strict=True):
            taken = [index for index in indexes if self.settled.get(index)]
            doubted = [index for index in indexes if index in self.uncertain]
            if not taken and not doubted:
                continue
            first = (taken or doubted)[0]
            extension = self.settled.get(first) or self.uncertain[first]
            whole = len(indexes) == len(taken or doubted)
            form = "" if whole else self.flat[first][1]
            yield Taker(item.name, extension, bool(taken) and whole, form)
