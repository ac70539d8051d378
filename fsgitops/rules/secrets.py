"""A secret does not stand in git, unless somebody says that this one may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.fields import Hidden
from fsgitops.model.reading import find_marked, resource_of
from fsgitops.model.rule import Breach
from fsgitops.secret.source import PlaintextSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds

_HINT = (
    "Leave it out to derive one from the project key, or name its source: {env: NAME}, "
    "{file: PATH}, {age: …}. Git may have this one: choose another. "
    "If it is no secret, write {plaintext: true, value: …}."
)


def check(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every secret that is written out and not marked `plaintext: true`. None is shown."""
    for kind in kinds.values():
        for noun in desired.of(kind.noun):
            for path, source, mark in find_marked(noun, Hidden):
                if isinstance(source, PlaintextSource) and not source.marked:
                    name = ".".join(str(step) for step in path)
                    message = f"`{name}` holds a {mark.said} in plain text"
                    yield Breach(resource_of(noun), path, message, _HINT)
