"""`fsgitops layout`: how the target's files are cut, and what the other layout would change."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from fsgitops.commands.plan import run_plan
from fsgitops.errors import FsgitopsError, UsageError
from fsgitops.live.connect import prepare_conf_dir
from fsgitops.model.kind import Site
from fsgitops.model.plan import Action
from fsgitops.planning.survey import ConfLook
from fsgitops.settings.shapes import SETTINGS_FILE, Layout
from fsgitops.visible import count_noun
from fsgitops.workspace.declare import declare_desired
from fsgitops.workspace.settings_file import append_line, change_settings, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsgitops.model.plan import Change
    from fsgitops.planning.planned import Planned
    from fsgitops.workspace.open import Workspace

LAYOUTS: Final[tuple[str, ...]] = get_args(Layout)
_OWN: Final = re.compile(
    r"^layout[ \t]*:[ \t]*[\"']?(?:files|sharded)[\"']?(?![\w-])", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Cut:
    """How the resources of a kind lie in files: by layout, how many there are, and the fullest."""

    kind: str
    told: str
    enabled: int
    files: dict[str, int]
    fullest: dict[str, int]


@dataclass(frozen=True, slots=True)
class Layouts:
    """The layout of a target, and what each would be."""

    target: str
    layout: str
    cuts: tuple[Cut, ...]
    needs: tuple[str, ...]
    """What the other layout needs of the conf directory and has not got."""

    @property
    def other(self) -> str:
        """Return the layout that the target has not."""
        return next(name for name in LAYOUTS if name != self.layout)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {
            "format": "fsgitops-layout",
            "version": 1,
            "target": self.target,
            "layout": self.layout,
            "kinds": {
                cut.kind: {"enabled": cut.enabled, "files": cut.files, "fullest": cut.fullest}
                for cut in self.cuts
            },
            "needs": list(self.needs),
        }


def read_layouts(workspace: Workspace) -> Layouts:
    """Count what is declared, and ask the conf directory what the other layout needs of it.

    Raises DesiredInvalidError where what is declared has errors.
    """
    target = workspace.target
    prepare_conf_dir(target)
    desired = declare_desired(workspace).demand()
    sites = {name: Site(places=target.places, sharded=name == "sharded") for name in LAYOUTS}
    cuts: list[Cut] = []
    wanted: set[str] = set()
    for kind in workspace.kinds.values():
        if not kind.joint(sites["sharded"]):
            continue
        nouns = [noun for noun in desired.of(kind.noun) if noun.enabled]
        counts = {
            name: Counter(path for noun in nouns for path in kind.paths(noun, site))
            for name, site in sites.items()
        }
        wanted.update(*(count for name, count in counts.items() if name != target.layout))
        cuts.append(Cut(
            kind.word, kind.told, len(nouns),
            {name: len(count) for name, count in counts.items()},
            {name: max(count.values(), default=0) for name, count in counts.items()},
        ))  # fmt: skip
    return Layouts(target.name, target.layout, tuple(cuts), tuple(_find_needs(workspace, wanted)))


def _find_needs(workspace: Workspace, wanted: set[str]) -> Iterator[str]:
    try:
        survey = ConfLook(workspace.target, wanted).survey()
    except (FsgitopsError, OSError) as problem:
        yield f"the conf directory cannot be read: {problem}"
        return
    problems = (survey.problem_of(path) for path in sorted(wanted))
    yield from dict.fromkeys(found[1] for found in problems if found)


def plan_layout(workspace: Workspace, layout: Layout) -> Planned:
    """Return the plan that `plan` would make with this layout. Raises what `run_plan` does."""
    return run_plan(replace(workspace, target=replace(workspace.target, layout=layout)))


def judge_moves(planned: Planned) -> str:
    """Return whether a plan between layouts does anything but move what is there."""
    changes = planned.plan.changes
    moved = planned.plan.moves
    others = list(dict.fromkeys(
        str(item.resource)
        for item in changes
        if not (_only_moves(item) or _leads_on(item, planned))
    ))  # fmt: skip
    if planned.plan.hazards:
        return "An apply would refuse this: see what is in the way."
    if not changes:
        return "Nothing changes: no file lies elsewhere in this layout."
    if not others:
        done = {Action.CREATE: "created", Action.UPDATE: "changed", Action.DELETE: "deleted"}
        told = "".join(
            f"; {item.resource}, which finds them, is {done[item.action]}"
            for item in changes
            if not item.moved
        )
        return (
            f"Only moves: {count_noun(moved, 'resource')} to another file{told}. No registration "
            "and no call ends."
        )
    listed = ", ".join(others[:3])
    more = f" and {len(others) - 3:,} more" if len(others) > 3 else ""
    return (
        f"Not only moves: {listed}{more} would be created, changed or deleted too. To move and "
        "nothing else, apply that first."
    )


def _only_moves(change: Change) -> bool:
    return change.moved and not (change.renamed_from and change.attributes)


def _leads_on(change: Change, planned: Planned) -> bool:
    shared = planned.kinds.shared(change.resource)
    return shared is not None and shared.follows


def write_layout(workspace: Workspace, layout: str) -> list[str]:
    """Set the target's layout in `fsgitops.yaml`: its own where it has one, else that of all.

    Return the other targets that have it then, since they have none of their own. Raises UsageError
    where the file is written in a way that this cannot be put into.
    """
    targets, name = workspace.settings.targets, workspace.target.name
    declared = targets.get(name)
    others: list[str] = []
    if declared is not None and declared.layout is not None:
        path: tuple[str, ...] = ("targets", name, "layout")
    else:
        others = [other for other, one in targets.items() if other != name and one.layout is None]
        path = ("layout",)
    change_settings(workspace.root, lambda text: edit_layout(text, path, layout))
    return others


def edit_layout(text: str, path: Sequence[str], layout: str) -> str:
    """Return the text of `fsgitops.yaml` with another layout, checked by reading it."""
    wanted = read_text(text)
    inside = wanted
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = layout
    for changed in _attempts(text, path, layout):
        if read_text(changed) == wanted:
            return changed
    place = ".".join(path)
    raise UsageError(
        f"{SETTINGS_FILE}: cannot be changed safely; set `{place}` to `{layout}` by hand"
    )


def _attempts(text: str, path: Sequence[str], layout: str) -> Iterator[str]:
    """Yield texts that may say it: the right one is known by reading it."""
    if len(path) > 1:
        pattern = re.compile(r"\blayout[ \t]*:[ \t]*[\"']?(?:files|sharded)[\"']?(?![\w-])")
        for found in pattern.finditer(text):
            yield f"{text[: found.start()]}layout: {layout}{text[found.end() :]}"
        return
    yield _OWN.sub(f"layout: {layout}", text, count=1)
    yield append_line(text, f"layout: {layout}\n")
