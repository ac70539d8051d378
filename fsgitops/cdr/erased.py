"""Records whose key an erasure replaced: a spool knows late copies of them, but not their keys."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from fsgitops.cdr.record import Row


def rename_record(db: sqlite3.Connection, salt: bytes, hour: int, key: str, other: str) -> None:
    """Give a record another key in a spool, inside a transaction of the caller's."""
    db.execute("INSERT OR IGNORE INTO erased VALUES(?, ?)", (hour, _digest(salt, key)))
    for table in ("seen", "record"):
        db.execute(
            f"UPDATE {table} SET key = ? WHERE hour = ? AND key = ?",  # noqa: S608
            (other, hour, key),
        )


def without_erased(db: sqlite3.Connection, salt: bytes, rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows that are no late copies of records that were given another key."""
    if not db.execute("SELECT 1 FROM erased LIMIT 1").fetchone():
        return rows
    return [row for row in rows if not _is_erased(db, row.hour, _digest(salt, row.key))]


def _is_erased(db: sqlite3.Connection, hour: int, digest: bytes) -> bool:
    found = db.execute("SELECT 1 FROM erased WHERE hour = ? AND digest = ?", (hour, digest))
    return found.fetchone() is not None


def _digest(salt: bytes, key: str) -> bytes:
    return hmac.digest(salt, key.encode("utf-8", "surrogatepass"), "sha256")
