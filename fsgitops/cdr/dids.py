"""The forms of a number in records: one to show for all, and all those of one that is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from fsgitops.cdr.number import fold
from fsgitops.errors import UsageError
from fsgitops.phone import NumberError, is_extension, national_form, normalise_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


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


def fold_numbers(rows: Iterable[Mapping[str, object]], region: str | None) -> dict[str, str]:
    """Return the form of every `did` among rows."""
    return one_form({str(row["did"]) for row in rows if row["did"]}, region)


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


def read_asked(text: str, region: str | None) -> Asked:
    """Return the forms of a number as a person wrote it, E.164 or one of the region (such as `US`).

    What has no E.164 form (an extension, a service code, a national number without a region) has
    the form that was typed. Raises UsageError for what is no number.
    """
    plain = fold(unquote(text)).strip()
    if not _ASKED.fullmatch(plain):
        raise UsageError(
            f"`{text}`: is no telephone number: expected one such as +19495431333, or an extension"
        )
    typed = "".join(char for char in plain if char.isdigit() or char in "*#")
    e164 = None if is_extension(plain) else _in_e164(plain, typed, region)
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
