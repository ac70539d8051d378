"""Call records for the API, from the lake: where this installation has the `cdr` room."""

from __future__ import annotations

import importlib.util
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from fsgitops.errors import FsgitopsError, UsageError
from fsgitops.phone import USUAL_LENGTHS, Lengths

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.workspace.open import Workspace

TODAY_SECONDS = 15.0

_NEEDED = ("fsgitops.cdr", "duckdb", "pyarrow")

COLUMNS = (
    "uuid", "caller_id_name", "caller_id_number", "destination_number", "direction", "start_time",
    "answer_time", "end_time", "duration", "billsec", "hangup_cause", "leg", "agent_extension",
    "did_number",
)  # fmt: skip
_TODAY = (
    "SELECT count(*) AS calls, "
    "count(*) FILTER (WHERE answered) AS answered, "
    "coalesce(sum(billsec), 0) AS billsec "
    "FROM cdr WHERE leg = 'a' AND start_time >= CAST(? AS TIMESTAMPTZ)"
)


@dataclass(slots=True)
class LakeRecords:
    """Records of a lake, and of what still waits in a spool.

    What is asked of it may block, and raise FsgitopsError.
    """

    lake: str
    spool: Path | None = None
    region: str | None = None
    lengths: Lengths = USUAL_LENGTHS
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _today: tuple[float, dict[str, int]] | None = None

    def find(self, *, did: str | None = None, **wanted: Any) -> list[dict[str, Any]]:
        """Return records, the latest first, with the names of COLUMNS.

        `did` is one number in any form; all else is as in `cdr.query.Wanted`.
        """
        from fsgitops.cdr import query as room
        from fsgitops.cdr.number import read_asked

        forms = read_asked(did, self.region, self.lengths).forms if did else None
        asked = room.Wanted(did=forms, **wanted)
        try:
            table = room.list_records(room.Source(self.lake, self.spool), asked)
        except UsageError as problem:
            # The question was checked before: what DuckDB refuses here is a damaged file.
            said = str(problem).splitlines()[0]
            raise FsgitopsError(f"the call records cannot be read: {said}") from None
        return [{name: plain(row.get(name)) for name in COLUMNS} for row in table.to_pylist()]

    def today(self) -> dict[str, int]:
        """Return `calls`, `answered` and `billsec` since midnight UTC, at most 15 seconds old."""
        with self._lock:
            if self._today is None or time.monotonic() - self._today[0] > TODAY_SECONDS:
                self._today = (time.monotonic(), self._count())
            return self._today[1]

    def _count(self) -> dict[str, int]:
        from fsgitops.cdr import query as room

        midnight = datetime.now(UTC).strftime("%Y-%m-%d")

        def ask(connection: Any) -> dict[str, int]:
            cursor = connection.execute(_TODAY, [midnight])
            names = [column[0] for column in cursor.description]
            return dict(zip(names, map(int, cursor.fetchone()), strict=True))

        return room.run_query(room.Source(self.lake, self.spool), ask, midnight)


def open_records(
    workspace: Workspace, lake: str | None = None, spool: Path | None = None
) -> LakeRecords | None:
    """Return the records of the lake that is named here, else in `cdr:` of the settings.

    None where there is no lake, or no room that reads one.
    """
    declared = workspace.settings.cdr
    lake, waiting = lake or declared.lake, spool or declared.spool
    if lake is None or not all(map(importlib.util.find_spec, _NEEDED)):
        return None
    url = lake if "://" in lake else str(workspace.root / lake)
    spooled = workspace.root / waiting if waiting else None
    return LakeRecords(
        url, spooled, workspace.settings.default_region, workspace.settings.extensions.lengths
    )


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: times become ISO 8601 in UTC."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
