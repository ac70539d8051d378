"""What moves a call, and what variables make FreeSWITCH execute on the way.

Source: `switch_ivr_session_transfer` of `src/switch_ivr.c`, `switch_channel_execute_on`,
`switch_channel_perform_mark_answered` and its kin of `src/switch_channel.c` (FreeSWITCH 1.11).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from fsgitops.model.trace import End, Fate
from fsgitops.routing.call.contents import Action
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.leg import ANSWERED, MEDIA, RINGS
from fsgitops.routing.call.state import CallEndedError, CallMovedError, end_unknown
from fsgitops.routing.call.words import is_true, separate, to_int
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.state import State

    Execute: TypeAlias = Callable[[State, Action], None]

MAX_FORWARDS: Final = 70
MAX_HOOKS: Final = 16
"""How deep what variables make FreeSWITCH execute is followed, where it does so again."""


def transfer(state: State, words: list[str], execute: Execute, why: tuple[str, ...] = ()) -> None:
    """Move a call to EXTENSION [DIALPLAN [CONTEXT]]. Raises CallMovedError."""
    if why:
        raise end_unknown(why, f"where it is transferred with {' '.join(words)}")
    leg = state.leg
    book = "max_session_transfers" if state.text("max_session_transfers") else "max_forwards"
    before = state.text(book)
    left = to_int(before) - 1 if before else MAX_FORWARDS
    if left <= 0:
        told = "it is transferred again and again"
        raise CallEndedError(End(Fate.LOOP, told, "EXCHANGE_ROUTING_ERROR"))
    leg.set(book, Value(str(left)))
    execute_on(state, "execute_on_blind_transfer", execute)
    profile = leg.current
    number, dialplan, context = [*words, "", "", ""][:3]
    dialplan = dialplan or state.text("force_transfer_dialplan")
    if not dialplan:
        dialplan = "XML" if fold(profile.dialplan) == "inline" else profile.dialplan
    context = context or state.text("force_transfer_context") or profile.context
    leg.hunted = None
    leg.profile = profile.with_fields(
        destination_number=Value(number or "service"),
        dialplan=Value(dialplan or "XML"),
        context=Value(context or "default"),
        rdnis=profile.fields.get("destination_number"),
    )
    raise CallMovedError


def goes_on(state: State) -> bool:
    """Tell whether the caller gets elsewhere when whoever answered hangs up."""
    names = ("transfer_after_bridge", "exec_after_bridge_app")
    if any(map(state.leg.may_hold, names)):
        return True
    return bool(state.left) and not hangs_up(state) and not is_true(state.text("park_after_bridge"))


def hangs_up(state: State) -> bool:
    """Tell whether the caller is hung up when whoever answered hangs up."""
    over = state.text("hangup_after_bridge")
    return is_true(over) or fold(over) == "explicit"


def go_on(state: State, execute: Execute) -> None:
    """Go where the caller gets when whoever answered hangs up: `transfer_after_bridge`.

    Return where the dialplan goes on. Raises CallEndedError, CallMovedError.
    """
    where = state.leg.get("transfer_after_bridge")
    if where is not None:
        state.leg.set("transfer_after_bridge", None)
        transfer(state, separate(where.text, ":", 4)[:3], execute, where.why)
    named = state.leg.get("exec_after_bridge_app")
    if named is not None:
        data = state.leg.get("exec_after_bridge_arg") or Value("")
        if named.why or data.why:
            raise end_unknown((*named.why, *data.why), "what is executed after the bridge")
        state.leg.set("exec_after_bridge_app", None)  # what follows that is the same once more
        execute(state, Action(named.text, data.text))
        raise CallEndedError(End(Fate.NOWHERE, "it is hung up", "NORMAL_CLEARING"))


def execute_on(state: State, prefix: str, execute: Execute) -> None:
    """Execute what each variable says whose name begins so, the switch's own first.

    They are read before the first is executed.
    """
    leg = state.leg
    books = (leg.globals_, leg.variables)
    names = [name for book in books for name in book if name.startswith(prefix)]
    texts: list[str] = []
    for name in names:
        found = leg.get(name) or Value("")
        state.fired.add((name, found.text))
        if found.why:
            raise end_unknown(found.why, f"what FreeSWITCH executes because of {name}")
        texts += leg.lists.get(name) or (found.text,)
    if texts and state.hooked >= MAX_HOOKS:
        why = "variables make FreeSWITCH execute each other"
        raise end_unknown((why,), f"what {prefix} leads to")
    state.hooked += 1
    try:
        for text in texts:
            _execute_text(state, text, execute)
    finally:
        state.hooked -= 1
    _command_on(state, prefix.replace("execute_", "api_", 1))


def _command_on(state: State, prefix: str) -> None:
    """`switch_channel_api_on`: the same for commands of the switch."""
    leg = state.leg
    for name in [name for book in (leg.globals_, leg.variables) for name in book]:
        if name.startswith(prefix) and prefix != "api_on_blind_transfer":
            found = leg.get(name) or Value("")
            state.fired.add((name, found.text))
            for text in leg.lists.get(name) or (found.text,):
                command, _, argument = text.partition(" ")
                expanded = state.expand(argument)
                state.command(fold(command), Value(expanded.text, (*found.why, *expanded.why)))


def _execute_text(state: State, text: str, execute: Execute) -> None:
    """`switch_channel_execute_on_value`: `APP DATA`, `APP:DATA`, or `APP::DATA` for later."""
    at = next((at for at, char in enumerate(text) if char in " :"), len(text))
    if text[at : at + 2] == "::":
        state.note(f"FreeSWITCH executes {text} beside the dialplan: it is not followed")
        state.notice("", Value(text))
        return
    # Where it transfers the call, what made FreeSWITCH execute it goes on all the same.
    with suppress(CallMovedError):
        execute(state, Action(text[:at], text[at + 1 :]))


def answer(state: State, execute: Execute) -> None:
    """Answer the call, if it is not answered."""
    leg = state.leg
    before, leg.progress = leg.progress, ANSWERED
    if before < ANSWERED:
        execute_on(state, "execute_on_answer", execute)
    if before < MEDIA:
        execute_on(state, "execute_on_media", execute)


def pre_answer(state: State, execute: Execute) -> None:
    """Let the caller hear something before the call is answered."""
    if state.leg.progress < MEDIA:
        state.leg.progress = MEDIA
        execute_on(state, "execute_on_pre_answer", execute)
        execute_on(state, "execute_on_media", execute)


def ring(state: State, execute: Execute) -> None:
    """Tell the caller that it rings."""
    if state.leg.progress < RINGS:
        state.leg.progress = RINGS
        execute_on(state, "execute_on_ring", execute)
