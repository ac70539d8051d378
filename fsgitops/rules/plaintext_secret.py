"""A secret does not stand in git, unless somebody says that this one may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent
from fsgitops.rules.secret_fields import secret_fields
from fsgitops.secret import PlaintextSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every secret that is written out and not marked `plaintext: true`. None is shown."""
    for field in secret_fields(desired):
        if isinstance(field.source, PlaintextSource) and not field.source.marked:
            name = ".".join(str(step) for step in field.path)
            yield Breach(
                agent(field.agent.extension),
                field.path,
                f"`{name}` holds a {field.noun} in plain text",
                "Leave it out to derive one from the project key, or name its source: "
                "{env: NAME}, {file: PATH}, {age: …}. Git may have this one: choose another. "
                "If it is no secret, write {plaintext: true, value: …}.",
            )
