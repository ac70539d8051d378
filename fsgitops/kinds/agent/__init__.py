"""An agent: somebody's phone, and the mailbox that goes with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fsgitops.kinds.agent.drafts import (
    dialplan_path,
    draft_dialplan,
    draft_transfers,
    draft_user,
    find_path,
    transfer_path,
    user_path,
)
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.agent.rules import RULES
from fsgitops.kinds.agent.secrets import agent_wishes
from fsgitops.model.kind import Kind, Left, Reach, Shared
from fsgitops.model.resource import Resource
from fsgitops.phone import is_extension
from fsgitops.places import USUAL_PLACES, Places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.model.columns import Columns
    from fsgitops.model.imports import Brought, Kept
    from fsgitops.model.kind import Read, Site
    from fsgitops.routing.handwritten import Handwritten


def _ours(places: Places, place: str, name: str, read: Read) -> Left | None:
    if not is_extension(name) or (read() or {}).get("variable fsgitops_agent") != "true":
        return None
    alone = place != places.groups
    return Left(name, find_path(name, places, sharded=not alone), sure=alone, alone=alone)


def _imports(hand: Handwritten, site: Site) -> Iterable[Brought | Kept]:
    from fsgitops.kinds.agent.imports import import_users  # loaded with an import alone

    return import_users(hand, site)


def _columns() -> Columns:
    from fsgitops.kinds.agent.columns import COLUMNS  # loaded with a table alone

    return COLUMNS


def place_agents(places: Places) -> Kind[Agent]:
    """Return the kind for a target whose files lie there."""
    return Kind(
        word="agent",
        section="agents",
        noun=Agent,
        paths=lambda agent, site: (user_path(agent, site),),
        joint=lambda site: site.sharded,
        drafts=draft_user,
        reach=lambda agent: Reach(agent.extension, places.context),
        dialled=lambda agent: (agent.extension,),
        starts=lambda agent: agent.context,
        forwards=lambda agent: agent.enabled and agent.phone_forwarding,
        wishes=agent_wishes,
        imports=_imports,
        columns=_columns,
        rules=RULES,
        lists="SIP extensions.",
        also=("user", "users"),
        shared=(
            Shared(Resource("dialplan", "agents"), dialplan_path, draft_dialplan),
            Shared(Resource("dialplan", "transfers"), transfer_path, draft_transfers, always=True),
        ),
        ours=partial(_ours, places),
        placed=place_agents,
        defaults={"context": places.context} if places.context != USUAL_PLACES.context else {},
    )


AGENT: Final = place_agents(USUAL_PLACES)
