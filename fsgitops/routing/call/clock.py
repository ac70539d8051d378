"""The time attributes of conditions: `switch_xml_std_datetime_check` of FreeSWITCH 1.11.

The clock is the switch's: a time without a zone is its own local time. Where a zone is named, the
rules in `timezones.conf.xml` count, not those of this machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.words import is_number, is_true, to_int
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ATTRIBUTES: Final = (
    "tz-offset", "dst", "date-time", "year", "yday", "mon", "mday", "week", "mweek", "wday",
    "hour", "minute", "minute-of-day", "time-of-day",
)  # fmt: skip
"""In the order in which FreeSWITCH looks at them."""
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([-+]?[0-9]{1,18})?")
_DATE: Final = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)[ \t\n\v\f\r]*([0-9]*):?([0-9]*):?([0-9]*)")
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")
_TIME: Final = re.compile(r"([0-9]*)(?::([0-9]*))?(?::([0-9]*))?\n?\Z")


class Failed(NamedTuple):
    """A time attribute that did not hold, and what the time was; None in place of one: all held."""

    attribute: str
    wanted: str
    found: str


class UnknownTimeError(Exception):
    """The time in a zone cannot be told; the text says why."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment, the zone of the switch, and the zones that it knows by name (POSIX rules).

    Unless it is `known`, any time may be meant: each condition on it is followed both ways.
    """

    now: datetime
    zones: Mapping[str, str]
    known: bool = True

    def in_zone(self, name: str | None, offset: int | None) -> datetime:
        """Return the time where a condition looks. Raises UnknownTimeError."""
        if offset is not None:
            return self.now.astimezone(timezone(timedelta(hours=max(-23, min(23, offset)))))
        if not name:
            return self.now
        rules = self.zones.get(name)
        if rules is None:
            raise UnknownTimeError(f"the switch has no time zone {name}")
        return self.now.astimezone(read_zone(rules))

    def check(
        self, attributes: Mapping[str, str], name: str | None, offset: int | None
    ) -> bool | Failed | None:
        """Return None where no time is asked for, True where all hold, else the first that failed.

        `name` and `offset` are the channel's `timezone` and `tod_tz_offset`. Raises
        UnknownTimeError.
        """
        if not any(item in attributes for item in ATTRIBUTES):
            return None
        there = self.in_zone(name, offset)
        asked = None
        for attribute in ATTRIBUTES:
            wanted = attributes.get(attribute)
            if wanted is None or (attribute == "dst" and not wanted):
                continue
            asked = True
            found = self._measure(attribute, there, offset)
            if not self._holds(attribute, wanted, found, there):
                return Failed(attribute, wanted, found)
        return asked

    def _holds(self, attribute: str, wanted: str, found: str, there: datetime) -> bool:
        if attribute == "date-time":
            return self._within(wanted)
        if attribute == "time-of-day":
            return _compare_times(wanted, there.hour * 3600 + there.minute * 60 + there.second)
        if attribute == "wday":
            return _compare_days(wanted, int(found))
        if attribute == "tz-offset":
            return not wanted or not is_number(wanted) or to_int(wanted) == int(found)
        if attribute == "dst":
            return is_true(wanted) and found == "true"
        return _compare_numbers(wanted, int(found))

    def _measure(self, attribute: str, there: datetime, offset: int | None) -> str:
        if attribute == "date-time":
            return self.now.strftime("%Y-%m-%d %H:%M:%S")
        if attribute == "time-of-day":
            return there.strftime("%H:%M:%S")
        day = there.timetuple().tm_yday
        weekday = there.isoweekday() % 7
        first = (7 - _remainder(there.day - (weekday + 1), 7)) % 7
        hours = int((there.utcoffset() or timedelta()).total_seconds() / 3600)
        measured = {
            "tz-offset": str(hours if offset is None else offset),
            "dst": "true" if self.now.dst() else "false",
            "year": str(there.year),
            "yday": str(day),
            "mon": str(there.month),
            "mday": str(there.day),
            "week": str((day - 1) // 7 + 1),
            "mweek": str(-(-(there.day + first) // 7)),
            "wday": str(weekday + 1),
            "hour": str(there.hour),
            "minute": str(there.minute),
            "minute-of-day": str(there.hour * 60 + there.minute + 1),
        }
        return measured[attribute]

    def _within(self, wanted: str) -> bool:
        """`switch_fulldate_cmp`: always in the switch's own zone."""
        for item in wanted.split(","):
            start, sign, end = item.partition("~")
            if not sign:
                continue
            first, last = self._read_moment(start), self._read_moment(end)
            if first is None or last is None:
                return False
            if first <= self.now < last:
                return True
        return False

    def _read_moment(self, text: str) -> datetime | None:
        """`switch_str_time`."""
        zone = self.now.tzinfo
        if clock := _TIME.match(text):
            numbers = [to_int(part) for part in clock.groups("")]
            base = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
            return _make(base, numbers)
        found = _DATE.match(text) or _COMPACT.match(text)
        if found is None:
            return None
        year, month, day, *numbers = (to_int(part) for part in found.groups())
        try:
            # What is too much carries over, as in mktime.
            years, month = divmod(month - 1, 12)
            base = datetime(year + years, month + 1, 1, tzinfo=zone)
            return _make(base + timedelta(days=day - 1), numbers)
        except (ValueError, OverflowError):
            return None


def _make(base: datetime, numbers: list[int]) -> datetime | None:
    hours, minutes, seconds = numbers
    try:
        return base + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None


def _remainder(value: int, by: int) -> int:
    """`%` of C, which keeps the sign."""
    return value - by * int(value / by)


def _compare_numbers(wanted: str, value: int) -> bool:
    """`switch_number_cmp`: `9-17,20`; a reversed range wraps, and no number is 0."""
    at = 0
    while True:
        low, at = _read_number(wanted, at)
        if wanted[at : at + 1] == "-":
            high, at = _read_number(wanted, at + 1)
            if low <= value <= high if low <= high else value >= low or value <= high:
                return True
        elif low == value:
            return True
        if wanted[at : at + 1] != ",":
            return False
        at += 1


def _read_number(text: str, at: int) -> tuple[int, int]:
    """`strtol`: the number, and where the text goes on; 0, and here, where none stands."""
    found = _INTEGER.match(text, at)
    return (int(found[1]), found.end()) if found and found[1] else (0, at)


def _compare_times(wanted: str, value: int) -> bool:
    """`switch_tod_cmp`: `09:00-17:00:30,...`; ends included, in seconds."""
    for item in wanted.split(","):
        start_hours, colon, rest = item.partition(":")
        start_minutes, dash, end = rest.partition("-")
        end_hours, end_colon, end_rest = end.partition(":")
        if not (colon and dash and end_colon):
            continue
        start_minutes, _, start_seconds = start_minutes.partition(":")
        end_minutes, _, end_seconds = end_rest.partition(":")
        low = to_int(start_hours) * 3600 + to_int(start_minutes) * 60 + to_int(start_seconds)
        high = to_int(end_hours) * 3600 + to_int(end_minutes) * 60 + to_int(end_seconds)
        if low <= value <= high if low <= high else value >= low or value <= high:
            return True
    return False


def _read_days(text: str) -> Iterator[int | str]:
    at = 0
    while at < len(text):
        char = text[at]
        if char in "-,":
            yield char
            at += 1
        elif "1" <= char <= "7":
            yield int(char)
            at += 1
        elif fold(text[at : at + 3]) in _DAYS:
            yield _DAYS.index(fold(text[at : at + 3])) + 1
            at += 3
        else:
            return


def _compare_days(wanted: str, value: int) -> bool:
    """`switch_dow_cmp`: `mon-fri,1`; what it cannot read ends the comparison."""
    before = start = -1
    for word in _read_days(wanted):
        if word == ",":
            before = -1
        elif word == "-":
            start, before = before, ord("-")
        else:
            day = int(word)
            if start != -1:
                if start <= day and start <= value <= day:
                    return True
                if start > day and (value >= start or value <= day):
                    return True
                start = -1
            elif value == day:
                return True
            before = day
    return False


def read_zone(rules: str) -> tzinfo:
    """Return the zone of a POSIX rule such as `CET-1CEST,M3.5.0,M10.5.0/3`.

    Raises UnknownTimeError for what is none.
    """
    from zoneinfo import ZoneInfo

    # A zone file without a single transition: its last line says what holds for ever.
    header = b"TZif2" + bytes(15)
    counts = b"".join(number.to_bytes(4, "big") for number in (0, 0, 0, 0, 1, 4))
    body = (0).to_bytes(4, "big") + b"\0\0" + b"UTC\0"
    block = header + counts + body
    try:
        made = block + block + b"\n" + rules.encode("ascii") + b"\n"
        return ZoneInfo.from_file(BytesIO(made), key="switch")
    except (ValueError, UnicodeError):
        raise UnknownTimeError(f"the rule {rules!r} is no time zone") from None


def at_switch(now: datetime) -> datetime:
    """Return a time as the switch's own: this machine's zone where it names none."""
    if now.tzinfo is None:
        return now.replace(tzinfo=_local_zone())
    return now.astimezone(_local_zone())


def _local_zone() -> tzinfo:
    """Return this machine's zone, its rules included where they can be found."""
    import os
    from pathlib import Path
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    named = os.environ.get("TZ", "").removeprefix(":")
    try:
        if named:
            return ZoneInfo(named)
        with Path("/etc/localtime").open("rb") as stream:
            return ZoneInfo.from_file(stream, key="local")
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return UTC
