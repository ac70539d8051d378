"""What the numbering plans of the world say of a number, read once for each country code.

phonenumbers needs 40 to 90 microseconds for each question, and 100,000 numbers ask three. The
expressions and lengths here are those of its metadata, and tests/test_numbering.py compares the
answers. Where it would take a number for more than its digits (a trunk prefix, an international
one), nothing is known here, and it has to be asked.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

E164: Final = r"\+[1-9][0-9]{5,14}"
"""The form of a number in E.164, as an expression."""

_E164: Final = re.compile(E164)
_KINDS: Final = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail", "fixed_line", "mobile",
)  # fmt: skip
"""The kinds of numbers that make one valid (_number_type_helper in phonenumberutil.py)."""

_LONGEST: Final = 100
"""No expression of the metadata meets a longer text."""
_MARKS: Final = str.maketrans("", "", " ().-/")


class _Shape(NamedTuple):
    """What some numbers look like; without lengths, the expression alone tells."""

    lengths: frozenset[int]
    pattern: re.Pattern[str]

    def takes(self, national: str) -> bool:
        if self.lengths and len(national) not in self.lengths:
            return False
        return self.pattern.fullmatch(national) is not None


class _Region(NamedTuple):
    """One of the regions that share a country code, and the numbers that are given out there."""

    name: str
    leading: re.Pattern[str] | None
    """What its numbers begin with, where that alone tells them from those of the others."""
    every: _Shape
    kinds: tuple[_Shape, ...]

    def has(self, national: str) -> bool:
        return self.every.takes(national) and any(kind.takes(national) for kind in self.kinds)


class _Form(NamedTuple):
    """How people of a country write some of its numbers, without what is between the digits."""

    leading: re.Pattern[str] | None
    pattern: re.Pattern[str]
    digits: tuple[str | int, ...]
    """Digits, and the groups of the expression between them."""


class Plan(NamedTuple):
    """The numbering plan of a country code."""

    code: int
    regions: tuple[str, ...]
    trunk: re.Pattern[str] | None
    """What may stand before a national number, and has to be told from its own digits."""
    lengths: frozenset[int]
    forms: tuple[_Form, ...]

    def find_region(self, national: str) -> _Region | None:
        """Return the region that has a number, or would have it."""
        if len(self.regions) == 1:
            return _read_region(self.code, self.regions[0])
        for name in self.regions:
            region = _read_region(self.code, name)
            if region.leading.match(national) if region.leading else region.has(national):
                return region
        return None

    def is_assignable(self, national: str) -> bool:
        """Tell whether such a number is given out in the region that has it."""
        region = self.find_region(national)
        if region is None:
            return False
        # One that was found by more than what its numbers begin with has been looked at.
        alone = len(self.regions) == 1 or region.leading is not None
        return region.has(national) if alone else True

    def write(self, national: str) -> str:
        """Return the digits of a number as its own country writes it."""
        for form in self.forms:
            begins = form.leading is None or form.leading.match(national)
            if begins and (found := form.pattern.fullmatch(national)):
                parts = [part if isinstance(part, str) else found[part] for part in form.digits]
                return "".join(filter(None, parts))
        return national


def read_digits(text: str) -> tuple[Plan, str] | None:
    """Return the plan of a number in E.164, and the number in it; None where that is not plain."""
    if not _E164.fullmatch(text):
        return None
    plan, end = _find_plan(text[1:4])
    if plan is None:
        return None
    national = text[end:]
    return None if plan.trunk and plan.trunk.match(national) else (plan, national)


@cache
def _find_plan(digits: str) -> tuple[Plan | None, int]:
    """Return the plan of a number that begins with three digits, and where its own digits begin."""
    found = ((read_plan(int(digits[:length])), length + 1) for length in (1, 2, 3))
    return next((item for item in found if item[0]), (None, 0))


def to_e164(text: str, region: str | None) -> str | None:
    """Return a number as it was written, with `+` or as one of a region, in E.164.

    `text` is digits with ` `, `(`, `)`, `.`, `-` and `/` between them, and perhaps a `+` before
    them. None where phonenumbers has to be asked.
    """
    if len(text) >= _LONGEST:
        return None
    digits = text.translate(_MARKS)
    if not digits.startswith("+"):
        code = _home_code(region, digits) if region else None
        if code is None:
            return None
        digits = f"+{code}{digits}"
    found = read_digits(digits)
    if found is None or len(found[1]) not in found[0].lengths:
        return None
    return digits


def _home_code(region: str, digits: str) -> int | None:
    """Return the country code of a region where these are no more than a national number."""
    home = _read_home(region)
    if home is None:
        return None
    code, before = home
    return None if digits.startswith(str(code)) or before.match(digits) else code


@cache
def _read_home(region: str) -> tuple[int, re.Pattern[str]] | None:
    from phonenumbers import PhoneMetadata

    data: Any = PhoneMetadata.metadata_for_region(region, None)
    if data is None:
        return None
    prefixes = (data.international_prefix, data.national_prefix_for_parsing)
    return data.country_code, re.compile("|".join(f"(?:{part})" for part in prefixes if part))


@cache
def read_plan(code: int) -> Plan | None:
    """Return the plan of a country code, or None where there is none."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    regions = COUNTRY_CODE_TO_REGION_CODE.get(code)
    if regions is None:
        return None
    # What regions that share a code have in common, the first of them says.
    data: Any = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
    every, trunk = data.general_desc, data.national_prefix_for_parsing
    return Plan(
        code,
        regions,
        re.compile(trunk) if trunk else None,
        frozenset(every.possible_length) - frozenset(every.possible_length_local_only),
        tuple(map(_read_form, data.number_format)),
    )


def _read_form(data: Any) -> _Form:
    leading, rule = data.leading_digits_pattern, data.national_prefix_formatting_rule
    template = re.sub(r"(\\\d)", rule, data.format, count=1) if rule else data.format
    kept = re.findall(r"\\?[0-9]", template)
    digits = tuple(int(part[1:]) if part[0] == "\\" else part for part in kept)
    return _Form(re.compile(leading[-1]) if leading else None, re.compile(data.pattern), digits)


@cache
def _read_region(code: int, name: str) -> _Region:
    from phonenumbers import PhoneMetadata

    data: Any = PhoneMetadata.metadata_for_region_or_calling_code(code, name)
    leading = data.leading_digits
    kinds = (getattr(data, kind) for kind in _KINDS)
    [every] = _shapes([data.general_desc])
    return _Region(
        name, re.compile(leading) if leading is not None else None, every, _shapes(kinds)
    )


def _shapes(described: Iterable[Any]) -> tuple[_Shape, ...]:
    """Return what numbers of any of these kinds look like: one shape for all of a length."""
    found: dict[frozenset[int], list[str]] = {}
    for kind in described:
        if kind is not None and kind.national_number_pattern:
            lengths = frozenset(kind.possible_length)
            found.setdefault(lengths, []).append(f"(?:{kind.national_number_pattern})")
    return tuple(_Shape(lengths, re.compile("|".join(them))) for lengths, them in found.items())
