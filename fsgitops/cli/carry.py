"""What commands that change a target have in common: wait for others, ask, tell what was done."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from fsgitops.cli.printing import print_document, print_lines, print_notes
from fsgitops.console.stream import is_quiet
from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.model.applied import Applied
    from fsgitops.model.plan import Plan
    from fsgitops.workspace.open import Workspace


_F = TypeVar("_F", bound="Callable[..., Any]")
_WAIT_SECONDS = 60.0


class Carry(NamedTuple):
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
        print_document("applied", **applied.to_json())
    elif is_quiet():
        print_notes(applied.notes)
    else:
        from fsgitops.steps.render_text import render_applied

        print_lines(render_applied(applied))


@dataclass(slots=True)
class Story:
    """What is about to be done, and what was done, as far as a command has come."""

    plan: Plan | None = None
    applied: Applied | None = None


@contextmanager
def notifying(workspace: Workspace, wanted: bool) -> Iterator[Story]:
    """Tell the webhook how the body ended, where that is wanted: the body keeps the story."""
    story = Story()
    if not wanted:
        yield story
        return
    from fsgitops.live.notify import find_notify, notice_applied, notice_failure, send_notice

    place = find_notify(workspace)
    try:
        yield story
    except (FsgitopsError, OSError, KeyboardInterrupt, click.Abort) as problem:
        print_notes(send_notice(place, notice_failure(workspace, story.plan, problem)))
        raise
    assert story.plan and story.applied
    print_notes(send_notice(place, notice_applied(workspace, story.plan, story.applied)))
