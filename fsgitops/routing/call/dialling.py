"""Dial strings, and whom `bridge` reaches with them.

Source: `src/switch_ivr_originate.c`, `user_outgoing_channel` and `audio_bridge_function` of
`mod_dptools.c`, `switch_channel_handle_cause` of `src/switch_channel.c` (FreeSWITCH 1.11).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.model.causes import CAUSES
from fsgitops.model.trace import End, Fate, Goal, Step, What
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.functions import CONTACT, UNREGISTERED, split_user
from fsgitops.routing.call.known import read_cause
from fsgitops.routing.call.moving import answer, execute_on, go_on, goes_on, hangs_up, transfer
from fsgitops.routing.call.state import CallEndedError, end_unknown
from fsgitops.routing.call.timing import Rung, Timed, time_legs
from fsgitops.routing.call.words import from_raw, is_true, separate, to_int, to_raw
from fsgitops.routing.fragment import ALIAS
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fsgitops.routing.call.moving import Execute
    from fsgitops.routing.call.state import State

MAX_DEPTH: Final = 8
"""Dial strings within dial strings that are followed."""
MAX_LEGS: Final = 1000
"""Legs of one dial string that are followed."""
BRIDGE: Final = "bridge "
"""What the question whether a bridge is answered begins with: 0, it is, or 1, nobody answers."""
_PAIRS: Final = {"{": "}", "[": "]", "<": ">"}
_PLAIN: Final = re.compile(r"[^{\[<,|:]*")
_ALWAYS: Final = ("NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL")
"""Causes after which the dialplan goes on unless a variable says more."""


class Reached(NamedTuple):
    """One leg of a dial string: whom it rings, what it dials, or why it fails at once."""

    rings: Goal | None = None
    dials: Goal | None = None
    loopback: str = ""
    fails: str = ""
    unknown: tuple[str, ...] = ()
    turn: int = 0
    times: Mapping[str, str] | None = None
    given: str = ""


class Dialled(NamedTuple):
    """One leg of a dial string: the brackets before it, and how many `|` come first."""

    target: str
    given: str
    turn: int


class Around(NamedTuple):
    """What a bridge needs of applications.

    `loop` evaluates a leg of loopback/ and returns where it ends, and whether it was answered
    before; `execute` executes an action.
    """

    loop: Callable[[State, str, Mapping[str, str]], tuple[End, bool]]
    execute: Execute


def bridge(state: State, data: Value, around: Around) -> None:
    """Connect the call.

    Raises CallEndedError unless nobody takes it and the dialplan goes on, and CallMovedError where
    a variable says where it goes then.
    """
    if not data.text:
        return
    campon = is_true(_text(state, "campon"))
    if campon:
        answer(state, around.execute)
    else:
        execute_on(state, "execute_on_pre_originate", around.execute)
    cause = _call(state, data, around, campon=campon)
    if not cause:
        go_on(state, around.execute)
        return
    if campon:
        _give_up(state, around)
    else:
        execute_on(state, "execute_on_post_originate", around.execute)
    _fail(state, cause, around.execute, tried=not campon)


def _give_up(state: State, around: Around) -> None:
    """Go where `campon_fallback_exten` says once all tries have failed. Raises CallMovedError."""
    state.elapsed = math.inf
    tries = to_int(_text(state, "campon_retries"))
    state.note(f"campon calls {tries if tries > 0 else 100} times before it gives up")
    names = [f"campon_fallback_{part}" for part in ("exten", "dialplan", "context")]
    found = [state.leg.get(name) for name in names]
    why = tuple(reason for value in found if value for reason in value.why)
    if found[0] is not None:
        words = [value.text if value else "" for value in found]
        transfer(state, words, around.execute, why)


def _call(state: State, data: Value, around: Around, *, campon: bool) -> str:
    """Return why nobody takes a call; "" where it goes on after somebody did.

    CallEndedError is raised where somebody takes it.
    """
    forwards = state.leg.get("max_forwards")
    if forwards is not None and not forwards.why and to_int(forwards.text) <= 1:
        # switch_core_session_outgoing_channel makes no leg more, as after too many transfers.
        state.note("FreeSWITCH bridges no more after 70 transfers")
        return "EXCHANGE_ROUTING_ERROR"
    legs = list(read_legs(state, data))
    state.notice_legs([leg.given for leg in legs])
    unknown = [why for leg in legs for why in leg.unknown]
    turn = min((leg.turn for leg in legs if leg.unknown), default=len(legs))
    timed = [
        Timed(goal, leg.turn, leg.times)
        for leg in legs
        if leg.turn < turn and (goal := leg.rings or leg.dials)
    ]
    if timed:
        limit = Value(_text(state, "campon_timeout") or "10") if campon else None
        limit = limit or state.leg.get("call_timeout")
        cause = _offer(state, time_legs(timed, state.elapsed, limit))
        if unknown:
            raise end_unknown(unknown, f"whom bridge reaches with {data.text}")
        return cause
    loops = [leg.loopback for leg in legs if leg.loopback]
    causes = _follow(state, data, loops, around) if loops else []
    if unknown:
        raise end_unknown(unknown, f"whom bridge reaches with {data.text}")
    causes += [leg.fails for leg in legs if leg.fails]
    if "" in causes:
        return ""
    causes = list(dict.fromkeys(causes)) or ["DESTINATION_OUT_OF_ORDER"]
    chosen = 0
    if len(causes) > 1:
        told = [f"the bridge fails with {cause}" for cause in causes]
        chosen = state.choose(f"cause of {data.text}", told)
    return causes[chosen]


def _follow(state: State, data: Value, loops: list[str], around: Around) -> list[str]:
    """Return why each leg of loopback/ ends; "" for one that was answered before.

    Raises CallEndedError where one arrives, or where its end is that of the call.
    """
    given = read_brackets(data.text)
    if given is None or data.why:
        raise end_unknown(data.why or ("its variables are quoted",), "what its leg begins with")
    causes = []
    for target in loops:
        end, answered = around.loop(state, target, given)
        if end.fate in (Fate.UNKNOWN, Fate.LOOP):
            raise CallEndedError(end)
        if end.fate.arrives and not (goes_on(state) and state.is_over(end.told)):
            raise CallEndedError(end)
        if end.fate.arrives or answered:
            answer(state, around.execute)
            if hangs_up(state):
                raise CallEndedError(End(Fate.HANGS_UP, f"loopback/{target} hangs up", end.cause))
            return [""]
        causes.append(end.cause or "NORMAL_CLEARING")
    return causes


def _offer(state: State, called: Rung) -> str:
    """Ring and dial; return the cause where nobody answers."""
    rung = tuple(goal for goal in called.goals if goal.kind == "phone")
    dialled = tuple(goal for goal in called.goals if goal.kind != "phone")
    fate = Fate.RINGS if rung else Fate.DIALS
    words = [f"rings {', '.join(goal.name for goal in rung)}"] if rung else []
    words += [f"dials {', '.join(map(_tell_dialled, dialled))}"] if dialled else []
    told, goals = " and ".join(words), rung + dialled
    shorts = ("the call is answered", "nobody answers")
    answers = [f"{told}, and {short}" for short in shorts]
    subject = f"{BRIDGE}{state.depth} {state.executed}"
    state.offer(End(fate, told, goals=goals), subject, answers, shorts)
    if goes_on(state) and state.is_over(told):
        return ""
    state.elapsed += called.seconds
    return called.cause


def _tell_dialled(goal: Goal) -> str:
    if goal.kind == "gateway":
        return f"{goal.number or 'its own number'} over gateway {goal.name}"
    return goal.name


def _text(state: State, name: str) -> str:
    found = state.leg.get(name)
    return found.text if found and not found.why else ""


def _fail(state: State, cause: str, execute: Execute, *, tried: bool) -> None:
    """`switch_channel_handle_cause`: return where the dialplan goes on.

    `tried` tells whether the caller's own leg made the others. Raises CallEndedError,
    CallMovedError.
    """
    leg = state.leg
    if tried:
        leg.set("originate_disposition", Value(cause))
    leg.set("originate_failed_cause", Value(cause))
    names = ("transfer_on_fail", "failure_causes", "continue_on_fail")
    found = {name: value for name in names if (value := leg.get(name)) is not None}
    for name, value in found.items():
        if value.why:
            raise end_unknown(value.why, f"what follows a bridge that fails, because of {name}")
    goes_on, failures = found.get("continue_on_fail"), found.get("failure_causes")
    if failures is not None and not _lists(failures.text, cause):
        return
    if goes_on is not None and (is_true(goes_on.text) or _lists(goes_on.text, cause)):
        return
    if goes_on is None and failures is None and cause in _ALWAYS:
        return
    given = found.get("transfer_on_fail")
    causes, *where = separate(given.text, " ", 4) if given else ("",)
    if is_true(causes):
        return
    if causes and _lists(causes, cause):
        number = where[0] if where and fold(where[0]) != "auto_cause" else cause
        transfer(state, [number, *where[1:]], execute)
    fate = Fate.LOOP if cause == "EXCHANGE_ROUTING_ERROR" else Fate.HANGS_UP
    raise CallEndedError(End(fate, f"the bridge fails with {cause}", cause))


def _lists(causes: str, cause: str) -> bool:
    wanted = (fold(cause), str(CAUSES.get(cause, "")))
    return any(fold(item) in wanted for item in separate(causes, ",", 256))


def read_legs(state: State, data: Value, depth: int = 0) -> Iterator[Reached]:
    """Yield each leg that a dial string makes."""
    if depth > MAX_DEPTH:
        yield Reached(unknown=("its dial strings hold each other",))
        return
    shared = None
    for count, (target, given, turn) in enumerate(split_dial_string(data.text)):
        if count >= MAX_LEGS:
            yield Reached(unknown=(f"it has more than {MAX_LEGS:,} legs",))
            return
        shared = given.partition("[")[0] if shared is None else shared
        times = read_brackets(f"{shared}{given}") if shared or given else {}
        for leg in _read_leg(state, target, data.why, depth):
            yield leg._replace(turn=turn, times=times, given=f"{shared}{given}{leg.given}")


def read_brackets(text: str) -> dict[str, str] | None:
    """Return the variables in the brackets of a dial string; None: they are quoted or nested."""
    found: dict[str, str] = {}
    for opening, closing in _PAIRS.items():
        for part in text.split(opening)[1:]:
            inside, mark, _ = part.partition(closing)
            if not mark:
                continue
            if any(char in inside for char in "'\\{[<^"):
                return None
            pairs = (item.partition("=") for item in inside.split(","))
            found.update({name.strip(" "): value for name, sign, value in pairs if sign})
    return found


def split_dial_string(text: str) -> Iterator[Dialled]:
    """Yield each leg of a dial string."""
    begin = start = at = turn = 0
    end = len(text)
    closing = {opening: text.rfind(mark) for opening, mark in _PAIRS.items()}
    while at < end:
        char = text[at]
        if char in _PAIRS and closing[char] > at:
            ended = _find_end(text, at)
            if not ended:
                closing[char] = -1
            at = ended or at + 1
            if not text[start:at].strip(" ").partition(char)[0]:
                start = at
        elif char in ",|" or text.startswith(":_:", at):
            yield Dialled(text[start:at].strip(" "), text[begin:start], turn)
            turn += char == "|"
            at += 3 if char == ":" else 1
            begin = start = at
        else:
            at = _PLAIN.match(text, at + 1).end()  # type: ignore[union-attr]
    if start < end:
        yield Dialled(text[start:].strip(" "), text[begin:start], turn)


def _find_end(text: str, at: int) -> int:
    """`switch_find_end_paren`: return where a bracket and those within it end; 0: nowhere."""
    opening, closing, depth = text[at], _PAIRS[text[at]], 0
    for place in range(at, len(text)):
        depth += (text[place] == opening) - (text[place] == closing)
        if not depth:
            return place + 1
    return 0


def _read_leg(state: State, target: str, why: tuple[str, ...], depth: int) -> Iterator[Reached]:
    endpoint, slash, rest = target.partition("/")
    if not target:
        return
    if why and "${" in target:
        yield Reached(unknown=why)
        return
    kind = fold(endpoint)
    if not slash:
        yield Reached(fails="CHAN_NOT_IMPLEMENTED")
    elif kind == "error":
        failed = "USER_NOT_REGISTERED" if target == UNREGISTERED else read_cause(from_raw(rest))
        yield Reached(fails=failed)
    elif kind == "user":
        yield from _read_user(state, rest, depth)
    elif kind == "group":
        found = state.expand(f"${{group_call({rest})}}")
        yield from read_legs(state, found, depth + 1)
    elif kind == "loopback":
        yield Reached(loopback=rest)
    elif kind == "enum":
        yield Reached(unknown=(f"only the switch can look up enum/{rest}",))
    elif kind == "sofia":
        yield _read_sofia(state, rest)
    else:
        yield Reached(dials=Goal("address", from_raw(target)))


def _read_user(state: State, dialled: str, depth: int) -> Iterator[Reached]:
    """`user/EXT[@DOMAIN]`: the dial string of the directory, expanded on the caller's leg."""
    user, domain = split_user(state, dialled)
    if not domain:
        yield Reached(unknown=("only the switch knows its domain",))
        return
    found = state.world.user(user, domain)
    if found is None:
        state.note(f"the directory has no user {user}@{domain}")
        yield Reached(fails="SUBSCRIBER_ABSENT")
        return
    dial = found.value("params", "dial-string")
    if not dial:
        state.note(f"the directory has no dial-string for {user}@{domain}")
        yield Reached(fails="MANDATORY_IE_MISSING")
        return
    number = found.attribute("id")
    state.leg.set("dialed_user", Value(to_raw(number)))
    state.leg.set("dialed_domain", Value(to_raw(domain)))
    expanded = state.expand(to_raw(dial))
    if f"user/{number}" in from_raw(expanded.text):
        yield Reached(fails="INVALID_IE_CONTENTS")
        return
    legs = list(read_legs(state, expanded, depth + 1))
    if legs and all(leg.fails == "USER_NOT_REGISTERED" for leg in legs):
        goal = Goal("phone", user)
        state.note(f"no phone of {user} is registered", "no phone is registered", goal)
    reached = [leg for leg in legs if not leg.fails]
    yield from reached or legs[:1] or [Reached(fails="DESTINATION_OUT_OF_ORDER")]


def _read_sofia(state: State, rest: str) -> Reached:
    words = from_raw(rest).split("/", 2)
    if words[0] == CONTACT:
        user, _, domain = words[1].partition("@")
        refused = state.phones.refuses(user)
        found = state.world.user(user, domain)
        named = (found.attribute(ALIAS) if found else "") or user
        return Reached(fails=refused) if refused else Reached(rings=Goal("phone", named))
    if fold(words[0]) == "gateway" and len(words) > 1:
        name = words[1]
        if name.rpartition("::")[2] not in state.world.gateways:
            state.note(f"no profile has a gateway {name}")
            return Reached(fails="INVALID_GATEWAY")
        number = words[2] if len(words) > 2 else ""
        refused = state.phones.refuses(number)
        return Reached(fails=refused) if refused else Reached(dials=Goal("gateway", name, number))
    return Reached(dials=Goal("address", f"sofia/{from_raw(rest)}"))


def tell_leg(state: State, number: str, context: str) -> None:
    """Tell that a leg of loopback/ begins."""
    state.add(
        Step(
            What.ENTERS, context, number, leg=state.depth,
            text=f"a leg of its own, loopback/{number}",
        )
    )  # fmt: skip
