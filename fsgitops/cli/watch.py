"""The commands that watch a target."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import (
    EXTENSION,
    Start,
    open_place,
    with_json,
    with_place,
    with_workspace,
)
from fsgitops.cli.printing import (
    MAX_COLUMN,
    format_table,
    print_diagnosis,
    print_document,
    print_lines,
    working,
)
from fsgitops.console.commands import Command
from fsgitops.console.stream import draw_lines, moves, print_text, terminal_width
from fsgitops.model.wording import label_attribute
from fsgitops.schema_parts import json_values
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.commands.status import AgentStatus, Status
    from fsgitops.live.calls import LiveCall
    from fsgitops.live.gateways import GatewayStatus
    from fsgitops.model.drift import DriftReport
    from fsgitops.switch.replies import Registration, VertoUser
    from fsgitops.workspace.open import Workspace


CLEAR = "\x1b[H\x1b[2J"


@click.command("status", cls=Command, epilog="Example: fsgitops status --target prod --missing")
@click.argument("extensions", metavar="[EXT]...", nargs=-1, shell_complete=EXTENSION)
@with_place
@click.option("--registered", is_flag=True, help="Only agents with a registered phone.")
@click.option("--missing", is_flag=True, help="Only enabled agents without a registered phone.")
@click.option("--watch", is_flag=True, help="Refresh in place until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(0.2, 3600),
    default=2.0,
    show_default=True,
    help="Seconds between two refreshes.",
)
@click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write metrics of gateways for Prometheus' textfile collector.",
)
@with_json
def status_command(
    start: Start,
    extensions: tuple[str, ...],
    registered: bool,
    missing: bool,
    watch: bool,
    every: float,
    metrics: Path | None,
    as_json: bool,
) -> int:
    """Show each declared agent and gateway as the switch sees it.

    Shows phones, calls, registrations at providers, and what the switch holds in memory.
    With EXT, only these agents. With --watch and --json, one JSON object a line.
    """
    from fsgitops.commands.status import run_status, watch_status, write_metrics

    if registered and missing:
        raise click.UsageError("--registered and --missing exclude each other")
    if metrics and extensions:
        raise click.UsageError("--metrics tells of gateways: leave EXT out")
    workspace = open_place(start)
    chosen = (registered, missing)
    if watch:
        clear = CLEAR if moves(sys.stdout) and not as_json else ""
        for status in watch_status(workspace, extensions):
            click.echo(clear, nl=False)
            _print_status(status, chosen, as_json=as_json, indent=None)
            if metrics:
                write_metrics(metrics, workspace.target.name, status)
            time.sleep(every)
        return 0
    with working("Asking the switch"):
        status = run_status(workspace, extensions)
    _print_status(status, chosen, as_json=as_json, indent=2)
    if metrics:
        write_metrics(metrics, workspace.target.name, status)
    return 0


def _chosen(
    agents: Sequence[AgentStatus], registered: bool, missing: bool
) -> tuple[AgentStatus, ...]:
    return tuple(
        item
        for item in agents
        if not (registered and not (item.phones or item.verto))
        and not (missing and (item.phones or item.verto or not item.agent.enabled))
    )


def _print_status(
    status: Status, chosen: tuple[bool, bool], *, as_json: bool, indent: int | None
) -> None:
    from fsgitops.commands.status import summarise

    agents = _chosen(status.agents, *chosen)
    if as_json:
        print_document(
            "status", indent, summary=summarise(agents, status.gateways),
            agents=[agent.to_json() for agent in agents], gateways=status.gateways,
            verto_not_declared=status.strangers,
        )  # fmt: skip
        return
    strangers = _format_strangers(status.strangers)
    gateways = _format_gateways(status.gateways)
    summary = _format_summary(summarise(status.agents, status.gateways))
    lines = [*_format_status(agents), "", *gateways, *strangers, summary]
    print_text("\n".join(lines))


@click.command(
    "registrations", cls=Command, epilog="Example: fsgitops registrations --target prod --json"
)
@with_workspace
@with_json
def registrations_command(workspace: Workspace, as_json: bool) -> int:
    """Show every registered phone, declared or not."""
    from fsgitops.commands.calls import run_registrations

    with working("Asking the switch"):
        found = run_registrations(workspace)
    if as_json:
        print_document("registrations", registrations=found)
    else:
        head = ("USER", "PHONE", "ADDRESS", "EXPIRES", "CONTACT", "STATUS")
        rows = [
            [f"{one.user}@{one.domain}", *_phone(one), one.contact, one.status] for one in found
        ]
        click.echo("\n".join(format_table(head, rows)) if found else "No phone is registered.")
    return 0


@click.command("calls", cls=Command, epilog="Example: fsgitops calls --target prod --json")
@with_workspace
@with_json
def calls_command(workspace: Workspace, as_json: bool) -> int:
    """Show every call: caller, number, agent, state and age."""
    from fsgitops.commands.calls import run_calls

    with working("Asking the switch"):
        calls = run_calls(workspace)
    if as_json:
        print_document("calls", calls=calls)
    else:
        click.echo("\n".join(_format_calls(calls) if calls else ["No call is up."]))
    return 0


DRIFTED = 2


@click.command(
    "drift", cls=Command, epilog="Example: fsgitops drift --target prod --metrics fsgitops.prom"
)
@with_workspace
@click.option("--offline", is_flag=True, help="Compare files only; do not ask the switch.")
@click.option(
    "--watch", type=click.FloatRange(min=1), metavar="SECONDS", help="Repeat until stopped."
)
@click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write metrics for Prometheus' textfile collector.",
)
@with_json
def drift_command(
    workspace: Workspace, offline: bool, watch: float | None, metrics: Path | None, as_json: bool
) -> int:
    """Compare what is live with what was applied.

    Changes nothing. Compares three sides: the applied state, the files on disk, and the
    switch's memory. Exits with 0 for no drift, 2 for drift, 1 when the switch could not be
    asked. Needs no project key. With --watch and --json, one JSON object a line.
    """
    from fsgitops.commands.drift import run_drift, write_metrics

    while True:
        started = time.monotonic()
        with nullcontext() if watch else working("Comparing the applied with the live files"):
            report = run_drift(workspace, offline=offline)
        seconds = time.monotonic() - started
        _print(report, as_json=as_json, indent=None if watch else 2)
        if metrics is not None:
            write_metrics(metrics, report, seconds)
        if watch is None:
            break
        time.sleep(watch)
    if report.switch_problem:
        return 1
    return DRIFTED if report.drift else 0


def _print(report: DriftReport, *, as_json: bool, indent: int | None) -> None:
    from fsgitops.steps.render_drift import render_drift

    if as_json:
        print_document("drift", indent, **json_values(report))
    else:
        print_lines(render_drift(report))


@click.command("doctor", cls=Command, epilog="Example: fsgitops doctor --target prod")
@with_workspace
@with_json
def doctor_command(workspace: Workspace, as_json: bool) -> int:
    """Check keys, files and the switch, and say what to correct.

    Keys and their files, secrets, the conf directory and who may read it, includes, the event
    socket, and the running switch. Changes nothing; exit code 1 when there are errors.
    """
    from fsgitops.commands.doctor import run_doctor

    with working("Looking around"):
        diagnosis = run_doctor(workspace)
    return print_diagnosis(diagnosis, as_json=as_json)


def _format_status(agents: Sequence[AgentStatus]) -> list[str]:
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


def _format_strangers(sessions: Sequence[VertoUser]) -> list[str]:
    """Return a line for each mod_verto session that belongs to no declared and enabled agent."""
    return [
        f"mod_verto has a session of {make_visible(one.user)}@{make_visible(one.domain)} from "
        f"{make_visible(one.address)}, but there is no such enabled agent"
        for one in sessions
    ]


def _format_gateways(gateways: Sequence[GatewayStatus]) -> list[str]:
    """Return the table of gateways, and an empty line behind it; nothing where there is none."""
    if not gateways:
        return []
    rows = []
    for item in gateways:
        told = {None: "-", True: "registered"}.get(item.registered, f"no ({item.state})")
        latency = "-" if item.latency_ms is None else f"{item.latency_ms:.1f} ms"
        memory = item.memory
        if item.differences:
            memory += f": {', '.join(map(label_attribute, item.differences))}"
        up = "up" if item.up else "down"
        rows.append([item.name, item.profile, up, told, latency, memory])
    head = ("GATEWAY", "PROFILE", "STATE", "REGISTERED", "PING", "SWITCH MEMORY")
    return [*draw_lines(head, rows, width=terminal_width(sys.stdout)), ""]


def _format_summary(counts: dict[str, int]) -> str:
    """Return the last line of `fsgitops status`."""
    text = (
        f"{counts['registered']:,} of {count_noun(counts['enabled'], 'enabled agent')} registered, "
        f"{counts['on_call']} on a call"
    )
    if counts["not_as_declared"]:
        differ = "differs" if counts["not_as_declared"] == 1 else "differ"
        text += f"; {count_noun(counts['not_as_declared'], 'agent')} {differ} on the switch"
    if counts["gateways"]:
        text += f"; {counts['gateways_up']} of {count_noun(counts['gateways'], 'gateway')} up"
    return text


def _format_calls(calls: Sequence[LiveCall]) -> list[str]:
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
            _format_age(call.age),
            "/".join(leg.read_codec or "-" for leg in call.legs),
        ]
        for call in calls
    ]
    head = ("UUID", "DIRECTION", "CALLER", "CALLEE", "DID", "AGENT", "STATE", "AGE", "CODECS")
    return format_table(head, rows)


def _format_age(seconds: int) -> str:
    """Return seconds as `1:02:03` or `2:03`."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _phone(phone: Registration) -> list[str]:
    return [phone.user_agent, f"{phone.network_ip}:{phone.network_port}", f"{phone.expires} s"]


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
