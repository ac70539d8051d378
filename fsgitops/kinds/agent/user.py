"""What an agent means to a switch: its directory user, and which values that may not hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.model.draft import Global
from fsgitops.model.params import judge_param
from fsgitops.model.variables import judge_variable
from fsgitops.rules.texts import is_safe, unsafe_reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.model.kind import Site

OUTBOUND_NAME: Final = Global("$${outbound_caller_name}")
OUTBOUND_NUMBER: Final = Global("$${outbound_caller_id}")
WEBRTC_VARIABLES: Final = (
    "media_webrtc",
    "rtp_secure_media",
    "rtp_secure_media_inbound",
    "rtp_secure_media_outbound",
    "sip_secure_media",
)

_EMAIL: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+%-]*@[A-Za-z0-9][A-Za-z0-9.-]*", re.ASCII)
# switch_sanitize_number in src/include/switch_utils.h cuts a name at these before sofia sends it.
_CUT: Final = re.compile(r"[:/@]")
# switch_url_decode takes `% 1` and `%a` for a character as well: sscanf reads "%2x".
_ALTERED: Final = re.compile(r"[%\\:/@\"]")
_DECODED: Final = re.compile(r"%(?=\s*[+-]?[0-9A-Fa-f])")


def encode_caller_name(name: str) -> str:
    """Return what to write for a name; most names are returned as they are.

    check_decode in mod_sofia.h decodes `%3A` and its like after FreeSWITCH has cut the name, and
    then keeps what stands between the first and the last double quote. A backslash would escape
    the character after it in the header. (Seen: From and Remote-Party-ID hold the whole name.)
    """
    if not _ALTERED.search(name):
        return name
    text = _DECODED.sub("%25", name).replace("\\", "%5C%5C")
    text = _CUT.sub(lambda found: f"%{ord(found[0]):02X}", text)
    if '"' not in text:
        return text
    inner = text.replace('"', "%5C%22")
    return f"%22{inner}%22"


def user_params(agent: Agent, sip_hash: str, voicemail_hash: str) -> Mapping[str, str]:
    """Return the parameters of an agent's user; `voicemail_hash` is unused without voicemail.

    What is declared in `params` is instead of what follows from the mailbox's address.
    """
    if not agent.voicemail.enabled:
        return {"a1-hash": sip_hash, "vm-enabled": "false", **_lower(agent.params)}
    params = {"a1-hash": sip_hash, "vm-a1-hash": voicemail_hash, "vm-enabled": "true"}
    if agent.voicemail.email:
        params |= {
            "vm-mailto": agent.voicemail.email,
            "vm-email-all-messages": "true",
            "vm-attach-file": "true",
            "vm-keep-local-after-email": "true",
        }
    return params | _lower(agent.params) if agent.params else params


def _lower(params: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in params.items()}


def user_variables(agent: Agent, site: Site) -> Mapping[str, str]:
    """Return the variables of an agent's user.

    A value `$${name}` is what the file holds; the switch holds what its preprocessor put there.
    """
    own = encode_caller_name(agent.caller_id_name) if agent.caller_id_name else None
    default = encode_caller_name(site.caller_name) if site.caller_name else None
    variables = {
        "toll_allow": ",".join(agent.toll_allow),
        "accountcode": agent.extension,
        "user_context": agent.context,
        "effective_caller_id_name": own or encode_caller_name(agent.name),
        "effective_caller_id_number": agent.caller_id_number or agent.extension,
        "outbound_caller_id_name": own or default or OUTBOUND_NAME,
        "outbound_caller_id_number": agent.caller_id_number or site.caller_id or OUTBOUND_NUMBER,
    }
    if agent.groups:
        variables["callgroup"] = ",".join(agent.groups)
    if agent.webrtc:
        variables.update(dict.fromkeys(WEBRTC_VARIABLES, "true"))
    variables["fsgitops_agent"] = "true"
    variables["fsgitops_extension"] = agent.extension
    variables["fsgitops_voicemail"] = "true" if agent.voicemail.enabled else "false"
    if agent.phone_forwarding:
        variables["fsgitops_phone_forwarding"] = "true"
    variables.update((name, Global(value)) for name, value in agent.variables.items())
    return variables


def _differ_in_case(names: Collection[str]) -> bool:
    return len(names) > 1 and len(set(map(str.lower, names))) != len(names)


def refusals(agent: Agent, own: Collection[str]) -> list[str]:
    """Return why an agent must not be written; `own` are the names that are the project's own.

    The rules say the same of what is declared. This is the defence that needs none of them.
    """
    reasons = []
    for name, value in agent.variables.items():
        refusal = judge_variable(name, value, own)
        if refusal is None and is_safe(value):
            continue
        why = unsafe_reason(Global(value)) or (refusal.message if refusal else None)
        reasons += [f"variables: {name!r}: {why}"] if why else []
    for name, value in agent.params.items():
        if refusal := judge_param(name, value):
            reasons.append(f"params: {name!r}: {refusal.message}")
    if _differ_in_case(agent.params):
        reasons.append("params: two names differ only in case")
    if _differ_in_case(agent.variables):
        reasons.append("variables: two names differ only in case, and FreeSWITCH keeps one of them")
    email = agent.voicemail.email
    if agent.voicemail.enabled and email and not _EMAIL.fullmatch(email):
        reasons.append(f"voicemail email {email!r}: FreeSWITCH hands it to a shell command")
    for field, items in (("groups", agent.groups), ("toll_allow", agent.toll_allow)):
        if "," in "".join(items):
            reasons.append(f"{field}: a comma would make two of one")
    return reasons
