"""An agent: somebody's phone, and the mailbox that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.kinds.agent.drafts import (
    DIALPLAN_PATH,
    FOLDER,
    TRANSFER_PATH,
    draft_dialplan,
    draft_transfers,
    draft_user,
    find_path,
    user_path,
)
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.agent.rules import RULES
from fsgitops.kinds.agent.secrets import agent_wishes
from fsgitops.model.kind import Kind, Left, Reach, Shared
from fsgitops.model.resource import Resource
from fsgitops.phone import is_extension

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.model.imports import Brought, Kept
    from fsgitops.model.kind import Read, Site
    from fsgitops.routing.handwritten import Handwritten


def _ours(place: str, name: str, read: Read) -> Left | None:
    if not is_extension(name) or (read() or {}).get("variable fsgitops_agent") != "true":
        return None
    alone = place != FOLDER
    return Left(name, find_path(name, "default" if alone else place), sure=alone, alone=alone)


def _imports(hand: Handwritten, site: Site) -> Iterable[Brought | Kept]:
    from fsgitops.kinds.agent.imports import import_users  # loaded with an import alone

    return import_users(hand, site)


AGENT: Final = Kind(
    word="agent",
    section="agents",
    noun=Agent,
    paths=lambda agent, site: (user_path(agent, site),),
    joint=lambda site: site.sharded,
    drafts=draft_user,
    reach=lambda agent: Reach(agent.extension),
    dialled=lambda agent: (agent.extension,),
    starts=lambda agent: agent.context,
    forwards=lambda agent: agent.enabled and agent.phone_forwarding,
    wishes=agent_wishes,
    imports=_imports,
    rules=RULES,
    lists="SIP extensions.",
    also=("user", "users"),
    shared=(
        Shared(Resource("dialplan", "agents"), lambda _site: DIALPLAN_PATH, draft_dialplan),
        Shared(
            Resource("dialplan", "transfers"),
            lambda _site: TRANSFER_PATH,
            draft_transfers,
            always=True,
        ),
    ),
    ours=_ours,
)
