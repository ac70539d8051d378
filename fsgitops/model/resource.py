"""The name of a resource: what a file, a change or a finding is about."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


class Resource(NamedTuple):
    """A kind's word and a name within it: `agent:1020`, `did:+19495431333`, `dialplan:agents`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Resource:
        """Return the resource that `str(resource)` wrote. Raises ValueError for anything else."""
        kind, colon, name = text.partition(":")
        if not colon or not name or not _KIND.fullmatch(kind):
            raise ValueError(f"{text!r} is not KIND:NAME")
        return cls(kind, name)
