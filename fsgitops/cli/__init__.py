"""The command line: click, and errors to exit codes. The only room that knows click.

Each command lives in a module of its own, which is imported when the command is asked for.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops import __version__
from fsgitops.cli.options import Shared
from fsgitops.errors import DesiredInvalidError, FsgitopsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

COLLECT_SELDOM = (1_000_000, 50, 100)
"""A plan makes a million small values and no cycles; looking for those costs much time."""

COMMANDS = {
    "adopt": "adopt",
    "api": "api",
    "apply": "apply",
    "calls": "calls",
    "compile": "compile",
    "completion": "completion",
    "credentials": "credentials",
    "dial": "dial",
    "diff": "diff",
    "doctor": "doctor",
    "drift": "drift",
    "explain": "explain",
    "export-state": "export_state",
    "fmt": "fmt",
    "hangup": "hangup",
    "history": "history",
    "init": "init",
    "key": "key",
    "kick": "kick",
    "lint": "lint",
    "plan": "plan",
    "registrations": "registrations",
    "release": "release",
    "rollback": "rollback",
    "sandbox": "sandbox",
    "schema": "schema",
    "secret": "secret",
    "show": "show",
    "status": "status",
    "token": "token",
    "transfer": "transfer",
    "validate": "validate",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return one command, or None for a name that is not one."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"fsgitops.cli.{module}").command
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: fsgitops -C pbx plan --target prod",
)
@click.version_option(__version__, prog_name="fsgitops")
@click.option("-C", "directory", metavar="DIR", help="Run as if in DIR.")
@click.option("--target", metavar="NAME", help="Work on this target [default: sandbox].")
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
    try:
        code = cli.main(words, prog_name="fsgitops", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.UsageError as problem:
        if _wants_json(words):
            _tell_json(UsageError(problem.format_message()))
        problem.show()
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
    from fsgitops.steps.render_text import escape_lines

    click.echo(f"fsgitops: {escape_lines(str(problem))}", err=True)


def _tell_json(problem: FsgitopsError) -> None:
    from fsgitops.steps.render_json import error_to_json

    click.echo(json.dumps(error_to_json(problem), ensure_ascii=False))
