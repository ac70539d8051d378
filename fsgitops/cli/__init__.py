"""The command line: click, and errors to exit codes. The only room that knows click.

Each command lives in a module of its own, which is imported when the command is asked for.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops import __version__
from fsgitops.cli.complete import TARGET
from fsgitops.cli.options import Shared
from fsgitops.console import stream
from fsgitops.console.commands import CONTEXT, Group
from fsgitops.errors import DesiredInvalidError, FsgitopsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

COLLECT_SELDOM = (1_000_000, 50, 100)
"""A plan makes a million small values and no cycles; looking for those costs much time."""

SECTIONS = {
    "Declare": ("init", "validate", "lint", "fmt", "explain", "schema", "completion"),
    "Change": ("plan", "apply", "rollback", "history", "show", "adopt", "release"),
    "Watch": ("status", "registrations", "calls", "drift", "doctor"),
    "Operate": ("dial", "transfer", "hangup", "kick", "api", "sandbox"),
    "Secrets": ("key", "secret", "credentials", "token"),
    "Pipelines": ("diff", "export-state", "compile"),
}
"""Every command, below what it is for."""

COMMANDS = tuple(name for names in SECTIONS.values() for name in names)

SYNONYMS = {
    "check": "validate",
    "destroy": "release",
    "format": "fmt",
    "import": "adopt",
    "log": "history",
    "password": "credentials",
    "reload": "apply",
    "revert": "rollback",
    "test": "validate",
    "undo": "rollback",
}
"""Words of other tools, and the command that does that here."""


@click.group(
    cls=Group,
    sections=SECTIONS,
    lazy={name: f"fsgitops.cli.{name.replace('-', '_')}:command" for name in COMMANDS},
    synonyms=SYNONYMS,
    context_settings=CONTEXT,
    epilog="Example: fsgitops -C pbx plan --target prod",
)
@click.version_option(__version__, prog_name="fsgitops")
@click.option(
    "-C", "directory", type=click.Path(file_okay=False), metavar="DIR", help="Run as if in DIR."
)
@click.option(
    "--target",
    shell_complete=TARGET,
    metavar="NAME",
    help="Work on this target [default: sandbox].",
)
@click.pass_context
def cli(ctx: click.Context, directory: str | None, target: str | None) -> None:
    """FreeSWITCH configuration as code: YAML in git, a checked plan, a proved apply."""
    ctx.obj = Shared(Path(directory or ".").resolve(), target)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code (docs/exit-codes.md)."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; anything wrong is told on stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    gc.set_threshold(*COLLECT_SELDOM)
    stream.forget()
    try:
        code = cli.main(words, prog_name="fsgitops", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.UsageError as problem:
        if _wants_json(words):
            _tell_json(UsageError(problem.format_message()))
        from fsgitops.visible import make_lines_visible

        # It names words of the command line, which a script may have taken from anywhere.
        said = make_lines_visible(problem.format_message())
        click.UsageError(said, problem.ctx).show()
        return UsageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("fsgitops: stopped", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except FsgitopsError as problem:
        _tell(problem, as_json=_wants_json(words))
        return problem.exit_code
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        _tell(FsgitopsError(f"{where}{problem.strerror or problem}"), as_json=_wants_json(words))
        return FsgitopsError.exit_code
    return code if isinstance(code, int) else 0


def _wants_json(words: Sequence[str]) -> bool:
    # The options were not parsed where a command line itself is what is wrong.
    pairs = zip(words, [*words[1:], ""], strict=True)
    return any(
        word in ("--json", "--format=json") or (word, following) == ("--format", "json")
        for word, following in pairs
    )


def _tell(problem: FsgitopsError, *, as_json: bool) -> None:
    if as_json:
        _tell_json(problem)
    if isinstance(problem, DesiredInvalidError):
        from fsgitops.cli.printing import print_findings

        print_findings(problem.findings)
        return
    from fsgitops.visible import make_lines_visible

    stream.print_text(f"fsgitops: {make_lines_visible(str(problem))}", err=True)


def _tell_json(problem: FsgitopsError) -> None:
    from fsgitops.steps.render_json import error_to_json
    from fsgitops.visible import to_json

    click.echo(to_json(error_to_json(problem)))
