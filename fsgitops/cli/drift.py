"""`fsgitops drift`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from fsgitops.model.drift import DriftReport

DRIFTED = 2


@click.command(
    "drift", cls=Command, epilog="Example: fsgitops drift --target prod --metrics fsgitops.prom"
)
@with_place
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
@click.pass_obj
def command(
    shared: Shared,
    directory: str | None,
    target: str | None,
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
    from fsgitops.cli.printing import working
    from fsgitops.commands.drift import time_drift, watch_drift, write_metrics

    workspace = open_place(shared, directory, target)
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
    from fsgitops.cli.printing import print_lines
    from fsgitops.model.drift import report_to_json
    from fsgitops.steps.render_drift import render_drift

    if as_json:
        click.echo(to_json(report_to_json(report), indent=indent))
    else:
        print_lines(render_drift(report))
