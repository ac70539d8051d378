"""Agents in the tables of others: FreePBX's and FusionPBX's exports, and spreadsheets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.model.columns import Columns
from fsgitops.phone import is_extension

if TYPE_CHECKING:
    from fsgitops.model.columns import Row

# FreePBX writes `"Alice Example" <+19495431333>`.
_CALLER: Final = re.compile(r"([^<>]*)<([^<>]*)>")
_BOXES: Final = {"novm": "false", "default": "true"}


def _read(row: Row) -> Row:
    """Return a row of theirs as we say it.

    FusionPBX has what is dialled for a user with a name in `number_alias`. FreePBX has the name of
    a mailbox's context, or `novm`, where we have true or false.
    """
    alias = row.pop("number_alias", "")
    if alias and not is_extension(row.get("extension", "")):
        row["user"], row["extension"] = row["extension"], alias
    found = _CALLER.fullmatch(row.get("caller_id_number", ""))
    if found:
        row["caller_id_number"] = found[2].strip()
        if name := found[1].strip(' "'):
            row.setdefault("caller_id_name", name)
    box = row.get("voicemail.enabled", "")
    row |= {"voicemail.enabled": _BOXES.get(box.lower(), box)} if box else {}
    return row


COLUMNS: Final = Columns(
    {
        "extension": ("ext", "extension number", "extension no", "number", "internal number"),
        "name": ("display name", "full name", "effective caller id name", "person", "description"),
        "user": ("sip user", "sip username", "auth user", "auth name"),
        "password": ("secret", "sip password", "sip secret", "devinfo secret"),
        "email": ("e mail", "mail", "email address", "e mail address"),
        "caller_id_name": ("outbound caller id name", "outbound cid name"),
        "caller_id_number": ("outbound caller id number", "outboundcid", "outbound cid"),
        "groups": ("call group", "callgroup", "call groups", "group", "department"),
        "toll_allow": (),
        "enabled": ("active", "is active"),
        "voicemail.enabled": ("voicemail enable", "voicemail", "mailbox"),
        "voicemail.pin": ("voicemail vmpwd", "vmpwd", "voicemail password", "pin", "vm password"),
        "voicemail.email": ("voicemail mail to", "vm email"),
        "number_alias": ("number alias",),
    },
    _read,
)
