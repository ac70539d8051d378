"""What `plan`, `diff` and `validate` answer, in any of the formats (docs/formats.md)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fsgitops import visible
from fsgitops.cli.printing import print_findings, print_json, print_lines, print_notes, working
from fsgitops.durable import write_output
from fsgitops.errors import DesiredInvalidError, error_to_json
from fsgitops.findings import count_findings
from fsgitops.model.plan import Action
from fsgitops.model.review import Contents, Review, find_reached
from fsgitops.planning.planned import Planned, Unchanged
from fsgitops.steps.render_text import SIMULATION, render_findings, render_plan, summarise_plan
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from fsgitops.cli.outputs import Outputs
    from fsgitops.commands.validate import Report
    from fsgitops.model.compiled import CompiledFile
    from fsgitops.model.plan import Plan
    from fsgitops.model.resource import Resource


SHOWN_CONTENTS = 1000
"""Files whose XML is shown beside their attributes: changed and deleted ones first."""


def review_plan(planned: Planned | Unchanged, root: Path, full: str = "") -> Review:
    """Return a plan for a reader, with what it was made from."""
    from fsgitops.model.plan_json import seal_plan

    plan = seal_plan(planned.plan)
    remarks = [SIMULATION] if plan.simulated else []
    if plan.unknown_secrets:
        remarks.append("No project key here: secret values are shown as (known after apply).")
    if plan.tests:
        remarks.append(f"{plan.tests.tell()}.")
    review = Review(
        title=f"plan for {plan.target}",
        summary=summarise_plan(plan),
        findings=planned.findings,
        plan=plan,
        warnings=tuple(_warnings(plan)),
        remarks=(*remarks, *planned.notes),
        prefix=find_prefix(root),
        full=full,
    )
    if isinstance(planned, Unchanged):
        return review
    compilation = planned.compilation
    files = compilation.compiled.files
    return replace(
        review,
        reached=find_reached(plan, compilation.declared.desired, planned.kinds),
        contents=_read_contents(planned),
        sources={
            item.path: str(files[item.path].parts[0].source)
            for item in plan.hazards
            if item.path in files
        },
    )


def _warnings(plan: Plan) -> Iterator[str]:
    for need in plan.needs:
        if not need.allowed:
            yield f"Refused unless --allow {need.permission} is given: {need.because}"
    if plan.partial:
        chosen = [f"--only {item}" for item in plan.only]
        chosen += [f"--exclude {item}" for item in plan.exclude]
        left = count_noun(plan.left_out, "other change")
        yield f"Partial plan ({' '.join(chosen)}): {left} left out"
    yield from plan.warnings
    if plan.activity is None:
        return
    if plan.activity.problem:
        yield f"The switch could not say who is registered or on a call: {plan.activity.problem}"
    for item in plan.activity.resources:
        if item.registrations or item.calls:
            facts = f"{count_noun(item.registrations, 'registration')}, "
            facts += count_noun(item.calls, "call leg")
            yield f"{item.resource.kind} {item.resource.name} now: {facts}"


def review_report(report: Report, root: Path) -> Review:
    """Return what a validation found, for a reader."""
    summary = count_findings(report.findings)
    if report.valid:
        counts = report.tell_counts()
        summary = f"Valid: {counts}." if not report.findings else f"Valid, {summary}: {counts}."
    return Review("validate", summary, report.findings, prefix=find_prefix(root))


def render_review(name: str, review: Review, to_json: Callable[[], Any]) -> str:
    """Return the review in one of FORMATS. `to_json` gives the values for `json`.

    Each format's module is imported when that format is asked for.
    """
    if name == "json":
        return visible.to_json(to_json(), indent=2) + "\n"
    if name == "text":
        return _render_text(review)
    module = import_module(f"fsgitops.steps.render_{name}")
    rendered: str = getattr(module, f"render_{name}")(review)
    return rendered


def _render_text(review: Review) -> str:
    lines = [line.text for line in render_findings(review.findings)]
    if review.plan:
        lines += [line.text for line in render_plan(review.plan, full=True)]
    else:
        lines.append(review.summary)
    return "\n".join(lines) + "\n"


def find_prefix(root: Path) -> str:
    """Return the project's folder below the top of its git repository, "" where they are one."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            relative = root.relative_to(folder).as_posix()
            return "" if relative == "." else relative
    return ""


def _read_contents(planned: Planned) -> Mapping[tuple[str, Resource], Contents]:
    """Return what stands of each changed resource, and what is compiled, the first of them."""
    from fsgitops.homes.pieces import OwnFiles, split_compiled
    from fsgitops.routing.recorded import show_compiled, show_masked

    files, live = planned.compilation.compiled.files, OwnFiles(planned.live)
    first = {Action.UPDATE: 0, Action.DELETE: 1, Action.CREATE: 2}
    chosen = sorted(planned.plan.changes, key=lambda change: first.get(change.action, 0))
    contents: dict[tuple[str, Resource], Contents] = {}
    split: dict[str, Mapping[Resource, CompiledFile]] = {}
    for change in chosen[:SHOWN_CONTENTS]:
        file, path = files.get(change.path), change.path
        if file and len(file.parts) > 1:
            if path not in split:
                split[path] = split_compiled(file) if file.content else {}
            file = split[path].get(change.resource)
        found = live.get(path, change.resource)
        compiled = show_compiled(file.content, file.secret_spans) if file and file.content else ()
        stands = show_masked(found.content) if found.content else ()
        if compiled or stands:
            contents[path, change.resource] = Contents(stands, compiled)
    return contents


CHANGES_PENDING = 2
_Made = TypeVar("_Made", Planned, Unchanged, Planned | Unchanged)


def write_outputs(
    wanted: Outputs, review: Callable[[], Review], to_json: Callable[[], Any]
) -> None:
    r"""Write the files, and stdout unless it is for text or JSON: those the caller prints.

    Files are UTF-8; what UTF-8 has no way to say is written as `\\udc..`.
    """
    if not wanted.files and wanted.shown in ("text", "json"):
        return
    made = review()
    for path, name in wanted.files:
        text = render_review(name, made, to_json)
        write_output(path, text.encode("utf-8", errors="backslashreplace"))
    if wanted.shown not in ("text", "json"):
        click.echo(render_review(wanted.shown, made, to_json), nl=False)


def make_planned(
    make: Callable[[], _Made], wanted: Outputs, doing: str, target: str, root: Path
) -> _Made:
    """Return the plan that `make` makes; print its notes and findings. Raises as `telling`."""
    with telling(wanted, target, root), working(doing):
        planned = make()
    print_notes(planned.notes)
    print_findings(planned.findings)
    return planned


@contextmanager
def telling(wanted: Outputs, target: str, root: Path) -> Iterator[None]:
    """Let every format tell the errors of what is declared, or of the settings.

    DesiredInvalidError goes on to the caller.
    """
    try:
        yield
    except DesiredInvalidError as problem:
        refused, findings = error_to_json(problem), tuple(problem.findings)
        summary, prefix = f"No plan: {count_findings(findings)}.", find_prefix(root)
        review = Review(f"plan for {target}", summary, findings, prefix=prefix, full=wanted.full)
        write_outputs(wanted, lambda: review, lambda: refused)
        raise


def answer_planned(
    planned: Planned | Unchanged, wanted: Outputs, root: Path, *, full: bool
) -> None:
    """Write the files that were asked for, and print the plan."""
    from fsgitops.model.plan_json import plan_to_json

    write_outputs(
        wanted,
        lambda: review_plan(planned, root, wanted.full),
        lambda: plan_to_json(planned.plan),
    )
    if wanted.shown == "json":
        print_json(plan_to_json(planned.plan))
    elif wanted.shown == "text":
        print_lines(render_plan(planned.plan, full=full))
