"""Every agent has a password of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent
from fsgitops.rules.secret_fields import PASSWORD, secret_fields
from fsgitops.secret import identify_source

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from fsgitops.model.desired import Desired

_HINT = "With one password, each agent can register as the other: give each its own."


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every agent whose password stands where another agent's does. None is shown."""
    first: dict[Hashable, str] = {}
    for field in secret_fields(desired):
        if field.noun != PASSWORD:
            continue
        extension = field.agent.extension
        other = first.setdefault(identify_source(field.source), extension)
        if other != extension:
            message = f"agent {other} has the same SIP password"
            yield Breach(agent(extension), field.path, message, _HINT)
