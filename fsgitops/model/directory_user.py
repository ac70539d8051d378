"""What an agent means to a switch: the directory user, and which values it may not hold.

One function says what is expected; the templates write it, the read-back compares with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.model.caller_name import encode_caller_name
from fsgitops.model.compiled import UNKNOWN, DirectoryUser
from fsgitops.model.variables import judge_variable

if TYPE_CHECKING:
    from collections.abc import Collection

    from fsgitops.model.desired import Agent

OUTBOUND_NAME: Final = "$${outbound_caller_name}"
OUTBOUND_NUMBER: Final = "$${outbound_caller_id}"
WEBRTC_VARIABLES: Final = (
    "media_webrtc",
    "rtp_secure_media",
    "rtp_secure_media_inbound",
    "rtp_secure_media_outbound",
    "sip_secure_media",
)

_GLOBAL: Final = re.compile(r"\$\$\{[A-Za-z_][A-Za-z0-9_.-]*\}")
_NOT_XML: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EMAIL: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+%-]*@[A-Za-z0-9][A-Za-z0-9.-]*", re.ASCII)
_HASHES = frozenset(("a1-hash", "vm-a1-hash"))


def expected_user(
    agent: Agent,
    *,
    sip_hash: str,
    voicemail_hash: str,
    default_caller_id: str | None = None,
    default_caller_name: str | None = None,
) -> DirectoryUser:
    """Return what the switch must hold for an agent once its file is loaded.

    A value `$${name}` is what the file holds; the switch holds what its preprocessor put there.

    Args:
        agent: The agent, validated.
        sip_hash: Its `a1-hash`, or UNKNOWN.
        voicemail_hash: Its `vm-a1-hash`, or UNKNOWN; unused without voicemail.
        default_caller_id: The number shown outside for agents that declare none.
        default_caller_name: The name shown outside for agents that declare none.
    """
    own = encode_caller_name(agent.caller_id_name) if agent.caller_id_name else None
    default = encode_caller_name(default_caller_name) if default_caller_name else None
    params = {"a1-hash": sip_hash, **_voicemail_params(agent, voicemail_hash)}
    variables = {
        "toll_allow": ",".join(agent.toll_allow),
        "accountcode": agent.extension,
        "user_context": agent.context,
        "effective_caller_id_name": own or encode_caller_name(agent.name),
        "effective_caller_id_number": agent.caller_id_number or agent.extension,
        "outbound_caller_id_name": own or default or OUTBOUND_NAME,
        "outbound_caller_id_number": agent.caller_id_number or default_caller_id or OUTBOUND_NUMBER,
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
    variables.update(agent.variables)
    return DirectoryUser(agent.extension, params, variables, _HASHES.intersection(params))


def _voicemail_params(agent: Agent, voicemail_hash: str) -> dict[str, str]:
    if not agent.voicemail.enabled:
        return {"vm-enabled": "false"}
    params = {"vm-a1-hash": voicemail_hash, "vm-enabled": "true"}
    if agent.voicemail.email:
        params |= {
            "vm-mailto": agent.voicemail.email,
            "vm-email-all-messages": "true",
            "vm-attach-file": "true",
            "vm-keep-local-after-email": "true",
        }
    return params


def unsafe_variables(agent: Agent, own: Collection[str]) -> list[str]:
    """Return why an agent's variables must not be written; `own` are the project's own names."""
    reasons = []
    for name, value in agent.variables.items():
        refusal = judge_variable(name, value, own)
        why = unsafe(value, global_variables=True) or (refusal.message if refusal else None)
        reasons += [f"variables: {name!r}: {why}"] if why else []
    if len({name.lower() for name in agent.variables}) != len(agent.variables):
        reasons.append("variables: two names differ only in case, and FreeSWITCH keeps one of them")
    return reasons


def unsafe_values(agent: Agent, user: DirectoryUser) -> list[str]:
    """Return why an agent's user must not be written, one sentence for each reason."""
    declared = agent.variables
    built_in = {
        name: value
        for name, value in user.variables.items()
        if value is not OUTBOUND_NAME and value is not OUTBOUND_NUMBER and name not in declared
    }
    reasons = []
    if not _is_plainly_safe(" ".join(built_in.values())):
        reasons += [f"{name}: {why}" for name, value in built_in.items() if (why := unsafe(value))]
    email = agent.voicemail.email
    if agent.voicemail.enabled and email and not _EMAIL.fullmatch(email):
        reasons.append(f"voicemail email {email!r}: FreeSWITCH hands it to a shell command")
    for field, items in (("groups", agent.groups), ("toll_allow", agent.toll_allow)):
        if any("," in item for item in items):
            reasons.append(f"{field}: a comma would make two of one")
    return reasons


def unsafe(value: str, *, global_variables: bool = False) -> str | None:
    """Return why a value must not reach a configuration file, or None.

    `$${name}` passes where `global_variables` says so. Sources: expand_vars and preprocess in
    switch_xml.c (a line that holds `X-PRE-PROCESS` is dropped or run), and
    switch_channel_expand_variables_check in switch_channel.c (`${…}` is run at call time, also
    when it comes out of another variable). A user that is looked up is a copy, written and parsed
    again, and switch_xml_ampencode in switch_xml.c escapes nothing after `<!`.
    """
    if _is_plainly_safe(value):
        return None
    if _NOT_XML.search(value):
        return "holds a control character, a line break, or one that XML cannot hold"
    if "x-pre-process" in value.lower():
        return "holds X-PRE-PROCESS, which FreeSWITCH takes for a directive"
    if "<!" in value:
        return "holds <!, after which FreeSWITCH stops escaping when it copies a user"
    if "`" in value:
        return "holds a backtick, which FreeSWITCH and shells take for the start of a command"
    if UNKNOWN in value:
        return f"holds {UNKNOWN}, which stands for a value that is not known yet"
    if "${" in (_GLOBAL.sub("", value) if global_variables else value):
        return "holds ${, which FreeSWITCH would run as code"
    return None


def _is_plainly_safe(text: str) -> bool:
    return (
        text.isprintable()
        and "${" not in text
        and "<!" not in text
        and "`" not in text
        and UNKNOWN not in text
        and "x-pre-process" not in text.lower()
    )
