"""Erasure: one person's number leaves every record, and a second reading proves it.

The records stay, so that reports stay right; every text in them that is or holds the number
becomes null, and with it what else tells of that person: the name, the addresses, the recording's
path, the SIP identifiers and the kept variables.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from fsgitops.cdr.compact import merge_files, read_batches, sweep_day
from fsgitops.cdr.files import put_local
from fsgitops.cdr.json_cdr import unwrap
from fsgitops.cdr.schema import BUILT, COPIED, PAYLOAD, TEXT_COLUMNS
from fsgitops.cdr.spool import Spool, transaction
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
_KEPT = {"uuid", "leg", "other_leg_uuid", "call_uuid", "direction", "switch", "core_uuid", "source"}
_SEARCHED = tuple(name for name in TEXT_COLUMNS if name not in _KEPT)
_WAIT_ROUNDS = 5
_WAIT_SECONDS = 60.0
_BETWEEN = r"[ ()./_-]{0,3}"
_SPACED = 7


class EraseError(FsgitopsError):
    """The number is still somewhere: the text says where."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done, and what was found afterwards (`left`: places that still hold the number)."""

    reference: str
    rows: int
    files: int
    spool_rows: int
    left: tuple[str, ...]


def number_pattern(number: str) -> str:
    """Return the regular expression of a number: its digits, with or without `+` or `00`.

    Spaces, brackets, dots, slashes and dashes may stand between the digits of one with seven.

    Raises UsageError for fewer than five digits: that would hit half of all records.
    """
    digits = re.sub(r"\D", "", number).removeprefix("00")
    if len(digits) < 5:
        raise UsageError("erase: expected a whole number with at least five digits")
    # People write `+1 (202) 555-0666` into names; a short one would be found in versions and dates.
    spelt = _BETWEEN.join(digits) if len(digits) >= _SPACED else digits
    # What stands around the digits must not be a digit: 5550123 is not 15550123.
    return rf"(^|[^0-9])(00)?{spelt}([^0-9]|$)"


def compile_number(pattern: str) -> re.Pattern[str]:
    """Return the compiled form of what `number_pattern` made."""
    return re.compile(pattern)


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
    JSON files of mod_json_cdr that hold it are named as left, unless they can be deleted. Writes
    a note to `cdr/_erasures/` (never the number). Raises EraseError when something is left.
    """
    patterns = "|".join(number_pattern(text) for text in (number, *other))
    rows = files = spooled = 0
    left: list[str] = []
    with lake.lock():
        for _ in range(_WAIT_ROUNDS):
            if spool_folder:
                spooled += erase_from_spool(spool_folder, patterns)
                wait_for_flush(spool_folder)
            erase_json_files(json_dir, patterns)
            for day in lake.days():
                changed = _erase_from_day(lake, day, patterns)
                rows, files = rows + changed[0], files + changed[1]
            left = find_number(lake, spool_folder, patterns)
            if not left:
                break
    done = Erased(reference, rows, files, spooled, tuple(left))
    log_erasure(lake, done)
    if left:
        raise EraseError(f"the number is still in: {', '.join(left)}")
    return done


def matches(table: pa.Table, pattern: str) -> pa.Array:
    """Return, for each row, whether any of its texts holds the number."""
    found = pa.array([False] * len(table))
    for name in _SEARCHED:
        hit = pc.fill_null(pc.match_substring_regex(table[name], pattern), fill_value=False)
        found = pc.or_(found, hit.combine_chunks() if isinstance(hit, pa.ChunkedArray) else hit)
    expression = compile_number(pattern)
    kept = table["variables"].to_pylist()
    in_variables = [
        bool(pairs) and any(expression.search(value or "") for _, value in pairs) for pairs in kept
    ]
    return pc.or_(found, pa.array(in_variables, pa.bool_()))


def blank(table: pa.Table, pattern: str) -> pa.Table:
    """Return the table with the number, and what else is personal, gone from the rows it is in."""
    rows = matches(table, pattern)
    for name in (*_SEARCHED, "variables"):
        column = table[name].combine_chunks()
        gone = rows
        if name not in PERSONAL:
            hit = pc.fill_null(pc.match_substring_regex(column, pattern), fill_value=False)
            gone = pc.and_(rows, hit)
        blanked = pc.if_else(gone, pa.scalar(None, column.type), column)
        table = table.set_column(table.column_names.index(name), table.schema.field(name), blanked)
    return table


def _erase_from_day(lake: Lake, day: Day, pattern: str) -> tuple[int, int]:
    """Rewrite the files that hold the number; return how many rows and files."""
    hits: dict[str, int] = {}
    for name in day.live:
        count = sum(
            pc.sum(matches(t, pattern)).as_py() or 0 for t in read_batches(lake, day, [name])
        )
        if count:
            hits[name] = int(count)
    if hits:
        fresh = merge_files(lake, day, list(hits), 10**12, "erased", lambda t: blank(t, pattern))
        names = [name for name, _ in fresh]
        kept = [name for name in day.commit.live if name not in hits]
        lake.commit(day, [*kept, *names], hits, "erase")
        day = lake.day(day.date)
    # Dead files hold the number as well: privacy does not wait for the grace period.
    sweep_day(lake, day, 0.0)
    lake.delete_half_written(day.date, 0.0)
    return sum(hits.values()), len(hits)


def erase_from_spool(folder: Path, pattern: str) -> int:
    """Blank the number in the rows that wait, and delete quarantined texts that hold it."""
    expression = compile_number(pattern)
    spool = Spool(folder)
    changed = []
    with transaction(spool.db):
        for seq, payload in spool.db.execute("SELECT seq, payload FROM record").fetchall():
            values = orjson.loads(payload)
            if any(_holds(value, expression) for value in values):
                changed.append((orjson.dumps(_blank_payload(values, expression)), seq))
        spool.db.executemany("UPDATE record SET payload = ? WHERE seq = ?", changed)
    spool.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool.close()
    for path in _aside_files(folder):
        if expression.search(path.read_bytes().decode("latin-1")):
            path.unlink()
            changed.append((b"", 0))
    return len(changed)


def wait_for_flush(folder: Path, limit: float = _WAIT_SECONDS) -> None:
    """Wait until a flush that began before is in the lake: it holds rows as they were.

    Waits only while a sidecar has the spool; what a dead one left half-done is read again from the
    spool. Raises EraseError after `limit` seconds.
    """
    spool = Spool(folder)
    try:
        under_way = spool.db.execute("SELECT lo, hi FROM batch").fetchone()
        deadline = time.monotonic() + limit
        while under_way is not None and is_locked(folder):
            if under_way != spool.db.execute("SELECT lo, hi FROM batch").fetchone():
                return
            if time.monotonic() > deadline:
                raise EraseError(
                    "the sidecar is writing to the lake and does not get done: nothing is proven; "
                    "see its log, and run this again"
                )
            time.sleep(0.05)
    finally:
        spool.close()


def is_locked(folder: Path) -> bool:
    """Tell whether a sidecar has the spool."""
    with contextlib.suppress(FileNotFoundError), (folder / "lock").open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def erase_json_files(folder: Path | None, pattern: str) -> None:
    """Delete mod_json_cdr's files that hold the number: their records are in the lake, blanked.

    One that the lake has no record of yet would come back, so it goes too: what must not be kept
    must not be read.
    """
    expression = compile_number(pattern)
    for entry in list_json_files(folder) if folder else ():
        with contextlib.suppress(FileNotFoundError):
            text = unwrap(Path(entry.path).read_bytes()).decode("utf-8", "replace")
            if expression.search(unquote(text)):
                Path(entry.path).unlink()


def _blank_payload(values: list[Any], expression: re.Pattern[str]) -> list[Any]:
    return [
        None if name in PERSONAL or (name not in _KEPT and _holds(value, expression)) else value
        for name, value in zip(PAYLOAD, values, strict=True)
    ]


def _holds(value: Any, expression: re.Pattern[str]) -> bool:
    if isinstance(value, dict):
        return any(_holds(item, expression) for item in value.values())
    return isinstance(value, str) and expression.search(value) is not None


def _aside_files(folder: Path) -> Iterable[Path]:
    aside = [*folder.glob("quarantine/*"), *folder.glob("corrupt-*/*")]
    return [path for path in aside if path.is_file()]


def find_number(lake: Lake, spool_folder: Path | None, pattern: str) -> list[str]:
    """Return every place that holds the number: the proof is an empty list."""
    left = []
    for day in lake.days():
        for name in day.sizes:
            tables = read_batches(lake, day, [name])
            if any(pc.any(matches(table, pattern)).as_py() for table in tables):
                left.append(lake.path(day.date, name))
    if spool_folder is not None:
        expression = compile_number(pattern)
        spool = Spool(spool_folder)
        payloads = spool.db.execute("SELECT payload FROM record")
        if any(_holds(v, expression) for (body,) in payloads for v in orjson.loads(body)):
            left.append("the spool")
        spool.close()
    return left


def log_erasure(lake: Lake, done: Erased) -> None:
    """Write the erasure down: when, by which reference, how much, proven or not; no number."""
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "reference": done.reference,
        "rows": done.rows,
        "files": done.files,
        "spool_rows": done.spool_rows,
        "proven": not done.left,
    }
    name = f"{str(line['time'])[:19].replace(':', '')}-{uuid.uuid4().hex[:8]}.json"
    path = f"{lake.root}/_erasures/{name}"
    body = orjson.dumps(line)
    if lake.local:
        put_local(Path(path), body)
        return
    with lake.filesystem.open_output_stream(path) as stream:
        stream.write(body)


assert set(PERSONAL) <= {*BUILT, *COPIED}
