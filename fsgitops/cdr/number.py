"""One person's number, found in whatever way a text writes or wraps it.

Digits of any script count, with spaces, dashes and brackets of any kind between them. A text is
also looked at as it reads once it is percent-decoded, as a JSON string, and where base64 stands in
it, up to three layers deep. What is packed (gzip and its like) cannot be searched, and says so.

Of the forms in which records have a number, one is shown for all, and all are looked for.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from fsgitops.errors import UsageError
from fsgitops.phone import (
    USUAL_LENGTHS,
    Lengths,
    NumberError,
    is_assignable,
    national_form,
    normalise_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_BETWEEN = r"[\x00-\x20\x7F(){}<>\[\]\\./,:;*~|'+_-]{0,4}"
_SPACED = 7
_LAYERS = 3
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{10,}")
_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
# What a text needs for being more than it seems. Base64 of digits, of whatever script, has
# capitals; that leaves out every UUID in lower case.
_UNUSUAL = r"[^\x00-\x7F]|%[0-9A-Fa-f][0-9A-Fa-f]|\\u[0-9A-Fa-f]|[A-Z][A-Za-z0-9+/_-]{5}"
_UNUSUAL_TEXT = re.compile(_UNUSUAL)
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_READABLE = bytes([9, 10, 13, *range(32, 127), *range(128, 256)])
_ASCII = bytes(byte if byte < 128 else ord("?") for byte in range(256))
_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters to Unicode, and nothing to the eye."""
_URL_SAFE = str.maketrans("-_", "+/")


class PackedError(ValueError):
    """The body is compressed: nobody can tell what is in it."""


def number_pattern(number: str) -> str:
    """Return the regular expression of a number: its digits, with or without `+`, `00` or `011`.

    Spaces, brackets, dots, slashes and dashes may stand between the digits of one with seven. For
    Python and for RE2.

    Raises UsageError for fewer than five digits: that would hit half of all records.
    """
    digits = _digits(number)
    # People write `+1 (202) 555-0666` into names; a short one would be found in versions and dates.
    spelt = _BETWEEN.join(digits) if len(digits) >= _SPACED else digits
    # What stands around the digits must not be a digit: 5550123 is not 15550123.
    return rf"(^|[^0-9])(00|011)?{spelt}([^0-9]|$)"


def _digits(number: str) -> str:
    digits = "".join(char for char in fold(number) if char.isdigit()).removeprefix("00")
    if len(digits) < 5:
        raise UsageError("erase: expected a whole number with at least five digits")
    return digits


def fold(text: str) -> str:
    """Return a text with every digit, dash and space as ASCII has it, and nothing invisible."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_FOLDED)


class _Folded(dict[int, str]):
    """What each character becomes; worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_char(chr(code))
        return folded


def _fold_char(char: str) -> str:
    if char.isascii():
        return char
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    kind = unicodedata.category(char)
    if char in _FILLERS or kind in ("Cf", "Mn", "Me"):
        return ""
    return " " if kind[0] in "ZPSC" else char


_FOLDED = _Folded()


class Number:
    """A number and its other spellings. Raises UsageError for one that is too short."""

    def __init__(self, number: str, other: Iterable[str] = ()) -> None:
        spellings = (number, *other)
        self.pattern = "|".join(map(number_pattern, spellings))
        self.values = tuple(sorted({int(_digits(text)) for text in spellings}))
        self._expression = re.compile(self.pattern)

    def stands_in(self, text: str) -> bool:
        """Tell whether a text holds the number as it stands, without decoding anything."""
        return self._expression.search(fold(text)) is not None

    def is_in(self, text: str) -> bool:
        """Tell whether a text holds the number, in any way that this module knows."""
        if self._expression.search(text):
            return True
        if not _UNUSUAL_TEXT.search(text):
            return False
        return any(map(self.stands_in, _readings(text)))

    def is_in_body(self, body: bytes) -> bool:
        """Tell whether a file's or a post's bytes hold the number. Raises PackedError."""
        if body.startswith(_PACKED):
            raise PackedError("it is compressed")
        texts = [body.decode("utf-8", "replace")]
        if b"\0" in body:
            texts.append(body.replace(b"\0", b"").decode("utf-8", "replace"))
        # Base64 that is broken into lines is one text.
        joined = "".join(texts[0].split())
        longest = max(_BASE64.findall(joined), key=len, default="")
        if len(longest) * 2 > len(joined) and longest not in texts[0]:
            texts.append(longest)
        return any(self.stands_in(said) for text in texts for said in _readings(text))

    def in_column(self, column: pa.Array) -> pa.BooleanArray:
        """Return, for each value of an Arrow column, whether it holds the number."""
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            wanted = pa.array([v for v in self.values if v < 2**63], pa.int64()).cast(column.type)
            return pc.is_in(column, value_set=wanted)
        found = pc.fill_null(pc.match_substring_regex(column, self.pattern), fill_value=False)
        unusual = pc.fill_null(pc.match_substring_regex(column, _UNUSUAL), fill_value=False)
        # A name is met many times: each is decoded once.
        texts = pc.unique(column.filter(pc.and_not(unusual, found))).to_pylist()
        held = [text for text in texts if self.is_in(text)]
        return pc.or_(found, pc.is_in(column, value_set=pa.array(held, pa.string())))


def _readings(
    text: str, layers: int = _LAYERS, done: dict[str, int] | None = None
) -> Iterator[str]:
    """Yield a text, and what it says once it is decoded, `layers` deep.

    `done` has each run of base64 that was met, and how deep it was looked into: most texts say the
    same words again and again.
    """
    yield text
    if not layers:
        return
    done = {} if done is None else done
    for run in _BASE64.findall(text):
        # Base64 of digits has capitals; a word in lower case, such as a UUID, is none.
        if run.lower() != run and done.get(run, 0) < layers:
            done[run] = layers
            yield from _decode_base64(run, layers - 1, done)
    if "%" in text and (plain := unquote(text)) != text:
        yield from _readings(plain, layers - 1, done)
    if "\\" in text:
        yield from _readings(_unescape(text), layers - 1, done)


def _unescape(text: str) -> str:
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    # Two escapes may be the halves of one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decode_base64(run: str, layers: int, done: dict[str, int]) -> Iterator[str]:
    """Yield what a run of base64 says, wherever in it the encoded text begins."""
    run = run.translate(_URL_SAFE)
    for start in range(4):
        piece = run[start:]
        piece = piece[:-1] if len(piece) % 4 == 1 else piece
        body = base64.b64decode(piece + "=" * (-len(piece) % 4))
        body = body.replace(b"\0", b"")
        if len(body.translate(None, _READABLE)) * 10 > len(body):
            yield body.translate(_ASCII).decode()
        else:
            yield from _readings(body.decode("utf-8", "replace"), layers, done)


_NUMBER = re.compile(r"\+?[0-9 ().\-/]{6,40}")
_ASKED = re.compile(r"\+?[0-9(][0-9 ().\-/]*|[0-9*#]+")
_COUNTRY_CODE = 3
_SHORTEST = 7
_WHOLE = 11


def one_form(numbers: Iterable[str], region: str | None) -> dict[str, str]:
    """Return the form to show for each number, as it came: E.164 wherever that can be told.

    `+`, `00`, blanks and `%2B` make no difference. A national form belongs to its region (such as
    `US`), or, without one, to the only international number among them that ends with it.
    """
    forms = {number: _first_look(number, region) for number in numbers}
    whole = (form if form.startswith("+") else _whole(form) for form in forms.values())
    known = sorted({form for form in whole if form})
    return {number: _among(form, known) for number, form in forms.items()}


def _first_look(text: str, region: str | None) -> str:
    """Return a number as E.164 where it says so or its region has it, else its digits alone.

    What is no number stays as it came.
    """
    plain = unquote(text).strip()
    if not _NUMBER.fullmatch(plain):
        return text
    digits = "".join(char for char in plain if char.isdigit())
    if plain.startswith("+"):
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return _valid(digits, region) or digits if region else digits


def _whole(text: str) -> str | None:
    """Return the international number that digits are without their `+`, when they are long."""
    return _valid(f"+{text}", None) if text.isdecimal() and len(text) >= _WHOLE else None


def _valid(number: str, region: str | None) -> str | None:
    try:
        e164 = normalise_number(number, region)
    except NumberError:
        return None
    return e164 if is_assignable(e164) else None


def _among(text: str, known: list[str]) -> str:
    """Return the international number that digits stand for, when there is only one."""
    if not text.isdecimal() or f"+{text}" in known:
        return f"+{text}" if text.isdecimal() else text
    national = text.removeprefix("0")
    longer = len(national) + 1
    meant = [
        form
        for form in known
        if form.endswith(national) and longer < len(form) <= longer + _COUNTRY_CODE
    ]
    if len(national) >= _SHORTEST and len(meant) == 1:
        return meant[0]
    return _valid(f"+{text}", None) or text


class Asked(NamedTuple):
    """A number that somebody asks for: in E.164 where it can be told, and its forms in records.

    `forms` are digits alone, as a switch or a carrier may write them: international, and national
    where the number is one of the region.
    """

    e164: str | None
    forms: tuple[str, ...]

    @property
    def shown(self) -> str:
        """What was looked for, in words."""
        return ", ".join((self.e164, *self.forms[1:]) if self.e164 else self.forms)


def read_asked(text: str, region: str | None, lengths: Lengths = USUAL_LENGTHS) -> Asked:
    """Return the forms of a number as a person wrote it, E.164 or one of the region (such as `US`).

    What has no E.164 form (an extension, a service code, a national number without a region) has
    the form that was typed. `lengths` are those of extensions.

    Raises UsageError for what is no number.
    """
    plain = fold(unquote(text)).strip()
    if not _ASKED.fullmatch(plain):
        raise UsageError(
            f"`{text}`: is no telephone number: expected one such as +19495431333, or an extension"
        )
    typed = "".join(char for char in plain if char.isdigit() or char in "*#")
    e164 = None if lengths.hold(plain) else _in_e164(plain, typed, region)
    forms = _national(e164, region) if e164 else []
    return Asked(e164, tuple(dict.fromkeys([*([e164[1:]] if e164 else []), *forms, typed])))


def _in_e164(plain: str, digits: str, region: str | None) -> str | None:
    if plain.startswith("00"):
        plain = f"+{digits[2:]}"
    try:
        return normalise_number(plain, region)
    except NumberError:
        return _whole(digits)


def _national(e164: str, region: str | None) -> list[str]:
    """Return a number's forms without its country code, and with a trunk prefix behind that."""
    import phonenumbers

    number = phonenumbers.parse(e164, None)
    if region is None or phonenumbers.country_code_for_region(region) != number.country_code:
        return []
    dialled, code = national_form(e164) or "", str(number.country_code)
    short = str(phonenumbers.national_significant_number(number))
    # Shorter ones are somebody's extension, or a part of a time or a version.
    return [form for form in (short, dialled, code + dialled) if len(form) >= _SHORTEST]
