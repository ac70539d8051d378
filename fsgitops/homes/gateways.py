"""The gateways of the SIP profiles: how mod_sofia takes, runs and lets go of them.

A rescan begins those that do not run, and leaves one that runs as it is. So one that changes is
killed first; and its name has to leave the list of its profile before the rescan, or the former
one unregisters what the new one has just registered (docs/freeswitch.md, "Gateways").
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

from fsgitops.errors import SwitchError
from fsgitops.homes.home import Address, Doing, Flat, Home, Located, Wanted, in_folder, run_step
from fsgitops.model.plan import Action, Danger, ReloadStep
from fsgitops.routing.fragment import flatten_element, quote_name
from fsgitops.routing.places import is_true

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fsgitops.model.plan import Change
    from fsgitops.routing.whereabouts import Cause, Whereabouts
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Gateway

FOLDER: Final = "sip_profiles"
GONE_SECONDS: Final = 20.0
"""A gateway that registers has left the list after 2 s, one whose profile is busy later."""
ADDED_SECONDS: Final = 5.0
"""An event about a gateway comes within milliseconds."""

# `gateway NAME`, `gateway NAME/param P`, `gateway NAME@ATTRIBUTE`
_HEAD: Final = re.compile(r'gateway ([^"/@]+|"(?:[^"]|"")*")')


def _locate(place: str, _address: Address) -> Located:
    return Located("configuration", "sofia.conf", place)


def _part(configuration: Any, within: str) -> Any:
    """Return the `<gateways>` of a profile: mod_sofia reads the first of them."""
    for profile in configuration.iterfind("profiles/profile"):
        if profile.get("name") == within:
            return profile.find("gateways")
    return None


def _inside(gateways: Any) -> Iterator[tuple[str, Any]]:
    for gateway in gateways.iterchildren("gateway"):
        yield quote_name(gateway.get("name", "")), gateway


def _split(said: Flat) -> tuple[dict[str, Flat], Flat]:
    elements: dict[str, dict[str, str]] = {}
    rest: dict[str, str] = {}
    for key, value in said.items():
        found = _HEAD.match(key)
        (elements.setdefault(found[1], {}) if found else rest)[key] = value
    return dict(elements), rest


def _cost(change: Change) -> tuple[Danger, ...]:
    """One that is new disturbs nobody; another one registers anew, and new calls fail meanwhile.

    Calls that are up go on (docs/freeswitch.md, "Gateways").
    """
    if change.action is Action.CREATE:
        return (Danger.RELOAD,)
    return (Danger.RELOAD, Danger.GATEWAY_RESTART)


def _load(changes: Sequence[Change], _address: Address) -> tuple[ReloadStep, ...]:
    kills: dict[str, ReloadStep] = {}
    profiles: dict[str, None] = {}
    for change in changes:
        profile, name = change.path.split("/")[1], change.resource.name
        if change.action is not Action.DELETE:
            profiles[profile] = None
        if change.action is not Action.CREATE:
            told = "is deleted" if change.action is Action.DELETE else "is changed"
            because = f"the gateway {name} {told}; waits until it has left the list of its profile"
            command = f"sofia profile {profile} killgw {name}"
            kills[name] = ReloadStep(command, because, "killgw", of=(name,))
    return (
        *kills.values(),
        *(
            ReloadStep(
                f"sofia profile {profile} rescan", "new gateways begin; others stay", "rescan"
            )
            for profile in profiles
        ),
    )


def _run(
    switch: Switch, steps: Sequence[ReloadStep], _address: Address, timeout: float | None
) -> None:
    """Kill, wait until none of those killed is listed any more, and rescan."""
    switch.hear_gateways()
    killed = {name for step in steps for name in step.of}
    for step in steps:
        if step.of:
            run_step(switch, step)
    until = time.monotonic() + GONE_SECONDS
    while killed and (left := sorted(killed.intersection(one.name for one in switch.gateways()))):
        if time.monotonic() > until:
            raise SwitchError(
                f"{GONE_SECONDS:.0f} s after killgw, the switch still lists these gateways: "
                f"{', '.join(left)}"
            )
        switch.await_gateway(0.2)
    for step in steps:
        if not step.of:
            run_step(switch, step, timeout)


def _runs(
    switch: Switch, wanted: Sequence[Wanted], _address: Address, place: str
) -> Iterator[tuple[str, str]]:
    """Compare the gateways that run with the files, as far as the switch tells of them.

    What it does not tell of is proved by the event of a gateway that began: it was read from the
    configuration that was compared already. Where nobody listened, that is left out.
    """
    running: dict[str, list[Gateway]] = {}
    for one in switch.gateways():
        running.setdefault(one.name, []).append(one)
    names = [item.name for item in wanted if item.said is not None and item.name in running]
    added = switch.added_gateways(names, ADDED_SECONDS)
    for item in wanted:
        found = running.get(item.name, [])
        yield from ((item.name, told) for told in _judge(item, found, place, added))


def _judge(
    item: Wanted, found: Sequence[Gateway], place: str, added: frozenset[str] | None
) -> Iterator[str]:
    """Yield what is wrong with what runs under a name."""
    here = any(one.profile == place for one in found)
    if item.said is None:
        if here:
            yield "deleted, but the switch still runs the gateway"
    elif not here:
        yield f"the profile {place} holds the gateway and does not run it: the log says why"
    elif len(found) > 1:
        others = ", ".join(sorted(one.profile for one in found if one.profile != place))
        yield f"the profile {others or place} runs a gateway of this name as well"
    elif added is not None and item.name not in added:
        yield (
            "the switch kept the gateway of this name that ran before: no file said so; "
            f"run sofia profile {place} killgw {item.name}"
        )
    else:
        yield from find_differences(item.said, found[0])


def find_differences(said: Flat, running: Gateway) -> Iterator[str]:
    """Yield how a gateway runs otherwise than its file says (parse_gateways in sofia.c).

    A value that names a global is compared where the configuration is.
    """
    params = {
        name.rpartition("/param ")[2]: value for name, value in said.items() if "/param " in name
    }
    told = params.get
    host = told("proxy") or told("realm") or running.name
    user = told("username") or "FreeSWITCH"
    sender = f"{told('from-user') or user}@{told('from-domain') or host}"
    register = is_true(told("register", "true"))
    ping = told("ping", "0")
    expected = {
        "realm": (told("realm") or host, running.realm),
        "username": (user, running.username),
        "from": (f"<sip:{sender}>", running.sender),
        "extension": (told("extension") or user, running.extension),
        "proxy": (host if host[:4].lower() == "sip:" else f"sip:{host}", running.proxy),
        "context": (told("context") or running.context, running.context),
        "expire-seconds": (told("expire-seconds") or "3600", running.expires),
        "ping": (ping if ping.isdecimal() and int(ping) > 4 else "0", str(running.ping)),
        "register": (str(register).lower(), str(running.registered is not None).lower()),
    }
    for name, (wanted, there) in expected.items():
        if wanted != there and "$${" not in wanted:
            yield f"{name}: declared {wanted!r}, the gateway runs with {there!r}"
    if bool(told("password")) != running.password:
        yield (
            f"password: {'declared' if told('password') else 'not declared'}, and the gateway "
            + ("runs with one" if running.password else "runs without one")
        )


def _busy(switch: Switch, names: Mapping[str, str], _address: Address) -> Mapping[str, Doing]:
    held = {one.name for one in switch.gateways() if one.registered}
    legs = switch.legs_of_gateways()
    return {name: Doing(int(name in held), legs[name]) for name in names}


def _why(places: Whereabouts, path: str, name: str, address: Address) -> Cause | None:
    return places.explain_gateway(path, name, in_folder(path, address))


def _where(places: Whereabouts, name: str, _place: str, _address: Address) -> str:
    return next(iter(places.find_gateways(name)), "")


GATEWAYS: Final = Home(
    name="gateways",
    paths=(f"{FOLDER}/*/*.xml",),
    section="configuration",
    element="gateway",
    folders=lambda _address: (),
    locate=_locate,
    part=_part,
    inside=_inside,
    flatten=flatten_element,
    split=_split,
    missing="the profile {place} of the switch does not hold this gateway",
    still="deleted, but the switch still holds the gateway",
    qualified=True,
    cost=_cost,
    load=_load,
    run=_run,
    runs=_runs,
    busy=_busy,
    why=_why,
    where=_where,
    once=True,
)
