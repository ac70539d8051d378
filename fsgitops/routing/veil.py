"""What the switch's preprocessor brings in is shown only where it is known to be no secret.

FreeSWITCH writes the value of `$${name}` into its memory, so what it holds in place of
`$${default_password}` is the password itself, under whatever name the attribute goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.model.plan import MASK
from fsgitops.routing.lines import find_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HARMLESS: Final = frozenset({
    "domain", "domain_name", "local_ip_v4", "local_ip_v6", "local_mask_v4", "hostname",
    "core_uuid", "switch_serial", "base_dir", "recordings_dir", "sound_prefix", "sounds_dir",
    "conf_dir", "log_dir", "run_dir", "db_dir", "mod_dir", "htdocs_dir", "script_dir", "temp_dir",
    "grammar_dir", "fonts_dir", "images_dir", "certs_dir", "storage_dir", "cache_dir", "data_dir",
    "localstate_dir", "hold_music", "use_profile", "default_areacode", "default_country",
    "default_language", "default_provider", "default_provider_from_domain", "bind_server_ip",
    "external_rtp_ip", "external_sip_ip", "internal_sip_port", "internal_tls_port",
    "external_sip_port", "external_tls_port", "outbound_caller_name", "outbound_caller_id",
    "global_codec_prefs", "outbound_codec_prefs", "presence_privacy", "call_debug", "beep", "sit",
    "bong-ring", "us-ring", "uk-ring", "de-ring", "fr-ring",
})  # fmt: skip
"""Variables of the core and of the stock `vars.xml` whose values may be shown; no other may."""

_SECRET_NAME: Final = re.compile(
    r"pass|pwd|psw|secret|token|cred|auth|key|hash|(^|[_.-])(pins?|pw|jwt|otp)($|[_.-])",
    re.IGNORECASE,
)
_PLAIN_WORDS: Final = frozenset({
    "true", "false", "yes", "no", "on", "off", "none", "auto", "default", "enabled", "disabled",
    "password", "secret",
})  # fmt: skip
_LONG: Final = 8
"""From this many characters on, a secret is found within other words too."""


class Veil:
    """Hides secrets in what is shown of a switch, by what they are called and by what they are.

    `variables` are the switch's global variables; of `names`, the value is hidden whatever they
    are called, unless they are known to be harmless.
    """

    __slots__ = ("_find", "_whole")

    def __init__(self, variables: Mapping[str, str], names: Iterable[str] = ()) -> None:
        named = {name.lower() for name in names} - HARMLESS
        values = {
            value
            for name, value in variables.items()
            if value.strip() and (name.lower() in named or is_secret_name(name))
        }
        self._whole = {value for value in values if value.lower() not in _PLAIN_WORDS - _TELLING}
        forms = {form for value in self._whole for form in (value, repr(value)[1:-1])}
        parts = [_part(form) for form in sorted(forms, key=lambda form: (-len(form), form))]
        self._find = re.compile("|".join(part for part in parts if part) or r"(?!)")

    @property
    def pattern(self) -> str:
        """What finds the secrets: an expression that holds them, and is not to be shown."""
        return self._find.pattern

    def hide(self, text: str) -> str:
        """Return the text with every secret in it masked."""
        return MASK if text in self._whole else self._find.sub(MASK, text)

    def hide_held(self, text: str | None, *sources: str | None) -> str | None:
        """Return what the switch holds for a value, which stands in files as `sources` say.

        It is masked as a whole where a source takes something in that is not known as harmless.
        """
        if text is None:
            return None
        if any(name.lower() not in HARMLESS for name in find_names(*sources)):
            return MASK
        return self.hide(text)


_TELLING: Final = frozenset({"password", "secret"})
"""Poor secrets that are ordinary words too: hidden where they are a whole value."""


def is_secret_name(name: str) -> bool:
    """Tell whether what has this name is held to be a secret."""
    return name.lower() not in HARMLESS and _SECRET_NAME.search(name) is not None


def _part(value: str) -> str:
    """Return the expression that finds a secret within a text, "" for one that is any word."""
    if value.lower() in _PLAIN_WORDS:
        return ""
    if len(value) >= _LONG:
        return re.escape(value)
    return rf"(?<!\w){re.escape(value)}(?!\w)"
