"""How tables of other programs, and of people, name the fields of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row: TypeAlias = dict[str, str]
"""A row's cells by the dotted names of fields; empty ones are left out."""


class Columns(NamedTuple):
    """By field, the heads that its column may have, the likeliest first, in small letters.

    A head that has no field stands for itself: `read` turns it into fields. `read` returns a row
    as we say it, and raises ValueError for one that cannot be said.
    """

    heads: Mapping[str, tuple[str, ...]]
    read: Callable[[Row], Row] = lambda row: row
