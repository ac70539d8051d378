"""`fsgitops-cdr`: run the sidecar, and work on the lake."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import asdict, astuple
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fsgitops import __version__
from fsgitops.cli.cdr.place import (
    Place,
    add_places,
    parse_address,
    with_json,
    with_places,
    with_span,
)
from fsgitops.console import stream
from fsgitops.console.commands import CONTEXT, Group, Number
from fsgitops.console.complete import SHELLS, print_script
from fsgitops.console.run import run_program
from fsgitops.errors import FsgitopsError
from fsgitops.visible import count_noun, make_visible, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.cdr.lake import Lake

SECTIONS = {
    "Record": ("run", "doctor", "reconcile"),
    "Read": ("list", "query", "tail", "report", "files", "schema"),
    "Keep": ("compact", "retention", "erase"),
    "Set up": ("completion",),
}
"""Every command, below what it is for."""


@click.group(
    cls=Group,
    sections=SECTIONS,
    lazy={
        "list": "fsgitops.cli.cdr.read:list_command",
        "query": "fsgitops.cli.cdr.read:query",
        "tail": "fsgitops.cli.cdr.read:tail",
        "report": "fsgitops.cli.cdr.read:report",
    },
    context_settings=CONTEXT,
    epilog="Example: fsgitops-cdr -C pbx list --target prod --agent 1020",
)
@click.version_option(__version__, prog_name="fsgitops-cdr")
@partial(add_places, lake="The lake: a directory, s3://… or gs://…")
@click.pass_context
def cli(ctx: click.Context, /, **chosen: Any) -> None:
    """Keep every call once, in Parquet. These options may also follow a command."""
    ctx.obj = Place(Path(chosen.pop("directory") or ".").resolve(), chosen)


@cli.command("run", epilog="Example: fsgitops-cdr run --target prod --http 127.0.0.1:8090")
@with_places
@click.option("--http", metavar="HOST:PORT", help="Take posts; /healthz and /metrics.")
@click.option("--remove-json/--keep-json", default=None, help="Remove JSON files once in the lake.")
@click.option(
    "--log",
    "form",
    type=click.Choice(["json", "text"]),
    default="json",
    show_default=True,
    help="How log lines look.",
)
@click.option("--verbose", is_flag=True, help="Log more.")
def run(
    place: Place, /, http: str | None, remove_json: bool | None, form: str, verbose: bool
) -> int:
    """Run the sidecar.

    Runs until SIGTERM or SIGINT. Then it flushes everything into the lake.
    """
    from fsgitops.cdr.log import set_up_logging
    from fsgitops.cdr.sidecar import Sidecar, tune_process

    set_up_logging(form, verbose=verbose)
    options = place.run_options(http=parse_address(http) if http else None, remove_json=remove_json)
    sidecar = Sidecar(options, place.reach())
    tune_process()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return 0 if sidecar.run(stop) else 1


@cli.command("doctor", epilog="Example: fsgitops-cdr doctor --target prod")
@with_places
@with_json
def doctor(place: Place, /, as_json: bool) -> int:
    """Check that every call will be recorded."""
    from fsgitops.cdr.doctor import examine
    from fsgitops.cdr.lake import local_folder
    from fsgitops.cli.printing import print_diagnosis
    from fsgitops.diagnosis import Diagnosis, bad
    from fsgitops.workspace.git import check_records

    options = place.run_options()
    try:
        connect, problem = place.reach(), ""
    except FsgitopsError as trouble:
        connect, problem = None, str(trouble)
    checks = [bad("switch", problem, "")] if problem else []
    checks += examine(options, connect)
    checks += check_records((local_folder(options.lake), options.spool, options.json_dir))
    diagnosis = Diagnosis(place.workspace.target.name, tuple(checks))
    return print_diagnosis(diagnosis, as_json=as_json)


@cli.command("reconcile", epilog="Example: fsgitops-cdr reconcile --from 2026-11-01 --json")
@with_places
@with_span
@with_json
def reconcile(place: Place, /, first: str, last: str, as_json: bool) -> int:
    """Compare what the switch wrote with what the lake holds.

    Counts per hour, and names missing records.
    """
    from fsgitops.cdr.reconcile import reconcile as count
    from fsgitops.cdr.table import draw_table

    found = count(place.source(), place.json_dir(), first, last)
    if as_json:
        click.echo(to_json(asdict(found) | {"missing": found.missing}))
    else:
        heads = ("hour", "files", "esl", "json", "http", "waiting", "lake", "missing")
        rows = [(*astuple(hour)[:-1], len(hour.missing)) for hour in found.hours]
        click.echo(draw_table(heads, rows, width=stream.terminal_width(sys.stdout)), nl=False)
        for kind, names in (
            ("missing", found.missing),
            ("twice", found.doubled),
            ("not a record (yet)", found.unreadable),
        ):
            for name in names:
                click.echo(make_visible(f"{kind}: {name}"))
    return 1 if found.missing or found.doubled else 0


@cli.command("compact", epilog="Example: fsgitops-cdr compact --to 2026-10-31")
@with_places
@with_span
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Seconds to keep files that were merged.",
)
@click.option(
    "--min-files",
    type=Number(min=1),
    default=2,
    show_default=True,
    help="Leave days with fewer files.",
)
@with_json
def compact(
    place: Place, /, first: str, last: str, grace: float, min_files: int, as_json: bool
) -> int:
    """Merge each day's small files.

    Meanwhile, readers still see every record once.
    """
    from fsgitops.cdr.compact import compact_lake

    lake = place.lake()
    for done in compact_lake(lake, first, last, min_files=min_files, grace=grace):
        said = (
            f"{done.date}: {count_noun(done.files_before, 'file')} to {done.files_after:,}, "
            f"{count_noun(done.rows, 'record')}, "
            f"{count_noun(done.deleted, 'dead file')} deleted"
        )
        _confirm(said, done._asdict(), as_json=as_json)
    return _tell_links(lake)


def _confirm(said: str, data: dict[str, Any], *, as_json: bool) -> None:
    """Tell people what was done, or programs: then as one JSON object in a line."""
    if as_json:
        click.echo(to_json(data))
    else:
        stream.confirm_done(said)


def _tell_links(lake: Lake) -> int:
    """Name the days that were left alone because their folders are links; return the exit code."""
    linked = lake.linked_days()
    for date in linked:
        click.echo(
            f"fsgitops-cdr: {lake.root}/date={date}: is a link: left alone; "
            "put the folder itself there",
            err=True,
        )
    return 1 if linked else 0


@cli.command("retention", epilog="Example: fsgitops-cdr retention --keep-days 90 --dry-run")
@with_places
@click.option("--keep-days", type=Number(min=1), required=True, help="How many whole days to keep.")
@click.option("--dry-run", is_flag=True, help="Only show which days would be deleted.")
@with_json
def retention(place: Place, /, keep_days: int, dry_run: bool, as_json: bool) -> int:
    """Delete days that are older than the days to keep."""
    from fsgitops.cdr.compact import expire

    lake = place.lake()
    for date in expire(lake, keep_days, dry=dry_run):
        if dry_run and not as_json:
            click.echo(f"{date}: would be deleted")
        else:
            _confirm(f"{date}: deleted", {"date": date, "deleted": not dry_run}, as_json=as_json)
    return _tell_links(lake)


@cli.command("erase", epilog="Example: fsgitops-cdr erase +12025550666 --reference ticket-7")
@with_places
@click.argument("number")
@click.option("--also", multiple=True, metavar="NUMBER", help="Another number of that person.")
@click.option("--reference", required=True, help="The request, for the log; not the number.")
@with_json
def erase(
    place: Place, /, number: str, also: tuple[str, ...], reference: str, as_json: bool
) -> int:
    """Erase one person's number, prove it, and log it.

    NUMBER is read as E.164, or as a national number of the project's `default_region`.
    """
    from fsgitops.cdr.erase import erase_number
    from fsgitops.cdr.number import read_asked

    asked = [read_asked(text, place.region(), place.lengths()) for text in (number, *also)]
    forms = [form for each in asked for form in each.forms]
    done = erase_number(place.lake(), place.spool(), forms[0], reference, forms, place.json_dir())
    looked_for = "; ".join(each.shown for each in asked)
    said = (
        f"Erased {count_noun(done.rows, 'record')} in {count_noun(done.files, 'file')}, "
        f"{done.spool_rows:,} in the spool, and {count_noun(done.json_files, 'JSON file')}; "
        f"a second reading found none (looked for {looked_for})"
    )
    if done.found or as_json:
        _confirm(said, asdict(done), as_json=as_json)
    for each in asked:
        if each.e164 is None and not place.lengths().hold(each.forms[0]):
            hint = "to find its other forms, write it as E.164, or set `default_region`"
            click.echo(f"fsgitops-cdr: only {each.shown} was looked for: {hint}", err=True)
    if not done.found:
        click.echo(f"fsgitops-cdr: no record has this number (looked for {looked_for})", err=True)
    return 0 if done.found else 1


@cli.command("files", epilog="Example: fsgitops-cdr files --lake s3://calls/lake")
@with_places
@with_json
def files(place: Place, /, as_json: bool) -> None:
    """Print the Parquet files to read, one a line.

    For other programs that read Parquet.
    """
    from fsgitops.cdr.query import live_files

    lake, scheme = place.lake(), place.lake_url().partition("://")[0]
    for path in live_files(lake, lake.days()):
        place_of = path if lake.local else f"{scheme}://{path}"
        click.echo(to_json({"path": place_of}) if as_json else make_visible(place_of))


@cli.command("schema", epilog="Example: fsgitops-cdr schema --json")
@with_json
def schema(as_json: bool) -> None:
    """Print the columns, their types and what they mean."""
    from fsgitops.cdr.schema import COLUMNS, SCHEMA_VERSION
    from fsgitops.cdr.table import draw_table

    if as_json:
        columns = [
            {"name": column.name, "type": column.kind, "meaning": column.about}
            for column in COLUMNS
        ]
        click.echo(to_json({"version": SCHEMA_VERSION, "columns": columns}))
        return
    click.echo(f"version {SCHEMA_VERSION}")
    rows = [(column.name, column.kind, column.about) for column in COLUMNS]
    heads, width = ("column", "type", "meaning"), stream.terminal_width(sys.stdout)
    click.echo(draw_table(heads, rows, width=width), nl=False)


@cli.command("completion", epilog='Example: eval "$(fsgitops-cdr completion bash)"')
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands in your shell."""
    print_script("fsgitops-cdr", shell)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    sys.exit(invoke(list(sys.argv[1:] if arguments is None else arguments)))


def invoke(words: list[str]) -> int:
    """Run a command and return its exit code; what is wrong is told on standard error."""
    return run_program(cli, "fsgitops-cdr", words, extra="fsgitops[cdr]")
