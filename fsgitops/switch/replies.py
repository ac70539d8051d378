"""What a switch answers, read into typed values. Nothing here trusts what a phone could have sent.

Behaviour stated here is that of FreeSWITCH 1.11's mod_commands.c, mod_sofia.c and mod_verto.c.

A session of mod_verto outlives its user: it goes on calling (docs/freeswitch.md, "mod_verto"). No
command closes one, but `verto noperm` takes its methods away (add_perm), and only a new log-in
gives them back, which needs the user. It stays connected, and can do nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fsgitops.errors import SwitchProtocolError
from fsgitops.esl.session import decode_json_object
from fsgitops.schema_parts import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NO_REPLY = "-ERR no reply\n"
"""mod_event_socket puts this in place of an empty output: nothing there, or an empty value."""

NOT_LOCATED = "can't find anything\n"
"""What `xml_locate` prints (with no -ERR) when the tree has no such element."""

UNSET = "_undef_"
"""What `uuid_getvar` answers for a variable that a leg does not have."""

NO_CHANNEL = "-ERR No such channel!\n"
"""What `uuid_kill` and `uuid_transfer` answer for a leg that is not there (any more)."""

NO_GATEWAY = "Invalid Gateway!\n"
"""What `sofia status gateway NAME` answers for one that no running profile has."""


@dataclass(frozen=True, slots=True)
class ReloadReply:
    """The answer to a reload. `line` counts in the merged `freeswitch.xml.fsxml`, from 1."""

    ok: bool
    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """One phone of one user, as a SIP profile knows it. `expires` is seconds from now."""

    user: str = field(metadata=text("The SIP user."))
    domain: str = field(metadata=text("Its domain."))
    contact: str = field(metadata=text("Where calls for it are sent."))
    user_agent: str = field(metadata=text("The phone's name for itself."))
    status: str = field(metadata=text("The switch's words."))
    expires: int = field(metadata={"type": "integer", "description": "Seconds from now."})
    network_ip: str = field(metadata=text("Where it registered from."))
    network_port: int = field(metadata={"type": "integer", "description": "Its port."})
    call_id: str = field(metadata=text("The registration's Call-ID."))
    host: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway of a SIP profile as it runs. Calls are only placed while `status` is UP.

    `state` is that of its registration (NOREG: it does not register); `sender` is the From of its
    registration and of calls. Its password is not told, only whether there is one.
    """

    name: str = field(metadata=text("Its name."))
    profile: str = field(metadata=text("The SIP profile that it runs in."))
    state: str = field(metadata=text("That of its registration, in FreeSWITCH's words."))
    status: str = field(metadata=text("UP, or DOWN: then no call is placed over it."))
    realm: str = ""
    username: str = ""
    password: bool = False
    sender: str = ""
    extension: str = ""
    proxy: str = ""
    context: str = ""
    expires: str = ""
    ping: int = 0
    """Seconds between two OPTIONS; 0: none is sent."""
    latency: float = 0.0
    """Milliseconds until the last OPTIONS was answered."""
    calls_in: int = 0
    calls_out: int = 0
    failed_in: int = 0
    failed_out: int = 0

    @property
    def registered(self) -> bool | None:
        """Tell whether its registration is held; None: it does not register.

        While it is refreshed, the states of a new one are passed through, and the gateway stays up.
        """
        if self.state == "NOREG":
            return None
        refreshed = self.status == "UP" and self.state in ("UNREGED", "TRYING")
        return refreshed or self.state in ("REGED", "REGISTER")


@dataclass(frozen=True, slots=True)
class Channel:
    """One leg. `created` is in seconds since 1970 UTC.

    `initial_destination` is what was dialled, before any transfer. `presence` of an inbound leg is
    what the caller claims to be, unless the leg was authenticated (sofia_handle_sip_i_invite).
    """

    uuid: str
    call_uuid: str
    direction: str
    created: int
    name: str
    state: str
    call_state: str
    caller_name: str
    caller_number: str
    destination: str
    context: str
    application: str
    read_codec: str
    write_codec: str
    network_ip: str
    presence: str = ""
    initial_destination: str = ""
    initial_context: str = ""


_RELOAD_OK = "+OK [Success]"
_RESCAN_OK = ("Reload XML [Success]", "+OK scan complete")
_NEAR_LINE = re.compile(r"\[error near line (\d{1,9})\]")


def read_reload(text: str) -> ReloadReply:
    """Read the answer to `reloadxml`, which starts with +OK even when nothing was loaded."""
    said = text.rstrip("\n")
    return ReloadReply(said == _RELOAD_OK, said, _near_line(said))


def read_rescan(text: str) -> ReloadReply:
    """Read the answer to `sofia profile P rescan`.

    Its last line says `+OK scan complete` even when the XML did not load; the first one tells.
    """
    said = text.rstrip("\n")
    return ReloadReply(tuple(said.split("\n")) == _RESCAN_OK, said, _near_line(said))


def read_ok(text: str) -> ReloadReply:
    """Read the answer of a command that says `+OK` and means it."""
    said = text.rstrip("\n")
    return ReloadReply(said.startswith("+OK"), said)


def read_killed(text: str) -> ReloadReply:
    """Read the answer to `sofia profile P killgw NAME`: one that does not run needs no end."""
    said = text.rstrip("\n")
    return ReloadReply(said in ("+OK gateway marked for deletion.", "-ERR no such gateway."), said)


JUDGES: Final[Mapping[str, Callable[[str], ReloadReply]]] = {
    "reload": read_reload,
    "rescan": read_rescan,
    "killgw": read_killed,
    "ok": read_ok,
}
"""Who judges the answer to a step of a reload."""


def _near_line(said: str) -> int | None:
    found = _NEAR_LINE.search(said)
    return int(found[1]) if found else None


_ELEMENT_NAME = re.compile(r"[a-z][a-z-]*")
_STATUS = re.compile(r"(.*) exp\([^()]*\) expsecs\((-?\d{1,12})\)", re.DOTALL)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


def read_registrations(text: str) -> tuple[Registration, ...]:
    """Read the answer to `sofia xmlstatus profile P reg`.

    It looks like XML but is not always: mod_sofia writes the Call-ID as the phone sent it, and a
    Call-ID may hold `<`, `>` and `/`, so a phone could close the element and forge another
    user's registration, or break the document. mod_sofia writes one element per line, and a
    Call-ID has no line break: the line is what can be trusted. The header says ISO-8859-1, but
    the bytes are those that the phones sent, in practice UTF-8.

    Raises SwitchProtocolError for anything else, such as `Invalid Profile!`.
    """
    if not text.startswith("<?xml ") or "<profile>" not in text:
        raise SwitchProtocolError(f"a list of registrations expected, found {text[:60]!a}")
    return tuple(_registration(fields) for fields in _fields_of("registration", text))


def read_gateways(text: str) -> tuple[Gateway, ...]:
    """Read the answer to `sofia xmlstatus gateway [NAME]`: one element per line (mod_sofia.c).

    Raises SwitchProtocolError for anything else.
    """
    if not text.startswith("<?xml "):
        raise SwitchProtocolError(f"a list of gateways expected, found {text[:60]!a}")
    found = tuple(_gateway(fields) for fields in _fields_of("gateway", text))
    if not found and "<gateways>" not in text:
        raise SwitchProtocolError(f"a gateway expected, found {text[:60]!a}")
    return found


_AS_THEY_ARE = (
    *("name", "profile", "state", "status", "realm", "username"),
    *("proxy", "context", "expires"),
)


def _gateway(fields: Mapping[str, str]) -> Gateway:
    latency = fields.get("pingtime", "")
    return Gateway(
        **{name: fields.get(name, "") for name in _AS_THEY_ARE},
        password=fields.get("password") == "yes",
        sender=_unescape(fields.get("from", "")),
        extension=_unescape(fields.get("exten", "")),
        ping=_whole(fields.get("pingfreq")),
        latency=float(latency) if re.fullmatch(r"[0-9]{1,9}\.[0-9]{2}", latency) else 0.0,
        calls_in=_whole(fields.get("calls-in")),
        calls_out=_whole(fields.get("calls-out")),
        failed_in=_whole(fields.get("failed-calls-in")),
        failed_out=_whole(fields.get("failed-calls-out")),
    )


def _fields_of(kind: str, text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] | None = None
    for line in text.split("\n"):
        sign = line.strip()
        if sign == f"<{kind}>" and fields is None:
            fields = {}
        elif sign == f"</{kind}>" and fields is not None:
            yield fields
            fields = None
        elif fields is not None and (found := _element(sign)):
            fields.setdefault(*found)


def _element(text: str) -> tuple[str, str] | None:
    """Return the name and text of `<name>text</name>`; None for anything else."""
    name, _, rest = text[1:].partition(">")
    inside = rest.removesuffix(f"</{name}>")
    if text[:1] != "<" or inside == rest or not _ELEMENT_NAME.fullmatch(name):
        return None
    return name, inside


def _registration(fields: Mapping[str, str]) -> Registration:
    user, _, domain = fields.get("user", "").rpartition("@")
    status = _STATUS.fullmatch(fields.get("status", ""))
    port = fields.get("network-port", "")
    return Registration(
        user=user,
        domain=domain,
        contact=_unescape(fields.get("contact", "")),
        user_agent=_unescape(fields.get("agent", "")),
        status=status[1] if status else fields.get("status", ""),
        expires=int(status[2]) if status else 0,
        network_ip=fields.get("network-ip", ""),
        network_port=_whole(port),
        call_id=fields.get("call-id", ""),
        host=fields.get("host", ""),
    )


def _unescape(text: str) -> str:
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    return text


_TEXTS = {
    **{name: name for name in ("uuid", "call_uuid", "direction", "name", "state", "context")},
    **{name: name for name in ("application", "read_codec", "write_codec", "initial_context")},
    "call_state": "callstate", "caller_name": "cid_name", "caller_number": "cid_num",
    "destination": "dest", "network_ip": "ip_addr", "presence": "presence_id",
    "initial_destination": "initial_dest",
}  # fmt: skip
"""Which text of a row each field of a channel is."""


def read_channels(body: bytes) -> tuple[Channel, ...]:
    """Read the answer to `show channels as json`. Raises SwitchProtocolError if it is not that."""
    return tuple(
        Channel(
            created=_whole(row.get("created_epoch")),
            **{field: _text(row, name) for field, name in _TEXTS.items()},
        )
        for row in _rows(body)
    )


def _rows(body: bytes) -> list[dict[str, Any]]:
    rows = decode_json_object(body).get("rows", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SwitchProtocolError(f"`rows` is no list of rows: {body[:60].decode('latin-1')!a}")
    return rows


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int:
    text = str(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else 0


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

    user: str = field(metadata=text("The user."))
    domain: str = field(metadata=text("Its domain."))
    address: str = field(metadata=text("Where it is logged in from."))
    profile: str = field(metadata=text("The profile of mod_verto."))


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
