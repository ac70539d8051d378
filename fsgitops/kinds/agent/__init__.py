"""An agent: somebody's phone, and the mailbox that goes with it."""

from __future__ import annotations

from typing import Final

from fsgitops.model.desired import Agent
from fsgitops.model.kind import Kind, Reach, Shared, Site
from fsgitops.model.resource import Resource


def _paths(agent: Agent, _site: Site) -> tuple[str, ...]:
    return (f"directory/default/{agent.extension}.xml",)


AGENT: Final = Kind(
    word="agent",
    section="agents",
    noun=Agent,
    name=lambda agent: agent.extension,
    paths=_paths,
    reach=lambda agent: Reach(agent.extension),
    dialled=lambda agent: (agent.extension,),
    shared=(
        Shared(Resource("dialplan", "agents"), "dialplan/default/10_fsgitops_agents.xml"),
        Shared(Resource("dialplan", "transfers"), "dialplan/fsgitops_transfer.xml", always=True),
    ),
)
