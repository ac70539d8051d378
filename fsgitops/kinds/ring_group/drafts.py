"""The file of a ring group: the extension that rings its agents, and what comes after."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from fsgitops.model.draft import Draft, DraftError
from fsgitops.model.reading import references
from fsgitops.routing.pattern import broken_expressions, strange_contexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.kinds.ring_group.noun import RingGroup
    from fsgitops.model.draft import Elements, Leaf
    from fsgitops.model.kind import Reach, Secrets, Site
    from fsgitops.places import Places

TEMPLATE: Final = "ring_group.xml.j2"
SLACK: Final = 2
"""Seconds. A phone rings up to one longer than its timeout; the call must not end before it."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def group_number(group: RingGroup) -> str:
    """Return what is dialled to get to a group, whether it has an extension or not."""
    return f"group_{group.name}"


def group_path(group: RingGroup, site: Site) -> str:
    """Return the file of a group: behind that of the agents, which takes none of its calls."""
    return find_path(group.name, site.places.dialplan, site.places)


def find_path(name: str, folder: str, places: Places) -> str:
    """Return the file of the group of a name, in a folder."""
    return f"{folder}/{places.prefix}20_group_{name}.xml"


def draft_group(group: RingGroup, site: Site, _secrets: Secrets, _known: Any) -> Iterator[Draft]:
    """Yield the file of a group. Raises DraftError for what must not become a dial string."""
    numbers = [member.agent for member in group.members]
    if group.extension is not None:
        numbers.append(group.extension)
    if not _NAME.fullmatch(group.name) or not all(map(site.lengths.hold, numbers)):
        message = f"a group has a plain name, and members and numbers of {site.lengths}"
        raise DraftError([message], "they become a dial string")
    values: dict[str, Leaf] = {
        "name": group.name,
        "reach": group_number(group),
        "domain": site.domain,
        "timeout": str(longest(group)),
        "members": [
            {"extension": item.agent, "delay": str(item.delay), "timeout": str(item.timeout)}
            for item in group.members
        ],
    }
    if group.extension is not None:
        values["extension"] = group.extension
    if group.fallback is not None:
        reach = _find_fallback(group, site)
        values["fallback"] = {"number": reach.number, "context": reach.context}
    yield Draft(
        group_path(group, site),
        TEMPLATE,
        values,
        {"strategy": group.strategy, "transfers": site.places.transfers},
        prove=partial(prove_group, site.places),
    )


def longest(group: RingGroup) -> int:
    """Return the seconds after which FreeSWITCH gives up: in a sequence, those of one phone.

    `call_timeout` counts anew for each phone of a sequence (switch_ivr_originate.c sets `start` in
    the loop over `|`; a real switch did so), and 60 seconds hold without it.
    """
    if group.strategy == "simultaneous":
        all_over = max(item.delay + item.timeout for item in group.members) + SLACK
        return group.timeout or all_over
    return max(item.timeout for item in group.members) + SLACK


def _find_fallback(group: RingGroup, site: Site) -> Reach:
    [resource] = [item.resource for item in references(group) if item.path == ("fallback",)]
    found = site.reach(resource)
    if found is None or not all(map(_WORD.fullmatch, found)):
        message = f"no call can be led to the fallback {resource}"
        raise DraftError([message], "name something that is declared, enabled and rings")
    return found


def prove_group(places: Places, found: Elements, values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template does not render exactly one ring group, if it does not."""
    made_up = cast("Mapping[str, Any]", values)
    name = f"group_{made_up['name']}"
    extensions = [
        (path, at.get("name")) for path, at in found if len(path) == 1 or path[-1] == "extension"
    ]
    if extensions != [(("extension",), name)]:
        return ['it must render exactly one <extension name="group_{{ name }}">']
    conditions = [at.get("expression", "") for path, at in found if path[-1] == "condition"]
    problems = [
        f"no condition compares with {{{{ {field} }}}}"
        for field in ("reach", "extension")
        if field in made_up and not any(made_up[field] in text for text in conditions)
    ]
    dialled = [at.get("data", "") for _, at in found if at.get("application") == "bridge"]
    for member in made_up["members"]:
        phone = f"user/{member['extension']}@{made_up['domain']}"
        if not any(phone in text for text in dialled):
            problems.append(
                "no bridge rings user/{{ member.extension }}@{{ domain }} of each member"
            )
            break
    if "fallback" in made_up and not _transfers(found, made_up["fallback"]):
        problems.append("no action transfers to {{ fallback.number }} XML {{ fallback.context }}")
    return [*problems, *strange_contexts(found, places), *broken_expressions(found)]


def _transfers(found: Elements, to: Mapping[str, str]) -> bool:
    wanted = f"{to['number']} XML {to['context']}"
    return any(at.get("application") == "transfer" and at.get("data") == wanted for _, at in found)
