"""Counting: per hour, what the switch wrote, what the lake holds, and what is missing."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fsgitops.cdr.files import read_below
from fsgitops.cdr.json_cdr import decode_document
from fsgitops.cdr.query import Source, run_query
from fsgitops.cdr.record import HOUR_US, RecordBuilder, RecordError
from fsgitops.cdr.spool import ROADS, Spool, require_spool
from fsgitops.cdr.watcher import MAX_FILE, list_json_files

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb


@dataclass(slots=True)
class Hour:
    """One hour (UTC, by the leg's start). Counts are of legs."""

    hour: str
    json_files: int = 0
    by_esl: int = 0
    by_json: int = 0
    by_http: int = 0
    waiting: int = 0
    lake: int = 0
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All hours, the files that are no records (yet), and every record that is missing."""

    hours: list[Hour]
    unreadable: list[str]
    doubled: list[str]

    @property
    def missing(self) -> list[str]:
        """The UUIDs that the switch or the ledger knows, and neither lake nor spool holds."""
        return [uuid for hour in self.hours for uuid in hour.missing]


def reconcile(source: Source, json_dir: Path | None, first: str, last: str) -> Reconciliation:
    """Compare the JSON directory, the ledger, the spool and the lake for some days (UTC).

    Raises LakeError; SpoolError.
    """
    held, doubled = run_query(source, _held_keys, first, last)
    hours: dict[int, Hour] = {}
    known: dict[str, int] = {}
    for key, hour in held.items():
        _hour(hours, hour).lake += 1
        known[key] = hour
    expected: dict[str, int] = {}
    if source.spool is not None:
        _count_ledger(source.spool, hours, expected, first, last)
    unreadable = _count_files(json_dir, hours, expected, first, last) if json_dir else []
    for key, hour in expected.items():
        if key not in known:
            _hour(hours, hour).missing.append(key.split("\x1f")[1])
    return Reconciliation([hours[at] for at in sorted(hours)], unreadable, doubled)


def _held_keys(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], list[str]]:
    found = connection.execute(
        "SELECT concat_ws(chr(31), switch, uuid, leg), coalesce(epoch_us(start_time), 0) FROM cdr"
    ).fetchall()
    counts = Counter(key for key, _ in found)
    doubled = sorted(key.split("\x1f")[1] for key, count in counts.items() if count > 1)
    return {key: start // HOUR_US for key, start in found}, doubled


def _hour(hours: dict[int, Hour], number: int) -> Hour:
    if number not in hours:
        hours[number] = Hour(_text(number))
    return hours[number]


def _text(number: int) -> str:
    return datetime.fromtimestamp(number * 3600, UTC).strftime("%Y-%m-%d %H:00")


def _in_span(hour: int, first: str, last: str) -> bool:
    return first <= _text(hour)[:10] <= last


def _count_ledger(
    folder: Path, hours: dict[int, Hour], expected: dict[str, int], first: str, last: str
) -> None:
    require_spool(folder)
    with closing(Spool(folder)) as spool:
        for hour, key, roads in spool.db.execute("SELECT hour, key, roads FROM seen"):
            if not _in_span(hour, first, last):
                continue
            expected[key] = hour
            line = _hour(hours, hour)
            line.by_esl += bool(roads & ROADS["esl"])
            line.by_json += bool(roads & ROADS["json"])
            line.by_http += bool(roads & ROADS["http"])
        for (hour,) in spool.db.execute("SELECT hour FROM record"):
            if _in_span(hour, first, last):
                line = _hour(hours, hour)
                line.waiting += 1
                line.lake -= 1


def _count_files(
    folder: Path, hours: dict[int, Hour], expected: dict[str, int], first: str, last: str
) -> list[str]:
    builder = RecordBuilder()
    unreadable = []
    for entry in list_json_files(folder):
        try:
            body, _ = read_below(folder, entry.path, MAX_FILE)
            row = builder.build(decode_document(body), "json", 0)
        except FileNotFoundError:
            continue
        except (RecordError, OSError):
            unreadable.append(entry.path)
            continue
        if _in_span(row.hour, first, last):
            _hour(hours, row.hour).json_files += 1
            expected[row.key] = row.hour
    return unreadable
