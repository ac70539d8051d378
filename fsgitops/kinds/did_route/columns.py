"""DID routes in the tables of others: FreePBX's inbound routes, and spreadsheets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.model.columns import Columns

if TYPE_CHECKING:
    from fsgitops.model.columns import Row

# FreePBX writes `from-did-direct,1020,1`: a context of its dialplan, what is dialled there, a step.
_DIRECT: Final = re.compile(r"from-(?:did-direct|internal),([0-9]{2,11}),1")
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9-]*,[^,]*,[0-9]+")


def _read(row: Row) -> Row:
    leads = row.get("destination_extension", "")
    if found := _DIRECT.fullmatch(leads):
        row["destination_extension"] = found[1]
    elif _ELSEWHERE.fullmatch(leads):
        raise ValueError(f"it leads to `{leads}`, and only what leads to an extension is known")
    return row


COLUMNS: Final = Columns(
    {
        "did_number": ("did", "number", "phone number", "telephone number", "e164", "extension"),
        "destination_extension": ("destination", "leads to", "to", "agent", "ext", "extension"),
        "description": ("label", "comment"),
        "enabled": ("active", "is active"),
    },
    _read,
)
