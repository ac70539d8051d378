"""Who is logged in by mod_verto, and how such a session is ended, in the field's words.

A session outlives its user: it goes on calling (docs/freeswitch.md, "mod_verto"). No command
closes one, but `verto noperm` takes its methods away (add_perm in mod_verto.c), and only a new
log-in gives them back, which needs the user. It stays connected, and can do nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from fsgitops.errors import SwitchProtocolError

STATUS = "verto jsonstatus"
ABSENT = "-ERR verto Command not found!\n"
"""What the switch says when mod_verto is not loaded."""

METHODS = ",".join(
    ["verto", "jsapi", "fsapi", "echo"]
    + [f"verto.{name}" for name in ("invite", "answer", "attach", "modify", "info", "bye")]
    + [f"verto.{name}" for name in ("ping", "subscribe", "unsubscribe", "broadcast")]
)
"""Every method but `login`, by each name that `jsonrpc-allowed-methods` may give it."""

_SESSION = re.compile(r"verto\.rtc/u:([A-Za-z0-9-]{1,64})")


@dataclass(frozen=True, slots=True)
class VertoUser:
    """One session that has logged in; `address` is its client's."""

    user: str
    domain: str
    address: str
    profile: str

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {
            "user": self.user,
            "domain": self.domain,
            "address": self.address,
            "profile": self.profile,
        }


def read_verto_users(text: str) -> tuple[VertoUser, ...]:
    """Read the answer to `verto jsonstatus`. Raises SwitchProtocolError when it is none.

    A session is listed once for each address of its profile; here it stands once.
    """
    try:
        profiles = json.loads(text)["profiles"]
        found = [
            VertoUser(
                str(one["user"]), str(one["domain"]), str(one["remoteHost"]), str(profile["name"])
            )
            for profile in profiles
            for one in profile["users"]
            if one.get("state") == "CONN_REG"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SwitchProtocolError(
            f"a list of mod_verto's sessions expected, found {text[:60]!a}"
        ) from None
    return tuple(sorted(set(found), key=lambda one: (one.user, one.domain, one.address)))


def read_sessions(text: str) -> list[str]:
    """Read the answer to `verto_contact USER@DOMAIN`: the ids of this user's sessions."""
    found = (_SESSION.fullmatch(part.strip()) for part in text.split(","))
    return [match[1] for match in found if match]
