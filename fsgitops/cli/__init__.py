"""The command line: click, and errors to exit codes. The only room that knows click.

The commands of a section are in the module of its name, but for those of ELSEWHERE. It is imported
when one of them is asked for.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from fsgitops import __version__
from fsgitops.cli.options import with_group_place
from fsgitops.console.commands import CONTEXT, Group
from fsgitops.console.run import end_process, run_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.findings import Finding

COLLECT_SELDOM = (1_000_000, 50, 100)
"""A plan makes a million small values and no cycles; looking for those costs much time."""

SECTIONS = {
    "Declare": (
        "init",
        "validate",
        "lint",
        "fmt",
        "list",
        "get",
        "explain",
        "schema",
        "completion",
    ),
    "Change": ("plan", "apply", "rollback", "history", "show", "adopt", "layout", "release"),
    "Migrate": ("import", "export"),
    "Watch": ("status", "registrations", "calls", "drift", "doctor"),
    "Calls": ("trace", "numbers", "graph", "test"),
    "Operate": ("dial", "transfer", "hangup", "kick", "api", "sandbox"),
    "Secrets": ("key", "secret", "credentials", "token"),
    "Pipelines": ("diff", "export-state", "compile"),
}
"""Every command, below what it is for."""

ELSEWHERE = {"adopt": "takeover", "get": "listing", "list": "listing", "release": "takeover"}

COMMANDS = {
    name: f"fsgitops.cli.{ELSEWHERE.get(name, title.lower())}:{name.replace('-', '_')}_command"
    for title, names in SECTIONS.items()
    for name in names
}
"""Where each command is found."""

SYNONYMS = {
    "check": "validate",
    "destroy": "release",
    "format": "fmt",
    "log": "history",
    "ls": "list",
    "password": "credentials",
    "reload": "apply",
    "revert": "rollback",
    "undo": "rollback",
}
"""Words of other tools, and the command that does that here."""


@click.group(
    cls=Group,
    sections=SECTIONS,
    lazy=COMMANDS,
    synonyms=SYNONYMS,
    context_settings=CONTEXT,
    epilog="Example: fsgitops -C pbx plan --target prod",
)
@click.version_option(__version__, prog_name="fsgitops")
@with_group_place
def cli(**_start: str | None) -> None:
    """FreeSWITCH configuration as code: YAML in git, a checked plan, a proved apply."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and end the process with its exit code (docs/exit-codes.md)."""
    end_process(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; anything wrong is told on stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    gc.set_threshold(*COLLECT_SELDOM)
    return run_program(cli, "fsgitops", words, print_findings=_print_findings)


def _print_findings(findings: list[Finding]) -> None:
    from fsgitops.cli.printing import print_findings

    print_findings(findings)
