"""What applications do to a call: `src/mod/applications/mod_dptools/mod_dptools.c` and others.

An application that is not known here ends the evaluation as unknown: it may send the call anywhere.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

from fsgitops.model.trace import End, Fate, Goal, Step, What
from fsgitops.routing.call.contents import Action
from fsgitops.routing.call.dialling import Around, bridge, tell_leg
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.extension import hunt
from fsgitops.routing.call.hanging import check_acl, hangup, redirect, respond
from fsgitops.routing.call.known import (
    HEARD,
    INLINE,
    LEADS,
    LETS_GO,
    MEDIA_FIRST,
    NEUTRAL,
    SLOW,
    STAYS,
    goal_of,
    list_modules,
    read_cause,
)
from fsgitops.routing.call.leg import ANSWERED, Leg
from fsgitops.routing.call.menu import run_menu
from fsgitops.routing.call.moving import answer, pre_answer, ring, transfer
from fsgitops.routing.call.settings import SETTINGS
from fsgitops.routing.call.state import CallEndedError, CallMovedError, end_unknown
from fsgitops.routing.call.words import (
    from_raw,
    is_true,
    separate,
    to_int,
)
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsgitops.routing.call.state import State

MAX_STACKS: Final = 32
"""`SWITCH_MAX_STACKS`."""
_VERBATIM: Final = "app_disable_expand_variables"
MAX_LEGS: Final = 5
"""Legs of loopback/ within each other that are followed."""


def execute_inline(state: State, action: Action) -> None:
    """`exec_app` of mod_dialplan_xml.c."""
    _check_there(state, action.application)
    if fold(action.application) in INLINE:
        execute(state, action)
    else:
        state.note(f"FreeSWITCH does not execute {action.application} inline: nothing happens")


@lru_cache(maxsize=1024)
def _read_name(application: str) -> str:
    return fold(from_raw(application))


def execute(state: State, action: Action, *, inline: bool = True) -> None:
    """`switch_core_session_exec`. Raises CallEndedError, CallMovedError."""
    state.acted.add(action.extension)
    _check_there(state, action.application)
    name = _read_name(action.application)
    if state.leg.may_hold(_VERBATIM) and is_true(state.text(_VERBATIM)):
        data = Value(action.data)
    else:
        data = state.expand(action.data)
    if name in MEDIA_FIRST:
        pre_answer(state, execute_queued)
    if data.text[:1] == "%" and "[" in data.text[1:3]:
        raise end_unknown(("its data begins with variables in brackets",), f"what {name} does")
    if state.keeps:
        state.steps.append(
            Step(
                What.EXECUTES, from_raw(state.leg.current.context),
                from_raw(state.leg.current.number), application=from_raw(action.application),
                data=from_raw(data.text), inline=inline, leg=state.depth,
            )
        )  # fmt: skip
    state.count(1, executed=1)
    state.leg.note_application(name, data)
    _take_time(state, name, data)
    if name in LEADS:
        state.notice(name, data)
    if name in NEUTRAL:
        return
    if name in HEARD:
        state.heard = f"{name} {from_raw(data.text)}"
    elif name in STAYS:
        _stay(state, name, from_raw(data.text))
    elif name in _APPLICATIONS:
        _APPLICATIONS[name](state, data)
    else:
        raise end_unknown((f"nothing is known of the application {name}",), "where it goes")


def _take_time(state: State, name: str, data: Value) -> None:
    if name == "sleep":
        state.elapsed += math.inf if data.why else max(0, to_int(data.text)) / 1000
    elif name in SLOW:
        state.elapsed = math.inf


def _stay(state: State, name: str, data: str) -> None:
    """Raise CallEndedError unless the dialplan goes on behind what serves the caller."""
    told = STAYS[name].format(data).strip()
    end = End(Fate.STAYS, told, goals=(goal_of(state, name, data),))
    if state.left and name in LETS_GO:
        state.offer(end, f"stays {state.depth} {state.executed}", (told, LETS_GO[name]))
        state.elapsed = math.inf
    elif not state.left or not state.is_over(told):
        raise CallEndedError(end)


def execute_queued(state: State, action: Action) -> None:
    """Execute an action that no search executes inline."""
    execute(state, action, inline=False)


def _check_there(state: State, name: str) -> None:
    """Raise CallEndedError where no module that is loaded has the application."""
    module = list_modules().get(_read_name(name))
    if module and state.world.lacks(module):
        told = f"{module}, which has the application {from_raw(name)}, is not loaded"
        raise CallEndedError(End(Fate.HANGS_UP, told, "DESTINATION_OUT_OF_ORDER"))


def execute_all(state: State, actions: Sequence[Action]) -> None:
    """Execute what a search has queued."""
    state.left += len(actions)
    for action in actions:
        state.left -= 1
        execute(state, action, inline=False)


def follow(state: State, begin: Callable[[State], NoReturn] | None = None) -> End:
    """Evaluate a leg until it ends, and return how; `begin` takes the place of its dialplan."""
    step = begin or route
    try:
        while True:
            try:
                step(state)
            except CallMovedError:
                step = route
    except CallEndedError as ended:
        return ended.end


def route(state: State) -> NoReturn:
    """Evaluate a leg until it ends or moves: raises CallEndedError or CallMovedError."""
    profile = state.leg.current
    dialplan = state.expand(profile.dialplan)
    if dialplan.why or fold(dialplan.text) not in ("xml", "inline"):
        raise end_unknown((f"the dialplan is {dialplan.text}, not XML",), "where it goes")
    if fold(dialplan.text) == "xml" and state.world.lacks("mod_dialplan_xml"):
        told = "mod_dialplan_xml, which reads the dialplan, is not loaded"
        raise CallEndedError(End(Fate.NOWHERE, told, "NO_ROUTE_DESTINATION"))
    _enter(state, "" if fold(dialplan.text) == "xml" else "inline")
    if fold(dialplan.text) == "inline":
        queue: list[Action] | None = _read_inline(state)
    else:
        queue = hunt(state, execute_inline)
    if queue is None:
        told = f"no extension of the context {from_raw(profile.context)} takes it"
        raise CallEndedError(End(Fate.NOWHERE, told, "NO_ROUTE_DESTINATION"))
    state.left = 0
    execute_all(state, queue)
    if state.heard:
        told = f"it is hung up after {state.heard}"
        raise CallEndedError(End(Fate.HANGS_UP, told, "NORMAL_CLEARING"))
    told = "it is hung up, because the last application was executed"
    raise CallEndedError(End(Fate.NOWHERE, told, "NORMAL_CLEARING"))


def _read_inline(state: State) -> list[Action]:
    """`inline_dialplan_hunt`: `APP:DATA,APP:DATA` in place of a number, which is then its rdnis."""
    text = state.leg.profile.number
    delimiter = ","
    if text[:2] == "m:" and text[3:4] == ":":
        delimiter, text = text[2], text[4:]
    state.leg.profile = state.leg.profile.with_fields(
        destination_number=state.leg.read_field("rdnis"), rdnis=Value("")
    )
    words = (word.partition(":") for word in separate(text, delimiter, 128))
    return [Action(name.lstrip(" "), data) for name, _, data in words if "\\'" not in data]


def _enter(state: State, text: str) -> None:
    if not state.keeps:
        return
    current = state.leg.current
    context, number = from_raw(current.context), from_raw(current.number)
    state.add(Step(What.ENTERS, context, number, text=text, leg=state.depth))


def _transfer(state: State, data: Value) -> None:
    words = separate(data.text, " ", 4)
    if not words:
        return
    if fold(words[0]) == "-bleg":
        return
    if fold(words[0]) == "-both":
        words = words[1:]
    transfer(state, words[:3], execute_queued, data.why)


def _execute_extension(state: State, data: Value) -> None:
    """`switch_core_session_execute_exten`."""
    words = separate(data.text, " ", 4)
    if not words:
        return
    if data.why:
        raise end_unknown(data.why, f"which extension is executed with {data.text}")
    number, dialplan, context = [*words, "", ""][:3]
    if state.stack > MAX_STACKS:
        state.note(f"FreeSWITCH executes {number} no more: {MAX_STACKS} are under way")
        return
    leg = state.leg
    current = leg.current
    leg.hunted = current.with_fields(
        destination_number=Value(number),
        dialplan=Value(dialplan or current.dialplan),
        context=Value(context or current.context),
    )
    if fold(leg.hunted.dialplan) != "xml":
        raise end_unknown((f"the dialplan is {leg.hunted.dialplan}, not XML",), "where it goes")
    state.stack += 1
    try:
        _execute_there(state)
    finally:
        state.stack -= 1
        # FreeSWITCH has room for one: what executed this extension loses its own as well.
        leg.hunted = None


def _execute_there(state: State) -> None:
    _enter(state, "execute_extension")
    if state.world.context(state.leg.current.context) is None:
        state.note(f"there is no context {state.leg.current.context}: nothing is executed")
        return
    execute_all(state, hunt(state, execute_inline) or ())


def _bridge(state: State, data: Value) -> None:
    bridge(state, data, Around(follow_loopback, execute_queued))


def follow_loopback(state: State, target: str, given: Mapping[str, str]) -> tuple[End, bool]:
    """`loopback/NUMBER/CONTEXT/DIALPLAN` or `loopback/app=NAME:DATA`: a leg of its own.

    Return where it ends, and whether it was answered.
    """
    if state.depth >= MAX_LEGS:
        return End(Fate.LOOP, "loopback/ calls itself again and again", "LOSE_RACE"), False
    outer, depth, stack, left = state.leg, state.depth, state.stack, state.left
    variables = outer.exported()
    variables.update((fold(name), Value(value)) for name, value in given.items())
    number, _, rest = target.partition("/")
    context, _, dialplan = rest.partition("/")
    current = outer.current
    leg = Leg(
        current.with_fields(
            destination_number=Value(number),
            context=Value(context or current.context or "default"),
            dialplan=Value(dialplan or current.dialplan),
            caller_id_number=outer.get("effective_caller_id_number")
            or outer.read_field("caller_id_number"),
            caller_id_name=outer.get("effective_caller_id_name")
            or outer.read_field("caller_id_name"),
        ),
        outer.globals_,
        variables,
        hidden_fields=outer.hidden_fields,
        needed=outer.needed,
    )
    state.leg, state.depth, state.stack, state.left = leg, depth + 1, 0, 0
    try:
        named = fold(target[:4]) == "app="
        end = _run_application(state, target[4:]) if named else follow(state)
        return end, leg.progress >= ANSWERED
    finally:
        state.leg, state.depth, state.stack, state.left = outer, depth, stack, left


def _run_application(state: State, text: str) -> End:
    name, _, data = text.partition(":")
    tell_leg(state, f"app={name}", "")
    try:
        execute(state, Action(name, data), inline=False)
    except CallEndedError as ended:
        return ended.end
    except CallMovedError:
        return follow(state)
    return End(Fate.NOWHERE, f"{name} ends", "NORMAL_CLEARING")


def _voicemail(state: State, data: Value) -> None:
    words = separate(data.text, " ", 5)
    checks = [word for word in words if fold(word) in ("check", "auth_only")]
    rest = words[len(checks) :]
    if data.why:
        raise end_unknown(data.why, "whose voicemail it is")
    if checks:
        told = f"listens to messages ({from_raw(data.text)})"
        goals = (Goal("application", f"voicemail {from_raw(data.text)}"),)
        raise CallEndedError(End(Fate.STAYS, told, goals=goals))
    if len(rest) < 3:
        state.note("voicemail needs a profile, a domain and an extension: nothing happens")
        return
    domain, number = from_raw(rest[1]), from_raw(rest[2])
    found = state.world.user(number, domain)
    if found is None or found.value("params", "vm-enabled") in ("false", "no", "off"):
        state.note(f"there is no voicemail of {number}@{domain}: nothing happens")
        return
    told = f"leaves a message for {number}"
    if not state.left or not state.is_over(told):
        raise CallEndedError(End(Fate.STAYS, told, goals=(Goal("mailbox", number),)))


def _ivr(state: State, data: Value) -> None:
    if data.why:
        raise end_unknown(data.why, "which menu it is in")
    run_menu(state, from_raw(data.text), execute)


def _limit(state: State, data: Value) -> None:
    """`limit BACKEND REALM ID [MAX[/SECONDS] [TARGET ...]]`, as if no other call were counted."""
    words = separate(data.text, " ", 7)
    if len(words) < 4 or words[3].startswith("-"):
        return
    if data.why and "${" in words[3]:
        raise end_unknown(data.why, "what the limit is")
    if to_int(words[3]) > 0:
        state.note(f"the limit {words[1]} {words[2]} is taken not to be reached")
        return
    target = words[4] if len(words) > 4 else "limit_exceeded"
    if target.startswith("!"):
        cause = read_cause(from_raw(target[1:]))
        raise CallEndedError(End(Fate.HANGS_UP, f"the limit lets nobody in: {cause}", cause))
    transfer(state, [target, *words[5:7]], execute_queued)


def _limit_execute(state: State, data: Value) -> None:
    words = separate(data.text, " ", 6)
    if len(words) < 5:
        return
    if to_int(words[3]) > 0 or words[3].startswith("-"):
        execute(state, Action(words[4], words[5] if len(words) > 5 else ""), inline=False)


_APPLICATIONS: Final[dict[str, Callable[[State, Value], None]]] = {
    **SETTINGS,
    "answer": lambda state, _data: answer(state, execute_queued),
    "bridge": _bridge,
    "check_acl": check_acl,
    "deflect": redirect,
    "execute_extension": _execute_extension,
    "hangup": hangup,
    "ivr": _ivr,
    "limit": _limit,
    "limit_execute": _limit_execute,
    "pre_answer": lambda state, _data: pre_answer(state, execute_queued),
    "redirect": redirect,
    "respond": respond,
    "ring_ready": lambda state, _data: ring(state, execute_queued),
    "transfer": _transfer,
    "voicemail": _voicemail,
}
