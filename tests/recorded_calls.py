"""What a real FreeSWITCH executes for a call: the CHANNEL_EXECUTE events of one leg."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from plain_esl import PlainEsl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from made_dialplans import MadeCall
    from real_switch import RealSwitch

AT_ONCE = 20
PATIENCE = 60.0
QUIET = 3.0


def hasten(template: Path, folder: Path) -> Path:
    """Return a copy of a switch's configuration that takes more than 30 new calls a second."""
    made = folder / "template"
    shutil.copytree(template, made)
    switch = made / "autoload_configs" / "switch.conf.xml"
    text = switch.read_text()
    told = '<param name="sessions-per-second" value="100000"/>'
    text = re.sub(r'<param name="sessions-per-second"[^>]*/>', told, text)
    if told not in text:
        text = text.replace("<settings>", f"<settings>\n{told}", 1)
    switch.write_text(text)
    return made


class Recorded(NamedTuple):
    """What was executed, and the cause of the hang-up; "": the call went on."""

    executed: tuple[tuple[str, str], ...]
    cause: str


def record_calls(switch: RealSwitch, calls: Sequence[MadeCall]) -> list[Recorded]:
    """Place each call with loopback/, and return what its far leg executed, in order."""
    found: list[Recorded] = []
    with _open(switch) as events, switch.esl() as esl:
        events.command("event json CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE")
        for start in range(0, len(calls), AT_ONCE):
            found += _record(events, esl, calls[start : start + AT_ONCE])
    return found


def _open(switch: RealSwitch) -> PlainEsl:
    """Return a session that waits a few seconds for the next event."""
    return PlainEsl.open(switch.esl_host, switch.esl_port, switch.esl_password, QUIET)


def _record(events: PlainEsl, esl: PlainEsl, calls: Sequence[MadeCall]) -> list[Recorded]:
    names = [str(uuid.uuid4()) for _ in calls]
    for name, call in zip(names, calls, strict=True):
        variables = f"origination_uuid={name},origination_caller_id_number={call.caller}"
        esl.command(
            f"bgapi originate {{{variables}}}loopback/{call.number}/{call.context}/XML &park()"
        )
    executed: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
    causes: dict[str, str] = {}
    deadline = time.monotonic() + PATIENCE
    while len(causes) < len(names):
        try:
            event = json.loads(events.read().body or "{}")
        except TimeoutError:
            assert time.monotonic() < deadline, "calls do not end"
            esl.api("hupall")
            continue
        owner = event.get("variable_other_loopback_leg_uuid", "")
        kind = event.get("Event-Name")
        if kind == "CHANNEL_EXECUTE" and owner in executed:
            executed[owner].append((event["Application"], _read_data(event)))
        elif kind == "CHANNEL_HANGUP_COMPLETE" and owner in executed:
            causes[owner] = event.get("variable_hangup_cause", "")
    return [Recorded(tuple(executed[name]), causes.get(name, "")) for name in names]


def _read_data(event: dict[str, Any]) -> str:
    """Return the data of an event; one that begins with `ARRAY::` comes as a list."""
    data = event.get("Application-Data", "")
    return data if isinstance(data, str) else f"ARRAY::{'|:'.join(data)}"
