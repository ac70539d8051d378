"""Extensions that people wrote to ring several phones, as ring groups say them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.kinds.ring_group.noun import LONGEST, RingGroup
from fsgitops.model.imports import Brought, Kept, Reason
from fsgitops.phone import is_extension
from fsgitops.routing.call.words import to_raw
from fsgitops.routing.pattern import list_choices
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.kind import Site
    from fsgitops.routing.handwritten import Handwritten
    from fsgitops.routing.tree import Element

USUAL_TIMEOUT: Final = 60
"""Seconds that phones ring where nobody says so (switch_ivr_originate.c)."""
_LEG: Final = re.compile(r"user/([0-9]{2,11})(?:@(\S+))?")
_TRANSFER: Final = re.compile(r"([0-9]{2,11}) +XML +(\S+)", re.IGNORECASE)
_PLAIN: Final = {
    "hangup_after_bridge": ("true",),
    "ignore_early_media": ("true",),
    "continue_on_fail": ("true",),
}
"""What a ring group does as well, whatever it says of the last two."""


def import_groups(hand: Handwritten, site: Site) -> Iterator[Brought | Kept]:
    """Yield each extension that rings several phones as a group, or why it stays."""
    for extension in hand.extensions(site.places.context):
        bridges = [action for action in _walk(extension) if _is_group(action)]
        if not bridges:
            continue
        values = _read_group(extension, bridges[0], site)
        place = hand.place(extension)
        name = hand.hide(extension.attributes.get("name", "(no name)"))
        if isinstance(values, str):
            reason = Reason(hand.place(bridges[0]), hand.hide(values))
            yield Kept(f"extension {name}", place, (reason,))
        else:
            comments = hand.comments(extension)
            yield Brought(RingGroup.kind, str(values["name"]), values, place, comments)


def _walk(parent: Element) -> Iterator[Element]:
    for child in parent.children:
        if child.name == "action":
            yield child
        yield from _walk(child)


def _is_group(action: Element) -> bool:
    data = action.attributes.get("data", "")
    return fold(action.attributes.get("application", "")) == "bridge" and data.count("user/") > 1


def _read_group(extension: Element, bridge: Element, site: Site) -> dict[str, object] | str:
    """Return the fields of a group, or why there is none."""
    conditions = extension.all("condition")
    if len(conditions) != 1 or len(extension.children) != 1 or extension.attributes.get("continue"):
        return "it asks for more than the number that is dialled"
    [condition] = conditions
    at = condition.attributes
    asked = at.keys() == {"field", "expression"} and fold(at["field"]) == "destination_number"
    texts = list_choices(to_raw(at["expression"])) if asked else None
    if texts is None or len(texts) != 1 or not all(map(is_extension, texts)):
        return "it is not dialled by one extension alone"
    name = re.sub(r"[^a-z0-9_-]", "-", extension.attributes.get("name", "").lower()).strip("-_")
    values: dict[str, object] = {"name": name[:40], "extension": next(iter(texts))}
    if any(child.name != "action" for child in condition.children):
        return "it does one thing or another"
    before, behind = _split(condition.children, bridge)
    timeout = _read_settings(before)
    legs = _read_legs(bridge.attributes["data"], site)
    fallback = _read_fallback(behind, site)
    for found in (timeout, legs, fallback):
        if isinstance(found, str):
            return found
    strategy, members = legs if isinstance(legs, tuple) else ("", [])
    values["strategy"] = strategy
    values["members"] = [{"agent": one, "timeout": str(timeout)} for one in members]
    if isinstance(fallback, dict):
        values |= fallback
    return values


def _split(actions: list[Element], bridge: Element) -> tuple[list[Element], list[Element]]:
    at = next(number for number, action in enumerate(actions) if action is bridge)
    return actions[:at], actions[at + 1 :]


def _read_settings(actions: list[Element]) -> int | str:
    """Return the seconds that phones ring; what else is set would be lost."""
    timeout = USUAL_TIMEOUT
    for action in actions:
        application = fold(action.attributes.get("application", ""))
        name, _, value = action.attributes.get("data", "").partition("=")
        if application == "ring_ready" or (
            application == "set" and fold(value) in _PLAIN.get(name, ())
        ):
            continue
        if application == "set" and name == "call_timeout" and value.isdigit():
            timeout = int(value[:4])
            continue
        return f"a ring group does not do this: {application} {name}".strip()
    return timeout if 1 <= timeout <= LONGEST else f"it rings {timeout} seconds"


def _read_legs(data: str, site: Site) -> tuple[str, list[str]] | str:
    """Return how phones ring, and whose."""
    between = "|" if "|" in data else ","
    members = []
    for leg in data.split(between):
        found = _LEG.fullmatch(leg.strip())
        if found is None or fold(found[2] or site.domain) not in (
            fold(site.domain),
            "${domain_name}",
            "${domain}",
        ):
            return "it does not ring users of the domain alone"
        if found[1] not in site.dialled:
            return f"it rings {found[1]}, which is not declared"
        members.append(found[1])
    return ("sequential" if between == "|" else "simultaneous"), members


def _read_fallback(actions: list[Element], site: Site) -> dict[str, object] | str:
    """Return where a call goes that nobody answers."""
    if not actions:
        return {}
    found = _TRANSFER.fullmatch(actions[0].attributes.get("data", "").strip())
    application = fold(actions[0].attributes.get("application", ""))
    alone = len(actions) == 1 and application == "transfer"
    inside = found is not None and fold(found[2]) == fold(site.places.context)
    if alone and found and inside and found[1] in site.dialled:
        return {"fallback": found[1]}
    return "what it does when nobody answers is no call to a declared extension"
