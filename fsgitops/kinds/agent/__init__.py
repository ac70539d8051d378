"""An agent: somebody's phone, and the mailbox that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.model.desired import Agent
from fsgitops.model.kind import Kind, Left, Reach, Shared, Site
from fsgitops.model.resource import Resource
from fsgitops.phone import is_extension

if TYPE_CHECKING:
    from fsgitops.model.kind import Read


def _paths(agent: Agent, _site: Site) -> tuple[str, ...]:
    return (f"directory/default/{agent.extension}.xml",)


def _ours(_place: str, name: str, read: Read) -> Left | None:
    if not is_extension(name) or (read() or {}).get("variable fsgitops_agent") != "true":
        return None
    return Left(name, f"directory/default/{name}.xml")


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
    ours=_ours,
)
