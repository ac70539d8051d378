"""`fsgitops trace`: where a call goes, as FreeSWITCH would route it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from fsgitops.errors import NotPossibleError, NotThereError, UsageError
from fsgitops.live.connect import connect_target, prepare_conf_dir
from fsgitops.model.trace import End, Goal, Step, Tested, Trace, Way, What
from fsgitops.routing.call.clock import Clock, at_switch
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.load import load_disk
from fsgitops.routing.call.world import Phones, World
from fsgitops.routing.preprocess import ROOT_FILE
from fsgitops.routing.tree import fold, parse
from fsgitops.routing.veil import Veil
from fsgitops.steps.read_live import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.directory import LocatedUser
    from fsgitops.routing.places import Door
    from fsgitops.routing.tree import Element
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

USER_CONTEXT = "default"
"""The context of an agent whose directory entry names none."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A call to trace: who dials which number, where and when; None: not said.

    `registered` are the users whose phones are registered, and no others are.
    """

    number: str
    caller: str | None = None
    agent: str | None = None
    at: str | None = None
    context: str | None = None
    registered: tuple[str, ...] | None = None


def run_trace(workspace: Workspace, asked: Asked, source: str = "plan") -> Trace:
    """Trace a call over the files as a plan leaves them, as they are, or over a switch's memory.

    `source` is `plan`, `disk` or `live`. Raises UsageError for words that cannot be meant,
    NotThereError for an agent who is not in the directory, MergeError where the files cannot be
    read, DesiredInvalidError where there is no plan, SwitchError where the switch does not answer.
    """
    check_asked(asked)
    moment = read_time(asked.at)
    with open_source(workspace, source) as opened:
        return _trace(workspace, asked, moment, opened)


def check_asked(asked: Asked) -> None:
    """Raise UsageError for words that no call can have."""
    words = {"NUMBER": asked.number, "--from": asked.caller, "--context": asked.context}
    for name, word in words.items():
        if word is not None and (not word.strip() or not word.isprintable()):
            raise UsageError(f"{name}: expected a number or a name, found {word!r}")
    if asked.agent is not None and asked.context is not None:
        raise UsageError("--as and --context exclude each other: an agent calls in its own context")


def read_time(text: str | None) -> datetime:
    """Return a time on the switch's clock; None: now. Raises UsageError."""
    if text is None:
        return at_switch(datetime.now().astimezone()).replace(microsecond=0)
    try:
        return at_switch(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise UsageError(
            f"--at: {text!r} is no time; write it like 2026-12-24T18:00 (the switch's clock)"
        ) from None


@dataclass(frozen=True, slots=True)
class Source:
    """A world, and what is said of it: `plan`, `disk` or `live`, its doors, who is registered."""

    world: World
    name: str
    veil: Veil
    doubts: tuple[str, ...]
    doors: tuple[Door, ...]
    place: Callable[[int], str]
    phones: frozenset[str] | None = None


@contextmanager
def open_source(workspace: Workspace, name: str = "plan") -> Iterator[Source]:
    """Read the files, or ask the switch while calls are evaluated. Raises as `run_trace`."""
    if name == "live":
        with connect_target(workspace.target, workspace.root) as switch:
            yield _read_memory(workspace, switch)
        return
    loaded = _load(workspace, name)
    doors = tuple(loaded.doors(workspace.target.domain))
    yield Source(loaded.world, name, loaded.veil, loaded.doubts, doors, loaded.place)


def _load(workspace: Workspace, source: str) -> Loaded:
    target = workspace.target
    if source == "plan":
        from fsgitops.planning.world import compile_world

        prepare_conf_dir(target)
    if not (target.conf_dir / ROOT_FILE).is_file():
        hint = "" if source == "plan" else ": run `fsgitops apply` first"
        raise NotPossibleError(f"{target.conf_dir} has no {ROOT_FILE}{hint}")
    if source == "plan":
        return compile_world(workspace)
    ours = read_manifest(target.state_dir).entries
    return load_disk(target.conf_dir, target.domain, ours=ours)


def _read_memory(workspace: Workspace, switch: Switch) -> Source:
    variables = switch.global_variables()

    def locate(section: str, tag: str, name: str) -> Element | None:
        try:
            found = switch.locate(section, tag, name)
        except ValueError:  # a name that no element can have
            return None
        return None if found is None else parse(found)

    world = World(locate, variables, {})
    users = [item.user for item in switch.registrations(workspace.target.profile)]
    users += [item.user for item in switch.verto_users()]
    phones = frozenset(map(fold, users))
    doors = tuple(world.list_doors())
    return Source(world, "live", Veil(variables), (), doors, lambda _line: "", phones)


def _trace(workspace: Workspace, asked: Asked, moment: datetime, source: Source) -> Trace:
    domain = workspace.target.domain
    user = _find_agent(source.world, asked.agent, domain)
    doubts = list(source.doubts)
    context = asked.context
    if user is not None:
        context = user.value("variables", "user_context") or USER_CONTEXT
    elif context is None:
        context = _choose_context(workspace.target.inbound_context, source.doors, doubts)
    caller = asked.caller or (user.attribute("id") if user else None)
    call = Call(asked.number, context, caller, user, domain)
    phones = source.phones
    if asked.registered is not None:
        phones = frozenset(fold(item) for item in asked.registered)
    clock = Clock(moment, source.world.zones)
    ways, complete = evaluate(source.world, call, clock, Phones(phones))
    hide = source.veil.hide
    return Trace(
        number=asked.number,
        caller=caller or "",
        user=asked.agent or "",
        context=context,
        at=moment.isoformat(),
        source=source.name,
        arrives=ways[0].end.fate.arrives,
        complete=complete,
        doubts=tuple(map(hide, doubts)),
        ways=tuple(finish_way(way, source.place, hide) for way in ways),
    )


def _find_agent(world: World, agent: str | None, domain: str) -> LocatedUser | None:
    if agent is None:
        return None
    user = world.user(agent, domain)
    if user is None:
        raise NotThereError(f"the directory has no agent {agent} in the domain {domain}")
    return user


def _choose_context(inbound: str, doors: Sequence[Door], doubts: list[str]) -> str:
    """Return the context that calls from outside come in, as profiles and gateways say."""
    entries = [door for door in doors if door.open and door.context]
    entries = [door for door in entries if door.gateways] or entries
    contexts = list(dict.fromkeys(door.context for door in entries))
    if not contexts or any(fold(item) == fold(inbound) for item in contexts):
        return inbound
    door = entries[0]
    doubts.append(
        f"calls from outside come in through {door.name} in the context {door.context}, and not in "
        f"the target's inbound_context {inbound}"
    )
    if len(contexts) > 1:
        others = ", ".join(contexts[1 : SHOWN + 1])
        doubts.append(f"others come in with --context {others}")
    return door.context


def finish_way(way: Way, place: Callable[[int], str], hide: Callable[[str], str]) -> Way:
    """Return a way with the places of its extensions, and without secrets."""
    end = replace(
        way.end,
        told=hide(way.end.told),
        cause=hide(way.end.cause),
        goals=_hide_goals(way.end, hide),
    )
    return Way(end, tuple(_finish_step(step, place, hide) for step in way.steps))


def _finish_step(step: Step, place: Callable[[int], str], hide: Callable[[str], str]) -> Step:
    tested = tuple(
        Tested(item.subject, hide(item.value), hide(item.expected), item.held)
        for item in step.tested
    )
    where = place(step.line) if step.what in (What.TAKES, What.PASSES) else ""
    return replace(
        step, place=where, data=hide(step.data), text=hide(step.text), tested=tested, line=0,
        goals=_hide_goals(step, hide), short=hide(step.short),
    )  # fmt: skip


def _hide_goals(told: Step | End, hide: Callable[[str], str]) -> tuple[Goal, ...]:
    return tuple(
        replace(goal, name=hide(goal.name), number=hide(goal.number)) for goal in told.goals
    )
