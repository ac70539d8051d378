"""The reading commands of `fsgitops-cdr`: list, query, tail, report."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from fsgitops.cdr.cli import with_places
from fsgitops.cdr.places import parse_date
from fsgitops.cdr.table import FORMS, write_result

if TYPE_CHECKING:
    from fsgitops.cdr.places import Place

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
_FORM = click.option("--format", "form", type=click.Choice(FORMS), default="table")


@click.command(name="list")
@with_places
@click.option("--from", "since", metavar="TIME", help="From this time on (UTC): 2026-11-23 10:00.")
@click.option("--to", "until", metavar="TIME", help="Before this time.")
@click.option("--agent", metavar="EXTENSION")
@click.option("--number", metavar="NUMBER", help="Caller, destination or DID.")
@click.option("--did", metavar="NUMBER")
@click.option("--cause", metavar="CAUSE", help="Hang-up cause, such as NO_ANSWER.")
@click.option("--leg", type=click.Choice(["a", "b"]))
@click.option("--limit", default=100, show_default=True)
@_FORM
@click.pass_obj
def list_command(place: Place, /, form: str, **chosen: Any) -> None:
    """List records, the latest first."""
    from fsgitops.cdr.query import Wanted, list_records

    names = Wanted.__dataclass_fields__
    wanted = Wanted(**{name: value for name, value in chosen.items() if name in names})
    place = place.with_choices({k: v for k, v in chosen.items() if k not in names})
    found = list_records(place.source(), wanted)
    if form == "table":
        found = found.select(_COLUMNS)
    write_result(found, form, sys.stdout.buffer)


@click.command()
@with_places
@click.argument("sql")
@_FORM
@click.pass_obj
def query(place: Place, /, sql: str, form: str, **chosen: Any) -> None:
    """Run SQL (DuckDB's) on the tables cdr, lake and spool."""
    from fsgitops.cdr.query import fetch

    write_result(fetch(place.with_choices(chosen).source(), sql), form, sys.stdout.buffer)


@click.command()
@with_places
@click.option("--count", type=int, help="Stop after so many records.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table")
@click.pass_obj
def tail(place: Place, /, count: int | None, form: str, **chosen: Any) -> None:
    """Show records as they come."""
    from fsgitops.cdr.tail import follow

    left = [count if count is not None else sys.maxsize]
    for table in follow(place.with_choices(chosen).source(), go_on=lambda: left[0] > 0):
        shown = table.slice(0, left[0])
        left[0] -= shown.num_rows
        write_result(shown.select(_COLUMNS) if form == "table" else shown, form, sys.stdout.buffer)
        sys.stdout.buffer.flush()


@click.command()
@with_places
@click.option(
    "--from", "first", default="", metavar="DATE", callback=parse_date, help="First day (UTC)."
)
@click.option(
    "--to",
    "last",
    default="9999-12-31",
    metavar="DATE",
    callback=parse_date,
    help="Last day (UTC).",
)
@click.option("--leg", type=click.Choice(["a", "b", "all"]), default="a", show_default=True)
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text")
@click.option("--out", type=click.Path(dir_okay=False), help="Write to a file.")
@click.pass_obj
def report(
    place: Place,
    /,
    first: str,
    last: str,
    leg: str,
    engine: Any,
    form: str,
    out: str | None,
    **chosen: Any,
) -> None:
    """Calls, ASR, ACD, PDD and minutes, by day, hour, agent, DID, gateway and cause."""
    from fsgitops.cdr.page import render_page
    from fsgitops.cdr.report import Span, make_report
    from fsgitops.cdr.show_report import report_json, report_text

    made = make_report(place.with_choices(chosen).source(), Span(first, last, leg), engine)
    text = {"text": report_text, "json": report_json, "html": render_page}[form](made)
    with click.open_file(out or "-", "w", encoding="utf-8") as sink:
        sink.write(text)


READING = {"list": list_command, "query": query, "tail": tail, "report": report}
