"""Erasure: one person's number leaves every record, and a second reading proves it.

The records stay, so that reports stay right; every text in them that is or holds the number
becomes null, and with it what else tells of that person: the name, the addresses, the recording's
path, the SIP identifiers and the kept variables. What a record is known by (a Call-ID that the
switch takes for the UUID) becomes a made-up word, the same on all legs.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from fsgitops.cdr.compact import merge_files, read_batches, sweep_day
from fsgitops.cdr.erase_proof import (
    FIXED,
    SEARCHED,
    Trace,
    aside_files,
    find_number,
    holds,
    json_files,
    ledger,
    matches,
    search_files,
    spool_files,
    spooled,
    stands_in_file,
)
from fsgitops.cdr.lake import LakeError
from fsgitops.cdr.number import Number
from fsgitops.cdr.schema import BUILT, COPIED, PAYLOAD
from fsgitops.cdr.spool import Spool, require_spool, transaction
from fsgitops.cdr.watcher import list_json_files
from fsgitops.errors import FsgitopsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.cdr.lake import Day, Lake

PERSONAL = (
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "network_addr",
    "remote_media_ip",
    "user_agent",
    "sip_call_id",
    "recording_path",
    "last_arg",
    "variables",
)
IDENTITY = ("uuid", "other_leg_uuid", "call_uuid", "switch", "core_uuid")
"""What a record is known by: it is replaced, never blanked."""

_WAIT_ROUNDS = 5
_WAIT_SECONDS = 60.0
_NAMED_PLACES = 10


class EraseError(FsgitopsError):
    """The number is still somewhere, or something could not be read: the text says where."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done, and what was found afterwards.

    `files` are the lake's, `json_files` those of mod_json_cdr that were deleted. `left` are places
    that still hold the number, `unread` those that could not be searched.
    """

    reference: str
    rows: int
    files: int
    spool_rows: int
    left: tuple[str, ...]
    unread: tuple[str, ...] = ()
    json_files: int = 0

    @property
    def found(self) -> bool:
        """Whether the number was anywhere at all."""
        return bool(self.rows or self.spool_rows or self.json_files)

    @property
    def proven(self) -> bool:
        """Whether everything was read again, and the number was nowhere."""
        return not self.left and not self.unread


@dataclass(frozen=True, slots=True)
class Eraser:
    """What is to be erased, and the made-up words of this erasure."""

    number: Number
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def rename_key(self, key: str) -> str:
        """Return a record's key with made-up words for those parts that hold the number."""
        parts = key.split("\x1f")
        return "\x1f".join(self.rename(part) if self.number.is_in(part) else part for part in parts)

    def rename(self, text: str) -> str:
        """Return the word that stands for what a record was known by."""
        return "erased-" + hmac.digest(self.salt, text.encode(), "sha256").hex()[:24]


def erase_number(
    lake: Lake,
    spool_folder: Path | None,
    number: str,
    reference: str,
    other: Iterable[str] = (),
    json_dir: Path | None = None,
) -> Erased:
    """Erase a number, and its other spellings (`other`), from spool, quarantine and lake.

    The proof is a second reading of everything; a record that came meanwhile makes it go on.
    JSON files of mod_json_cdr and quarantined texts that hold it are deleted. Writes a note to
    `cdr/_erasures/` (never the number). Raises EraseError when something is left, or when
    something could not be read: then nothing is proven. Raises UsageError for a `reference` that
    is the number, SpoolError where there is no such spool.
    """
    eraser = Eraser(Number(number, other), _salt_of(spool_folder))
    if eraser.number.is_in(reference):
        raise UsageError("erase: the reference holds the number, and it is kept in the log")
    rows = files = spooled = deleted = 0
    trace = Trace()
    with lake.lock():
        for _ in range(_WAIT_ROUNDS):
            if spool_folder:
                spooled += erase_from_spool(spool_folder, eraser)
                wait_for_flush(spool_folder)
            if json_dir:
                deleted += _delete_json_files(json_dir, eraser.number)
            for day in lake.days():
                changed = _erase_from_day(lake, day, eraser)
                rows, files = rows + changed[0], files + changed[1]
            trace = find_number(lake, spool_folder, eraser.number, json_dir)
            if not trace.left:
                break
    left, unread = tuple(trace.left), tuple(trace.unread)
    done = Erased(reference, rows, files, spooled, left, unread, deleted)
    log_erasure(lake, done)
    if not done.proven:
        raise EraseError(_explain(done))
    return done


def _salt_of(spool_folder: Path | None) -> bytes:
    """Return a spool's own salt, so that an erasure that was killed goes on with the same words."""
    if spool_folder is None:
        return secrets.token_bytes(32)
    require_spool(spool_folder)
    with contextlib.closing(Spool(spool_folder)) as spool:
        return spool.salt


def _explain(done: Erased) -> str:
    texts = []
    if done.left:
        texts.append(f"the number is still in: {_name_some(done.left)}")
    if done.unread:
        texts.append(f"could not be read, so nothing is proven about: {_name_some(done.unread)}")
    return "; ".join(texts)


def _name_some(places: tuple[str, ...]) -> str:
    more = len(places) - _NAMED_PLACES
    return ", ".join(places[:_NAMED_PLACES]) + (f", and {more} more" if more > 0 else "")


def blank(table: pa.Table, eraser: Eraser) -> pa.Table:
    """Return the table with the number, and what else is personal, gone from the rows it is in."""
    rows = matches(table, eraser.number)
    for name in (*SEARCHED, "variables"):
        column = table[name].combine_chunks()
        if name in PERSONAL:
            changed = pc.if_else(rows, pa.scalar(None, column.type), column)
        else:
            hit = eraser.number.in_column(column)
            if not pc.any(hit).as_py():
                continue
            changed = pc.if_else(hit, _replacement(name, column, hit, eraser), column)
        table = table.set_column(table.column_names.index(name), table.schema.field(name), changed)
    return table


def _replacement(name: str, column: pa.Array, hit: pa.Array, eraser: Eraser) -> pa.Array:
    if name not in IDENTITY:
        return pa.scalar(None, column.type)
    pairs = zip(column.to_pylist(), hit.to_pylist(), strict=True)
    return pa.array([eraser.rename(text) if held else None for text, held in pairs], pa.string())


def _delete_json_files(json_dir: Path, number: Number) -> int:
    """Delete what holds the number, also a file that the lake has no record of.

    Such a file must not be kept, so it must not be read. Returns how many there were.
    """
    found = (Path(entry.path) for entry in list_json_files(json_dir))
    return search_files(number, json_dir, found, Trace(), delete=True)


def _erase_from_day(lake: Lake, day: Day, eraser: Eraser) -> tuple[int, int]:
    """Rewrite the files that hold the number; return how many rows and files."""
    hits: dict[str, int] = {}
    for name in day.live:
        # What cannot be read here cannot be read for the proof either: that one tells.
        with contextlib.suppress(LakeError, pa.ArrowException):
            tables = read_batches(lake, day, [name])
            count = sum(pc.sum(matches(table, eraser.number)).as_py() or 0 for table in tables)
            if count:
                hits[name] = int(count)
    if hits:
        fresh = merge_files(lake, day, list(hits), 10**12, "erased", lambda t: blank(t, eraser))
        names = [name for name, _ in fresh]
        kept = [name for name in day.commit.live if name not in hits]
        lake.commit(day, [*kept, *names], hits, "erase")
        day = lake.day(day.date)
    # Dead files hold the number as well: privacy does not wait for the grace period.
    sweep_day(lake, day, 0.0)
    lake.delete_half_written(day.date, 0.0)
    return sum(hits.values()), len(hits)


def erase_from_spool(folder: Path, eraser: Eraser) -> int:
    """Blank the number in what the spool holds, and delete quarantined texts that hold it.

    Returns how many rows and texts. Raises SpoolError, sqlite3.Error.
    """
    number = eraser.number
    with contextlib.closing(Spool(folder)) as spool:
        rows = [
            (orjson.dumps(_blank_payload(values, eraser)), seq)
            for seq, values in spooled(spool)
            if any(holds(value, number) for value in values)
        ]
        keys = [(hour, key) for hour, key in ledger(spool) if number.is_in(key)]
        files = [(path,) for path, key in json_files(spool) if number.is_in(f"{path} {key}")]
        spool.db.execute("PRAGMA secure_delete=ON")
        with transaction(spool.db):
            spool.db.executemany("UPDATE record SET payload = ? WHERE seq = ?", rows)
            spool.db.executemany("DELETE FROM json_file WHERE path = ?", files)
            for hour, key in keys:
                spool.rename_record(hour, key, eraser.rename_key(key))
        traces = any(stands_in_file(path, number) for path in spool_files(folder))
        if rows or keys or files or traces:
            # Pages that earlier deletions gave back still hold what was in them.
            spool.db.execute("VACUUM")
            spool.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(rows) + search_files(
        number, folder, aside_files(folder, Trace()), Trace(), delete=True
    )


def _blank_payload(values: list[Any], eraser: Eraser) -> list[Any]:
    blanked: list[Any] = []
    for name, value in zip(PAYLOAD, values, strict=True):
        if name in PERSONAL:
            blanked.append(None)
        elif name in FIXED or not holds(value, eraser.number):
            blanked.append(value)
        else:
            blanked.append(eraser.rename(str(value)) if name in IDENTITY else None)
    return blanked


def wait_for_flush(folder: Path, limit: float = _WAIT_SECONDS) -> None:
    """Wait until a flush that began before is in the lake: it holds rows as they were.

    Waits only while a sidecar has the spool; what a dead one left half-done is read again from the
    spool. Raises EraseError after `limit` seconds.
    """
    with contextlib.closing(Spool(folder)) as spool:
        under_way = spool.db.execute("SELECT lo, hi FROM batch").fetchone()
        deadline = time.monotonic() + limit
        while under_way is not None and is_locked(folder):
            if under_way != spool.db.execute("SELECT lo, hi FROM batch").fetchone():
                return
            if time.monotonic() > deadline:
                raise EraseError(
                    "the sidecar keeps writing to the lake, so nothing is proven: see its log, "
                    "and run this again"
                )
            time.sleep(0.05)


def is_locked(folder: Path) -> bool:
    """Tell whether a sidecar has the spool."""
    with contextlib.suppress(FileNotFoundError), (folder / "lock").open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def log_erasure(lake: Lake, done: Erased) -> None:
    """Write the erasure down: when, by which reference, how much, proven or not; no number."""
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "reference": done.reference,
        "rows": done.rows,
        "files": done.files,
        "spool_rows": done.spool_rows,
        "json_files": done.json_files,
        "proven": done.proven,
        "left": len(done.left),
        "unread": len(done.unread),
    }
    name = f"{str(line['time'])[:19].replace(':', '')}-{secrets.token_hex(4)}.json"
    path = f"{lake.root}/_erasures/{name}"
    lake.write(path, orjson.dumps(line))


assert set(PERSONAL) <= {*BUILT, *COPIED}
