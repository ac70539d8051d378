"""Conditions on the time that exclude each other: no call meets `mon="1"` and `mon="2"`.

Where nobody says when a call is placed, a condition on the time is followed both ways. What earlier
ones have settled is not asked again: behind `wday="mon-fri"` that failed, `wday="sat-sun"` holds.
"""

from __future__ import annotations

import re
from calendar import isleap
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

_PLAIN: Final = re.compile(r"[0-9]+:[0-9]+-[0-9]+:[0-9]+(?:,[0-9]+:[0-9]+-[0-9]+:[0-9]+)*\Z")
"""Times of day without seconds: they hold on a whole minute, or on its first second alone."""
_MOST: Final = 64
"""Parts that the time is cut into; in more, anything is taken to be possible."""
_DAY: Final[dict[str, Callable[[datetime], Hashable]]] = {
    "mon": lambda day: day.month,
    "mday": lambda day: day.day,
    "wday": lambda day: day.weekday(),
    "mweek": lambda day: (day.day, day.weekday()),
    "week": lambda day: day.timetuple().tm_yday,
    "yday": lambda day: day.timetuple().tm_yday,
}
"""What each attribute of the day follows from."""
_HOUR: Final[dict[str, Callable[[datetime], Hashable]]] = {
    "hour": lambda time: time.hour,
    "minute": lambda time: time.minute,
    "minute-of-day": lambda time: (time.hour, time.minute),
    "time-of-day": lambda time: time,
}


@lru_cache(maxsize=4096)
def is_possible(conditions: tuple[tuple[str, bool], ...]) -> bool:
    """Tell whether conditions can hold, or fail, as is said of each, all at one moment.

    Each is told as `mon="1" mday="1"`, in one zone. Of those with other attributes than days and
    times of day (`year`, `dst`, `date-time`, seconds), nothing is said: they may hold or fail.
    """
    parts = [(-1, -1)]
    for told, holds in conditions:
        cover = _cover(told)
        if cover is None:
            continue
        days, times = cover
        if holds:
            parts = [(day & days, time & times) for day, time in parts]
        else:
            parts = [
                item
                for day, time in parts
                for item in ((day & ~days, time), (day & days, time & ~times))
            ]
        whole_days, whole_times = _whole(_list_days()), _whole(_list_times())
        parts = [(day, time) for day, time in parts if day & whole_days and time & whole_times]
        if len(parts) > _MOST:
            return True
    return bool(parts)


@lru_cache(maxsize=1024)
def _cover(told: str) -> tuple[int, int] | None:
    """Return the days and the times of day at which a condition holds, as bits; None: unclear."""
    if not told.endswith('"'):
        return None
    days = times = -1
    for pair in told[:-1].split('" '):
        attribute, quoted, wanted = pair.partition('="')
        if not quoted or '"' in wanted:
            return None
        if attribute in _DAY:
            days &= _hold(attribute, wanted)
        elif attribute in _HOUR and (attribute != "time-of-day" or _PLAIN.match(wanted)):
            times &= _hold(attribute, wanted)
        else:
            return None
    return days, times


@lru_cache(maxsize=1024)
def _hold(attribute: str, wanted: str) -> int:
    """Return the moments at which one attribute holds, as FreeSWITCH compares it."""
    bits = 0
    for moment, alike in _group(attribute):
        if Clock(moment, {}).check({attribute: wanted}, None, None) is True:
            bits |= alike
    return bits


@cache
def _group(attribute: str) -> tuple[tuple[datetime, int], ...]:
    """Return the moments that are alike to an attribute: one of them, and all of them as bits."""
    moments = _list_days() if attribute in _DAY else _list_times()
    key = _DAY.get(attribute) or _HOUR[attribute]
    found: dict[Hashable, tuple[datetime, int]] = {}
    for at, moment in enumerate(moments):
        first, bits = found.setdefault(key(moment), (moment, 0))
        found[key(moment)] = (first, bits | 1 << at)
    return tuple(found.values())


@cache
def _list_days() -> Sequence[datetime]:
    """Return the days of one year of each of the fourteen kinds."""
    years = {(isleap(year), datetime(year, 1, 1, tzinfo=UTC).weekday()): year
             for year in range(2000, 2028)}  # fmt: skip
    return [day for year in years.values() for day in _list_year(year)]


def _list_year(year: int) -> Iterator[datetime]:
    day = datetime(year, 1, 1, 12, tzinfo=UTC)
    while day.year == year:
        yield day
        day += timedelta(days=1)


@cache
def _list_times() -> Sequence[datetime]:
    """Return the first second of each minute of a day, and a later one."""
    midnight = datetime(2026, 1, 14, tzinfo=UTC)
    return [midnight + timedelta(seconds=30 * at) for at in range(2 * 24 * 60)]


def _whole(moments: Sequence[datetime]) -> int:
    return (1 << len(moments)) - 1
