"""What `plan` and `diff` have in common: one plan, answered in any format."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fsgitops.cli.printing import print_findings, print_json, print_lines, print_notes, working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fsgitops.cli.formats import Outputs
    from fsgitops.planning.planned import Planned

CHANGES_PENDING = 2


def make_planned(
    make: Callable[[], Planned], wanted: Outputs, doing: str, target: str, root: Path
) -> Planned:
    """Return the plan that `make` makes; print its notes and findings. Raises as `telling`."""
    with telling(wanted, target, root), working(doing):
        planned = make()
    print_notes(planned.notes)
    print_findings(planned.compilation.declared.findings)
    return planned


@contextmanager
def telling(wanted: Outputs, target: str, root: Path) -> Iterator[None]:
    """Let every format tell the errors of what is declared, or of the settings.

    DesiredInvalidError goes on to the caller.
    """
    from fsgitops.cli.review import review_refusal
    from fsgitops.errors import DesiredInvalidError, error_to_json

    try:
        yield
    except DesiredInvalidError as problem:
        findings = problem
        wanted.write(
            lambda: review_refusal(findings, target, root, wanted.full),
            lambda: error_to_json(findings),
        )
        raise


def answer_planned(planned: Planned, wanted: Outputs, root: Path, *, full: bool) -> None:
    """Write the files that were asked for, and print the plan."""
    from fsgitops.cli.review import review_plan
    from fsgitops.model.plan_json import plan_to_json
    from fsgitops.steps.render_text import render_plan

    wanted.write(
        lambda: review_plan(planned, root, wanted.full), lambda: plan_to_json(planned.plan)
    )
    if wanted.shown == "json":
        print_json(plan_to_json(planned.plan))
    elif wanted.shown == "text":
        print_lines(render_plan(planned.plan, full=full))
