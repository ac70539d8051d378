"""The commands with which a project is written and checked."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import (
    DECLARED_FILE,
    NAME,
    Start,
    find_kinds,
    find_path,
    find_root,
    find_start,
    open_place,
    with_json,
    with_place,
    with_workspace,
)
from fsgitops.cli.outputs import with_formats
from fsgitops.cli.printing import (
    print_document,
    print_findings,
    print_json,
    working,
)
from fsgitops.commands.schema import SCHEMAS
from fsgitops.console.commands import Command, with_directory
from fsgitops.console.complete import SHELLS, print_script
from fsgitops.console.stream import confirm_done, draw_lines, terminal_width
from fsgitops.errors import DesiredInvalidError, UsageError

if TYPE_CHECKING:
    from fsgitops.cli.outputs import Outputs
    from fsgitops.commands.validate import RuleState
    from fsgitops.workspace.open import Workspace


@click.command("init", cls=Command, epilog="Example: fsgitops init pbx")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@partial(with_directory, name="place")
@click.option("--templates", is_flag=True, help="Copy the templates too, to edit them.")
@click.option(
    "--ci",
    type=click.Choice(("github", "gitlab", "none")),
    default="github",
    show_default=True,
    help="Whose pipelines to write.",
)
@click.option(
    "--install",
    metavar="WHAT",
    envvar="FSGITOPS_INSTALL",
    help=(
        "What the pipelines install: a version, an address with its hash, a repository with a "
        "commit, or a wheel. Default: what this fsgitops was installed from."
    ),
)
@click.option(
    "--from",
    "conf_dir",
    metavar="CONF_DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Write the settings that this conf directory of FreeSWITCH tells, with the reasons.",
)
@click.pass_context
def init_command(
    ctx: click.Context,
    /,
    directory: Path | None,
    place: str | None,
    templates: bool,
    ci: str,
    install: str | None,
    conf_dir: Path | None,
) -> int:
    """Write a new project.

    Writes settings, an example, CI pipelines, .gitignore and editor schemas. Existing files
    stay as they are, but --install rewrites the line that the pipelines install.
    """
    from fsgitops.commands.init import run_init

    assert ctx.parent is not None
    root = find_start(ctx.parent).directory / (place or "") / (directory or "")
    for above in (root, *root.parents):
        if above.exists() and not above.is_dir():
            raise click.UsageError(f"{above}: is a file, expected a folder")
    typed = ctx.get_parameter_source("install") is click.core.ParameterSource.COMMANDLINE
    done = run_init(
        root, templates=templates, pipelines=ci, install=install, rewrite=typed, conf_dir=conf_dir
    )
    for path in done.written:
        confirm_done(f"wrote {path}")
    for path in done.left:
        confirm_done(f"left as it is: {path}", err=True)
    for note in done.notes:
        confirm_done(note, err=True)
    steps = (
        "fsgitops doctor --target prod, fsgitops import --target prod"
        if conf_dir
        else ("fsgitops plan, fsgitops apply")
    )
    confirm_done(f"Next: {_enter(root)}fsgitops key new, {steps}")
    return 0


def _enter(root: Path) -> str:
    """Return the words that lead from here into the project; none where it is here."""
    here, there = Path.cwd(), root.resolve()
    if there == here:
        return ""
    way = there.relative_to(here) if there.is_relative_to(here) else there
    return f"cd {shlex.quote(str(way))}, "


@click.command("validate", cls=Command, epilog="Example: fsgitops validate --format github")
@with_place
@with_formats
@with_json
def validate_command(
    start: Start,
    wanted: Outputs,
) -> int:
    """Check everything declared, and show all errors at once.

    Loads, checks and compiles every YAML file, and reads the result back. Needs neither a
    switch nor the project key. Exit code 3 when there are errors.
    """
    from fsgitops.cli.review import review_report, write_outputs
    from fsgitops.commands.validate import Report, run_validate

    try:
        workspace = open_place(start)
    except DesiredInvalidError as problem:
        report = Report(tuple(problem.findings))
    else:
        with working("Checking what is declared"):
            report = run_validate(workspace)
    root = find_root(start)
    write_outputs(wanted, lambda: review_report(report, root), report.to_json)
    if wanted.shown == "json":
        print_json(report.to_json())
    else:
        print_findings(report.findings)
        if report.valid and wanted.shown == "text":
            confirm_done(f"Valid: {report.tell_counts()}.")
    return 0 if report.valid else DesiredInvalidError.exit_code


@click.command("lint", cls=Command, epilog="Example: fsgitops lint --rules")
@with_workspace
@click.option("--rules", is_flag=True, help="List all rules, and their levels in this project.")
@click.option("--dialplan", is_flag=True, help="Check the target's whole dialplan instead.")
@click.option("--strict", is_flag=True, help="Exit with 3 for warnings too.")
@with_json
def lint_command(
    workspace: Workspace, rules: bool, dialplan: bool, strict: bool, as_json: bool
) -> int:
    """Check everything declared with the rules alone.

    Compiles nothing. With --dialplan, checks the dialplan of the target: the hand-written files of
    its conf directory, and what is declared, as an apply would leave both.

    `rules` in fsgitops.yaml sets a rule to error, warning or off. A comment silences one on its
    line: # fsgitops: ignore[rule-name] because it says why
    """
    from fsgitops.commands.validate import list_rules
    from fsgitops.findings import findings_to_json, has_errors
    from fsgitops.workspace.declare import declare_desired

    if rules:
        _list_rules(list_rules(workspace), as_json=as_json)
        return 0
    if dialplan:
        from fsgitops.commands.analyse import run_analysis

        findings = run_analysis(workspace)
    else:
        findings = list(declare_desired(workspace).findings)
    if as_json:
        print_document("lint", findings=findings_to_json(findings))
    else:
        print_findings(findings)
        if not findings:
            confirm_done("Nothing found.")
    wrong = bool(findings) if strict else has_errors(findings)
    return DesiredInvalidError.exit_code if wrong else 0


def _list_rules(states: list[RuleState], *, as_json: bool) -> None:
    if as_json:
        print_document("rules", rules=states)
        return
    rows, width = [], terminal_width(sys.stdout)
    for state in states:
        note = " (fixed)" if state.fixed else " (own)" if state.own else ""
        rows.append([state.name, state.level, f"{state.description}{note}"])
    click.echo("\n".join(draw_lines(("RULE", "LEVEL", "WHAT IT FINDS"), rows, width=width)))


NOT_CANONICAL = 1


@click.command("fmt", cls=Command, epilog="Example: fsgitops fmt --check desired/agents.yaml")
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=DECLARED_FILE)
@with_place
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file would change.")
@with_json
def fmt_command(start: Start, paths: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Format YAML files without changing what they say.

    Puts fields in order, and quotes only what needs them. Comments stay with their field.
    Without PATH, formats every declared file. Writes a file only after proving that it still
    says the same.
    """
    from fsgitops.commands.fmt import run_fmt

    workspace = open_place(start)
    placed = [find_path(start, path) for path in paths]
    done = run_fmt(workspace, placed, check=check)
    if as_json:
        changed = list(done.changed)
        print_document("fmt", changed=changed, canonical=done.canonical, check=check)
    else:
        for name in done.changed:
            click.echo(f"{'would change' if check else 'changed'}: {name}")
        confirm_done(f"{len(done.changed)} changed, {done.canonical} canonical already", err=True)
    return NOT_CANONICAL if check and done.changed else 0


@click.command("explain", cls=Command, epilog="Example: fsgitops explain agent.caller_id_number")
@click.argument("path", default="agent", metavar="[NAME]", shell_complete=NAME)
@with_place
def explain_command(start: Start, path: str) -> int:
    """Explain a kind, a field, a rule or a finding.

    NAME is a kind (agent, did, settings), an output (plan, status and so on), a field (with dots
    for a field below a field: settings.targets.prod.domain), a rule of `fsgitops lint --rules`,
    or what stands in brackets behind a finding.
    """
    from fsgitops.commands.explain import explain

    def rules() -> list[RuleState]:
        from fsgitops.commands.validate import list_built_in, list_rules

        try:
            return list_rules(open_place(start))
        except (DesiredInvalidError, UsageError):
            # There is no project here; or what is wrong with it is for other commands to tell.
            return list_built_in()

    kinds, width = find_kinds(start), terminal_width(sys.stdout)
    click.echo("\n".join(explain(path, kinds=kinds, width=width, rules=rules)))
    return 0


@click.command(
    "schema", cls=Command, epilog="Example: fsgitops schema settings > schema/settings.schema.json"
)
@click.argument("name", default="desired", type=click.Choice(SCHEMAS), metavar="[NAME]")
@click.pass_context
def schema_command(ctx: click.Context, name: str) -> int:
    """Print a JSON Schema, for editors and programs.

    NAME is desired (default), settings (of fsgitops.yaml), plan, or another format of docs/json.md
    without its `fsgitops-`: applied, drift, status and so on. Kinds of the project's own are in it.

    For an editor, write this as the first line of a YAML file:
    # yaml-language-server: $schema=../schema/desired.schema.json
    """
    from fsgitops.commands.schema import read_schema

    print_json(read_schema(name, find_kinds(find_start(ctx))))
    return 0


@click.command("completion", cls=Command, epilog='Example: eval "$(fsgitops completion bash)"')
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> int:
    """Print the script that completes commands in your shell.

    Options, targets, extensions, numbers, revisions, fields and files are completed too. Put the
    example into the start-up file of your shell; `fsgitops-cdr completion` does the same for that.
    """
    print_script("fsgitops", shell)
    return 0
