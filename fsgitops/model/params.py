"""Which parameters an agent may declare beside its fields: harmless ones, each with its shape.

The rules and the compiler ask the same function. A parameter of a directory user can run a command
(`vm-convert-cmd`), let phones in without a password (`allow-empty-password`) or dial
(`vm-operator-extension`), so what is not on the list is refused (docs/variables.md).
"""

from __future__ import annotations

import re
from typing import Final

from fsgitops.model.variables import NUMBER, SWITCH, ZONE, Refusal, Shape

_ADDRESS: Final = Shape(
    re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,190}", re.ASCII),
    "an address of letters, digits and `. _ + -`, such as alice@example.com",
)
_BOX: Final = Shape(
    re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,190}", re.ASCII),
    "`EXTENSION@DOMAIN`",
)
# `sofia/gateway/…` would ring a number outside at this site's cost, and `loopback/…` run dialplan.
_DIAL: Final = Shape(
    re.compile(
        r"sofia/(?!gateway/|gateway::)[A-Za-z0-9_-]{1,32}/(?:sip:)?[A-Za-z0-9+_.-]{1,64}"
        r"@[A-Za-z0-9.-]{1,190}(?::[0-9]{1,5})?"
        r"|error/(?:user_busy|user_not_registered|no_answer|call_rejected)",
        re.ASCII,
    ),
    "`sofia/PROFILE/USER@HOST:PORT`, or `error/user_not_registered` and its like",
)

LISTED: Final[dict[str, Shape]] = {
    **dict.fromkeys(
        (
            *("sip-forbid-register", "vm-attach-file", "vm-email-all-messages"),
            *("vm-keep-local-after-email", "vm-notify-email-all-messages", "vm-skip-instructions"),
        ),
        SWITCH,
    ),
    **dict.fromkeys(("max-registrations-per-extension", "vm-disk-quota"), NUMBER),
    **dict.fromkeys(("vm-mailfrom", "vm-notify-mailto", "email-addr"), _ADDRESS),
    **dict.fromkeys(("mwi-account", "vm-cc"), _BOX),
    **dict.fromkeys(("dial-string", "group-dial-string"), _DIAL),
    "timezone": ZONE,
    "auth-acl": Shape(
        re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}|[0-9a-fA-F.:]{2,45}/[0-9]{1,3}", re.ASCII),
        "the name of an ACL, or one network: `192.0.2.0/24`",
    ),
    "jsonrpc-allowed-methods": Shape(re.compile(r"verto"), "`verto`"),
    "user-agent-filter": Shape(
        re.compile(r"\^?[A-Za-z0-9][A-Za-z0-9 ._/-]{0,99}", re.ASCII),
        "plain text: letters, digits, ` ._/-`, after a `^` perhaps",
    ),
    "vm-alternate-greet-id": Shape(re.compile(r"[0-9]{2,11}"), "digits"),
    "vm-message-ext": Shape(re.compile(r"wav|mp3|ogg"), "wav, mp3 or ogg"),
}
"""Parameters, in small letters, that neither run, dial, nor let anybody in."""

RESERVED: Final = {
    **dict.fromkeys(("password", "a1-hash"), "Set `password` of the agent."),
    **dict.fromkeys(("vm-password", "vm-a1-hash"), "Set `voicemail: {pin: …}` of the agent."),
    "vm-enabled": "Set `voicemail` of the agent.",
    "vm-mailto": "Set `voicemail: {email: …}` of the agent.",
    "verto-context": "Set `context` of the agent.",
    "cacheable": "Set `cacheable: true` of the agent: it is no parameter.",
}

_REFUSED: Final = {
    "allow-empty-password": "lets phones register without a password",
    **dict.fromkeys(("vm-convert-cmd", "vm-convert-ext"), "is a command of a shell"),
    "vm-operator-extension": "may name the dialplan `inline`, in which an extension is run",
    **dict.fromkeys(
        ("vm-storage-dir", "vm-domain-storage-dir", "storage-dir"), "is a path that is written to"
    ),
    **dict.fromkeys(
        ("jsonrpc-allowed-fsapi", "jsonrpc-allowed-jsapi"), "lets a browser run commands"
    ),
    "jsonrpc-allowed-event-channels": "lets a browser see what others do",
    "jsonrpc-password": "is a password in plain text",
    **dict.fromkeys(("reverse-auth-user", "reverse-auth-pass"), "is a credential in plain text"),
    "verto-dialplan": "may name the dialplan `inline`, in which an extension is run",
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)


def judge_param(name: str, value: str) -> Refusal | None:
    """Return why an agent must not declare this parameter, or None.

    FreeSWITCH compares the names of parameters without regard to case.
    """
    lower = name.lower()
    shape = LISTED.get(lower)
    if shape is not None:
        if shape.pattern.fullmatch(value):
            return None
        message = f"the value of `{name}` is not {shape.words}"
        hint = "Write it in that form: FreeSWITCH could act on anything else."
        return Refusal("value", message, hint)
    if not _NAME.fullmatch(name):
        message = "this is not a name of a parameter; expected letters, digits and `-`"
        return Refusal("name", message, "Correct the name.")
    if lower in RESERVED:
        message = f"the parameter `{name}` is reserved: fsgitops writes it"
        return Refusal("reserved", message, RESERVED[lower])
    why = _REFUSED.get(lower)
    if lower.startswith("dial-var-"):
        why = "sets any variable on a leg, which can run commands"
    if why:
        hint = "Leave it out: it belongs where people review it as code."
        return Refusal("unknown", f"the parameter `{name}` {why}", hint)
    from difflib import get_close_matches

    near = get_close_matches(lower, [*LISTED, *RESERVED], n=1, cutoff=0.8)
    guess = f"Did you mean `{near[0]}`? " if near else ""
    hint = f"{guess}docs/variables.md lists the parameters that may be declared."
    return Refusal("unknown", f"the parameter `{name}` is not on the list of harmless ones", hint)
