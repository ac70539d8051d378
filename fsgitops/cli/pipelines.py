"""The commands for pipelines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import (
    COMMIT,
    Start,
    find_root,
    name_default,
    with_full,
    with_json,
    with_place,
    with_workspace,
)
from fsgitops.cli.outputs import with_formats
from fsgitops.cli.printing import print_findings, print_json, print_notes, working
from fsgitops.console.commands import Command, output_option
from fsgitops.console.stream import confirm_done
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from fsgitops.cli.outputs import Outputs
    from fsgitops.workspace.open import Workspace


@click.command("diff", cls=Command, epilog="Example: fsgitops diff main my-branch")
@click.argument("before", metavar="REV1", shell_complete=COMMIT)
@click.argument("after", shell_complete=COMMIT, metavar="[REV2]", required=False)
@with_place
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none."
)
@with_formats
@with_full
@with_json
def diff_command(
    start: Start,
    before: str,
    after: str | None,
    detailed_exitcode: bool,
    wanted: Outputs,
    full: bool,
) -> int:
    """Show what changes between two git revisions.

    Compiles REV1 and REV2 (default: the working tree), and compares them. Reads only git: no
    switch, no conf directory, no key. Names secrets that would change, and never shows them.
    """
    from fsgitops.cli.review import CHANGES_PENDING, answer_planned, make_planned
    from fsgitops.commands.diff import run_diff

    root, name = find_root(start), start.target
    planned = make_planned(
        lambda: run_diff(root, name, before, after),
        wanted,
        "Compiling both revisions",
        name or name_default(),
        root,
    )
    answer_planned(planned, wanted, root, full=full)
    return CHANGES_PENDING if detailed_exitcode and planned.plan.changes else 0


@click.command(
    "export-state",
    cls=Command,
    epilog="Example: fsgitops export-state --target prod --output state.json",
)
@with_workspace
@output_option(
    "out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file to write [default: stdout].",
)
def export_state_command(workspace: Workspace, out: Path | None) -> int:
    """Record what is live, for `plan --against` elsewhere.

    Records the target, the time, and each managed file: its name, keyed digest and masked
    attributes. If FILE ends with .gz, it is compressed.
    """
    from fsgitops.commands.export_state import run_export_state, save_state

    with working("Reading what is live"):
        state = run_export_state(workspace, datetime.now(UTC))
    if out is None:
        print_json(state.to_json())
        return 0
    save_state(state, out)
    confirm_done(
        f"{out}: {count_noun(len(state.files), 'file')} of target {state.target}", err=True
    )
    return 0


@click.command("compile", cls=Command, epilog="Example: fsgitops compile --output build/conf")
@with_workspace
@output_option(
    "out",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="An empty directory.",
)
def compile_command(workspace: Workspace, out: Path) -> int:
    """Write every compiled file into an empty directory.

    For a look at them, or to build an image. Compares nothing, and reloads nothing. Files that hold
    secrets are 0640.
    """
    from fsgitops.commands.validate import run_compile
    from fsgitops.planning.planned import name_unavailable

    compilation = run_compile(workspace, out)
    print_notes([*compilation.notes, *name_unavailable(compilation)])
    print_findings(compilation.declared.findings)
    confirm_done(f"Wrote {count_noun(len(compilation.compiled.files), 'file')} below {out}")
    return 0
