"""How an apply ended, as what a webhook takes: plain JSON, or Slack's shape of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from fsgitops.model.applied import Notice

SHOWN_MESSAGE = 2000
"""Characters of an error's text: a chat is not the place for a thousand findings."""

_SIGNS = {
    "applied": ":white_check_mark:",
    "written": ":white_check_mark:",
    "unchanged": ":white_check_mark:",
    "rollback-failed": ":rotating_light:",
}


def render_notice(notice: Notice) -> dict[str, Any]:
    """Return the notice as JSON values (docs/json.md)."""
    message = _cut(notice.message)
    return {"format": "fsgitops-notice", "version": 1, **asdict(notice), "message": message}


def render_slack_notice(notice: Notice) -> dict[str, Any]:
    """Return the notice as Slack takes it, and what speaks Slack's language: Mattermost, Discord.

    No text in it can mention anybody or be a link.
    """
    sign = _SIGNS.get(notice.outcome, ":x:")
    what = f"*{_literal(notice.project)}* on *{_literal(notice.target)}*"
    simulated = " (embedded switch: a simulation)" if notice.simulated else ""
    lines = [f"{sign} {what}{simulated}: {_literal(notice.summary)}"]
    if notice.commit:
        dirty = ", with uncommitted changes" if notice.dirty else ""
        lines.append(f"commit {_literal(notice.commit[:12])}{dirty}")
    lines += [f"> {_literal(line)}" for line in _cut(notice.message).splitlines() if line]
    return {"text": "\n".join(lines), "link_names": False, "unfurl_links": False}


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_MESSAGE else text[: SHOWN_MESSAGE - 1] + "…"


def _literal(text: str) -> str:
    shown = make_visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A space of no width after what starts a mention, a link or emphasis keeps it from acting.
    return "".join(f"{char}\u200b" if char in "@:*_~`[]#" else char for char in shown)
