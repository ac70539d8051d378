"""Retention: days older than a limit leave the lake."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from fsgitops.cdr.lake import Lake


UNDATED = "1970-01-01"
"""Where records without a start time stand: nobody knows their age, so age does not delete them."""


def expire(
    lake: Lake, keep_days: int, *, today: date | None = None, dry: bool = False
) -> list[str]:
    """Delete the days that began more than `keep_days` before today (UTC); return their dates.

    For readers a day goes in one step, by a commit that leaves nothing live; then its files go.
    Records without a start time have no age, and stay; so does a day whose folder is a link.
    Raises LakeError; UsageError for less than one day.
    """
    if keep_days < 1:
        raise UsageError(f"retention: at least 1 day must be kept, not {keep_days}")
    limit = ((today or datetime.now(UTC).date()) - timedelta(days=keep_days)).isoformat()
    with lake.lock():
        spared = {UNDATED, *lake.linked_days()}
        days = [day for day in lake.days() if day.date < limit and day.date not in spared]
        for day in days:
            if dry:
                continue
            if day.live:
                lake.commit(day, [], day.live, "retention")
            # Killed in here, what is left is still dead: the commit goes after the records.
            lake.delete(day.date, day.sizes)
            lake.delete_day(day.date)
    return [day.date for day in days]
