"""Whose the parts are: a spool that was restored or cloned takes a new identity before it writes.

A spool cannot see in itself that it was set back: everything in it went back together. So it is
told from outside. Each flush first notes a fresh claim in the lake under the spool's name, and in
the spool; a claim in the lake that the spool never made is that of its own later self, which a
snapshot undid, or of a twin. The machine's id tells the twin before its first flush.

With the new identity goes the trust in the ledger: it does not know what was written meanwhile, so
each day is learnt from the lake again, and a record that the lake has is not written twice. And no
name says that a part is written: the digest of its records' keys, which is in the name, does.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.cdr.log import say
from fsgitops.cdr.spool import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.cdr.lake import Lake, Part
    from fsgitops.cdr.spool import Spool, SpooledRow

MACHINE_ID = Path("/etc/machine-id")


def digest_of(rows: Iterable[SpooledRow]) -> str:
    """Return what tells one set of records from another: a digest of their keys.

    Of the keys and not of the rows, for an erasure changes a row, and it stays the same record.
    """
    lines = sorted(f"{row.hour}\x1f{row.key}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode("utf-8", "replace")).hexdigest()[:16]


def machine_id() -> str:
    """Return what tells this machine from others; '' where the system does not say.

    A digest: the id itself is to be kept private (man 5 machine-id).
    """
    try:
        text = MACHINE_ID.read_bytes().strip()
    except OSError:
        return ""
    return hashlib.sha256(b"fsgitops-cdr\n" + text).hexdigest()[:16] if text else ""


def recognise_machine(spool: Spool) -> None:
    """Take a new identity when the spool comes from another machine. Raises sqlite3.Error."""
    before, now = spool.read_meta("machine"), machine_id()
    if before == now or not now:
        return
    if before:
        renew(spool, "the spool was filled on another machine")
    spool.write_meta("machine", now)


def claim(spool: Spool, lake: Lake, lo: int) -> None:
    """Note in the lake that this spool writes its rows after `lo`; take a new identity if need be.

    Killed anywhere, it can be repeated. Raises LakeError, sqlite3.Error.
    """
    before, mine = spool.read_meta("claim_before"), spool.read_meta("claim")
    held, at_us = _read_claim(lake, spool.id)
    if held != before and (held != mine or not mine):
        renew(spool, "somebody else wrote to the lake under its name", at_us)
        mine, held = "", ""
    elif not held and any(
        part.spool == spool.id and part.hi > lo
        for day in lake.days()
        for part in day.committed_parts()
    ):
        renew(spool, "the lake has parts of its name that it did not write")
        mine = ""
    if not mine:
        mine = secrets.token_hex(12)
        spool.write_meta("claim", mine)
    if held != mine:
        lake.write_claim(spool.id, f"{mine} {time.time_ns() // 1000}\n".encode())


def _read_claim(lake: Lake, spool_id: str) -> tuple[str, int]:
    words = lake.read_claim(spool_id).decode("ascii", "replace").split()
    at = words[1] if len(words) > 1 else ""
    return (words[0] if words else ""), (int(at) if at.isdecimal() else 0)


def recognise_twin(spool: Spool, written: Iterable[Part], part: Part) -> None:
    """Take a new identity when a day has another part of this name that reaches as far or further.

    A twin that claims in the same moment is seen here; and parts of old, whose names say nothing of
    what is in them.
    """
    if part.spool == spool.id and any(
        other.spool == part.spool and other.hi > part.lo for other in written
    ):
        renew(spool, "the lake has a part of its name with other records")


def renew(spool: Spool, why: str, since_us: int = 0) -> None:
    """Give a spool a new identity, and say so: what its ledger knew of the lake counts no more.

    `since_us` is a time before which others may have written, under the former name, records that
    this spool never heard of. Rows that wait keep the name under which they came in, so that twins
    write the same parts of what both of them hold.
    """
    former, now_us = spool.id, time.time_ns() // 1000
    changes = {
        "id": secrets.token_hex(6),
        "created_us": str(max(since_us, now_us)),
        "claim": "",
        "claim_before": "",
    }
    if spool.id_of(spool.flushed_seq() + 1) == former:
        changes |= {"former_id": former, "former_seq": str(spool.last_seq())}
    with transaction(spool.db):
        for name, value in changes.items():
            spool.write_meta(name, value)
        spool.db.execute("DELETE FROM known_day")
    spool.read_identity()
    say(
        logging.WARNING,
        "the spool was restored or cloned: it takes a new identity",
        why=why,
        former=former,
        now=spool.id,
    )
