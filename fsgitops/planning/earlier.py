"""What a roll-back changes for callers.

Nothing of it is declared, so what the last apply noted and the files themselves tell which numbers
people dial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.homes import home_of
from fsgitops.homes.directory import DIRECTORY
from fsgitops.model.desired import Desired
from fsgitops.planning.ahead import Ahead
from fsgitops.planning.followed import read_extensions
from fsgitops.planning.hearing import Dialled, guess_dialled
from fsgitops.planning.impact import find_impact
from fsgitops.workspace.declare import Compilation, Declared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.heard import Hearings
    from fsgitops.model.impact import Impact
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.model.resource import Resource
    from fsgitops.planning.survey import ConfLook
    from fsgitops.secret.key import ProjectKey
    from fsgitops.workspace.open import Workspace


def find_impact_back(
    workspace: Workspace,
    earlier: CompiledConfig,
    live: LiveConfig,
    plan: Plan,
    look: ConfLook,
    key: ProjectKey | None,
) -> Impact | None:
    """Return what a plan changes for callers that brings the `earlier` files back.

    It is None where there is no configuration of FreeSWITCH yet.
    """
    compilation = Compilation(Declared(Desired()), earlier, key)
    ahead = Ahead(workspace, compilation, live, plan, earlier)
    return find_impact(compilation, plan, look, ahead, _list_managed)[0]


def _list_managed(ahead: Ahead, kept: Hearings | None) -> Iterator[Dialled]:
    """Yield a number for each resource that has a file afterwards, if one can be told."""
    plan, _, written, left = ahead.portion
    gone = {change.path for change in plan.changes} | {*written.files}
    for path, file in written.files.items():
        for part in file.parts:
            yield from _dial(ahead, part.resource, path, file.content, kept)
    for path, entry in ahead.live.manifest.entries.items():
        there = ahead.live.files.get(path)
        if path not in gone and there is not None and not left:
            for record in entry.records:
                yield from _dial(ahead, record.resource, path, there.content or b"", kept)


def _dial(
    ahead: Ahead, resource: Resource, path: str, content: bytes, kept: Hearings | None
) -> Iterator[Dialled]:
    dialplan, places = home_of(path) is not DIRECTORY, ahead.workspace.target.places
    named = resource.name.lstrip("+").isdecimal()
    taken = {
        number
        for _, numbers in (read_extensions(content) if dialplan and not named else ())
        for number in numbers
    }
    heard = kept.calls.get(resource) if kept else None
    if heard is not None and (not taken or heard.number in taken):
        yield Dialled(resource, heard.number, heard.context)
        return
    context = places.context_of(path) if dialplan else places.context
    if found := guess_dialled(resource, taken, context):
        yield found
