"""Compare what a switch holds in memory of every agent with what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.compiled import UNKNOWN
from fsgitops.routing.held import Globals, find_differences, read_said
from fsgitops.routing.loaded_users import flatten_users

if TYPE_CHECKING:
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.switch.client import Switch


def compare_memory(
    switch: Switch, compiled: CompiledConfig, domain: str
) -> dict[str, tuple[str, ...]]:
    """Return for each compiled agent the names of what differs; `missing` where it is not held.

    What is held and not declared differs as well. Values are not told: some are secrets. Without
    the project key, secrets are passed over. The whole domain comes in one `xml_locate` (0.15 s
    for 10,000 users). Raises SwitchError.
    """
    answer = switch.locate_domain(domain)
    loaded = {} if answer is None else flatten_users(answer)
    names = Globals(switch.global_variable)
    found: dict[str, tuple[str, ...]] = {}
    for file in compiled.files.values():
        if file.part.resource.kind != "agent":
            continue
        said, held = read_said(file.content), loaded.get(file.part.resource.name)
        found[file.part.resource.name] = (
            ("missing",)
            if held is None
            else tuple(
                name
                for name, wanted, _ in find_differences(said, held, names.expand)
                if UNKNOWN not in (wanted or "")
            )
        )
    return found
