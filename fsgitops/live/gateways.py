"""The declared gateways as the switch runs them now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.homes import home_of
from fsgitops.homes.compare import Memory, compare_said, read_said
from fsgitops.homes.gateways import GATEWAYS, find_differences
from fsgitops.model.compiled import UNKNOWN
from fsgitops.schema_parts import TEXT, flag, list_of, maybe_text, text, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.homes.home import Address
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Gateway

_LATENCY = {
    "type": ["number", "null"],
    "description": "Milliseconds until the last OPTIONS was answered; null: none was.",
}
_REGISTERED = {
    "type": ["boolean", "null"],
    "description": "Its registration is held; null: it does not register, or does not run.",
}


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """One declared gateway now; `memory` tells whether the switch runs what is declared."""

    name: str = field(metadata=text("Its name."))
    profile: str = field(metadata=text("Its SIP profile."))
    up: bool = field(metadata=flag("Calls are placed over it."))
    registered: bool | None = field(metadata=_REGISTERED)
    state: str | None = field(
        metadata=maybe_text("That of its registration, in FreeSWITCH's words; null: not running.")
    )
    latency_ms: float | None = field(metadata=_LATENCY)
    memory: str = field(metadata=word("Against what is declared.", "match", "differs", "missing"))
    differences: tuple[str, ...] = field(
        metadata=list_of(TEXT, "The names of what differs, never the values.")
    )


def ask_gateways(
    switch: Switch, compiled: CompiledConfig, address: Address
) -> tuple[GatewayStatus, ...]:
    """Return the state of each gateway that is compiled; the switch is asked where one is.

    Without the project key, secrets are passed over. Raises SwitchError.
    """
    files = [item for item in compiled.files.values() if home_of(item.path) is GATEWAYS]
    if not files:
        return ()
    memory, found = Memory(switch, address), []
    running = {(one.profile, one.name): one for one in switch.gateways()}
    for file in files:
        place = GATEWAYS.place(file.path, address)
        said = read_said(GATEWAYS, file.content)
        for name, differences in compare_said(said, memory.of_file(file.path), memory.expand):
            one = running.get((place, name))
            if one is None or differences is None:
                found.append(_describe(name, place, one, "missing", ()))
                continue
            names = [item.name for item in differences if UNKNOWN not in (item.wanted or "")]
            names += [told.partition(":")[0] for told in find_differences(said.elements[name], one)]
            differ = tuple(dict.fromkeys(names))
            found.append(_describe(name, place, one, "differs" if differ else "match", differ))
    return tuple(sorted(found, key=lambda item: item.name))


def _describe(
    name: str, profile: str, one: Gateway | None, memory: str, differences: tuple[str, ...]
) -> GatewayStatus:
    if one is None:
        return GatewayStatus(name, profile, False, None, None, None, memory, differences)
    up, latency = one.status == "UP", one.latency or None
    return GatewayStatus(name, profile, up, one.registered, one.state, latency, memory, differences)


def render_gateway_metrics(target: str, gateways: Iterable[GatewayStatus]) -> Iterator[str]:
    """Yield the lines of Prometheus' text format that tell of the gateways of a target.

    Their names and those of targets are plain words. The metrics' names are part of the interface.
    """
    items = tuple(gateways)
    latencies = {item: item.latency_ms for item in items if item.latency_ms is not None}
    registered = {item: item.registered for item in items if item.registered is not None}
    for name, told, values in (
        ("up", "1 while calls are placed over the gateway", {item: item.up for item in items}),
        ("registered", "1 while its registration is held", registered),
        ("latency_milliseconds", "Time until its last OPTIONS was answered", latencies),
        ("as_declared", "1 while it runs as it is declared",
         {item: item.memory == "match" for item in items}),
    ):  # fmt: skip
        yield f"# HELP fsgitops_gateway_{name} {told}."
        yield f"# TYPE fsgitops_gateway_{name} gauge"
        for item, value in values.items():
            labels = f'target="{target}",gateway="{item.name}",profile="{item.profile}"'
            yield f"fsgitops_gateway_{name}{{{labels}}} {float(value):g}"
