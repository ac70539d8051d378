"""Tables for people: columns as wide as what is in them, and nothing that moves a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fsgitops.console.stream import terminal_width
from fsgitops.console.table import draw_lines
from fsgitops.model.wording import label_attribute
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.commands.status import AgentStatus
    from fsgitops.live.calls import LiveCall
    from fsgitops.switch.replies import Registration, VertoUser

MAX_COLUMN = 48


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table at the terminal's width; what is long is cut."""
    return draw_lines(head, rows, width=terminal_width(sys.stdout), limit=MAX_COLUMN)


def format_status(agents: Sequence[AgentStatus]) -> list[str]:
    """Return the table of `fsgitops status`: a line for each agent and each further phone."""
    rows: list[list[str]] = []
    for item in agents:
        own = [item.agent.extension, item.agent.name, _state(item)]
        end = ["yes" if item.calls else "-", _memory(item)]
        phones = [_phone(phone) for phone in item.phones]
        phones += [["mod_verto", session.address, "-"] for session in item.verto]
        for number, middle in enumerate(phones or [["-", "-", "-"]]):
            rows.append([*own, *middle, *end] if number == 0 else ["", "", "", *middle, "", ""])
    head = ("AGENT", "NAME", "STATE", "PHONE", "ADDRESS", "EXPIRES", "ON CALL", "SWITCH MEMORY")
    # What differs is named in full: it is ours, and no phone's or caller's text.
    cut = [[*(make_visible(cell, MAX_COLUMN) for cell in row[:-1]), row[-1]] for row in rows]
    return draw_lines(head, cut, width=terminal_width(sys.stdout))


def format_strangers(sessions: Sequence[VertoUser]) -> list[str]:
    """Return a line for each mod_verto session that belongs to no declared and enabled agent."""
    return [
        f"mod_verto has a session of {make_visible(one.user)}@{make_visible(one.domain)} from "
        f"{make_visible(one.address)}, but there is no such enabled agent"
        for one in sessions
    ]


def format_summary(counts: dict[str, int]) -> str:
    """Return the last line of `fsgitops status`."""
    text = (
        f"{counts['registered']:,} of {count_noun(counts['enabled'], 'enabled agent')} registered, "
        f"{counts['on_call']} on a call"
    )
    if counts["not_as_declared"]:
        differ = "differs" if counts["not_as_declared"] == 1 else "differ"
        text += f"; {count_noun(counts['not_as_declared'], 'agent')} {differ} on the switch"
    return text


def format_registrations(items: Sequence[Registration]) -> list[str]:
    """Return the table of `fsgitops registrations`."""
    rows = [
        [f"{item.user}@{item.domain}", *_phone(item), item.contact, item.status] for item in items
    ]
    return format_table(("USER", "PHONE", "ADDRESS", "EXPIRES", "CONTACT", "STATUS"), rows)


def format_calls(calls: Sequence[LiveCall]) -> list[str]:
    """Return the table of `fsgitops calls`."""
    rows = [
        [
            call.uuid,
            call.direction,
            " ".join(part for part in (call.caller, call.caller_name) if part),
            call.callee,
            call.did or "-",
            ", ".join(call.agents) or "-",
            call.state.lower(),
            format_age(call.age),
            "/".join(leg.read_codec or "-" for leg in call.legs),
        ]
        for call in calls
    ]
    head = ("UUID", "DIRECTION", "CALLER", "CALLEE", "DID", "AGENT", "STATE", "AGE", "CODECS")
    return format_table(head, rows)


def format_age(seconds: int) -> str:
    """Return seconds as `1:02:03` or `2:03`."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _phone(phone: Registration) -> list[str]:
    return [phone.agent, f"{phone.network_ip}:{phone.network_port}", f"{phone.expires} s"]


def _state(item: AgentStatus) -> str:
    if not item.agent.enabled:
        return "disabled"
    if item.phones:
        return "registered"
    return "logged in" if item.verto else "-"


def _memory(item: AgentStatus) -> str:
    if item.memory == "differs":
        return f"differs: {', '.join(map(label_attribute, item.differences))}"
    return item.memory or "-"
