"""What applications of FreeSWITCH may lead to while the call goes on, or once it is over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.dialling import read_legs
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.state import end_unknown
from fsgitops.routing.call.words import from_raw, separate, to_raw
from fsgitops.routing.directory import descend
from fsgitops.routing.numbers.beside import (
    MARK,
    Beside,
    broadcast,
    dial,
    list_leg_hooks,
    move,
    run_application,
    run_command,
    transfer_one,
)
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.routing.call.state import State
    from fsgitops.routing.tree import Element


def list_besides(state: State, name: str, data: Value) -> Iterator[Beside]:
    """Yield what an application may lead to while the call goes on, or once it is over."""
    reader = _READERS.get(name)
    if reader is not None:
        yield from reader(state, data)


def _read_later(_state: State, data: Value) -> Iterator[Beside]:
    """`APP::DATA`, which FreeSWITCH executes beside the dialplan."""
    name, _, rest = data.text.partition(MARK)
    yield Beside(f"FreeSWITCH executes {name}", partial(run_application, name=name, data=rest))


def _read_meta(_state: State, data: Value) -> Iterator[Beside]:
    """`bind_meta_app KEY LEGS FLAGS APP::DATA`: what the caller's own keys do."""
    words = separate(data.text, " ", 4)
    name, mark, rest = words[3].partition(MARK) if len(words) > 3 else ("", "", "")
    if mark and "a" in words[1]:
        told = f"the caller presses *{words[0]}"
        yield Beside(told, partial(run_application, name=name, data=rest))


def _read_digits(_state: State, data: Value) -> Iterator[Beside]:
    """`bind_digit_action REALM,DIGITS,exec[FLAGS]:APP|api:COMMAND,DATA,…`."""
    words = [*separate(data.text, ",", 6), "", "", "", ""]
    kind, _, name = words[2].partition(":")
    told = f"the caller presses {words[1]}"
    if fold(kind[:4]) == "exec":
        yield Beside(told, partial(run_application, name=name, data=words[3]))
    elif fold(kind) == "api":
        yield Beside(told, partial(run_command, name=name, argument=Value(words[3], data.why)))


def _read_scheduled(_state: State, data: Value) -> Iterator[Beside]:
    told = "what is scheduled happens"
    yield Beside(told, partial(broadcast, argument=data, skipped=1))


def _read_moves(_state: State, data: Value) -> Iterator[Beside]:
    told = "what is scheduled happens"
    yield Beside(told, partial(transfer_one, argument=data, skipped=1))


def _read_tones(_state: State, data: Value) -> Iterator[Beside]:
    """`tone_detect KEY TONES [FLAGS TIMEOUT APP DATA HITS]`."""
    words = separate(data.text, " ", 7)
    if len(words) > 5:
        told = "FreeSWITCH hears the tone that it waits for"
        yield Beside(told, partial(run_application, name=words[4], data=words[5]))


def _read_limit(_state: State, data: Value) -> Iterator[Beside]:
    words = separate(data.text, " ", 7)
    if len(words) > 4 and not words[4].startswith("!"):
        told = f"the limit {words[1]} {words[2]} is reached"
        yield Beside(told, partial(move, words=words[4:7], why=data.why))


def _read_digits_asked(_state: State, data: Value) -> Iterator[Beside]:
    """`play_and_get_digits`, whose 11th word says where a caller goes who types nothing right."""
    words = separate(data.text, " ", 11)
    if len(words) > 10:
        told = "the caller types nothing that is asked for"
        where = separate(words[10], " ", 4)[:3]
        yield Beside(told, partial(move, words=where, why=data.why))


def _read_mailbox(state: State, data: Value) -> Iterator[Beside]:
    """The keys of the greeting that transfer (mod_voicemail.c)."""
    named = separate(data.text, " ", 5)
    if fold(named[0] if named else "") in ("check", "auth_only"):
        return
    found = descend(state.world.configuration("voicemail.conf"), "profiles", "profile")
    for profile in found:
        if profile.attributes.get("name") not in named[:2]:
            continue
        params = _read_params(profile)
        own = state.text("vm_operator_extension")
        targets = {"operator": own or params.get("operator-extension", "")}
        targets["vmain"] = params.get("vmain-extension", "")
        for word, target in targets.items():
            key = params.get(f"{word}-key", "")
            where = separate(to_raw(target), " ", 4)[:3]
            if key and where:
                yield Beside(f"the caller presses {key}", partial(move, words=where))


def _read_params(parent: Element) -> dict[str, str]:
    """Return the parameters of an element, `<params>` around them or not."""
    found = descend(parent, "param") + descend(parent, "params", "param")
    return {fold(it.attributes.get("name", "")): it.attributes.get("value", "") for it in found}


def _read_shell(_state: State, data: Value) -> Iterator[Beside]:
    yield Beside("the command of the shell runs", partial(_run_shell, data=data))


def _run_shell(_state: State, data: Value) -> None:
    raise end_unknown(("only the shell knows that",), f"what system {from_raw(data.text)} does")


def _read_outcall(state: State, data: Value) -> Iterator[Beside]:
    """`conference_set_auto_outcall DIALSTRING`: whom the conference calls next."""
    held = state.leg.variables.get("conference_auto_outcall_prefix")
    before = held.text if held else ""
    for part in separate(data.text, ",", 512):
        dialled = Value(f"{before}{part}", data.why)
        yield Beside("the conference calls others", partial(dial, data=dialled))
        for leg in read_legs(state, dialled):
            yield from list_leg_hooks(state, leg.given)


def _read_conference(state: State, data: Value) -> Iterator[Beside]:
    """`bridge:NAME:DIALSTRING`, and the keys of its members that do more than speak."""
    name = data.text
    if fold(name[:7]) == "bridge:":
        name, _, dialled = name[7:].partition(":")
        told = "the conference calls others"
        yield Beside(told, partial(dial, data=Value(dialled.partition("+")[0], data.why)))
    wanted = name.partition("@")[2].partition("+")[0] or "default"
    found = state.world.configuration("conference.conf")
    for profile in descend(found, "profiles", "profile"):
        if fold(profile.attributes.get("name", "")) != fold(from_raw(wanted)):
            continue
        params = _read_params(profile)
        groups = {params.get("caller-controls", "default"), params.get("moderator-controls")}
        for group in descend(found, "caller-controls", "group"):
            controls = group.all("control") if group.attributes.get("name") in groups else ()
            for control in controls:
                yield from _read_control(control)


def _read_control(control: Element) -> Iterator[Beside]:
    action = fold(control.attributes.get("action", ""))
    name, _, data = to_raw(control.attributes.get("data", "")).partition(" ")
    told = f"the caller presses {control.attributes.get('digits', '')} in the conference"
    if action == "transfer" and name:
        words = [*separate(f"{name} {data}", " ", 3), "", ""]
        where = [words[0], words[1] or "XML", words[2] or "default"]
        yield Beside(told, partial(move, words=where))
    elif action == "execute_application" and name:
        yield Beside(told, partial(run_application, name=name, data=data))


def _read_queue(state: State, data: Value) -> Iterator[Beside]:
    """The contacts of those a queue calls, as files say: mod_callcenter."""
    queue = fold(from_raw(data.text.partition(" ")[0]))
    found = state.world.configuration("callcenter.conf")
    called = {
        tier.attributes.get("agent", "")
        for tier in descend(found, "tiers", "tier")
        if fold(tier.attributes.get("queue", "")) == queue
    }
    for member in descend(found, "agents", "agent"):
        if member.attributes.get("name", "") in called:
            contact = state.expand(to_raw(member.attributes.get("contact", "")))
            yield Beside("the queue calls its members", partial(dial, data=contact))


def _read_fifo(state: State, data: Value) -> Iterator[Beside]:
    """The members of a fifo, as files say: mod_fifo."""
    name = fold(from_raw(data.text.partition(" ")[0]))
    for fifo in descend(state.world.configuration("fifo.conf"), "fifos", "fifo"):
        if fold(fifo.attributes.get("name", "")) == name:
            for member in fifo.all("member"):
                contact = state.expand(to_raw(member.text))
                yield Beside("the queue calls its members", partial(dial, data=contact))


_READERS: Final[dict[str, Callable[[State, Value], Iterator[Beside]]]] = {
    "": _read_later,
    "bgsystem": _read_shell,
    "bind_digit_action": _read_digits,
    "bind_meta_app": _read_meta,
    "callcenter": _read_queue,
    "conference": _read_conference,
    "conference_set_auto_outcall": _read_outcall,
    "fifo": _read_fifo,
    "limit": _read_limit,
    "play_and_get_digits": _read_digits_asked,
    "sched_broadcast": _read_scheduled,
    "sched_transfer": _read_moves,
    "system": _read_shell,
    "tone_detect": _read_tones,
    "voicemail": _read_mailbox,
}
