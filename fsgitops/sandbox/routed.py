"""Where a simulated call goes: through the loaded dialplan, as `fsgitops trace` follows it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from fsgitops.model.trace import Fate, Way, What
from fsgitops.routing.call.clock import Clock, at_switch
from fsgitops.routing.call.dialling import read_brackets
from fsgitops.routing.call.evaluate import Call, follow_ways
from fsgitops.routing.call.words import from_raw
from fsgitops.routing.call.world import Phones, World
from fsgitops.routing.places import find_doors, main_doors
from fsgitops.routing.tree import fold
from fsgitops.sandbox.leg import Leg

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.model.trace import Goal
    from fsgitops.routing.call.leg import Leg as RoutedLeg
    from fsgitops.routing.directory import LocatedUser
    from fsgitops.routing.tree import Element
    from fsgitops.sandbox.loaded import SwitchMemory

UNFOLLOWED: Final = "CHAN_NOT_IMPLEMENTED"
"""The cause of a call that only a real switch can follow, into a script, say."""
PLACE: Final = "127.0.0.1"


class LoadedWorld(World):
    """What the embedded switch has loaded; users come out of its cache, as their look-ups do."""

    def __init__(self, memory: SwitchMemory) -> None:
        root = memory.loaded.root

        def locate(section: str, tag: str, name: str) -> Element | None:
            found = root.find("section", "name", section)
            return found.find(tag, "name", name) if found else None

        super().__init__(locate, memory.variables, {}, memory=lambda *_key: None)
        self._switch = memory

    def user(self, name: str, domain: str, *keys: str) -> LocatedUser | None:
        """Return a user, by the first key that finds."""
        found = (self._switch.find_user(key, name, domain) for key in keys or ("id",))
        return next((item for item in found if item is not None), None)

    @property
    def gateways(self) -> frozenset[str]:
        """Return those that calls can be placed by now."""
        return frozenset(item.name for item in self._switch.usable_gateways())


def world_of(memory: SwitchMemory) -> World:
    """Return the world of what is loaded, made once."""
    loaded = memory.loaded
    if loaded.world is None:
        loaded.world = LoadedWorld(memory)
    return loaded.world


def call_in(memory: SwitchMemory, number: str, caller: str) -> tuple[Leg, str]:
    """Let somebody outside call a number; return his leg, and what became of it in words.

    It comes in where carriers do. A leg with a cause has ended.
    """
    doors = main_doors(find_doors(memory.loaded.root, memory.variable("domain")))
    profile, context = (doors[0].name, doors[0].context) if doors else ("external", "public")
    leg = Leg(
        f"sofia/{profile.rpartition(' ')[2]}/{caller}@{PLACE}", "inbound", number,
        caller_number=caller, context=context, initial_destination=number,
        initial_context=context,
    )  # fmt: skip
    memory.tell("CHANNEL_CREATE", leg)
    return send_on(memory, leg, number, context)


def send_on(
    memory: SwitchMemory, leg: Leg, number: str, context: str, dialplan: str = "XML"
) -> tuple[Leg, str]:
    """Send a leg through the dialplan; return it as it is then, and what became of it in words.

    Phones that are registered are picked up at once, and so is the far end of a gateway, unless
    they are made to refuse. Nobody presses a key.
    """
    leg = replace(leg, context=context)
    way, routed = _follow(memory, leg, number, dialplan)
    variables = {name: from_raw(value.text) for name, value in routed.variables.items()}
    leg = replace(
        leg, destination=from_raw(routed.profile.number), context=from_raw(routed.profile.context),
        variables=variables,
    )  # fmt: skip
    for application, data in way.executed:
        leg = replace(leg, application=application, application_data=data)
        memory.tell("CHANNEL_EXECUTE", leg, Application=application, Application_Data=data)
    end = way.end
    if not end.fate.arrives:
        return hang_up(memory, leg, UNFOLLOWED if end.fate is Fate.UNKNOWN else end.cause), end.told
    if end.fate is Fate.STAYS:
        leg = replace(leg, call_uuid=leg.uuid)
        with memory.lock:
            memory.legs.append(leg)
        return _answer(memory, leg), end.told
    far = _make_far(memory, leg, routed, end.goals[0], _last_dial_string(way))
    return join(memory, leg, far)[0], end.told


def _follow(memory: SwitchMemory, leg: Leg, number: str, dialplan: str) -> tuple[Way, RoutedLeg]:
    world = world_of(memory)
    fields = {
        "dialplan": dialplan, "caller_id_name": leg.caller_name, "uuid": leg.uuid,
        "chan_name": leg.name, "network_addr": PLACE, "username": leg.caller_number,
    }  # fmt: skip
    if number != leg.destination:
        fields["rdnis"] = leg.destination
    call = Call(
        number, leg.context, leg.caller_number, domain=memory.variable("domain"),
        variables=leg.variables, fields=fields,
    )  # fmt: skip
    clock = Clock(at_switch(datetime.now().astimezone()), world.zones)
    registered = frozenset(fold(item.user) for item in memory.registrations)
    phones = Phones(registered, lambda whom: memory.refusals.pop(whom, None))
    ((end, state),), _ = follow_ways(world, call, clock, phones, lambda _question, _asked: 0)
    return Way(end, tuple(state.steps)), state.leg


def _last_dial_string(way: Way) -> str:
    found = [s.data for s in way.steps if s.what is What.EXECUTES and s.application == "bridge"]
    return found[-1] if found else ""


def _make_far(memory: SwitchMemory, leg: Leg, routed: RoutedLeg, goal: Goal, dialled: str) -> Leg:
    """Return the leg that a bridge makes: with what was exported, and what its brackets say."""
    given = {name: from_raw(value.text) for name, value in routed.exported().items()}
    given |= read_brackets(dialled) or {}

    def shown(name: str, default: str) -> str:
        own = routed.get(f"effective_{name}")
        return given.get(f"origination_{name}") or (from_raw(own.text) if own else default)

    name, number = (
        shown("caller_id_name", leg.caller_name),
        shown("caller_id_number", leg.caller_number),
    )
    if goal.kind == "phone":
        domain = memory.variable("domain")
        found = memory.loaded.directory.user(goal.name, domain)
        user = found.attribute("id") if found else goal.name
        given |= {"dialed_user": user, "dialed_domain": domain}
        place = f"sofia/internal/{user}@{PLACE}:5070"
        made = Leg(place, "outbound", user, name, number, presence=f"{user}@{domain}")
    else:
        whom = goal.number or goal.name
        given |= {"sip_gateway_name": goal.name} if goal.kind == "gateway" else {}
        made = Leg(f"sofia/external/{whom}", "outbound", whom, name, number)
    return replace(made, maker=leg.uuid, context=leg.context, variables=given)


def join(memory: SwitchMemory, leg: Leg, far: Leg) -> tuple[Leg, Leg]:
    """Put two legs up as one call, both answered."""
    first = replace(leg, call_uuid=leg.uuid, other=far.uuid)
    second = replace(far, call_uuid=leg.uuid, other=leg.uuid)
    with memory.lock:
        memory.legs += [first, second]
    second = _answer(memory, second)
    first = _answer(memory, first)
    memory.tell("CHANNEL_BRIDGE", first)
    return first, second


def _answer(memory: SwitchMemory, leg: Leg) -> Leg:
    if leg.answered:
        return leg
    answered = replace(leg, answered=time.time())
    with memory.lock:
        memory.legs = [answered if item.uuid == leg.uuid else item for item in memory.legs]
    memory.tell("CHANNEL_ANSWER", answered)
    return answered


def hang_up(memory: SwitchMemory, leg: Leg, cause: str) -> Leg:
    """End a leg that is in no list any more."""
    ended = replace(leg, ended=time.time(), cause=cause or "NORMAL_CLEARING")
    memory.tell("CHANNEL_HANGUP_COMPLETE", ended)
    return ended


def end_legs(memory: SwitchMemory, legs: Iterable[Leg], cause: str) -> None:
    """End legs that are up."""
    gone = {leg.uuid: leg for leg in legs}
    with memory.lock:
        memory.legs = [leg for leg in memory.legs if leg.uuid not in gone]
    for leg in gone.values():
        hang_up(memory, leg, cause)
