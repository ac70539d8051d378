"""How a switch is told of changes: one list, which is printed, run, and run the other way round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.homes import HOMES, home_of
from fsgitops.homes.home import run_step
from fsgitops.model.plan import Action, Change, Danger, ReloadStep
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsgitops.homes.home import Address
    from fsgitops.model.applied import Finished, SwitchReply
    from fsgitops.switch.client import Switch

_INVERSE = {Action.CREATE: Action.DELETE, Action.DELETE: Action.CREATE}


def plan_reloads(
    changes: Iterable[Change],
    address: Address,
    *,
    kick_rotated: bool = False,
    unloaded: Sequence[Change] = (),
) -> tuple[ReloadStep, ...]:
    """Return the smallest set of commands that makes the changes effective, in order.

    `reloadxml` reads the whole configuration again and drops no call; what it does not do, each
    home adds. What is kept in the manifest alone is nothing to reload. What is `unloaded` was
    written before, and the switch was not told.
    """
    changes = [change for change in changes if change.dangers != (Danger.NOTHING,)]
    reasons = _say_files(changes, "changed")
    reasons += _say_files(unloaded, "changed earlier and the switch was not told")
    if not reasons:
        return ()
    members = [
        (home, [item for item in (*changes, *unloaded) if home_of(item.path) is home])
        for home in HOMES
    ]
    return (
        ReloadStep("reloadxml", "; ".join(reasons), "reload"),
        *(
            replace(step, home=home.name)
            for home, mine in members
            for step in home.load(mine, address)
        ),
        *(
            replace(step, home=home.name, late=True)
            for home, mine in members
            for step in home.finish(
                [*filter(None, (one.effect for one in mine))], address, kick_rotated
            )
        ),
    )


def run_reloads(
    switch: Switch, steps: Iterable[ReloadStep], address: Address, *, timeout: float
) -> SwitchReply:
    """Send what makes a switch load the files; return what it said first. Raises as `run_step`.

    `timeout` is for a step that loads, in seconds.
    """
    from fsgitops.model.applied import SwitchReply

    first, *more = [step for step in steps if not step.late]
    said = run_step(switch, first, timeout)
    for home in HOMES:
        if mine := [step for step in more if step.home == home.name]:
            home.run(switch, mine, address, timeout)
    return SwitchReply(first.command, said)


def end_rest(switch: Switch, steps: Sequence[ReloadStep], address: Address) -> Finished:
    """End what outlives the reload, home by home. Raises SwitchError."""
    from fsgitops.model.applied import Finished

    done = [
        home.end(switch, mine, address)
        for home in HOMES
        if (mine := [step for step in steps if step.late and step.home == home.name])
    ]
    return Finished(
        frozenset[str]().union(*(one.registrations for one in done)),
        {name: count for one in done for name, count in one.sessions.items()},
        frozenset[str]().union(*(one.left for one in done)),
    )


def turn_round(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that undo these."""
    return [
        replace(change, action=_INVERSE.get(change.action, change.action)) for change in changes
    ]


def _say_files(changes: Sequence[Change], what: str) -> list[str]:
    if not changes:
        return []
    folders = sorted({change.path.partition("/")[0] for change in changes})
    files = len({change.path for change in changes})
    return [f"{count_noun(files, 'file')} under {' and '.join(folders)} {what}"]
