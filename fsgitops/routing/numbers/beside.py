"""What a call may set off besides where the dialplan leads it, as FreeSWITCH 1.11 does.

Commands of the switch (`${originate(…)}`, `api_hangup_hook`), what variables have executed once
something happens, and what applications lead to later (noticed.py). A trace tells where a call
goes; who asks what calls *can* reach asks for these too. Each is a question to the state, of which
the answer that it happens is a way of its own.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.model.trace import End, Fate, Goal
from fsgitops.routing.call.applications import execute_queued, follow_loopback
from fsgitops.routing.call.contents import Action
from fsgitops.routing.call.dialling import read_legs, split_dial_string
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.functions import is_harmless
from fsgitops.routing.call.leg import ANSWERED, Leg
from fsgitops.routing.call.moving import transfer
from fsgitops.routing.call.state import CallEndedError, end_unknown
from fsgitops.routing.call.words import from_raw, separate
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.routing.call.state import State

    Happens = Callable[[State], object]

ENDS: Final = End(Fate.NOWHERE, "it is at its end")
MARK: Final = "::"
COMMANDS: Final = (
    "api_on_", "api_hangup_hook", "api_reporting_hook", "api_before_bridge", "api_after_bridge",
    "sip_api_on_image", "record_post_process_exec_api",
)  # fmt: skip
"""What the names of variables begin with that hold a command of the switch."""
APPLICATIONS: Final = ("execute_on_", "record_post_process_exec_app")
"""The same of those that hold an application."""
_PAIRS: Final = {
    "bridge_pre_execute_app": "bridge_pre_execute_data",
    "bridge_pre_execute_aleg_app": "bridge_pre_execute_aleg_data",
    "bridge_pre_execute_bleg_app": "bridge_pre_execute_bleg_data",
    "group_confirm_file": "",
}
"""Variables that hold an application, and those of its data."""
_BRACKETS: Final = re.compile(r"([{\[<])((?:\$\{[^{}]*\}|[^{}\[\]<>])*)[}\]>]")
_MOVED: Final = "execute_on_blind_transfer"
"""Executed where the other side moves the call: that is told by the rule `open-leg`."""


class Beside(NamedTuple):
    """Something that may happen besides, in words, and what does it."""

    told: str
    happens: Happens


def run_command(state: State, name: str, argument: Value) -> None:
    """Do what a command of the switch makes it do. Raises CallEndedError, CallMovedError."""
    key = fold(name)
    if is_harmless(key):
        raise CallEndedError(ENDS)
    known = _COMMANDS.get(key)
    if known is None:
        raise end_unknown(("only the switch knows that",), f"what the command {key} does")
    known(state, argument)
    raise CallEndedError(ENDS)


def _run_text(state: State, argument: Value, words: int) -> None:
    """Run the command that stands behind some words."""
    parts = [*argument.text.split(" ", words)]
    name, _, rest = parts[words].lstrip(" ").partition(" ") if len(parts) > words else ("", "", "")
    if name:
        run_command(state, name, argument._replace(text=rest))


def _originate(state: State, argument: Value) -> None:
    """`originate DIALSTRING EXTENSION|&APP(DATA) [DIALPLAN] [CONTEXT] …`: mod_commands.c."""
    words = [*separate(argument.text, " ", 10), "", "", "", ""]
    dialled, target, dialplan, context = words[:4]
    if not dial(state, Value(dialled, argument.why)):
        return
    state.leg = _make_leg(state, dialled)
    why = argument.why if "${" in " ".join(words[1:4]) else ()
    if target.startswith("&"):
        name, _, data = target[1:].partition("(")
        if why:
            raise end_unknown(why, f"what is executed with {target}")
        execute_queued(state, Action(name, data.removesuffix(")")))
    elif target:
        transfer(state, [target, dialplan or "XML", context or "default"], execute_queued, why)


def _make_leg(state: State, given: str) -> Leg:
    """Return a leg that this call makes, once it is answered, with variables in brackets."""
    leg, variables = state.leg, state.leg.exported()
    for _, inside in _BRACKETS.findall(given):
        pairs = (item.partition("=") for item in separate(inside, ",", 1024))
        variables.update((fold(name.strip(" ")), Value(text)) for name, _, text in pairs if text)
    return Leg(leg.current, leg.globals_, variables, progress=ANSWERED)


def dial(state: State, data: Value) -> bool:
    """Note whom a dial string reaches; tell whether anybody may answer."""
    goals: list[Goal] = []
    legs = [leg for leg in read_legs(state, data) if not leg.fails]
    for leg in legs:
        if leg.loopback:
            state.note_end(follow_loopback(state, leg.loopback, leg.times or {})[0])
        elif leg.unknown and (goal := _read_gateway(data)):
            told = f"dials {goal.number} over gateway {goal.name}: {'; '.join(leg.unknown)}"
            state.note_end(End(Fate.DIALS, told, goals=(goal,)))
        elif leg.unknown:
            told = f"whom {from_raw(data.text)} reaches: {'; '.join(leg.unknown)}"
            state.note_end(End(Fate.UNKNOWN, told))
        elif goal := leg.dials or leg.rings:
            goals.append(goal)
    for goal in goals:
        over = f"{goal.number} over gateway {goal.name}" if goal.kind == "gateway" else goal.name
        fate, verb = (Fate.RINGS, "rings") if goal.kind == "phone" else (Fate.DIALS, "dials")
        state.note_end(End(fate, f"{verb} {over}", goals=(goal,)))
    return bool(legs)


def _read_gateway(data: Value) -> Goal | None:
    """Return the gateway that dials a number which is not known, with that as it is written."""
    for leg in split_dial_string(from_raw(data.text)):
        kind, word, name, number = [*leg.target.split("/", 3), "", "", ""][:4]
        if fold(f"{kind}/{word}") == "sofia/gateway" and "$" not in name and "${" in number:
            return Goal("gateway", name, number)
    return None


def transfer_one(state: State, argument: Value, skipped: int) -> None:
    """Transfer the call to what stands behind some words. Raises CallMovedError."""
    words = separate(argument.text, " ", 8)[skipped:]
    if words[:1] in (["-bleg"], ["-both"]):
        words = words[1:]
    if words:
        move(state, words[:3], argument.why)


def move(state: State, words: list[str], why: tuple[str, ...] = ()) -> None:
    """Transfer the call to EXTENSION [DIALPLAN [CONTEXT]]. Raises CallMovedError."""
    transfer(state, words, execute_queued, why if "${" in " ".join(words) else ())


def broadcast(state: State, argument: Value, skipped: int) -> None:
    """What is played may be an application: `APP[!CAUSE]::DATA`."""
    words = separate(argument.text, " ", 6)[skipped:]
    name, mark, data = words[0].partition(MARK) if words else ("", "", "")
    if mark:
        if argument.why:
            raise end_unknown(argument.why, f"what {name} does")
        execute_queued(state, Action(name.partition("!")[0], data))


def _conference(state: State, argument: Value) -> None:
    """`conference NAME [bg]dial DIALSTRING …`; its other commands lead nobody out."""
    words = separate(argument.text, " ", 10)
    if len(words) > 2 and fold(words[1]) in ("dial", "bgdial"):
        dial(state, argument._replace(text=words[2]))


_COMMANDS: Final[dict[str, Callable[[State, Value], None]]] = {
    "bgapi": partial(_run_text, words=0),
    "conference": _conference,
    "expand": partial(_run_text, words=0),
    "originate": _originate,
    "sched_api": partial(_run_text, words=2),
    "sched_broadcast": partial(broadcast, skipped=2),
    "sched_transfer": partial(transfer_one, skipped=2),
    "uuid_broadcast": partial(broadcast, skipped=1),
    "uuid_transfer": partial(transfer_one, skipped=1),
}


def run_application(state: State, name: str, data: str) -> None:
    """Execute an application that nothing follows. Raises CallEndedError, CallMovedError."""
    execute_queued(state, Action(name, data))
    raise CallEndedError(ENDS)


def list_hooks(leg: Leg, fired: set[tuple[str, str]]) -> Iterator[Beside]:
    """Yield what variables of a leg have executed, once something happens during the call.

    Those of `fired`, with their values, are left out.
    """
    for book in (leg.globals_, leg.variables):
        for name, value in book.items():
            command = name.startswith(COMMANDS)
            if not command and not name.startswith(APPLICATIONS) and name not in _PAIRS:
                continue
            if (name, value.text) not in fired and not name.startswith(_MOVED):
                told = f"FreeSWITCH executes {name}: {from_raw(value.text)}"
                yield Beside(told, partial(_run_hook if command else _execute_hook, name=name))


def _run_hook(state: State, name: str) -> None:
    """`api_hook` of switch_core_state_machine.c: `COMMAND ARGUMENT` or `COMMAND::ARGUMENT`."""
    held = state.leg.get(name) or Value("")
    command, mark, argument = held.text.partition(MARK)
    if not mark or " " in command:
        delimiter = ":" if name.startswith("record_") and ":" in held.text else " "
        command, _, argument = held.text.partition(delimiter)
    expanded = state.expand(argument)
    run_command(state, command, Value(expanded.text, (*held.why, *expanded.why)))


def _execute_hook(state: State, name: str) -> None:
    """Execute what a variable says, or two of them."""
    held = state.leg.get(name) or Value("")
    if name == "group_confirm_file" and fold(state.text("group_confirm_key")) != "exec":
        raise CallEndedError(ENDS)
    if held.why:
        raise end_unknown(held.why, f"what FreeSWITCH executes because of {name}")
    if _PAIRS.get(name):
        run_application(state, held.text, state.text(_PAIRS[name]))
    for text in state.leg.lists.get(name) or (held.text,):
        at = next((at for at, char in enumerate(text) if char in " :"), len(text))
        execute_queued(state, Action(text[:at], text[at + 1 :].removeprefix(":")))
    raise CallEndedError(ENDS)


def list_leg_hooks(state: State, given: str) -> Iterator[Beside]:
    """Yield what the variables of a leg that the call makes have executed there.

    `given` are those in the brackets of its dial string.
    """
    leg = _make_leg(state, given)
    for told, happens in list_hooks(leg, {(name, it.text) for name, it in leg.globals_.items()}):
        yield Beside(f"{told}, on the leg that is called", partial(_on_leg, leg, happens))


def _on_leg(leg: Leg, happens: Happens, state: State) -> None:
    state.leg = leg.copy()
    happens(state)
