"""`--notify`: tell a webhook how an apply ended. That this fails changes nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import (
    DesiredInvalidError,
    FsgitopsError,
    PlanRefusedError,
    RollbackFailedError,
    RolledBackError,
    SecretError,
    UsageError,
)
from fsgitops.model.applied import Applied, Notice, Outcome

if TYPE_CHECKING:
    from fsgitops.model.plan import Plan
    from fsgitops.settings.shapes import NotifySettings
    from fsgitops.workspace.open import Workspace

_REFUSED: dict[type[FsgitopsError], tuple[str, str]] = {
    PlanRefusedError: ("refused", "the plan was refused; nothing was touched"),
    DesiredInvalidError: ("invalid", "the declared files have errors; nothing was touched"),
    RolledBackError: ("rolled-back", "the apply failed, and every file was restored"),
    RollbackFailedError: ("rollback-failed", "the apply failed, and so did restoring the files"),
}
_DONE = {
    Outcome.UNCHANGED: ("unchanged", "nothing to do"),
    Outcome.APPLIED: ("applied", "applied and read back from the switch"),
    Outcome.WRITTEN: ("written", "written, the switch was not told"),
}


def find_notify(workspace: Workspace) -> NotifySettings:
    """Return where to tell. Raises UsageError when the settings do not say."""
    notify = workspace.settings.notify
    if notify is None:
        raise UsageError(
            "--notify: fsgitops.yaml has no webhook; "
            "add `notify: {url: {env: NAME}, format: slack}`"
        )
    return notify


def notice_applied(workspace: Workspace, plan: Plan, applied: Applied) -> Notice:
    """Return the notice of an apply that ended well."""
    outcome, text = _DONE[applied.outcome]
    counts = f"{applied.created} created, {applied.updated} changed, {applied.deleted} deleted"
    return replace(
        _notice(workspace, plan, outcome, 0),
        summary=text if applied.outcome is Outcome.UNCHANGED else f"{text}: {counts}",
        created=applied.created,
        updated=applied.updated,
        deleted=applied.deleted,
    )


def notice_failure(workspace: Workspace, plan: Plan | None, problem: BaseException) -> Notice:
    """Return the notice of an apply that ended on an error, or that somebody stopped."""
    outcome, text, code, message = "stopped", "the apply was stopped", 130, ""
    if isinstance(problem, FsgitopsError):
        outcome, text = _REFUSED.get(type(problem), ("failed", "the apply failed"))
        code, message = problem.exit_code, str(problem)
    elif isinstance(problem, OSError):
        outcome, text, code = "failed", "the apply failed", 1
        message = problem.strerror or type(problem).__name__
    return replace(_notice(workspace, plan, outcome, code), summary=text, message=message)


def _notice(workspace: Workspace, plan: Plan | None, outcome: str, code: int) -> Notice:
    return Notice(
        project=workspace.settings.project,
        target=workspace.target.name,
        outcome=outcome,
        exit_code=code,
        summary="",
        commit=plan.commit if plan else "",
        dirty=plan.dirty if plan else False,
        simulated=workspace.target.simulated,
    )


def send_notice(notify: NotifySettings, notice: Notice) -> list[str]:
    """Post the notice; return a warning where it was not taken. Raises nothing of its own.

    The URL is a secret: no warning holds it.
    """
    from fsgitops.steps.render_notice import render_notice, render_slack_notice
    from fsgitops.webhook import post_json

    try:
        url = _read_url(notify)
        render = render_slack_notice if notify.format == "slack" else render_notice
        post_json(url, render(notice), notify.timeout)
    except FsgitopsError as problem:
        return [f"warning: nobody was notified: {problem}"]
    return []


def _read_url(notify: NotifySettings) -> str:
    url = os.environ.get(notify.url.env, "").strip()
    if not url:
        raise SecretError(f"the environment variable {notify.url.env} holds no webhook URL")
    return url
