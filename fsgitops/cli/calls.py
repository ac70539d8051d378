"""The command that proves what is expected of calls."""

from __future__ import annotations

import click

from fsgitops.cli.options import DECLARED_FILE, Start, find_path, open_place, with_json, with_place
from fsgitops.cli.printing import print_json, print_lines, working
from fsgitops.console.commands import Command

FORMATS = ("text", "json", "junit")


@click.command("test", cls=Command, epilog="Example: fsgitops test desired/tests -k reception")
@click.argument("files", metavar="[FILE]...", nargs=-1, shell_complete=DECLARED_FILE)
@with_place
@click.option("-k", "word", default="", metavar="WORD", help="Only with this in name or number.")
@click.option("--disk", "source", flag_value="disk", help="On the files as they are now.")
@click.option("--live", "source", flag_value="live", help="On the memory of the switch.")
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
