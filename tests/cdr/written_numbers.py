"""A number as people and programs write it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

PHONE = "+12025550666"
DIGITS = "12025550666"


def base64_text(text: str | bytes) -> bytes:
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


def in_digits_from(zero: int) -> str:
    return "".join(chr(zero + int(digit)) for digit in DIGITS)


WRITTEN = {
    "plain": PHONE,
    "spaced": "1 (202) 555-0666",
    "en-dash": "1\u2013202\u2013555\u20130666",
    "no-break-space": "1\u00a0202\u00a0555\u00a00666",
    "narrow-space-and-dash": "+1\u202f202\u2010555\u22120666",
    "zero-width": "\u200b".join(DIGITS),
    "fillers": "\u3164\u115f".join(DIGITS),
    "control-characters": "\x01".join(DIGITS),
    "other-brackets": "{1}<202>{555}<0666>",
    "base64-of-full-width": base64_text(in_digits_from(0xFF10)).decode(),
    "bidi": "\u202e1202\u202c555\u20660666",
    "full-width": in_digits_from(0xFF10),
    "arabic": in_digits_from(0x660),
    "mathematical": in_digits_from(0x1D7CE),
    "percent": "".join(f"%{ord(c):02x}" for c in DIGITS),
    "percent-twice": quote(quote("+1 202 555 0666")),
    "behind-a-percent": f"%20{DIGITS}",
    "json-escapes": "".join(f"\\u{ord(c):04x}" for c in DIGITS),
    "base64": base64_text(PHONE).decode(),
    "base64-in-a-word": "x" + base64_text(f"a{DIGITS}").decode(),
    "base64-for-urls": base64.urlsafe_b64encode(f"\u00ff?{DIGITS}".encode()).decode(),
}


def posts() -> dict[str, bytes]:
    document = json.dumps({"variables": {"caller": PHONE}})
    escaped = document.replace(DIGITS, "".join(f"\\u{ord(c):04x}" for c in DIGITS))
    whole = base64_text(document)
    spaced = base64_text("\u00fb\u00ef\u00be " + document).replace(b"+", b" ")
    return {
        "json": document.encode(),
        "json-escapes": escaped.encode(),
        "form": b"cdr=" + quote(document, safe="").encode(),
        "form-base64": b"cdr=" + whole,
        "cut-off": b"cdr=" + whole[:-5],
        "begun-late": whole[3:],
        "plus-became-a-space": b"cdr=" + spaced,
        "percent-in-base64": base64_text(quote(document, safe="")),
        "base64-twice": base64_text(whole),
        "lines-of-76": base64.encodebytes(document.encode() * 3),
        "utf-16": document.encode("utf-16"),
        "utf-16-base64": base64_text(document.encode("utf-16")),
        "latin-1": "caf\u00e9 1\u00a0202\u00a0555\u00a00666".encode("latin-1"),
    }
