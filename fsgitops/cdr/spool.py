"""The durable spool: one SQLite file in WAL mode that holds what the lake does not hold yet.

Tables: `record` has the rows to write; `seen` is the ledger of every key that ever came, which is
what makes a record arrive once; `batch` is the frozen range of sequence numbers that is being
written; `json_file` remembers which files are done with. Sequence numbers are never reused, so a
range names the same rows for ever: that is what makes writing a part repeatable after a crash.
"""

from __future__ import annotations

import contextlib
import hmac
import sqlite3
import time
import uuid
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.cdr.record import HOUR_US
from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from fsgitops.cdr.record import Row

SPOOL_FILE = "spool.sqlite"
ROADS = {"esl": 1, "json": 2, "http": 4}
IN_LAKE = 8
DAY_US = 24 * HOUR_US
_CHECKED_BYTES = 512 * 1024 * 1024
_CHUNK = 500

_TABLES = """
CREATE TABLE IF NOT EXISTS record(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, hour INTEGER NOT NULL, key TEXT NOT NULL,
  payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen(
  hour INTEGER NOT NULL, key TEXT NOT NULL, roads INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(hour, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch(lo INTEGER PRIMARY KEY, hi INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS known_day(day INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS json_file(
  path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  hour INTEGER NOT NULL, key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased(
  hour INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY(hour, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class SpoolError(FsgitopsError):
    """The spool cannot be used: no such directory, or another sidecar has it."""


class SpoolCorruptError(SpoolError):
    """The spool's file is damaged; `quarantine.rescue_spool` starts a fresh one."""


class JsonFile(NamedTuple):
    """A file of mod_json_cdr in one state, and the record it holds."""

    path: str
    size: int
    mtime_ns: int
    hour: int
    key: str


class Added(NamedTuple):
    """What one commit did: how many rows were fresh, and how many were known already."""

    fresh: int
    duplicate: int


class SpooledRow(NamedTuple):
    """A row as the spool holds it."""

    seq: int
    hour: int
    key: str
    payload: bytes


def require_spool(folder: Path) -> None:
    """Raise SpoolError where there is no spool: a command that reads one must not make it."""
    if not (folder / SPOOL_FILE).is_file():
        raise SpoolError(
            f"{folder}: no spool: expected one that `run` has written. Run this where the sidecar "
            "runs, or correct `spool`"
        )


class Spool:
    """One connection to the spool. Every thread opens its own."""

    def __init__(self, folder: Path, *, check: bool = False) -> None:
        """Open, and create what is missing.

        Raises SpoolCorruptError for a damaged file, SpoolError when it cannot be opened.
        """
        self.path = folder / SPOOL_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            self.db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
            self.path.chmod(0o640)
            self._prepare(check and self.path.stat().st_size < _CHECKED_BYTES)
        except sqlite3.DatabaseError as problem:
            raise classify(problem, self.path) from problem
        except OSError as problem:
            raise SpoolError(
                f"{self.path}: {problem.strerror}: the spool needs a directory "
                "that this user may write"
            ) from problem

    def _prepare(self, check: bool) -> None:
        db = self.db
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=FAST")
        db.execute("PRAGMA cache_size=-65536")
        db.execute("PRAGMA wal_autocheckpoint=4000")
        if check and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise SpoolCorruptError(f"{self.path}: damaged (quick_check)")
        db.executescript(_TABLES)
        db.executemany(
            "INSERT OR IGNORE INTO meta VALUES(?, ?)",
            [
                ("id", uuid.uuid4().hex[:12]),
                ("created_us", str(time.time_ns() // 1000)),
                ("flushed", "0"),
                ("forgotten_hour", "0"),
                # `identity` says what these are for.
                ("claim", ""),
                ("claim_before", ""),
                ("former_id", ""),
                ("former_seq", "0"),
                ("machine", ""),
                ("salt", uuid.uuid4().hex),
            ],
        )
        self.read_identity()

    def read_identity(self) -> None:
        """Read who the spool is by now (`identity` changes that)."""
        values: dict[str, str] = dict(self.db.execute("SELECT name, value FROM meta").fetchall())
        self.id = values["id"]
        self._created_us = int(values["created_us"])
        self.salt = values["salt"].encode()
        self._former_id, self._former_seq = values["former_id"], int(values["former_seq"])

    def id_of(self, seq: int) -> str:
        """Return the identity under which a row came in: its part is named by that one."""
        return self._former_id if seq <= self._former_seq else self.id

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def add(self, rows: Sequence[Row], files: Sequence[JsonFile] = ()) -> Added:
        """Store the rows that never came before, and remember the files, in one synced commit.

        Raises sqlite3.Error (disk full, damage); then nothing of it is stored.
        """
        came = len(rows)
        with transaction(self.db):
            rows = self._without_erased(rows)
            count = len(rows)
            if not self._insert_all(rows):
                fresh = self._sort_out(rows)
                self._insert(fresh)
                count = len(fresh)
            if files:
                self.db.executemany("INSERT OR REPLACE INTO json_file VALUES(?,?,?,?,?)", files)
        return Added(count, came - count)

    def _insert_all(self, rows: Sequence[Row]) -> bool:
        """Insert rows that are all fresh, which is the common case; False: not all of them are."""
        self.db.execute("SAVEPOINT fresh")
        try:
            self._insert([(row, ROADS[row.road]) for row in rows])
        except sqlite3.IntegrityError:
            self.db.execute("ROLLBACK TO fresh")
            return False
        finally:
            if self.db.in_transaction:
                self.db.execute("RELEASE fresh")
        return True

    def _sort_out(self, rows: Sequence[Row]) -> list[tuple[Row, int]]:
        """Return the fresh rows, each with the roads it came by; note the others' roads."""
        fresh: list[tuple[Row, int]] = []
        ordered = sorted(rows, key=attrgetter("hour"))
        for hour, group in groupby(ordered, key=attrgetter("hour")):
            first: dict[str, Row] = {}
            roads: dict[str, int] = {}
            for row in group:
                first.setdefault(row.key, row)
                roads[row.key] = roads.get(row.key, 0) | ROADS[row.road]
            known = self._roads(hour, list(first))
            fresh += [(row, roads[key]) for key, row in first.items() if key not in known]
            self.db.executemany(
                "UPDATE seen SET roads = roads | ? WHERE hour = ? AND key = ?",
                [(roads[key], hour, key) for key, had in known.items() if roads[key] & ~had],
            )
        return fresh

    def _roads(self, hour: int, keys: list[str]) -> dict[str, int]:
        known: dict[str, int] = {}
        for at in range(0, len(keys), _CHUNK):
            chunk = keys[at : at + _CHUNK]
            marks = ",".join("?" * len(chunk))
            found = self.db.execute(
                f"SELECT key, roads FROM seen WHERE hour = ? AND key IN ({marks})",  # noqa: S608
                [hour, *chunk],
            )
            known.update(found.fetchall())
        return known

    def _insert(self, fresh: list[tuple[Row, int]]) -> None:
        numbered = list(enumerate(fresh, self.last_seq() + 1))
        # In the order of the keys, so that neighbouring entries share a page of the ledger.
        ledger = sorted((row.hour, row.key, roads, seq) for seq, (row, roads) in numbered)
        self.db.executemany("INSERT INTO seen VALUES(?,?,?,?)", ledger)
        self.db.executemany(
            "INSERT INTO record VALUES(?,?,?,?)",
            [(seq, row.hour, row.key, row.payload) for seq, (row, _) in numbered],
        )

    def rename_record(self, hour: int, key: str, other: str) -> None:
        """Give a record another key: late copies of it are known then, but its own key is not."""
        self.db.execute("INSERT OR IGNORE INTO erased VALUES(?, ?)", (hour, self._digest(key)))
        for table in ("seen", "record"):
            self.db.execute(
                f"UPDATE {table} SET key = ? WHERE hour = ? AND key = ?",  # noqa: S608
                (other, hour, key),
            )

    def _without_erased(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that are no late copies of records that were given another key."""
        if not self.db.execute("SELECT 1 FROM erased LIMIT 1").fetchone():
            return rows
        ask = "SELECT 1 FROM erased WHERE hour = ? AND digest = ?"
        return [
            row
            for row in rows
            if not self.db.execute(ask, (row.hour, self._digest(row.key))).fetchone()
        ]

    def _digest(self, key: str) -> bytes:
        return hmac.digest(self.salt, key.encode("utf-8", "surrogatepass"), "sha256")

    def read_meta(self, name: str) -> str:
        """Return a value that was noted; "" when it never was."""
        found = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def write_meta(self, name: str, value: str) -> None:
        """Note a value, inside the caller's transaction where there is one."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", (name, value))

    def last_seq(self) -> int:
        """Return the highest sequence number ever given out."""
        found = self.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'record'").fetchone()
        return int(found[0]) if found else 0

    def flushed_seq(self) -> int:
        """Return the sequence number up to which every record is synced in the lake."""
        return int(self.read_meta("flushed"))

    def depth(self) -> tuple[int, int]:
        """Return how many rows, and about how many bytes, wait for the lake."""
        rows = self.db.execute("SELECT count(*), total(length(payload)) FROM record").fetchone()
        return int(rows[0]), int(rows[1])

    def freeze(self, max_rows: int, max_bytes: int) -> tuple[int, int] | None:
        """Return the range (after `lo`, up to `hi`) to write next; None when there is nothing.

        A range that was frozen before a crash comes first, and unchanged.
        """
        with transaction(self.db):
            frozen = self.db.execute("SELECT lo, hi FROM batch ORDER BY lo LIMIT 1").fetchone()
            if frozen:
                return int(frozen[0]), int(frozen[1])
            lo = self.flushed_seq()
            hi = self._range_end(lo, max_rows, max_bytes)
            if hi:
                self.db.execute("INSERT INTO batch VALUES(?, ?)", (lo, hi))
        return (lo, hi) if hi else None

    def freeze_all(self, max_rows: int = 50_000, max_bytes: int = 64 * 1024 * 1024) -> None:
        """Freeze all rows that wait, in ranges that follow from them alone and from no setting.

        Two spools that were cloned with the same rows waiting then write the same parts of them.
        """
        with transaction(self.db):
            found = self.db.execute("SELECT max(hi) FROM batch").fetchone()
            lo = max(self.flushed_seq(), int(found[0] or 0))
            while hi := self._range_end(lo, max_rows, max_bytes):
                self.db.execute("INSERT INTO batch VALUES(?, ?)", (lo, hi))
                lo = hi

    def _range_end(self, lo: int, max_rows: int, max_bytes: int) -> int:
        """Return the last row of the range to freeze after `lo`; 0 when there is no row."""
        hi, size = 0, 0
        sizes = self.db.execute(
            "SELECT seq, length(payload) FROM record WHERE seq > ? ORDER BY seq LIMIT ?",
            (lo, max_rows),
        )
        for seq, length in sizes:
            if hi and size + length > max_bytes:
                break
            hi, size = int(seq), size + int(length)
        return hi

    def rows(self, lo: int, hi: int) -> Iterator[SpooledRow]:
        """Yield the rows after `lo` up to `hi`, in order."""
        found = self.db.execute(
            "SELECT seq, hour, key, payload FROM record WHERE seq > ? AND seq <= ? ORDER BY seq",
            (lo, hi),
        )
        return (SpooledRow(*row) for row in found)

    def finish(self, lo: int, hi: int) -> None:
        """Forget the rows of a range: the lake holds them, synced."""
        with transaction(self.db):
            self.db.execute("DELETE FROM record WHERE seq <= ?", (hi,))
            self.db.execute("DELETE FROM batch WHERE lo = ?", (lo,))
            self.write_meta("flushed", str(hi))
            if claim := self.read_meta("claim"):
                self.write_meta("claim_before", claim)
                self.write_meta("claim", "")

    def needs_lake_check(self, day: int, min_start_us: int) -> bool:
        """Tell whether the ledger may not know all keys of a day, so that the lake must be asked.

        It knows every call that began after the spool did (a day is allowed for clocks that
        differ), unless the day has been forgotten since.
        """
        forgotten = int(self.read_meta("forgotten_hour"))
        if min_start_us >= self._created_us + DAY_US and day * 24 >= forgotten:
            return False
        return not self.db.execute("SELECT 1 FROM known_day WHERE day = ?", (day,)).fetchone()

    def learn_day(self, day: int, keys: Iterable[tuple[int, str]]) -> None:
        """Put the keys that the lake has of a day into the ledger."""
        with transaction(self.db):
            self.db.executemany(
                "INSERT INTO seen VALUES(?,?,?,0) ON CONFLICT DO UPDATE SET roads = roads | ?",
                ((hour, key, IN_LAKE, IN_LAKE) for hour, key in keys),
            )
            self.db.execute("INSERT OR REPLACE INTO known_day VALUES(?,?)", (day, self.last_seq()))

    def learnt_keys(self, day: int, rows: Sequence[SpooledRow]) -> set[tuple[int, str]]:
        """Return which of a day's rows the lake was found to hold when the day was learnt."""
        mark = self.db.execute("SELECT seq FROM known_day WHERE day = ?", (day,)).fetchone()
        if mark is None:
            return set()
        held: set[tuple[int, str]] = set()
        early = [row for row in rows if row.seq <= mark[0]]
        for hour, group in groupby(sorted(early, key=attrgetter("hour")), key=attrgetter("hour")):
            known = self._roads(hour, [row.key for row in group])
            held.update((hour, key) for key, roads in known.items() if roads & IN_LAKE)
        return held

    def forget_before(self, hour: int) -> None:
        """Drop the ledger's entries of calls that began before an hour (since 1970)."""
        with transaction(self.db):
            flushed = self.flushed_seq()
            self.db.execute("DELETE FROM seen WHERE hour < ? AND seq <= ?", (hour, flushed))
            self.db.execute("DELETE FROM known_day WHERE day < ?", (hour // 24 + 1,))
            forgotten = max(hour, int(self.read_meta("forgotten_hour")))
            self.write_meta("forgotten_hour", str(forgotten))


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do all that follows in one write transaction; undo it when anything is raised."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def classify(problem: sqlite3.Error, path: Path) -> SpoolError:
    """Return damage as SpoolCorruptError, anything else (locked, full) as SpoolError."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return SpoolCorruptError(f"{path}: damaged: {problem}")
    return SpoolError(f"{path}: {problem}")
