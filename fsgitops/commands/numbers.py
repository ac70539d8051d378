"""`fsgitops numbers`: every number that can be dialled, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.commands.trace import find_agent, open_source, read_time
from fsgitops.errors import NotPossibleError, NotThereError
from fsgitops.model.numbers import ContextNumbers, Numbers
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.numbers.automaton import TooLargeError
from fsgitops.routing.numbers.entered import INSIDE, OUTSIDE, Entered, list_entered
from fsgitops.routing.numbers.explore import Explorer
from fsgitops.routing.numbers.reach import find_reached
from fsgitops.routing.numbers.table import merge_shares, tabulate
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from fsgitops.routing.call.scene import Scene
    from fsgitops.workspace.open import Workspace


def run_numbers(
    workspace: Workspace,
    context: str | None = None,
    source: str = "plan",
    *,
    at: str | None = None,
    agent: str | None = None,
) -> Numbers:
    """Return the numbers of a context, or of all that calls come in by; `at` None: at any time.

    Raises NotThereError for a context or an agent that is not there, NotPossibleError where the
    numbers fall into too many classes, and as `run_trace`.
    """
    moment = read_time(at)
    domain = workspace.target.domain
    with open_source(workspace, source) as scene:
        clock = Clock(moment, scene.world.zones, at is not None)
        entered = _list_entered(scene, domain, workspace.target.inbound_context, agent)
        if context is not None:
            if scene.world.context(context) is None:
                raise NotThereError(f"the dialplan has no context {context}")
            chosen = [item for item in entered if fold(item.call.context) == fold(context)]
            entered = chosen or [Entered(OUTSIDE, Call("", context, domain=domain))]
        explorer = Explorer(scene.world, clock)
        found = [_explore(explorer, item, scene) for item in entered]
    return Numbers(
        source=source,
        at=moment.isoformat() if at else "",
        user=agent or "",
        doubts=tuple(map(scene.veil.hide, scene.doubts)),
        contexts=tuple(found),
    )


def _explore(explorer: Explorer, entered: Entered, scene: Scene) -> ContextNumbers:
    try:
        shares = list(explorer.explore(entered.call, unknown=entered.unknown))
        reached = find_reached(shares)
        rows = tabulate(explorer, merge_shares(explorer, shares), scene.place, scene.veil.hide)
        return ContextNumbers(
            context=entered.call.context,
            caller=entered.who,
            gateway="yes" if reached.number else "no" if reached.proved else "unknown",
            shortest=reached.number,
            classes=tuple(rows),
        )
    except TooLargeError:
        raise NotPossibleError(
            f"the numbers of the context {entered.call.context} fall into more classes than can be "
            "told apart; trace one with `fsgitops trace NUMBER`"
        ) from None


def _list_entered(scene: Scene, domain: str, inbound: str, agent: str | None) -> list[Entered]:
    if agent is not None:
        user = find_agent(scene.world, agent, domain)
        return [Entered(INSIDE, scene.call("", "", None, user, domain))]
    return list(list_entered(scene.world, scene.doors, domain, inbound))
