"""What a rule has to say: which field of which resource breaks it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from fsgitops.findings import Position
    from fsgitops.model.document import Path


class Breach(NamedTuple):
    """One breach of one rule. `path` leads to the field; empty, the whole resource is meant.

    `key` says that the field's name is at fault and not its value. `place` is given where the
    resource was declared more than once. Breaches of one rule with one `group` are told as one
    finding, once those that a comment silences are left out.
    """

    resource: Resource
    path: Path
    message: str
    hint: str = ""
    key: bool = False
    place: Position | None = None
    group: str = ""


def agent(extension: str) -> Resource:
    """Return the name of an agent as a resource."""
    return Resource("agent", extension)


def route(did_number: str) -> Resource:
    """Return the name of a DID route as a resource."""
    return Resource("did", did_number)
