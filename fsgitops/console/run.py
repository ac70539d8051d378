"""How a command line ends: errors become words, JSON where that was asked for, and exit codes."""

from __future__ import annotations

import gc
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import click

from fsgitops.console import stream
from fsgitops.console.commands import MissingCommandError
from fsgitops.errors import DesiredInvalidError, FsgitopsError, UsageError, error_to_json
from fsgitops.visible import make_lines_visible, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsgitops.findings import Finding


def run_program(
    group: click.Group,
    program: str,
    words: Sequence[str],
    *,
    extra: str = "",
    print_findings: Callable[[list[Finding]], None] | None = None,
) -> int:
    """Run a command line and return its exit code (docs/exit-codes.md).

    Anything wrong is told on standard error, and with `--json` as JSON on standard output too.
    `extra` is what has to be installed for a module that is missing.
    """
    stream.forget()
    try:
        code = group.main([*words], prog_name=program, standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.UsageError as problem:
        return _tell_usage(problem, words)
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"{program}: stopped", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (FsgitopsError, OSError, ImportError) as problem:
        failed = _name(problem, extra)
        if _wants_json(words):
            _print_json(failed)
        if isinstance(failed, DesiredInvalidError) and print_findings is not None:
            print_findings(failed.findings)
        else:
            stream.print_text(f"{program}: {make_lines_visible(str(failed))}", err=True)
        return failed.exit_code
    return code if isinstance(code, int) else 0


def _name(problem: Exception, extra: str) -> FsgitopsError:
    """Return an error in our own words. An import that fails for no extra is a fault of ours."""
    if isinstance(problem, FsgitopsError):
        return problem
    if isinstance(problem, OSError):
        where = f"{problem.filename}: " if problem.filename else ""
        return FsgitopsError(f"{where}{problem.strerror or problem}")
    if isinstance(problem, ImportError) and extra:
        return FsgitopsError(f"{problem.name} is not installed: pip install '{extra}'")
    raise problem


def _tell_usage(problem: click.UsageError, words: Sequence[str]) -> int:
    if _wants_json(words):
        _print_json(UsageError(problem.format_message()))
    if isinstance(problem, MissingCommandError):
        problem.show()
        return UsageError.exit_code
    # It names words of the command line, which a script may have taken from anywhere.
    click.UsageError(make_lines_visible(problem.format_message()), problem.ctx).show()
    return UsageError.exit_code


def _wants_json(words: Sequence[str]) -> bool:
    # The options were not parsed where a command line itself is what is wrong.
    return any(
        word in ("--json", "--format=json") or (word, following) == ("--format", "json")
        for word, following in pairwise([*words, ""])
    )


def _print_json(problem: FsgitopsError) -> None:
    click.echo(to_json(error_to_json(problem)))


def end_process(code: int) -> NoReturn:
    """End the process with an exit code, and look for no cycles among all that it still holds.

    Python would, several times, and the system takes the memory back anyway. What a command opens,
    it closes itself.
    """
    gc.freeze()
    sys.exit(code)
