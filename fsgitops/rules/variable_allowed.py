"""A variable is known to be harmless and has the shape it should have, or is the site's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.variables import judge_variable
from fsgitops.rules.breach import Breach, agent
from fsgitops.rules.unsafe_value import unsafe_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every variable that FreeSWITCH could run, route by, or nobody knows."""
    for item in desired.agents:
        for name, value in item.variables.items():
            refusal = judge_variable(name, value, desired.own_variables)
            if refusal is None or refusal.kind in ("name", "reserved"):
                continue  # the rule `variable-name` has a finding about these
            if refusal.kind == "value" and unsafe_reason(value, variable=True):
                continue  # so has `unsafe-value`, with a better reason
            yield Breach(
                agent(item.extension),
                ("variables", name),
                refusal.message,
                refusal.hint,
                key=refusal.kind == "unknown",
            )
