"""Names of groups, toll classes and contexts are plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.findings import quote_value
from fsgitops.rules.breach import Breach, agent
from fsgitops.rules.unsafe_value import unsafe_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Agent, Desired
    from fsgitops.model.document import Path

# Groups and toll classes are joined by commas and matched by regular expressions in dialplans.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every name that is not a word of letters, digits, `.`, `_` and `-`."""
    good: set[str] = set()
    for item in desired.agents:
        for path, name in _names(item):
            if name in good:
                continue
            if _NAME.fullmatch(name):
                good.add(name)
                continue
            if unsafe_reason(name):
                continue  # there is a finding already, with a better reason
            yield Breach(
                agent(item.extension),
                path,
                f"{quote_value(name)} in `{path[0]}` is not a plain name; 1 to 64 letters, digits, "
                "`.`, `_` or `-` are expected",
                "Rename it.",
            )


def _names(item: Agent) -> Iterator[tuple[Path, str]]:
    yield ("context",), item.context
    for index, name in enumerate(item.groups):
        yield ("groups", index), name
    for index, name in enumerate(item.toll_allow):
        yield ("toll_allow", index), name
