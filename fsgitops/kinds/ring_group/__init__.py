"""A ring group: agents who are called by one number, together or in turn."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from fsgitops.kinds.ring_group.drafts import (
    draft_group,
    find_path,
    group_number,
    group_path,
)
from fsgitops.kinds.ring_group.noun import RingGroup
from fsgitops.kinds.ring_group.rules import RULES
from fsgitops.model.kind import Kind, Left, Reach
from fsgitops.places import USUAL_PLACES, Places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.model.imports import Brought, Kept
    from fsgitops.model.kind import Read, Site
    from fsgitops.routing.handwritten import Handwritten

_NAME: Final = re.compile(r'"?group_([a-z0-9][a-z0-9_-]{0,39})"?', re.ASCII)
_CONDITION: Final = re.compile(
    r"\^\((?:[0-9]{2,11}\|)?group_([a-z0-9][a-z0-9_-]{0,39})\)\\z", re.ASCII
)


def _ours(places: Places, context: str, name: str, read: Read) -> Left | None:
    """People write `group_…` as well: its condition has to be one of ours too."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    condition = _CONDITION.fullmatch((read() or {}).get(f"{name}/destination_number", ""))
    if condition is None or condition[1] != found[1]:
        return None
    return Left(found[1], find_path(found[1], places.folder_of(context), places))


def _imports(hand: Handwritten, site: Site) -> Iterable[Brought | Kept]:
    from fsgitops.kinds.ring_group.imports import import_groups  # loaded with an import alone

    return import_groups(hand, site)


def place_groups(places: Places) -> Kind[RingGroup]:
    """Return the kind for a target whose files lie there."""
    return Kind(
        word="ring_group",
        section="ring_groups",
        noun=RingGroup,
        paths=lambda group, site: (group_path(group, site),),
        drafts=draft_group,
        title="ring group",
        reach=lambda group: Reach(group_number(group), places.context),
        dialled=lambda group: (group.extension,) if group.extension else (),
        imports=_imports,
        rules=RULES,
        lists="Agents who are called by one number.",
        also=("group", "hunt_group", "hunt_groups"),
        ours=partial(_ours, places),
        placed=place_groups,
    )


RING_GROUP: Final = place_groups(USUAL_PLACES)
