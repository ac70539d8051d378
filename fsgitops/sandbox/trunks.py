"""The gateways that the embedded switch runs: read from the configuration, killed, listed.

As in mod_sofia, a gateway that is killed cannot be called any more at once, and leaves the list of
its profile a moment later: here, once it has been listed. One that is there is left as it is by a
rescan. The simulation has no provider: what registers counts as registered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from fsgitops.routing.places import is_true

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.routing.tree import Element

XML_HEADER = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'


@dataclass(slots=True)
class Trunk:
    """A gateway as it was when it was added; `killed` is one that is about to leave the list.

    One whose name another profile has is listed and runs, and no call or command finds it.
    """

    profile: str
    name: str
    params: Mapping[str, str]
    found: bool = True
    killed: bool = False

    @property
    def to(self) -> str:
        """The address that it registers: that of its user at its proxy."""
        return f"sip:{self.user}@{self.host}"

    @property
    def user(self) -> str:
        """Its user, by FreeSWITCH's own name where none is given (parse_gateways, sofia.c)."""
        return self.params.get("username") or "FreeSWITCH"

    @property
    def host(self) -> str:
        """Its proxy, or its realm, or its name."""
        return self.params.get("proxy") or self.params.get("realm") or self.name

    @property
    def state(self) -> str:
        """That of its registration."""
        return "REGED" if is_true(self.params.get("register", "true")) else "NOREG"

    def as_xml(self) -> str:
        """Return it as `xmlstatus` prints one: what is escaped there, and nothing else."""
        told, pings = self.params.get, self.params.get("ping", "0")
        sender = f"{told('from-user') or self.user}@{told('from-domain') or self.host}"
        contact = f"gw+{self.name}@127.0.0.1:5080;transport=udp;gw={self.name}"
        expires = told("expire-seconds") or "3600"
        fields = {
            "name": self.name, "profile": self.profile, "scheme": "Digest",
            "realm": told("realm") or self.host, "username": self.user,
            "password": "yes" if told("password") else "no",
            "from": escape(f"<sip:{sender}>"), "contact": escape(f"<sip:{contact}>"),
            "exten": escape(told("extension") or self.user), "to": self.to,
            "proxy": f"sip:{self.host}", "context": told("context") or "public",
            "expires": expires, "freq": expires, "ping": "0",
            "pingfreq": pings if pings.isdecimal() and int(pings) > 4 else "0", "pingmin": "0",
            "pingcount": "0", "pingmax": "0", "pingtime": "0.00", "pinging": "0",
            "state": self.state, "status": "UP", "uptime-usec": "0",
            "calls-in": "0", "calls-out": "0", "failed-calls-in": "0", "failed-calls-out": "0",
        }  # fmt: skip
        lines = "".join(f"    <{key}>{value}</{key}>\n" for key, value in fields.items())
        return f"  <gateway>\n{lines}  </gateway>\n"


class Trunks:
    """The list of every profile, in the order in which gateways were added.

    `announce` is told each event; who calls any of this holds the lock of the memory.
    """

    def __init__(self, announce: Callable[[str, Trunk], None]) -> None:
        self._announce = announce
        self._listed: list[Trunk] = []

    def running(self) -> list[Trunk]:
        """Return those that can be called."""
        return [item for item in self._listed if item.found and not item.killed]

    def add(self, profile: str, element: Element) -> None:
        """Add a gateway of a profile, unless it runs there."""
        name = element.attributes.get("name", "")
        same = [item for item in self._listed if item.name == name and not item.killed]
        if any(item.profile == profile for item in same):
            return
        # Params outside of <params> count only where there are none (parse_gateways, sofia.c).
        holder = element.child("params") or element
        given = [item.attributes for item in holder.all("param")]
        params = {item.get("name", ""): item.get("value", "") for item in given}
        if is_true(params.get("register", "true")) and not all(
            params.get(needed) for needed in ("username", "password")
        ):
            return
        self._listed.append(Trunk(profile, name, params, found=not same))
        if not same:
            self._announce("sofia::gateway_add", self._listed[-1])

    def kill(self, name: str) -> bool:
        """Kill the gateway of a name, or every one for `_all_`. False: there is none."""
        found = [item for item in self.running() if name in (item.name, "_all_")]
        for item in found:
            item.killed = True
        return bool(found)

    def listed(self) -> list[Trunk]:
        """Return the whole list, for the last time with those that were killed."""
        found = self._listed
        self._listed = [item for item in found if not item.killed]
        for item in found:
            if item.killed:
                self._announce("sofia::gateway_delete", item)
        return found
