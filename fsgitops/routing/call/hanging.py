"""Applications that hang a call up, or send the caller elsewhere: mod_dptools.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.trace import End, Fate, Goal
from fsgitops.routing.call.known import read_cause
from fsgitops.routing.call.state import CallEndedError, end_unknown
from fsgitops.routing.call.words import from_raw, separate

if TYPE_CHECKING:
    from fsgitops.routing.call.expand import Value
    from fsgitops.routing.call.state import State


def hangup(state: State, data: Value) -> None:
    """Hang the call up, with a cause. Raises CallEndedError."""
    if data.why:
        raise end_unknown(data.why, f"with which cause it is hung up, {data.text}")
    cause = read_cause(from_raw(data.text))
    after = f" after {state.heard}" if state.heard else ""
    raise CallEndedError(End(Fate.HANGS_UP, f"hangup with {cause}{after}", cause))


def respond(_state: State, data: Value) -> None:
    """Answer with a response of SIP, and hang up. Raises CallEndedError."""
    told = f"it is answered with {from_raw(data.text)}"
    raise CallEndedError(End(Fate.HANGS_UP, told))


def redirect(_state: State, data: Value) -> None:
    """Send the caller to another address. Raises CallEndedError."""
    told = f"the caller is sent to {from_raw(data.text)}"
    goals = (Goal("address", from_raw(data.text)),)
    raise CallEndedError(End(Fate.DIALS, told, goals=goals))


def check_acl(state: State, data: Value) -> None:
    """Hang up where an access list does not let the caller in. Raises CallEndedError."""
    told = from_raw(data.text)
    answers = (f"the access list lets {told} in", f"the access list does not let {told} in")
    if state.choose(f"check_acl {told}", answers):
        words = separate(data.text, " ", 3)
        cause = read_cause(from_raw(words[2])) if len(words) > 2 else "CALL_REJECTED"
        raise CallEndedError(End(Fate.HANGS_UP, f"the access list refuses {told}", cause))
