"""Which variables an agent may declare: known harmless ones, each with its shape, and the site's.

The rules and the compiler ask the same function. What FreeSWITCH or a module of it reads is
refused unless it is on the list: it may run a command (`vm_operator_extension`, which takes a
dialplan), dial (`default_gateway`) or change who is charged (docs/variables.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

PREFIX: Final = "site_"
"""Names that begin so are a site's own: nothing in FreeSWITCH reads one."""

Kind = Literal["name", "reserved", "unknown", "value"]


class Refusal(NamedTuple):
    """Why a variable must not be declared, and what to do instead."""

    kind: Kind
    message: str
    hint: str


class Shape(NamedTuple):
    """What a value looks like: the pattern of all of it, in words, and whether a global may be it.

    No pattern lets through what FreeSWITCH acts on: `'`, `::`, `|`, `{`, `$`, or a blank before a
    word of a command. `local_stream://` and tones cannot leave the switch.
    """

    pattern: re.Pattern[str]
    words: str
    globals: bool = False


def _shape(pattern: str, words: str, *, globals: bool = False) -> Shape:  # noqa: A002
    return Shape(re.compile(pattern, re.ASCII), words, globals)


# Hold music is handed to switch_ivr_broadcast, which runs `application::data`; a path may not lead
# out of the sound folder, where recordings are.
_AUDIO: Final = _shape(
    r"(?:local|silence)_stream://[A-Za-z0-9_-]+(?:[/,.][A-Za-z0-9_-]+)*"
    r"|(?:tone_stream://)?%\([0-9., ]{1,80}\)(?:;loops=-?[0-9]{1,4})?|silence|indicate_hold"
    r"|[A-Za-z0-9_-]+(?:[/.][A-Za-z0-9_-]+)*\.(?:wav|mp3|ogg|opus|gsm)",
    "a sound: `local_stream://NAME`, `%(2000,4000,440,480)`, or a relative path (`moh/a.wav`)",
    globals=True,
)
SWITCH: Final = _shape(r"true|false|yes|no|on|off", "true or false")
NUMBER: Final = _shape(r"[0-9]{1,6}", "a number of at most 6 digits")
_CODECS: Final = _shape(
    r"[A-Za-z0-9][A-Za-z0-9_.@,-]{0,255}", "codecs, such as `OPUS,PCMU@20i`", globals=True
)
_LANGUAGE: Final = _shape(
    r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4})?", "a language, such as `de`", globals=True
)
ZONE: Final = _shape(
    r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}",
    "a time zone, such as `Europe/Berlin`",
    globals=True,
)
_TEXT: Final = _shape(
    r"[A-Za-z0-9](?:[A-Za-z0-9 .,+_#@/&()-]|:(?!:)){0,199}",
    "plain text: letters, digits, ` .,:+-_#@/&()`",
)
_HEADER_VALUE: Final = _shape(
    r"[A-Za-z0-9+](?:[A-Za-z0-9 .,+_#@/?=~*;%-]|:(?!:)){0,199}", "plain text for a SIP header"
)

# As people know them: `:`, `/`, `@`, `%` and quotes are altered by FreeSWITCH (encode_caller_name).
_CALLER_NAME: Final = Shape(
    re.compile(r"[^\W_](?:[\w .,'&()+-]{0,78}[\w.,'&()+-])?"),
    "a name of letters, digits, blanks and `.,'&()+-_`",
    globals=True,
)
_CALLER_NUMBER: Final = _shape(r"\+?[0-9]{2,20}", "a number in digits", globals=True)

LISTED: Final[dict[str, Shape]] = {
    **dict.fromkeys(("hold_music", "temp_hold_music", "transfer_ringback", "ringback"), _AUDIO),
    **dict.fromkeys(
        (
            *("ignore_early_media", "instant_ringback", "suppress_cng", "supress_cng"),
            *("rtp_jitter_buffer_plc", "inherit_codec", "t38_passthru", "verbose_events"),
            *("record_stereo", "record_stereo_swap", "record_answer_req", "record_bridge_req"),
            *("fax_enable_t38", "fax_enable_t38_request", "fax_disable_v17", "fax_use_ecm"),
            *("fax_verbose", "skip_greeting", "skip_instructions"),
            "sip-allow-multiple-registrations",
        ),
        SWITCH,
    ),
    **dict.fromkeys(
        (
            *("call_timeout", "originate_timeout", "rtp_timeout_sec", "rtp_hold_timeout_sec"),
            *("media_timeout", "media_hold_timeout", "record_sample_rate", "record_min_sec"),
            *("voicemail_greeting_number", "sip-force-expires"),
        ),
        NUMBER,
    ),
    **dict.fromkeys(("absolute_codec_string", "codec_string"), _CODECS),
    **dict.fromkeys(("default_language", "language"), _LANGUAGE),
    **dict.fromkeys(("timezone",), ZONE),
    **dict.fromkeys(
        (
            *("record_title", "record_copyright", "record_software", "record_artist"),
            *("record_comment", "record_date", "fax_ident", "fax_header", "userfield"),
            "call_clientcode",
        ),
        _TEXT,
    ),
    **dict.fromkeys(("effective_caller_id_name", "outbound_caller_id_name"), _CALLER_NAME),
    **dict.fromkeys(("effective_caller_id_number", "outbound_caller_id_number"), _CALLER_NUMBER),
    "accountcode": _shape(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}", "letters, digits and `_.@+-`"),
    "dtmf_type": _shape(r"rfc2833|info|none|auto", "rfc2833, info, none or auto"),
    "jitterbuffer_msec": _shape(
        r"false|[0-9]{1,4}p?(?::[0-9]{1,4}p?){0,2}", "milliseconds, such as `60:200:20`"
    ),
    "numbering_plan": _shape(r"[A-Z]{2}", "a region, such as `US`"),
    "presence_id": _shape(r"[A-Za-z0-9_.-]{1,64}@[A-Za-z0-9.-]{1,253}", "`EXTENSION@DOMAIN`"),
    "rtp_secure_media_suites": _shape(r"[A-Z0-9_]+(?::[A-Z0-9_]+)*", "suites, joined by `:`"),
    "sip_cid_type": _shape(r"rpid|pid|none", "rpid, pid or none"),
    "sip-force-contact": _shape(r"NDLB-[A-Za-z0-9.-]{1,60}", "one of FreeSWITCH's `NDLB-…` words"),
}
"""Variables, in small letters, that FreeSWITCH reads and that neither run nor route anything."""

RESERVED: Final = {
    "toll_allow": "Set `toll_allow` of the agent.",
    "user_context": "Set `context` of the agent.",
    "callgroup": "Set `groups` of the agent.",
    "media_webrtc": "Set `webrtc: true` on the agent.",
    "rtp_secure_media": "Set `webrtc: true` on the agent.",
    "rtp_secure_media_inbound": "Set `webrtc: true` on the agent.",
    "rtp_secure_media_outbound": "Set `webrtc: true` on the agent.",
    "sip_secure_media": "Set `webrtc: true` on the agent.",
    "domain_name": "It is the domain of the target.",
    "user_name": "Set `user` of the agent; it is the extension otherwise.",
    "destination_number": "It is what the caller dialled.",
}

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_HEADER: Final = re.compile(r"sip_h_x-(?!fs-)[a-z0-9-]{1,48}", re.ASCII)
_GLOBAL: Final = re.compile(r"\$\$\{[A-Za-z_][A-Za-z0-9_.-]{0,63}\}", re.ASCII)
# Formats of FreeSWITCH's modules stand before `://`; mod_shell_stream runs what follows.
_WORD: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-"
_STREAMS: Final = frozenset(("http", "https", "local_stream", "silence_stream", "tone_stream"))


def judge_variable(name: str, value: str, own: Collection[str]) -> Refusal | None:
    """Return why an agent must not declare this variable, or None.

    `own` are the names, in small letters, that the project declares as its own. FreeSWITCH finds
    variables without regard to case (switch_event_get_header_ptr in src/switch_event.c).
    """
    lower = name.lower()
    if not _NAME.fullmatch(name):
        return _MALFORMED
    shape = LISTED.get(lower) or (_HEADER_VALUE if _HEADER.fullmatch(lower) else None)
    if shape is None:
        if not lower.startswith(PREFIX) and (refusal := _judge_own(name, lower, own)):
            return refusal
        return _judge_stream(name, value)
    if shape.pattern.fullmatch(value) or (shape.globals and _GLOBAL.fullmatch(value)):
        return None
    message = f"the value of `{name}` is not {shape.words}"
    return Refusal(
        "value", message, "Write it in that form: FreeSWITCH could act on anything else."
    )


def judge_own_name(name: str) -> Refusal | None:
    """Return why a project must not declare a name as its own, or None."""
    if not _NAME.fullmatch(name):
        return _MALFORMED
    lower = name.lower()
    if lower in LISTED or _HEADER.fullmatch(lower):
        return None
    return _judge_own(name, lower, (lower,))


_MALFORMED: Final = Refusal(
    "name",
    "this is not a name for a variable; expected a letter or `_`, then at most 63 letters, "
    "digits, `_` or `-`",
    "Rename the variable.",
)


def _judge_own(name: str, lower: str, own: Collection[str]) -> Refusal | None:
    from fsgitops.model.switch_names import FAMILIES, READ

    if lower in RESERVED or lower.startswith("fsgitops_"):
        message = f"the variable `{name}` is reserved: fsgitops writes it"
        return Refusal("reserved", message, RESERVED.get(lower, "Rename the variable."))
    family, underscore, _ = lower.partition("_")
    if lower in READ:
        return _refuse_read(name, f"FreeSWITCH reads the variable `{name}`")
    if (underscore and family in FAMILIES) or "-" in lower or not family:
        kind = "with `-`" if "-" in lower else f"that begin with `{family}_`"
        return _refuse_read(name, f"FreeSWITCH reads variables {kind}, such as `{name}`")
    if lower in own:
        return None
    hint = (
        f"{_guess(lower)}If it is your own, name it `{PREFIX}{name}`, or add it to "
        f"`variables: {{allow: [{name}]}}` in fsgitops.yaml."
    )
    return Refusal("unknown", f"fsgitops does not know the variable `{name}`", hint)


def _refuse_read(name: str, message: str) -> Refusal:
    own = PREFIX + name.replace("-", "_").lstrip("_")
    hint = (
        f"{_guess(name.lower())}Set it in the dialplan, where it is reviewed as code; if it is "
        f"your own, name it `{own}`."
    )
    return Refusal("unknown", f"{message}, and it is not on the list of harmless variables", hint)


def _guess(lower: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(lower, [*LISTED, *RESERVED], n=1, cutoff=0.8)
    return f"Did you mean `{near[0]}`? " if near else ""


def _judge_stream(name: str, value: str) -> Refusal | None:
    for before in value.split("://")[:-1]:
        scheme = before[len(before.rstrip(_WORD)) :]
        if scheme.lower() not in _STREAMS:
            message = f"the value of `{name}` holds `{scheme}://`, which FreeSWITCH may act on"
            return Refusal("value", message, f"Known streams are {', '.join(sorted(_STREAMS))}.")
    return None
