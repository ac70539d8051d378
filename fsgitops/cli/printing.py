"""Lines to the terminal: colour where there is one, plain text elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from fsgitops.console import stream
from fsgitops.console.stream import draw_lines
from fsgitops.model.wording import Line
from fsgitops.schema_parts import json_values
from fsgitops.visible import make_lines_visible, make_visible, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.commands.layout import Layouts
    from fsgitops.diagnosis import Diagnosis
    from fsgitops.findings import Finding

MAX_COLUMN = 48
_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True},
    "create": {"fg": "green"},
    "update": {"fg": "yellow"},
    "delete": {"fg": "red"},
    "note": {"fg": "cyan"},
}


def print_lines(lines: Iterable[Line], *, err: bool = False) -> None:
    """Print lines, coloured by what they say where colour is wanted, and wrapped at the width."""
    output = sys.stderr if err else sys.stdout
    colour, width = stream.wants_colour(output), stream.terminal_width(output)
    texts = (
        click.style(text, **_STYLES[line.style]) if colour and line.style in _STYLES else text
        for line in lines
        for part in make_lines_visible(line.text).split("\n")
        for text in stream.wrap(part, width)
    )
    text = "\n".join(texts)
    if text:
        click.echo(text, err=err, color=colour)


def print_json(data: Any, *, indent: int | None = 2) -> None:
    """Print one JSON value; without `indent` in one line."""
    click.echo(to_json(data, indent=indent))


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table at the terminal's width; what is long is cut."""
    return draw_lines(head, rows, width=stream.terminal_width(sys.stdout), limit=MAX_COLUMN)


def print_document(name: str, indent: int | None = 2, /, **values: Any) -> None:
    """Print JSON of a documented, versioned shape: `fsgitops-NAME`."""
    shown = {key: json_values(value) for key, value in values.items()}
    print_json({"format": f"fsgitops-{name}", "version": 1, **shown}, indent=indent)


def print_findings(findings: Iterable[Finding]) -> None:
    """Print findings to stderr and count them."""
    from fsgitops.findings import count_findings
    from fsgitops.steps.render_text import render_findings

    findings = list(findings)
    print_lines(render_findings(findings), err=True)
    if findings and not stream.is_quiet():
        click.echo(count_findings(findings), err=True)


def print_notes(notes: Iterable[str]) -> None:
    """Print what was done beside what was asked, to stderr, quiet or not: it may matter."""
    print_lines((Line(make_visible(note), "note") for note in notes), err=True)


def print_diagnosis(diagnosis: Diagnosis, *, as_json: bool) -> int:
    """Print what a doctor found, and return its exit code."""
    if as_json:
        told = {"target": diagnosis.target, "healthy": diagnosis.healthy}
        print_document("doctor", **told, checks=diagnosis.checks)
        return 0 if diagnosis.healthy else 1
    styles = {"ok": "create", "warning": "update", "error": "delete"}
    for check in diagnosis.checks:
        text = f"{check.health.value:<8} {check.name}: {check.message}"
        print_lines([Line(make_visible(text), styles.get(check.health.value, ""))])
        print_lines(Line(f"         {line}") for line in check.remedy.split("\n") if line)
    return 0 if diagnosis.healthy else 1


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show that something is under way: on stderr, only on a terminal, gone when done."""
    if stream.is_quiet() or not stream.moves(sys.stderr):
        yield
        return
    from rich.console import Console

    colour = stream.wants_colour(sys.stderr)
    with Console(stderr=True, no_color=not colour).status(message):
        yield


def print_layouts(found: Layouts) -> None:
    """Print how the files of a target are cut, and what the other layout needs."""
    click.echo(f"Target {found.target}: layout {found.layout}")
    rows = [
        (
            cut.told, f"{cut.enabled:,}", f"{cut.files['files']:,}", f"{cut.files['sharded']:,}",
            f"{cut.fullest['sharded']:,}",
        )
        for cut in found.cuts
    ]  # fmt: skip
    head = ("kind", "enabled", "in files", "in sharded", "fullest of sharded")
    for line in format_table(head, rows):
        click.echo(line)
    for need in found.needs:
        click.echo(f"Layout {found.other} needs this first: {need}")
    click.echo(f"See what would change: fsgitops layout {found.other}. Costs: docs/scale.md")
