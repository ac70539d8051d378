"""A kind that nobody ships, with every mark on a field: for what holds whatever the kinds are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fsgitops.kinds import BUILT_IN
from fsgitops.model.fields import (
    Destination,
    Expect,
    Extension,
    Globals,
    Hidden,
    Key,
    Label,
    Names,
    Ref,
    SecretSource,
    Slug,
    Switch,
)
from fsgitops.model.kind import Kind, Kinds, Reach
from fsgitops.model.noun import Noun, Part


class Member(Part):
    """Somebody in a queue."""

    short = "agent"

    agent: Annotated[Extension, Ref(("agent",))]
    note: Label | None = None


class Login(Part):
    """How a queue logs in somewhere."""

    user: Label
    password: Annotated[SecretSource, Hidden("queue password")] = None


class Queue(Noun):
    """Callers who wait. Somebody takes them one by one."""

    kind = "queue"
    called = "queue"

    name: Annotated[Slug, Key()]
    extension: Extension | None = None
    strategy: Literal["fifo", "random"] = "fifo"
    members: tuple[Member, ...] = ()
    logins: dict[str, Login] = Field(default={})
    tags: Names = ()
    texts: dict[str, Annotated[str, Globals()]] = Field(default={})
    fallback: Destination | None = None
    manager: Annotated[Extension, Ref(("agent",), called="boss", lost="no one leads")] | None = None
    greeting: Annotated[Label, Expect("a greeting", "Be kind.")] = "Hello"
    enabled: Switch = True
    protect: Switch = Field(default=False)


QUEUE = Kind(
    word="queue",
    section="queues",
    noun=Queue,
    paths=lambda queue, _site: (f"dialplan/default/50_queue_{queue.name}.xml",),
    drafts=lambda *_: (),
    reach=lambda queue: Reach(queue.name),
    dialled=lambda queue: (queue.extension,) if queue.extension else (),
)
KINDS = Kinds((*BUILT_IN.values(), QUEUE))
