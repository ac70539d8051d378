"""The name of a resource: what a file, a change or a finding is about."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kinds of resource that a user declares, or that are compiled from all of them."""

    AGENT = "agent"
    DID_ROUTE = "did"
    DIALPLAN = "dialplan"


class Resource(NamedTuple):
    """A kind and a name within it: `agent:1020`, `did:+19495431333`, `dialplan:agents`."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Resource:
        """Return the resource that `str(resource)` wrote. Raises ValueError for anything else."""
        kind, colon, name = text.partition(":")
        if not colon or not name:
            raise ValueError(f"{text!r} is not KIND:NAME")
        return cls(Kind(kind), name)
