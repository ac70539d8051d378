"""A leg of a simulated call: its rows in `show`, and the headers of its events."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST_NAME: Final = "fsgitops-sandbox"


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a simulated call; times are in seconds since 1970 UTC, 0: it has not come to it.

    `destination` is what was dialled last, `initial_destination` at first. `other` is the uuid of
    the leg that it is bridged to, and `maker` that of the leg that made it.
    """

    name: str
    direction: str
    destination: str
    caller_name: str = ""
    caller_number: str = ""
    context: str = "default"
    presence: str = ""
    initial_destination: str = ""
    initial_context: str = ""
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    call_uuid: str = ""
    other: str = ""
    maker: str = ""
    application: str = ""
    application_data: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    answered: float = 0
    ended: float = 0
    cause: str = ""

    def channel_row(self) -> dict[str, str]:
        """Return the leg as `show channels as json` shows it."""
        return self._row() | {
            "application": self.application, "application_data": self.application_data,
            "dialplan": "XML", "context": self.context,
            "read_codec": "PCMU", "read_rate": "8000", "read_bit_rate": "64000",
            "write_codec": "PCMU", "write_rate": "8000", "write_bit_rate": "64000",
            "secure": "", "hostname": HOST_NAME, "call_uuid": self.call_uuid,
            "initial_cid_name": self.caller_name, "initial_cid_num": self.caller_number,
            "initial_ip_addr": "127.0.0.1",
            "initial_dest": self.initial_destination or self.destination,
            "initial_dialplan": "XML", "initial_context": self.initial_context or self.context,
        }  # fmt: skip

    def _row(self) -> dict[str, str]:
        return {
            "uuid": self.uuid, "direction": self.direction,
            "created": _stamp(self.created), "created_epoch": str(int(self.created)),
            "name": self.name, "state": "CS_EXCHANGE_MEDIA" if self.other else "CS_EXECUTE",
            "cid_name": self.caller_name, "cid_num": self.caller_number, "ip_addr": "127.0.0.1",
            "dest": self.destination, "presence_id": self.presence, "presence_data": "",
            "accountcode": "", "callstate": "ACTIVE", "callee_name": "",
            "callee_num": self.destination, "callee_direction": "SEND",
        }  # fmt: skip

    def call_row(self, other: Leg) -> dict[str, str]:
        """Return this leg and the one it is bridged to as `show calls as json` shows them."""
        joined = {f"b_{name}": value for name, value in other._row().items()}
        row = self._row() | {"call_uuid": self.call_uuid, "hostname": HOST_NAME}
        return row | joined | {"call_created_epoch": str(int(other.created))}

    def event_headers(self) -> dict[str, str]:
        """Return what every event of the channel says, with all of its variables."""
        state = "HANGUP" if self.ended else "ACTIVE" if self.answered else "RINGING"
        shown = {
            "Channel-State": "CS_REPORTING" if self.ended else self._row()["state"],
            "Channel-Call-State": state, "Channel-Name": self.name, "Unique-ID": self.uuid,
            "Call-Direction": self.direction, "Presence-Call-Direction": self.direction,
            "Channel-Presence-ID": self.presence, "Channel-Call-UUID": self.call_uuid or self.uuid,
            "Answer-State": "hangup" if self.ended else "answered" if self.answered else "ringing",
            "Caller-Direction": self.direction, "Caller-Logical-Direction": self.direction,
            "Caller-Dialplan": "XML", "Caller-Caller-ID-Name": self.caller_name,
            "Caller-Caller-ID-Number": self.caller_number,
            "Caller-Orig-Caller-ID-Name": self.caller_name,
            "Caller-Orig-Caller-ID-Number": self.caller_number,
            "Caller-Network-Addr": "127.0.0.1", "Caller-ANI": self.caller_number,
            "Caller-Destination-Number": self.destination, "Caller-Unique-ID": self.uuid,
            "Caller-Source": "mod_sofia", "Caller-Context": self.context,
            "Caller-RDNIS": self.initial_destination, "Caller-Channel-Name": self.name,
            "Caller-Channel-Created-Time": _micro(self.created),
            "Caller-Channel-Answered-Time": _micro(self.answered),
            "Caller-Channel-Hangup-Time": _micro(self.ended),
            "Other-Leg-Unique-ID": self.other, "Hangup-Cause": self.cause,
        }  # fmt: skip
        variables = {**self.variables, **self._describe()}
        given = {f"variable_{name}": value for name, value in variables.items()}
        return {name: value for name, value in (shown | given).items() if value}

    def _describe(self) -> dict[str, str]:
        """Return the variables that FreeSWITCH sets itself; those of times once the leg ended."""
        found = {
            "direction": self.direction, "uuid": self.uuid, "call_uuid": self.call_uuid,
            "channel_name": self.name, "presence_id": self.presence, "bridge_uuid": self.other,
            "last_bridge_to": self.other, "originating_leg_uuid": self.maker,
            "sip_network_ip": "127.0.0.1", "sip_req_user": self.initial_destination,
        }  # fmt: skip
        if not self.ended:
            return found
        from fsgitops.model.causes import CAUSES

        for name in ("start", "answer", "end"):
            at = {"start": self.created, "answer": self.answered, "end": self.ended}[name]
            found |= {
                f"{name}_stamp": _stamp(at) if at else "", f"{name}_epoch": str(int(at)),
                f"{name}_uepoch": _micro(at),
            }  # fmt: skip
        spoken = self.ended - self.answered if self.answered else 0
        return found | {
            "duration": str(int(self.ended) - int(self.created)), "billsec": str(int(spoken)),
            "hangup_cause": self.cause, "hangup_cause_q850": str(CAUSES.get(self.cause, 16)),
            "last_app": self.application, "last_arg": self.application_data,
            "caller_id": f'"{self.caller_name}" <{self.caller_number}>',
        }  # fmt: skip


def _stamp(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _micro(at: float) -> str:
    return str(int(at * 1_000_000))
