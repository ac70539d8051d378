"""When the newest revision was made, by this machine's clock: every plan looks at nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.transaction.journal import REVISION_FILE, REVISIONS
from fsgitops.transaction.state import open_state_folder, read_state, tell_unreadable
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from pathlib import Path

CLOCK_AHEAD = timedelta(days=90)
CLOCK_BEHIND = timedelta(minutes=5)


def check_clock(state_dir: Path) -> list[str]:
    """Return a note when this machine's clock is far from the newest revision's time."""
    try:
        newest = next(reversed(list_numbers(state_dir)), 0)
        if not newest:
            return []
        recorded = read_state(state_dir, REVISIONS, f"{newest:06d}", REVISION_FILE)
        now, then = datetime.now(UTC), read_moment(json.loads(recorded)["time"])
    except (FsgitopsError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    away = now - then
    if -CLOCK_BEHIND <= away <= CLOCK_AHEAD:
        return []
    side = "before" if away < timedelta(0) else "after"
    return [
        f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, {_span(away)} {side} the newest "
        f"revision ({newest}, {then:%Y-%m-%d %H:%M} UTC): set the clock before you apply, "
        "unless that is right"
    ]


def _span(away: timedelta) -> str:
    hours = abs(away) // timedelta(hours=1)
    return count_noun(hours, "hour") if hours < 48 else count_noun(hours // 24, "day")


def read_moment(text: str) -> datetime:
    """Return when a revision was made, by its `time`. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def list_numbers(state_dir: Path) -> list[int]:
    """Return the numbers of the revisions that are kept, in order. Raises FsgitopsError."""
    try:
        with open_state_folder(state_dir, REVISIONS) as folder:
            names = folder.names()
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise FsgitopsError(tell_unreadable(problem, state_dir)) from None
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())
