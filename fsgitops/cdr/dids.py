"""One form for every number that was dialled: a carrier's habits must not split a report's rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NUMBER = re.compile(r"\+?[0-9 ().\-/]{6,40}")
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
