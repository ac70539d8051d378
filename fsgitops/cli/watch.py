"""The commands that watch a target."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.complete import EXTENSION
from fsgitops.cli.options import Shared, open_place, with_json, with_place, with_workspace
from fsgitops.cli.printing import print_diagnosis, print_document, print_json, print_lines, working
from fsgitops.cli.tables import (
    format_calls,
    format_registrations,
    format_status,
    format_strangers,
    format_summary,
)
from fsgitops.console.commands import Command
from fsgitops.console.stream import moves, print_text
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.commands.status import AgentStatus, Status
    from fsgitops.model.drift import DriftReport
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
@with_json
@click.pass_obj
def status_command(
    shared: Shared,
    extensions: tuple[str, ...],
    directory: str | None,
    target: str | None,
    registered: bool,
    missing: bool,
    watch: bool,
    every: float,
    as_json: bool,
) -> int:
    """Show each declared agent as the switch sees it.

    Shows phones, calls, and what the switch holds in memory.
    With EXT, only these agents. With --watch and --json, one JSON object a line.
    """
    from fsgitops.commands.status import run_status, status_to_json

    if registered and missing:
        raise click.UsageError("--registered and --missing exclude each other")
    workspace = open_place(shared, directory, target)
    if watch:
        return _watch(workspace, extensions, (registered, missing), every, as_json=as_json)
    with working("Asking the switch"):
        status = run_status(workspace, extensions)
    if as_json:
        agents = _chosen(status.agents, registered, missing)
        print_json(status_to_json(agents, status.strangers))
    else:
        print_text("\n".join(_lines(status, registered, missing)))
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


def _lines(status: Status, registered: bool, missing: bool) -> list[str]:
    from fsgitops.commands.status import summarise

    return [
        *format_status(_chosen(status.agents, registered, missing)),
        "",
        *format_strangers(status.strangers),
        format_summary(summarise(status.agents)),
    ]


def _watch(
    workspace: Workspace,
    extensions: tuple[str, ...],
    shown: tuple[bool, bool],
    every: float,
    *,
    as_json: bool,
) -> int:

    from fsgitops.commands.status import status_to_json, watch_status

    clear = CLEAR if moves(sys.stdout) else ""
    for status in watch_status(workspace, extensions):
        if as_json:
            data = status_to_json(_chosen(status.agents, *shown), status.strangers)
            click.echo(to_json(data))
        else:
            click.echo(clear, nl=False)
            print_text("\n".join(_lines(status, *shown)))
        time.sleep(every)
    return 0


@click.command(
    "registrations", cls=Command, epilog="Example: fsgitops registrations --target prod --json"
)
@with_workspace
@with_json
def registrations_command(workspace: Workspace, as_json: bool) -> int:
    """Show every registered phone, declared or not."""
    from fsgitops.commands.registrations import registration_to_json, run_registrations

    with working("Asking the switch"):
        found = run_registrations(workspace)
    if as_json:
        listed = [registration_to_json(item) for item in found]
        print_document("registrations", registrations=listed)
    else:
        click.echo("\n".join(format_registrations(found) if found else ["No phone is registered."]))
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
        print_document("calls", calls=[call.to_json() for call in calls])
    else:
        click.echo("\n".join(format_calls(calls) if calls else ["No call is up."]))
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
    workspace: Workspace,
    offline: bool,
    watch: float | None,
    metrics: Path | None,
    as_json: bool,
) -> int:
    """Compare what is live with what was applied.

    Changes nothing. Compares three sides: the applied state, the files on disk, and the
    switch's memory. Exits with 0 for no drift, 2 for drift, 1 when the switch could not be
    asked. Needs no project key. With --watch and --json, one JSON object a line.
    """
    from fsgitops.commands.drift import time_drift, watch_drift, write_metrics

    if watch is not None:
        for report, seconds in watch_drift(workspace, watch, offline=offline):
            _print(report, as_json=as_json, indent=None)
            if metrics is not None:
                write_metrics(metrics, report, seconds)
    with working("Comparing the applied with the live files"):
        report, seconds = time_drift(workspace, offline=offline)
    _print(report, as_json=as_json, indent=2)
    if metrics is not None:
        write_metrics(metrics, report, seconds)
    if report.problem:
        return 1
    return DRIFTED if report.items else 0


def _print(report: DriftReport, *, as_json: bool, indent: int | None) -> None:
    from fsgitops.model.drift import report_to_json
    from fsgitops.steps.render_drift import render_drift

    if as_json:
        click.echo(to_json(report_to_json(report), indent=indent))
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
