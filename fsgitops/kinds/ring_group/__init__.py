"""A ring group: agents who are called by one number, together or in turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.kinds.ring_group.drafts import draft_group, group_number, group_path
from fsgitops.kinds.ring_group.noun import RingGroup
from fsgitops.kinds.ring_group.rules import RULES
from fsgitops.model.kind import Kind, Left, Reach

if TYPE_CHECKING:
    from fsgitops.model.kind import Read

_NAME: Final = re.compile(r'"?group_([a-z0-9][a-z0-9_-]{0,39})"?', re.ASCII)
_CONDITION: Final = re.compile(
    r"\^\((?:[0-9]{2,11}\|)?group_([a-z0-9][a-z0-9_-]{0,39})\)\\z", re.ASCII
)


def _ours(context: str, name: str, read: Read) -> Left | None:
    """People write `group_…` as well: its condition has to be one of ours too."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    condition = _CONDITION.fullmatch((read() or {}).get(f"{name}/destination_number", ""))
    if condition is None or condition[1] != found[1]:
        return None
    return Left(found[1], f"dialplan/{context}/20_group_{found[1]}.xml")


RING_GROUP: Final = Kind(
    word="ring_group",
    section="ring_groups",
    noun=RingGroup,
    paths=lambda group, _site: (group_path(group),),
    drafts=draft_group,
    title="ring group",
    reach=lambda group: Reach(group_number(group)),
    dialled=lambda group: (group.extension,) if group.extension else (),
    rules=RULES,
    lists="Agents who are called by one number.",
    also=("group", "hunt_group", "hunt_groups"),
    ours=_ours,
)
