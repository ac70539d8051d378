"""The forms in which a carrier may deliver a public number, and the expression that takes them."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

NumberForm: TypeAlias = Literal["digits", "national"]
"""A form beside E.164 itself (`+19495431333`): without its plus sign, or as its country dials."""

ALL_FORMS: Final[tuple[NumberForm, ...]] = ("digits", "national")


def number_expression(digits: str, *, plus_only: bool = False, national: str | None = None) -> str:
    """Return the expression of a public number: `digits` is the number in E.164 without its plus.

    With `plus_only` unset, the number is taken without its plus sign too.
    """
    forms = [rf"\+{digits}" if plus_only else rf"\+?{digits}", *([national] if national else ())]
    return f"^({'|'.join(forms)})$"


def list_forms(expression: str) -> tuple[str, ...]:
    """Return the forms of a number that an expression of `number_expression` takes, E.164 first."""
    found = re.fullmatch(r"\^\(\\\+(\??)([0-9]+)(?:\|([0-9]+))?\)\$", expression)
    if found is None:
        return ()
    bare = (found[2],) if found[1] else ()
    return (f"+{found[2]}", *bare, *((found[3],) if found[3] else ()))


def is_number_expression(expression: str, digits: str) -> bool:
    """Tell whether `number_expression` made this for these digits, and any other form."""
    return re.fullmatch(rf"\^\(\\\+\??{re.escape(digits)}(?:\|[0-9]+)?\)\$", expression) is not None
