"""What a plan changes for callers where no conf directory is at hand, but two states of our files.

Calls are followed through the files of fsgitops alone, each in the context or the directory that
its folder is included in. What hand-written files do to them is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from fsgitops.model.impact import MOMENT, Impact
from fsgitops.planning.followed import (
    EVERYTHING,
    MOST_FILES,
    Search,
    compare_extensions,
    find_users,
    walk_extensions,
)
from fsgitops.planning.hearing import Listener, list_dialled
from fsgitops.routing.call.world import World
from fsgitops.routing.rebuild import rebuild
from fsgitops.routing.records import PlacedRecords
from fsgitops.routing.tree import Element, XmlSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig, LiveFile
    from fsgitops.model.plan import Plan
    from fsgitops.places import Places
    from fsgitops.settings.target import Target
    from fsgitops.workspace.declare import Compilation
    from fsgitops.workspace.open import Workspace

Files: TypeAlias = "Mapping[str, Sequence[Element]]"
"""What is in each file."""
ALONE: Final = "hand-written files are not at hand here: calls are followed through ours alone"
_DIAL: Final = "${sofia_contact(*/${dialed_user}@${dialed_domain})}"


def find_impact_alone(
    workspace: Workspace,
    compilation: Compilation,
    live: LiveConfig,
    plan: Plan,
    written: CompiledConfig,
) -> Impact:
    """Return the impact of a plan against a live side of which only our files are known."""
    if not plan.changes:
        return Impact(MOMENT)
    changed = {change.path for change in plan.changes}
    after = {path: _read(file.content) for path, file in written.files.items()}
    before = {path: part for path, part in after.items() if path not in changed}
    for path in changed.intersection(live.manifest.entries):
        found = list(_rebuild(live.files[path]))
        if None in found:
            note = f"{path} changes, and how it is cannot be told well enough to follow calls"
            return Impact(MOMENT, notes=(note,))
        before[path] = [item for item in found if item is not None]
    touched = find_users(plan) | _compare(before, after, changed)
    kinds = workspace.kinds
    sides = _Sides(workspace.target, before, after)
    dialled = list(list_dialled(compilation, written, kinds))
    impact, _ = Search(plan, live, sides, touched, kinds, notes=(ALONE,)).find(dialled)
    return impact


def _compare(before: Files, after: Files, changed: set[str]) -> set[str]:
    paths = [path for path in changed if path.startswith("dialplan/")]
    if len(paths) > MOST_FILES:
        return {EVERYTHING}
    touched: set[str] = set()
    for path in paths:
        both = (_element("include", files.get(path, ())) for files in (before, after))
        touched |= compare_extensions(*(set(walk_extensions(parent)) for parent in both))
    return touched


def _read(content: bytes) -> Sequence[Element]:
    try:
        return _parse(content).children if content else ()
    except XmlSyntaxError:
        return ()


def _parse(content: bytes) -> Element:
    """Return the tree of a file; the users and extensions in it are read when needed."""
    records = PlacedRecords(("",))
    return records.parse(records.take_out(content, "")) or parse(content)


def _rebuild(file: LiveFile) -> Iterator[Element | None]:
    """Yield what stands in a file that is only known from a recording; None: it is not known."""
    if file.content is not None:
        yield from _read(file.content)
        return
    for part in file.parts.values() if file.parts else (file,):
        made = rebuild(part.attributes) if part.attributes else None
        yield from made if made is not None else (None,)


@dataclass(frozen=True)
class _Sides:
    target: Target
    _before: Files = field(repr=False)
    _after: Files = field(repr=False)

    @cached_property
    def before(self) -> Listener:
        """Hears over the files as they are."""
        return self._listen(self._before)

    @cached_property
    def after(self) -> Listener:
        """Hears over the files as they will be."""
        return self._listen(self._after)

    def _listen(self, files: Files) -> Listener:
        dialplan, directory = (_element("section", name=name) for name in ("dialplan", "directory"))
        dialplan.children = list(_join_contexts(files, self.target.places))
        params = _element("params", [_element("param", name="dial-string", value=_DIAL)])
        users = [item for path, found in files.items() for item in _find(found, "user", path)]
        group = _element("group", [_element("users", users)], name="default")
        domain = _element("domain", [params, _element("groups", [group])], name=self.target.domain)
        directory.children = [domain]
        sections = {"dialplan": dialplan, "directory": directory}

        def locate(section: str, tag: str, name: str) -> Element | None:
            found = sections.get(section)
            return found.find(tag, "name", name) if found else None

        world = World(locate, {"domain": self.target.domain}, {})
        return Listener(world, self.target.inbound_context)


def _join_contexts(files: Files, places: Places) -> Iterator[Element]:
    """Yield each context with the extensions of its folder, and those that files hold whole."""
    contexts: dict[str, list[Element]] = {}
    for path, found in sorted(files.items()):
        if path.startswith("dialplan/"):
            name = places.context_of(path)
            for item in found:
                if item.name == "extension":
                    contexts.setdefault(name, []).append(item)
                elif item.name == "context":
                    inside = contexts.setdefault(item.attributes.get("name", ""), [])
                    inside += item.children
    for name, children in contexts.items():
        yield _element("context", children, name=name)


def _find(elements: Iterable[Element], tag: str, path: str) -> Iterator[Element]:
    if not path.startswith("directory/"):
        return
    for item in elements:
        if item.name == tag:
            yield item
        else:
            yield from _find(item.children, tag, path)


def _element(tag: str, children: Iterable[Element] = (), **attributes: str) -> Element:
    made = Element(tag, dict(attributes), 0, 0)
    made.children = list(children)
    return made
