"""Numbers that nobody declares, and that a plan leads elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fsgitops.model.impact import MOMENT, NOBODY, NumbersChange
from fsgitops.planning.hearing import tell_end
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.numbers.outlook import Side, compare_sides

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from fsgitops.model.heard import Ways
    from fsgitops.routing.call.load import Loaded
    from fsgitops.settings.target import Target


def find_others(
    before: Loaded,
    after: Loaded,
    target: Target,
    ours: Collection[str],
    compare: Callable[[Ways, Ways], tuple[str, str, str] | None],
    *,
    every: bool,
) -> Iterator[NumbersChange]:
    """Yield the numbers that nobody declares and whose calls end otherwise.

    `ours` are the paths of fsgitops; `compare` tells what differs between the ways of calls.
    `every` means all numbers; else only those that hand-written extensions name. Numbers that reach
    nobody, before and after, are left out.
    """
    sides = [
        Side(
            loaded,
            Clock(datetime.fromisoformat(MOMENT), loaded.world.zones),
            ours.__contains__,
            target.domain,
            target.inbound_context,
        )
        for loaded in (before, after)
    ]
    for changed in compare_sides(sides[0], sides[1], tell_end, every=every):
        difference = compare(changed.before, changed.after)
        if difference is None or _reach_nobody(*difference[1:]):
            continue
        case, was, ends = difference
        yield NumbersChange(
            changed.numbers, changed.many, changed.example, changed.context, was, ends, case,
            changed.taker,
        )  # fmt: skip


def _reach_nobody(*ends: str) -> bool:
    return all(end.startswith(f"{NOBODY} (") for end in ends)
