"""`--notify`: whatever way a command ends, a webhook is told."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fsgitops.cli.options import Shared, open_place
from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.model.applied import Applied, Notice
    from fsgitops.model.plan import Plan
    from fsgitops.settings.shapes import NotifySettings

_F = TypeVar("_F", bound="Callable[..., Any]")
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
    from fsgitops.cli.printing import print_notes
    from fsgitops.live.notify import send_notice

    warning = send_notice(place, notice)
    if warning:
        print_notes([warning])
