"""The reading commands of `fsgitops-cdr`: list, query, tail, report."""

from __future__ import annotations

import io
import sys
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import click

from fsgitops.cdr.table import FORMS, write_result
from fsgitops.cli.cdr.place import with_places, with_span
from fsgitops.cli.options import DID, EXTENSION
from fsgitops.console.commands import Command, Number, output_option
from fsgitops.console.stream import terminal_width
from fsgitops.durable import write_output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.cli.cdr.place import Place

_F = TypeVar("_F", bound="Callable[..., Any]")
_COLUMNS = (
    "start_time",
    "leg",
    "direction",
    "caller_id_number",
    "did_number",
    "destination_number",
    "agent_extension",
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
)
_ENDINGS = {".csv": "csv", ".html": "html", ".json": "json", ".parquet": "parquet"}


def _choose(
    named: str | None, as_json: bool, output: tuple[str, ...], endings: Mapping[str, str]
) -> tuple[str, str]:
    """Return the form and the file (`-`: standard output). Raises UsageError.

    Where none is named, the form is what a file's ending says; without one, the first.
    """
    if as_json and named not in (None, "json"):
        raise click.UsageError(f"--json and --format {named}: give one of them")
    if len(output) > 1:
        raise click.UsageError("--output is given twice: this command writes one file")
    file = output[0] if output else "-"
    said = endings.get(Path(file).suffix.lower() or ".txt")
    form = "json" if as_json else named or said
    if form is None:
        listed = ", ".join(endings)
        raise click.UsageError(f"--output {file}: give --format, or an ending of {listed}")
    return form, file


def with_result(*forms: str) -> Callable[[_F], _F]:
    """Give a command `--format`, `--json` and `--output`, as its `form` and `output`.

    The first of `forms` is what a terminal gets; a file gets what its ending says.
    """

    def decorate(function: _F) -> _F:
        @wraps(function)
        def gather(
            *words: Any, named: str | None, as_json: bool, output: tuple[str, ...], **others: Any
        ) -> Any:
            form, file = _choose(named, as_json, output, endings)
            return function(*words, form=form, output=file, **others)

        endings = {".txt": forms[0]}
        endings |= {end: form for end, form in _ENDINGS.items() if form in forms}
        text = f"Write to FILE, in --format or as its ending says ({' '.join(endings)})."
        for option in (
            output_option(
                multiple=True, metavar="FILE", type=click.Path(dir_okay=False), help=text
            ),
            click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
            click.option(
                "--format", "named", type=click.Choice(forms), help=f"[default: {forms[0]}]"
            ),
        ):
            gather = option(gather)
        return cast("_F", gather)

    return decorate


def _write(found: Any, form: str, output: str) -> None:
    sink = io.BytesIO()
    write_result(found, form, sink, width=_width(output))
    _put(output, sink.getvalue())


def _put(output: str, content: bytes) -> None:
    """Write to standard output (`-`), or to a file that is there whole or not at all."""
    if output == "-":
        click.echo(content, nl=False)
    else:
        write_output(Path(output), content)


def _width(output: str) -> int | None:
    return terminal_width(sys.stdout) if output == "-" else None


@click.command(
    "list", cls=Command, epilog="Example: fsgitops-cdr list --agent 1020 --from 2026-11-23"
)
@with_places
@click.option("--from", "since", metavar="TIME", help="From this time on (UTC): 2026-11-23 10:00.")
@click.option("--to", "until", metavar="TIME", help="Before this time.")
@click.option(
    "--agent", shell_complete=EXTENSION, metavar="EXTENSION", help="Only calls of this agent."
)
@click.option("--number", metavar="NUMBER", help="Caller, destination or DID, in any form.")
@click.option("--did", shell_complete=DID, metavar="NUMBER", help="Only calls to this number.")
@click.option("--cause", metavar="CAUSE", help="Hang-up cause, such as NO_ANSWER.")
@click.option("--leg", type=click.Choice(["a", "b"]), help="a: who began it; b: who was rung.")
@click.option(
    "--limit", type=Number(min=1), default=100, show_default=True, help="At most this many records."
)
@with_result(*FORMS)
def list_command(place: Place, /, form: str, output: str, **chosen: Any) -> None:
    """List records, the latest first."""
    from fsgitops.cdr.query import Wanted, list_records

    for name in ("number", "did"):
        if chosen[name] is not None:
            from fsgitops.cdr.number import read_asked

            chosen[name] = read_asked(chosen[name], place.region(), place.lengths()).forms
    found = list_records(place.source(), Wanted(**chosen))
    if form == "table" and not found.num_rows and output == "-":
        click.echo("No record matches.")
        return
    if form == "table":
        found = found.select(_COLUMNS)
    _write(found, form, output)


@click.command(
    "query", cls=Command, epilog="Example: fsgitops-cdr query 'SELECT count(*) FROM cdr' --json"
)
@with_places
@click.argument("sql")
@with_result(*FORMS)
def query(place: Place, /, sql: str, form: str, output: str) -> None:
    """Run SQL (DuckDB's) on the tables cdr, lake and spool."""
    from fsgitops.cdr.query import fetch

    _write(fetch(place.source(), sql), form, output)


@click.command("tail", cls=Command, epilog="Example: fsgitops-cdr tail --target prod")
@with_places
@click.option("--count", type=Number(min=1), help="Stop after this many records.")
@with_result("table", "json", "csv")
def tail(place: Place, /, count: int | None, form: str, output: str) -> None:
    """Show records as they come."""
    from fsgitops.cdr.tail import follow

    left = [count if count is not None else sys.maxsize]
    source = place.source()
    with click.open_file(output, "wb") as sink:
        for table in follow(source, go_on=lambda: left[0] > 0):
            shown = table.slice(0, left[0])
            left[0] -= shown.num_rows
            told = shown.select(_COLUMNS) if form == "table" else shown
            write_result(told, form, cast("BinaryIO", sink), width=_width(output))
            sink.flush()


@click.command(
    "report",
    cls=Command,
    epilog="Example: fsgitops-cdr report --from 2026-11-01 --output november.html",
)
@with_places
@partial(with_span, zone="of --tz")
@click.option(
    "--leg",
    type=click.Choice(["a", "b", "all"]),
    default="a",
    show_default=True,
    help="Which legs.",
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What computes.",
)
@click.option(
    "--tz",
    metavar="ZONE",
    help="Time zone of days and hours, such as Europe/Berlin. [default: the machine's]",
)
@with_result("text", "json", "html")
def report(
    place: Place,
    /,
    first: str,
    last: str,
    leg: str,
    engine: Any,
    tz: str | None,
    form: str,
    output: str,
) -> None:
    """Report calls, ASR, ACD, PDD and minutes.

    By day, hour, agent, DID, gateway and cause.
    """
    from fsgitops.cdr.page import render_page
    from fsgitops.cdr.report import Span, machine_zone, make_report, read_zone
    from fsgitops.cdr.table import report_json, report_text

    span = Span(first, last, leg, str(read_zone(tz)) if tz else machine_zone())
    made = make_report(place.source(), span, engine, region=place.region())
    shown = {"json": report_json, "html": render_page}
    text = shown[form](made) if form in shown else report_text(made, _width(output))
    _put(output, text.encode("utf-8", "replace"))
