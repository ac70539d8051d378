"""Known secrets, and a search for them in every spelling in which they are still readable."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.parse
from typing import TYPE_CHECKING

from project import KEY
from secret_sources import EXTENSIONS, NAMED

from fsgitops.secret.key import ProjectKey, derive_sip_password, derive_voicemail_pin

if TYPE_CHECKING:
    from secret_sources import Planted

MARK = "Zq{kind}+9/=ü Wk"
ESL_PASSWORD = "Esl+Geheim/77=="
_HEX_BEFORE = re.compile(rb"[0-9a-f-]*\Z")
_HEX_AFTER = re.compile(rb"[0-9a-f-]*")
DOMAINS = ("sandbox.example", "pbx.example.com")


def spellings(secret: str) -> set[bytes]:
    """Return every way in which a secret is still readable."""
    raw = secret.encode()
    found = {
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        urllib.parse.quote(secret, safe="").encode(),
        urllib.parse.quote(secret).encode(),
        urllib.parse.quote_plus(secret).encode(),
        json.dumps(secret)[1:-1].encode(),
        repr(secret)[1:-1].encode(),
        secret.encode("utf-16-le"),
        raw[::-1],
    }
    if len(raw) >= 12:
        # In base64 the neighbours of a secret change its first and last letters only.
        for before in range(3):
            text = base64.b64encode(b"\0" * before + raw)
            inner = text[4 if before else 0 : len(text) // 4 * 4 - 4]
            found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return {item for item in found if len(item) >= 6}


class Search:
    """Knows all that must not be found, and finds it."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self._needles = {word: name for name, text in secrets.items() for word in spellings(text)}
        self._any = re.compile(b"|".join(re.escape(word) for word in self._needles))

    def find(self, where: str, data: bytes) -> list[str]:
        hits = {hit[0] for hit in self._any.finditer(data) if not is_chance(hit)}
        return sorted(f"{where}: {self._needles[hit]}" for hit in hits)


def is_chance(hit: re.Match[bytes]) -> bool:
    """Whether a PIN is only a part of a digest or a UUID: six digits turn up there by chance."""
    if not hit[0].isdigit() or len(hit[0]) > 10:
        return False
    before = _HEX_BEFORE.search(hit.string[max(0, hit.start() - 64) : hit.start()])
    after = _HEX_AFTER.match(hit.string[hit.end() : hit.end() + 64])
    around = (before[0] if before else b"") + (after[0] if after else b"")
    return len(around) >= 10 and re.search(rb"[a-f]", around) is not None


def all_secrets(planted: Planted) -> tuple[dict[str, str], dict[str, str]]:
    """Return what may stand nowhere, and what may stand in the conf directory only."""
    key = ProjectKey(base64.b64decode(KEY))
    plain: dict[str, str] = {"project key": KEY, "ESL password": ESL_PASSWORD}
    hashes: dict[str, str] = {}
    for domain in DOMAINS:
        derived = {
            "password": derive_sip_password(key, "2100", domain, 1).reveal(),
            "PIN": derive_voicemail_pin(key, "2100", domain, 1).reveal(),
        }
        for field, value in derived.items():
            plain[f"derived {field} ({domain})"] = value
        for kind in NAMED:
            plain[f"{kind} password"] = planted.passwords[kind]
            plain[f"{kind} PIN"] = planted.pins[kind]
        for kind, extension in EXTENSIONS.items():
            for field, own in (("password", planted.passwords), ("PIN", planted.pins)):
                text = own.get(kind) or derived[field]
                word = f"{extension}:{domain}:{text}".encode()
                hashes[f"hash of the {kind} {field} ({domain})"] = hashlib.md5(word).hexdigest()
    return plain, hashes
