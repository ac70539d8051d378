"""`fsgitops trace`: where a call goes, as FreeSWITCH would route it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from fsgitops.errors import NotPossibleError, NotThereError, SwitchError, UsageError
from fsgitops.live.connect import connect_target, prepare_conf_dir
from fsgitops.model.plan import MASK
from fsgitops.model.trace import End, Goal, Step, Tested, Trace, Way, What
from fsgitops.routing.call.clock import Clock, at_switch
from fsgitops.routing.call.evaluate import evaluate
from fsgitops.routing.call.load import load_disk
from fsgitops.routing.call.scene import scene_of_files, scene_of_memory
from fsgitops.routing.preprocess import ROOT_FILE
from fsgitops.routing.veil import Veil, is_secret_name
from fsgitops.steps.read_live import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.call.scene import Scene
    from fsgitops.routing.call.world import World
    from fsgitops.routing.directory import LocatedUser
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

_LEAST = 4
_SETS = frozenset(("set", "export", "bridge_export", "set_global", "set_profile_var"))


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


def run_trace(
    workspace: Workspace, asked: Asked, source: str = "plan", *, brief: bool = False
) -> Trace:
    """Trace a call over the files as a plan leaves them, as they are, or over a switch's memory.

    `source` is `plan`, `disk` or `live`. With `brief`, extensions that pass the call on at a glance
    are only counted: of ten thousand, hardly any has a step of its own.

    Raises UsageError for words that cannot be meant, NotThereError for an agent who is not in the
    directory, MergeError where the files cannot be read, DesiredInvalidError where there is no
    plan, SwitchError where the switch does not answer.
    """
    check_asked(asked)
    moment = read_time(asked.at)
    with open_source(workspace, source) as opened:
        return trace_call(workspace.target, asked, moment, opened, brief=brief)


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


@contextmanager
def open_source(workspace: Workspace, name: str = "plan") -> Iterator[Scene]:
    """Read the files, or ask the switch while calls are evaluated. Raises as `run_trace`."""
    if name == "live":
        with connect_target(workspace.target, workspace.root) as switch:
            yield _read_memory(workspace, switch)
        return
    yield scene_of_files(_load(workspace, name), name, workspace.target.domain)


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


def _read_memory(workspace: Workspace, switch: Switch) -> Scene:
    users = [item.user for item in switch.registrations(workspace.target.profile)]
    users += [item.user for item in switch.verto_users()]
    return scene_of_memory(
        switch.locate, switch.global_variables(), users, memory=partial(_ask, switch)
    )


def _ask(switch: Switch, module: str, realm: str, key: str) -> str | None:
    """Return what mod_hash or mod_db holds. Raises LookupError for what cannot be asked."""
    if is_secret_name(realm) or is_secret_name(key):
        raise LookupError(key)
    try:
        return switch.stored(module, realm, key)
    except (ValueError, SwitchError) as problem:
        raise LookupError(key) from problem


def trace_call(
    target: Target, asked: Asked, moment: datetime, scene: Scene, *, brief: bool = False
) -> Trace:
    """Trace a call over what was read. Raises NotThereError."""
    domain = target.domain
    user = find_agent(scene.world, asked.agent, domain)
    context, doubts = asked.context, list(scene.doubts)
    if user is None and context is None:
        context, told = scene.entry(target.inbound_context)
        doubts += told
    call = scene.call(asked.number, context or "", asked.caller, user, domain)
    clock = Clock(moment, scene.world.zones)
    phones = scene.registered(asked.registered, domain)
    ways, complete = evaluate(scene.world, call, clock, phones, brief=brief)
    hide = scene.veil.hide
    return Trace(
        number=asked.number,
        caller=call.caller or "",
        user=asked.agent or "",
        context=call.context,
        at=moment.isoformat(),
        source=scene.name,
        arrives=ways[0].end.fate.arrives,
        complete=complete,
        doubts=tuple(map(hide, doubts)),
        ways=tuple(finish_way(way, scene.place, hide) for way in ways),
    )


def find_agent(world: World, agent: str | None, domain: str) -> LocatedUser | None:
    """Return an agent of the directory; None: none is asked for. Raises NotThereError."""
    if agent is None:
        return None
    user = world.user(agent, domain)
    if user is None:
        raise NotThereError(f"the directory has no agent {agent} in the domain {domain}")
    return user


def finish_way(way: Way, place: Callable[[int], str], hide: Callable[[str], str]) -> Way:
    """Return a way with the places of its extensions, and without secrets.

    What the dialplan sets under a secret's name (`pin`) is one, wherever it stands then.
    """
    own = _hide_set(way.steps)

    def mask(text: str) -> str:
        return own(hide(text))

    end = replace(
        way.end,
        told=mask(way.end.told),
        cause=mask(way.end.cause),
        goals=_hide_goals(way.end, mask),
    )
    return Way(end, tuple(_finish_step(step, place, mask) for step in way.steps))


def _read_secret(step: Step) -> tuple[str, str]:
    """Return the name and value of a secret that a step sets, as a PIN; else nothing."""
    if step.application in _SETS:
        name, _, value = step.data.partition("=")
        return (name, value) if is_secret_name(name.removeprefix("nolocal:")) else ("", "")
    if step.application == "conference":
        name, _, rest = step.data.partition("+")
        pin = rest.partition("+")[0]
        return (name, pin) if pin and not pin.startswith("flags{") else ("", "")
    return "", ""


def _hide_set(steps: Iterable[Step]) -> Callable[[str], str]:
    """Return what hides secrets that steps set, where they stand later.

    A few characters may be anything, and the name of a user is no secret.
    """
    found = [value for name, value in map(_read_secret, steps) if "user" not in name]
    held = {str(at): value for at, value in enumerate(found) if len(value) >= _LEAST}
    return Veil(held, held).hide


def _finish_step(step: Step, place: Callable[[int], str], hide: Callable[[str], str]) -> Step:
    tested = tuple(
        Tested(item.subject, hide(item.value), hide(item.expected), item.held)
        for item in step.tested
    )
    where = place(step.line) if step.what in (What.TAKES, What.PASSES) else ""
    secret = _read_secret(step)[1]
    data = step.data.replace(secret, MASK) if secret else hide(step.data)
    return replace(
        step, place=where, data=data, text=hide(step.text), tested=tested, line=0,
        goals=_hide_goals(step, hide), short=hide(step.short),
    )  # fmt: skip


def _hide_goals(told: Step | End, hide: Callable[[str], str]) -> tuple[Goal, ...]:
    return tuple(
        replace(goal, name=hide(goal.name), number=hide(goal.number)) for goal in told.goals
    )
