"""How large a plan is, as against what is managed: too large needs a permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.plan import Need
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from fsgitops.model.plan import Limits


def find_excess(
    *, managed: int, deletes: int, updates: int, declared: int, limits: Limits
) -> list[Need]:
    """Return the permission that each exceeded limit asks for.

    Args:
        managed: How many resources are managed now.
        deletes: How many of them the plan deletes, those that get another name included.
        updates: How many of them the plan changes.
        declared: How many resources are declared.
        limits: What is allowed without a word.
    """
    needs: list[Need] = []
    if managed and not declared:
        return [Need("empty", f"nothing is declared, and {_count(managed)} managed: all would go")]
    if not managed or managed < limits.minimum:
        return needs
    for permission, number, percent, verb in (
        ("deletes", deletes, limits.deletes_percent, "deleted"),
        ("updates", updates, limits.updates_percent, "changed"),
    ):
        # Compared as products: a share of exactly the limit is allowed, whatever floats make of it.
        if number * 100 > percent * managed:
            because = (
                f"{number:,} of {count_noun(managed, 'managed resource')} would be {verb} "
                f"({number * 100 // managed}%), more than the {percent:g}% allowed"
            )
            needs.append(Need(permission, because))
    return needs


def _count(managed: int) -> str:
    return f"{managed} resource{' is' if managed == 1 else 's are'}"
