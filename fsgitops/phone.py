"""Telephone numbers as people write them, and as E.164."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from fsgitops import numbering
from fsgitops.numbering import read_digits, to_e164

if TYPE_CHECKING:
    from collections.abc import Iterable

EXTENSION: Final = "[0-9]{2,11}"
E164: Final = numbering.E164
USER: Final = r"(?:[0-9][0-9._-]*)?[A-Za-z][A-Za-z0-9._-]*"
"""The forms of an extension, of any length, of a number in E.164, and of a name, as expressions."""

_WRITTEN = re.compile(r"[+0-9(][0-9 ().\-/]*")
_EXTENSION = re.compile(EXTENSION)
_USER = re.compile(USER)


class NumberError(ValueError):
    """The text is no usable number: `str()` says what was found, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@lru_cache(maxsize=64)
def is_emergency(text: str, region: str | None) -> bool:
    """Tell whether people who dial this want help: 112 and 911, and what the region has."""
    if text in ("112", "911") or region is None:
        return text in ("112", "911")
    import phonenumbers

    return bool(phonenumbers.is_emergency_number(text, region))


class Lengths(NamedTuple):
    """How many digits the extensions of a project have, both ends included."""

    shortest: int = 4
    longest: int = 6

    def hold(self, text: str) -> bool:
        """Tell whether `text` is an extension of such a length."""
        return is_extension(text) and self.shortest <= len(text) <= self.longest

    @property
    def expression(self) -> str:
        """Return the expression of an extension of such a length: `[0-9]{4,6}`."""
        return f"[0-9]{{{self.shortest},{self.longest}}}"

    def __str__(self) -> str:
        if self.shortest == self.longest:
            return f"{self.shortest} digits"
        return f"{self.shortest} to {self.longest} digits"


USUAL_LENGTHS: Final = Lengths()


def is_extension(text: str) -> bool:
    """Tell whether `text` has the form of an extension: digits, of any length that one may have."""
    return _EXTENSION.fullmatch(text) is not None


def is_user_name(text: str) -> bool:
    """Tell whether `text` has the form of a name that phones register as: no number."""
    return len(text) <= 64 and _USER.fullmatch(text) is not None


def is_region(text: str) -> bool:
    """Tell whether `text` is a region that numbers can be read in: two letters, such as `US`."""
    import phonenumbers

    return text in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=8192)
def normalise_number(text: str, default_region: str | None) -> str:
    """Return the E.164 form (`+` and digits) of a number as it was written.

    A number without `+` is read as one of `default_region` (two letters, such as `US`). Raises
    NumberError when the text is no number, or when its region is not known.
    """
    text = text.strip()
    # phonenumbers takes letters for digits (1-800-FLOWERS), digits of any script, and cuts off
    # what follows the number; none of that should decide in silence where a call goes.
    if not _WRITTEN.fullmatch(text):
        raise NumberError("is not a telephone number", "Write it as E.164, such as +19495431333.")
    if not text.startswith("+") and default_region is None:
        raise NumberError(
            "is a national number, and no region is set",
            "Write it as E.164, such as +19495431333, or set `default_region` in fsgitops.yaml.",
        )
    region = default_region.upper() if default_region else None
    return to_e164(text, region) or _ask_for_e164(text, region)


@lru_cache(maxsize=4096)
def _ask_for_e164(text: str, region: str | None) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as problem:
        wrong_country = problem.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        reason = "has no known country code" if wrong_country else "is not a telephone number"
        hint = "Write it as E.164: `+`, the country code, the number, such as +19495431333."
        raise NumberError(reason, hint) from problem
    length = phonenumbers.is_possible_number_with_reason(number)
    if length != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NumberError(
            f"has the wrong length for country code +{number.country_code}",
            "Write the whole number with its area code, such as +19495431333.",
        )
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=8192)
def is_assignable(e164: str) -> bool:
    """Tell whether the numbering plan of its country has such a number as this E.164 one."""
    found = read_digits(e164)
    if found is not None:
        plan, national = found
        return plan.is_assignable(national)
    import phonenumbers

    return bool(phonenumbers.is_valid_number(phonenumbers.parse(e164, None)))


@lru_cache(maxsize=8192)
def national_form(e164: str) -> str | None:
    """Return the digits of a number as its own country writes it, or None where there are none.

    +19495431333 gives 9495431333, +61290001234 gives 0290001234. Numbers of no country (+800)
    have no such form.
    """
    found = read_digits(e164)
    if found is not None and len(found[1]) in found[0].lengths:
        plan, national = found
        return plan.write(national) if plan.regions[0] != "001" else None
    import phonenumbers

    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    if region in ("ZZ", "001") or not phonenumbers.is_possible_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return str(phonenumbers.normalize_digits_only(written)) or None


@lru_cache(maxsize=8192)
def region_of(e164: str) -> str | None:
    """Return the region (two letters) whose numbering plan has this number, or None."""
    found = read_digits(e164)
    if found is not None:
        plan, national = found
        home = plan.find_region(national)
        return home.name if home and home.name != "001" else None
    import phonenumbers

    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    return str(region) if region and region != "001" else None


TollClass: TypeAlias = Literal["domestic", "international", "premium", "satellite"]

# Inmarsat, Iridium and Globalstar, and the networks of no country: Thuraya is among them.
_SATELLITE = frozenset((870, 881, 882, 883))


@lru_cache(maxsize=8192)
def toll_class(e164: str, region: str | None) -> TollClass:
    """Return what a call to a number in E.164 costs, seen from a region (two letters).

    A number is domestic where the numbering plan of the region itself has it: Jamaica shares a
    country code with the US, and Jersey with GB. One that no plan has is international.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return "international"
    if number.country_code in _SATELLITE:
        return "satellite"
    # Personal numbers (070 in GB) are dialled like mobile ones and charged like premium ones.
    kinds = phonenumbers.PhoneNumberType
    if phonenumbers.number_type(number) in (kinds.PREMIUM_RATE, kinds.PERSONAL_NUMBER):
        return "premium"
    at_home = region is not None and phonenumbers.is_valid_number_for_region(number, region)
    return "domestic" if at_home else "international"


NumberForm: TypeAlias = Literal["digits", "national"]
"""A form beside E.164 itself (`+19495431333`): without its plus sign, or as its country dials."""

_NUMBER: Final = re.compile(r"\^\(\\\+(\??)([0-9]+)((?:\|(?:[A-Za-z0-9_-]|\\\.)+)*)\)\$")
ALL_FORMS: Final[tuple[NumberForm, ...]] = ("digits", "national")


def number_expression(digits: str, others: Iterable[str] = (), *, plus_only: bool = False) -> str:
    """Return the expression of a public number: `digits` is the number in E.164 without its plus.

    With `plus_only` unset, the number is taken without its plus sign too. `others` are further
    forms: digits, or a name of letters, digits, `.`, `_` and `-`.
    """
    forms = [rf"\+{digits}" if plus_only else rf"\+?{digits}", *map(name_expression, others)]
    return f"^({'|'.join(forms)})$"


def name_expression(name: str) -> str:
    """Return the expression of a name of letters, digits, `.`, `_` and `-`."""
    return name.replace(".", r"\.")


def list_forms(expression: str) -> tuple[str, ...]:
    """Return the forms of a number that an expression of `number_expression` takes, E.164 first."""
    found = _NUMBER.fullmatch(expression)
    if found is None:
        return ()
    bare = (found[2],) if found[1] else ()
    return (f"+{found[2]}", *bare, *found[3].replace("\\", "").split("|")[1:])


def is_number_expression(expression: str, digits: str) -> bool:
    """Tell whether `number_expression` made this for these digits, and any other form."""
    found = _NUMBER.fullmatch(expression)
    return found is not None and found[2] == digits
