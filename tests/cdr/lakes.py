"""Small lakes for tests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from replay_switch import renew

from fsgitops.cdr.flush import Flushed, flush_once, read_keys
from fsgitops.cdr.lake import Lake, open_lake
from fsgitops.cdr.record import RecordBuilder, Row
from fsgitops.cdr.spool import Spool

NOW_US = 1_795_431_190_118_181
START_US = 1_795_400_000_000_000  # 2026-11-23
DAY_US = 86_400_000_000


def make_row(
    templates, number: int, *, road: str = "esl", start_us: int = START_US, **changes
) -> Row:
    event = renew(templates[number % len(templates)], number, start_us) | changes
    return RecordBuilder().build(event, road, NOW_US)


def uuid_of(row: Row) -> str:
    return row.key.split("\x1f")[1]


def flush_all(spool: Spool, lake: Lake, rows: int = 1000) -> list[Flushed]:
    done = []
    while found := flush_once(spool, lake, rows, 1 << 30):
        done.append(found)
    return done


def fill(folder: Path, templates, count: int, parts: int = 1, **changes) -> tuple[Spool, Lake]:
    """A spool that was flushed `parts` times, and its lake, with `count` records in it."""
    spool, lake = Spool(folder / "spool"), open_lake(str(folder / "lake"), create=True)
    each = count // parts
    for part in range(parts):
        numbers = range(1 + part * each, 1 + (part + 1) * each)
        spool.add([make_row(templates, number, **changes) for number in numbers])
        flush_all(spool, lake)
    return spool, lake


def document(event: dict) -> bytes:
    from replay_switch import as_document

    return as_document(event)


def loads(text: bytes) -> dict:
    return json.loads(text)


def keys_in(lake) -> Counter:
    return Counter(key for day in lake.days() for _, key in read_keys(lake, day))
