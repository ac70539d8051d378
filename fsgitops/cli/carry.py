"""What commands that change a target have in common: wait for others, ask, tell what was done."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from fsgitops.cli.options import Shared, open_place
from fsgitops.cli.printing import print_json, print_lines, print_notes
from fsgitops.console.stream import is_quiet
from fsgitops.errors import FsgitopsError
from fsgitops.steps.render_text import render_applied

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.model.applied import Applied, Notice
    from fsgitops.model.plan import Plan
    from fsgitops.settings.shapes import NotifySettings


_F = TypeVar("_F", bound="Callable[..., Any]")
_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Carry:
    """How a plan is carried out: unasked, with a reload, and how long others are waited for."""

    yes: bool
    reload: bool
    wait_seconds: float

    def confirm(self, plan: Plan, question: str, *, hint: str = "", err: bool) -> None:
        """Ask, where the plan does something and nobody said `--yes`.

        Raises PlanRefusedError for what would be refused anyway, click.Abort for a no,
        click.UsageError where nobody can answer.
        """
        from fsgitops.steps.apply import refuse_unsafe

        if self.yes or not (plan.changes or (plan.unloaded and self.reload)):
            return
        refuse_unsafe(plan)
        confirm(question, hint=hint, err=err)


def with_wait(function: _F) -> _F:
    """Give a command `--no-wait`, as its `wait_seconds`."""

    @wraps(function)
    def gather(*words: Any, no_wait: bool, **others: Any) -> Any:
        return function(*words, wait_seconds=0.0 if no_wait else _WAIT_SECONDS, **others)

    text = "Fail at once when another apply is running."
    return cast("_F", click.option("--no-wait", is_flag=True, help=text)(gather))


def with_yes(function: _F) -> _F:
    """Give a command `--yes`."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(function)


def with_carry(function: _F) -> _F:
    """Give a command `--yes`, `--no-reload` and `--no-wait`, as its `carry`."""

    @wraps(function)
    def gather(*words: Any, yes: bool, no_reload: bool, wait_seconds: float, **others: Any) -> Any:
        return function(*words, carry=Carry(yes, not no_reload, wait_seconds), **others)

    text = "Write the files and do not reload, to build an image."
    reload = click.option("--no-reload", is_flag=True, help=text)
    return cast("_F", with_yes(reload(with_wait(gather))))


def confirm(question: str, *, hint: str = "", err: bool) -> None:
    """Ask for a yes. Raises click.Abort for a no, click.UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"not a terminal: pass --yes{hint}")
    click.confirm(question, abort=True, err=err)


def print_note(text: str) -> None:
    """Tell what is waited for."""
    print_notes([text])


def print_applied(applied: Applied, *, as_json: bool) -> None:
    """Print what was done."""
    if as_json:
        print_json(applied.to_json())
    elif is_quiet():
        print_notes(applied.notes)
    else:
        print_lines(render_applied(applied))


_PLAN = "fsgitops.plan"
_APPLIED = "fsgitops.applied"


def with_notify(function: _F) -> _F:
    """Give a command `--notify`. It says what happened with `note_plan` and `note_applied`."""

    @wraps(function)
    def told(
        shared: Shared, /, directory: str | None, target: str | None, notify: bool, **rest: Any
    ) -> Any:
        if not notify:
            return function(shared, directory=directory, target=target, **rest)
        from fsgitops.live.notify import find_notify, notice_applied, notice_failure

        workspace = open_place(shared, directory, target)
        place, noted = find_notify(workspace), click.get_current_context().meta
        try:
            code = function(shared, directory=directory, target=target, **rest)
        except (FsgitopsError, OSError, KeyboardInterrupt, click.Abort) as problem:
            _send(place, notice_failure(workspace, noted.get(_PLAN), problem))
            raise
        _send(place, notice_applied(workspace, noted[_PLAN], noted[_APPLIED]))
        return code

    text = "Tell the webhook in fsgitops.yaml how it ended. A failing webhook is only a warning."
    return click.option("--notify", is_flag=True, help=text)(told)  # type: ignore[return-value]


def note_plan(plan: Plan) -> None:
    """Remember what is about to be done."""
    click.get_current_context().meta[_PLAN] = plan


def note_applied(applied: Applied) -> None:
    """Remember what was done."""
    click.get_current_context().meta[_APPLIED] = applied


def _send(place: NotifySettings, notice: Notice) -> None:
    from fsgitops.live.notify import send_notice

    warning = send_notice(place, notice)
    if warning:
        print_notes([warning])
