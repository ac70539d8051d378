"""What every dialplan file must show before its template is trusted with values.

What holds of the made-up words in a skeleton holds of every file that matches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.routing.pattern import is_valid

if TYPE_CHECKING:
    from fsgitops.model.draft import Elements


def broken_expressions(found: Elements) -> list[str]:
    """FreeSWITCH only logs an expression that it cannot compile, and matches nothing with it."""
    return [
        f"the expression {attributes['expression']} is not a regular expression"
        for path, attributes in found
        if path[-1] == "condition" and not is_valid(attributes.get("expression", ""))
    ]
