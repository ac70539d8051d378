"""A variable has a name that FreeSWITCH takes, and not one that is written anyway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_RESERVED = {
    "toll_allow": "Set `toll_allow` of the agent.",
    "accountcode": "It is always the extension.",
    "user_context": "Set `context` of the agent.",
    "effective_caller_id_name": "Set `caller_id_name` of the agent.",
    "effective_caller_id_number": "Set `caller_id_number` of the agent.",
    "outbound_caller_id_name": "Set `caller_id_name` of the agent.",
    "outbound_caller_id_number": "Set `caller_id_number` of the agent.",
    "callgroup": "Set `groups` of the agent.",
    "media_webrtc": "Set `webrtc: true` on the agent.",
    "rtp_secure_media": "Set `webrtc: true` on the agent.",
    "rtp_secure_media_inbound": "Set `webrtc: true` on the agent.",
    "rtp_secure_media_outbound": "Set `webrtc: true` on the agent.",
    "sip_secure_media": "Set `webrtc: true` on the agent.",
    "domain_name": "It is the domain of the target.",
    "user_name": "It is always the extension.",
    "destination_number": "It is what the caller dialled.",
}


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every name of a variable that is malformed, reserved, or there twice."""
    for item in desired.agents:
        seen: dict[str, str] = {}
        for name in item.variables:
            # FreeSWITCH finds variables without regard to case (switch_event_get_header_ptr
            # in src/switch_event.c compares with strcasecmp).
            lower = name.lower()
            first = seen.setdefault(lower, name)
            if problem := _problem(name, lower, first):
                yield Breach(agent(item.extension), ("variables", name), *problem, key=True)


def _problem(name: str, lower: str, first: str) -> tuple[str, str] | None:
    if not _NAME.fullmatch(name):
        return (
            "this is not a name for a variable; a letter or `_` and then at most 63 letters, "
            "digits, `_` or `-` are expected",
            "Rename the variable.",
        )
    if lower.startswith("fsgitops_"):
        return f"the variable `{name}` is reserved: fsgitops writes it", "Rename the variable."
    if lower in _RESERVED:
        return f"the variable `{name}` is reserved: fsgitops writes it", _RESERVED[lower]
    if first != name:
        return (
            f"the variables `{first}` and `{name}` are one and the same to FreeSWITCH",
            "Remove one of them; it does not tell capital letters from small ones.",
        )
    return None
