"""The commands that take files over, and give them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fsgitops.cli.carry import confirm, print_note, with_wait, with_yes
from fsgitops.cli.options import LIVE_FILE, MANAGED, with_json, with_workspace
from fsgitops.cli.printing import print_document, print_lines, print_notes, working
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done, is_quiet

if TYPE_CHECKING:
    from fsgitops.commands.adopt import Adoption
    from fsgitops.workspace.open import Workspace


@click.command("adopt", cls=Command, epilog="Example: fsgitops adopt directory/default/1020.xml")
@click.argument("paths", nargs=-1, metavar="[PATH...]", shell_complete=LIVE_FILE)
@click.option(
    "--all",
    "only_same",
    is_flag=True,
    help="Take over all that is as declared, and list what differs: after .fsgitops is lost.",
)
@click.option(
    "--split/--keep",
    default=None,
    help="Files that also hold what is not declared: take ours out of them, or leave them.",
)
@with_workspace
@with_yes
@with_wait
@with_json
def adopt_command(
    workspace: Workspace,
    paths: tuple[str, ...],
    only_same: bool,
    split: bool | None,
    yes: bool,
    wait_seconds: float,
    as_json: bool,
) -> int:
    """Start managing existing files of declared resources.

    PATH is below the conf directory. A folder or a quoted glob (`*` within a folder, `**`
    across) stands for the files in it that hold what is declared, and `.` for all. It shows how
    each differs, and changes none; the next apply makes them as declared. What lies under
    another name, or with others, then moves to a file of its own.
    """
    from fsgitops.commands.adopt import list_files, plan_adoption, run_adoption

    if only_same == bool(paths):
        raise click.UsageError("name files, folders or globs, or pass --all, and not both")
    with working("Comparing the files with the declared ones"):
        shown = plan_adoption(workspace, paths or (".",), only_same=only_same, split=split)
    print_notes(shown.notes)
    if not (yes and is_quiet()):
        _show(shown, err=as_json)
    if shown.entries and not yes:
        confirm("Adopt?", err=as_json)
    if shown.entries:
        run_adoption(workspace, shown, wait_seconds=wait_seconds, tell=print_note)
    if as_json:
        print_document(
            "adopted",
            adopted=list_files(shown.entries),
            changes=shown.plan.changes,
            left=[item._asdict() for item in shown.stays],
        )
    else:
        left_of = f", left as they are: {len(shown.stays)}" if shown.stays else ""
        confirm_done(f"Adopted: {len(shown.entries)}{left_of}")
    return 0


def _show(shown: Adoption, *, err: bool) -> None:
    from fsgitops.steps.render_text import render_adoption

    rest = {item.path: item.tell_rest() for item in shown.holders}
    print_lines(render_adoption(shown.plan, list(shown.entries), rest, shown.stays), err=err)


@click.command("release", cls=Command, epilog="Example: fsgitops release agent:1020")
@click.argument(
    "names", shell_complete=MANAGED, nargs=-1, required=True, metavar="PATH-OR-RESOURCE..."
)
@with_workspace
@with_wait
@with_json
def release_command(
    workspace: Workspace, names: tuple[str, ...], wait_seconds: float, as_json: bool
) -> int:
    """Stop managing files: they stay as they are.

    fsgitops never touches them again. A folder or a quoted glob stands for the managed files in
    it, and `.` for all of them: use that to leave. Remove their agents and routes from the
    desired files too: otherwise the next plan stops at the released files.
    """
    from fsgitops.commands.adopt import list_files, run_release
    from fsgitops.steps.render_text import render_released

    released = run_release(workspace, names, wait_seconds=wait_seconds, tell=print_note)
    if as_json:
        print_document("released", released=list_files(released))
    elif not is_quiet():
        print_lines(render_released(released))
    return 0
