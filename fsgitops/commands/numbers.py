"""`fsgitops numbers`: every number that can be dialled, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.commands.trace import find_agent, open_source, read_time
from fsgitops.errors import NotPossibleError, NotThereError
from fsgitops.model.numbers import ContextNumbers, Numbers
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.scene import USER_CONTEXT
from fsgitops.routing.call.settings import list_variables
from fsgitops.routing.directory import LocatedUser, walk_users
from fsgitops.routing.numbers.automaton import TooLargeError
from fsgitops.routing.numbers.explore import Explorer
from fsgitops.routing.numbers.reach import find_reached
from fsgitops.routing.numbers.table import merge_shares, tabulate
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.call.scene import Scene
    from fsgitops.workspace.open import Workspace

OUTSIDE: Final = "outside"
AGENTS: Final = "agents"


class _Entered(NamedTuple):
    """A context, a call that comes in there, and which of its variables nobody can say."""

    who: str
    call: Call
    unknown: frozenset[str] = frozenset()


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
        entered = list(_list_entered(scene, domain, workspace.target.inbound_context, agent))
        if context is not None:
            if scene.world.context(context) is None:
                raise NotThereError(f"the dialplan has no context {context}")
            chosen = [item for item in entered if fold(item.call.context) == fold(context)]
            entered = chosen or [_Entered(OUTSIDE, Call("", context, domain=domain))]
        explorer = Explorer(scene.world, clock)
        found = [_explore(explorer, item, scene) for item in entered]
    return Numbers(
        source=source,
        at=moment.isoformat() if at else "",
        user=agent or "",
        doubts=tuple(map(scene.veil.hide, scene.doubts)),
        contexts=tuple(found),
    )


def _explore(explorer: Explorer, entered: _Entered, scene: Scene) -> ContextNumbers:
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


def _list_entered(scene: Scene, domain: str, inbound: str, agent: str | None) -> Iterator[_Entered]:
    """Yield each context that calls come in by, from outside and from agents."""
    if agent is not None:
        user = find_agent(scene.world, agent, domain)
        yield _Entered(AGENTS, scene.call("", "", None, user, domain))
        return
    doors = [door.context for door in scene.doors if door.open and door.context]
    for context in dict.fromkeys(map(fold, doors or [inbound])):
        named = next((item for item in doors if fold(item) == context), inbound)
        yield _Entered(OUTSIDE, Call("", named, domain=domain))
    yield from _list_inside(scene, domain)


def _list_inside(scene: Scene, domain: str) -> Iterator[_Entered]:
    """Yield the contexts of agents, with the variables that all who dial there have in common."""
    home = scene.world.find("directory", "domain", domain)
    common: dict[str, dict[str, str | None]] = {}
    for user, group in walk_users(home) if home is not None else ():
        located = LocatedUser(user, group, home or user)
        own = {fold(name): value for name, value in list_variables(located).items()}
        context = own.get("user_context") or USER_CONTEXT
        known = common.get(fold(context))
        if known is None:
            common[fold(context)] = {"user_context": context, **own}
            continue
        for name in known.keys() | own.keys():
            if name != "user_context" and known.get(name) != own.get(name):
                known[name] = None
    for variables in common.values():
        values = {name: value for name, value in variables.items() if value is not None}
        context = values["user_context"]
        unknown = {name for name in variables if name not in values} | {"user_name"}
        call = Call("", context, domain=domain, variables={**values, "domain_name": domain})
        yield _Entered(AGENTS, call, frozenset(unknown))
