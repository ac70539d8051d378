"""A variable has a name that FreeSWITCH takes, and not one that is written anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.variables import judge_variable
from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every name of a variable that is malformed, reserved, or there twice."""
    for item in desired.agents:
        seen: dict[str, str] = {}
        for name, value in item.variables.items():
            # FreeSWITCH finds variables without regard to case (switch_event_get_header_ptr
            # in src/switch_event.c compares with strcasecmp).
            first = seen.setdefault(name.lower(), name)
            if problem := _problem(name, value, first):
                yield Breach(agent(item.extension), ("variables", name), *problem, key=True)


def _problem(name: str, value: str, first: str) -> tuple[str, str] | None:
    refusal = judge_variable(name, value, ())
    if refusal is not None and refusal.kind in ("name", "reserved"):
        return refusal.message, refusal.hint
    if first != name:
        return (
            f"FreeSWITCH takes the variables `{first}` and `{name}` for one",
            "Remove one of them: FreeSWITCH ignores case in names of variables.",
        )
    return None
