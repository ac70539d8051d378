"""The commands that follow calls through the dialplan, and prove what is expected of them."""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from fsgitops.cli.options import (
    DECLARED_FILE,
    DID,
    EXTENSION,
    EXTENSIONS,
    NUMBER,
    Start,
    find_path,
    open_place,
    with_json,
    with_place,
    with_workspace,
)
from fsgitops.cli.printing import print_json, print_lines, print_notes, working
from fsgitops.console.commands import Command
from fsgitops.console.stream import draw_lines, terminal_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.workspace.open import Workspace

FORMATS = ("text", "json", "junit")
TRACE_FORMATS = ("text", "json", "mermaid")
GRAPH_FORMATS = ("mermaid", "dot", "svg", "json")


def _with_source(
    disk_help: str = "Read the files as they are [default: as the plan leaves them].",
    live_help: str = "Read the switch's memory.",
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command `--live` and `--disk`, as its `source`; None: as planned."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @wraps(function)
        def choose(*args: Any, disk: bool, live: bool, **words: Any) -> int:
            if disk and live:
                raise click.UsageError("--disk and --live exclude each other: give one of them")
            source = "disk" if disk else "live" if live else None
            return function(*args, source=source, **words)

        made = click.option("--disk", is_flag=True, help=disk_help)(choose)
        return click.option("--live", is_flag=True, help=live_help)(made)

    return decorate


@click.command("test", cls=Command, epilog="Example: fsgitops test desired/tests -k reception")
@click.argument("files", metavar="[FILE]...", nargs=-1, shell_complete=DECLARED_FILE)
@with_place
@click.option("-k", "word", default="", metavar="WORD", help="Only with this in name or number.")
@_with_source("On the files as they are now.", "On the memory of the switch.")
@click.option("--coverage", is_flag=True, help="Show what no expectation comes to.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail where expectations come to less than that.",
)
@click.option("--format", "named", type=click.Choice(FORMATS), help="[default: text]")
@with_json
def test_command(
    start: Start,
    files: tuple[str, ...],
    word: str,
    source: str | None,
    coverage: bool,
    fail_under: float | None,
    named: str | None,
    as_json: bool,
) -> int:
    """Prove that calls do what is expected of them.

    Expectations stand under `tests:` in desired files. Each is followed as FreeSWITCH would, on
    the files as the next apply would leave them, on every way that the call may take. Places no
    call. Exit code 1 where one fails.
    """
    from fsgitops.commands.test import Chosen, run_test
    from fsgitops.steps.render_junit import render_proof_junit
    from fsgitops.steps.render_tests import render_proof

    if as_json and named not in (None, "json"):
        raise click.UsageError(f"--json and --format {named}: give one of them")
    measured = coverage or fail_under is not None
    workspace = open_place(start)
    paths = tuple(find_path(start, path) for path in files)
    with working("Following the calls"):
        proof = run_test(workspace, Chosen(paths, word), source or "plan", coverage=measured)
    if as_json or named == "json":
        print_json(proof.to_json())
    elif named == "junit":
        click.echo(render_proof_junit(proof), nl=False)
    else:
        print_lines(render_proof(proof))
    short = fail_under is not None and proof.percent < fail_under
    return 1 if proof.failing or short else 0


ASTRAY = 2


@click.command(
    "trace", cls=Command, epilog="Example: fsgitops trace +19495431333 --from +12025550123"
)
@click.argument("number", metavar="NUMBER", shell_complete=NUMBER)
@with_workspace
@click.option("--from", "caller", shell_complete=DID, metavar="NUMBER", help="The caller's number.")
@click.option("--as", "agent", shell_complete=EXTENSION, metavar="EXT", help="This agent calls.")
@click.option("--at", metavar="TIME", help="When, as 2026-12-24T18:00 on the switch's clock.")
@click.option("--context", metavar="NAME", help="Begin in this context of the dialplan.")
@click.option(
    "--registered",
    shell_complete=EXTENSIONS,
    metavar="EXT,...",
    help="Only these phones are registered; '' for none.",
)
@_with_source()
@click.option("--verbose", is_flag=True, help="Show each extension that passes the call on.")
@click.option("--format", "named", type=click.Choice(TRACE_FORMATS), help="[default: text]")
@with_json
def trace_command(
    workspace: Workspace,
    number: str,
    caller: str | None,
    agent: str | None,
    at: str | None,
    context: str | None,
    registered: str | None,
    source: str | None,
    verbose: bool,
    named: str | None,
    as_json: bool,
) -> int:
    """Show where a call goes.

    Evaluates the whole dialplan as FreeSWITCH does: hand-written files, and those of fsgitops as
    a plan leaves them. Places no call, and asks for no secret. Without --as, the caller is outside.
    Exit code 0 when the call arrives, 2 when it ends nowhere, is hung up, or cannot be followed.
    """
    from fsgitops.commands.trace import Asked, run_trace
    from fsgitops.steps.render_trace import render_mermaid, render_trace

    form = _choose_format(named or "text", as_json=as_json, given=named is not None)
    phones = None
    if registered is not None:
        phones = tuple(word.strip() for word in registered.split(",") if word.strip())
    asked = Asked(number, caller, agent, at, context, phones)
    with working("Following the call"):
        trace = run_trace(workspace, asked, source or "plan", brief=form != "json" and not verbose)
    if form == "json":
        print_json(trace.to_json())
    elif form == "mermaid":
        click.echo("\n".join(render_mermaid(trace)))
    else:
        print_lines(render_trace(trace, verbose=verbose))
    return 0 if trace.arrives else ASTRAY


@click.command("graph", cls=Command, epilog="Example: fsgitops graph 1020 --format svg > 1020.svg")
@click.argument("numbers", metavar="[DID|EXT|KIND/NAME]...", nargs=-1, shell_complete=NUMBER)
@with_workspace
@click.option("--all", "whole", is_flag=True, help="Draw every number that is declared.")
@click.option("--at", metavar="TIME", help="When, as 2026-12-24T18:00 [default: at any time].")
@_with_source()
@click.option("--format", "named", type=click.Choice(GRAPH_FORMATS), help="[default: mermaid]")
@with_json
def graph_command(
    workspace: Workspace,
    numbers: tuple[str, ...],
    whole: bool,
    at: str | None,
    source: str | None,
    named: str | None,
    as_json: bool,
) -> int:
    """Draw where calls go.

    From the profiles and gateways that calls come in by, through contexts and numbers, to phones,
    mailboxes, menus, queues and gateways, with the conditions on the way. An extension is drawn
    with all that leads to it. SVG needs Graphviz.
    """
    from fsgitops.commands.graph import draw_svg, run_graph
    from fsgitops.steps.render_graph import render_dot, render_mermaid

    if whole == bool(numbers):
        raise click.UsageError("name a DID or an extension, or give --all")
    form = _choose_format(named or "mermaid", as_json=as_json, given=named is not None)
    with working("Following the calls"):
        graph = run_graph(workspace, numbers, source or "plan", at=at)
        svg = draw_svg("\n".join(render_dot(graph))) if form == "svg" else b""
    notes = [*graph.doubts]
    if not graph.complete:
        notes.append("a call has more ways than are followed: some are not drawn")
    print_notes(notes)
    if form == "json":
        print_json(graph.to_json())
    elif form == "svg":
        click.echo(svg, nl=False)
    else:
        click.echo("\n".join((render_mermaid if form == "mermaid" else render_dot)(graph)))
    return 0


@click.command("numbers", cls=Command, epilog="Example: fsgitops numbers public --at 2026-12-24")
@click.argument("context", metavar="[CONTEXT]", required=False)
@with_workspace
@click.option("--as", "agent", shell_complete=EXTENSION, metavar="EXT", help="This agent dials.")
@click.option("--at", metavar="TIME", help="When, as 2026-12-24T18:00 [default: at any time].")
@_with_source()
@with_json
def numbers_command(
    workspace: Workspace,
    context: str | None,
    agent: str | None,
    at: str | None,
    source: str | None,
    as_json: bool,
) -> int:
    """Show every number that can be dialled, and where it ends.

    The numbers are split by the dialplan itself into classes that fare alike, so what is said of a
    class holds for each of its numbers. Without CONTEXT, all contexts that calls come in by: those
    of profiles, gateways and agents.
    """
    from fsgitops.commands.numbers import run_numbers
    from fsgitops.steps.render_numbers import HEAD, render_tables

    if agent is not None and context is not None:
        raise click.UsageError("--as and CONTEXT exclude each other: an agent dials in its own")
    with working("Following all numbers"):
        numbers = run_numbers(workspace, context, source or "plan", at=at, agent=agent)
    if as_json:
        print_json(numbers.to_json())
        return 0
    print_notes(numbers.doubts)
    for table in render_tables(numbers):
        print_lines([table.title])
        click.echo("\n".join(draw_lines(HEAD, table.rows, width=terminal_width(sys.stdout))))
        print_lines(table.below)
    return 0


def _choose_format(named: str, *, as_json: bool, given: bool) -> str:
    if as_json and given and named != "json":
        raise click.UsageError(f"--json and --format {named}: give one of them")
    return "json" if as_json else named
