"""`fsgitops list` and `fsgitops get`: what is declared, what it compiles to, and what is live."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.commands.plan import run_plan
from fsgitops.errors import NotThereError, UsageError
from fsgitops.homes.pieces import OwnFiles, split_compiled
from fsgitops.model.live import FileKind
from fsgitops.model.plan import AttributeChange, compare_attribute
from fsgitops.model.reading import called_references
from fsgitops.model.resource import Resource
from fsgitops.model.shown import shown_fields
from fsgitops.routing.fragment import FragmentError, flatten_fragment
from fsgitops.schema_parts import flag, text, word
from fsgitops.workspace.declare import compile_declared, declare_desired

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fsgitops.model.compiled import CompiledFile
    from fsgitops.model.kind import Kinds
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.noun import Noun
    from fsgitops.model.shown import Values
    from fsgitops.planning.planned import Planned
    from fsgitops.workspace.open import Workspace

_BLANKS = re.compile(r"[ ()./-]")
STATES = ("unchanged", "create", "update", "delete", "blocked", "off")
"""What the next apply does with a resource; `off` is declared and not enabled, with no file."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One resource: where it is declared, the file it lies in, and what an apply does with it."""

    kind: str = field(metadata=text("The word of its kind.", examples=["agent"]))
    name: str = field(metadata=text("Its name within the kind.", examples=["1020"]))
    about: str = field(metadata=text("Its label, or where it leads."))
    source: str = field(metadata=text('FILE:LINE:COLUMN; "": it is not declared.'))
    path: str = field(metadata=text('Its file, below the conf directory; "": it has none.'))
    state: str = field(metadata=word("What the next apply does with it.", *STATES))
    drifted: bool = field(metadata=flag("Somebody else changed the file since the last apply."))


@dataclass(frozen=True, slots=True)
class Looked:
    """One resource in full: its fields; and each attribute, `before` live and `after` compiled."""

    listed: Listed
    fields: Values
    attributes: tuple[AttributeChange, ...]


def run_list(
    workspace: Workspace, wanted: str | None = None
) -> tuple[tuple[Listed, ...], tuple[str, ...]]:
    """Return every resource of a kind, or of all, sorted, and what was done or found first.

    That is all that is declared, and what else is managed.

    Raises UsageError for a word that is no kind, else as `run_plan`.
    """
    kinds = workspace.kinds
    words = tuple(kinds) if wanted is None else (find_word(wanted, kinds),)
    planned = run_plan(workspace)
    found = {item: listed for item, listed in _list(planned, kinds).items() if item.kind in words}
    order = {name: at for at, name in enumerate(words)}
    listed = sorted(found.values(), key=lambda item: (order[item.kind], item.name))
    return tuple(listed), planned.notes


def find_word(text: str, kinds: Kinds) -> str:
    """Return the word of the kind that people call this. Raises UsageError where there is none."""
    for kind in kinds.values():
        if text in (kind.word, kind.section, *kind.aliases, *kind.also):
            return kind.word
    raise UsageError(f"{text}: no such kind; there are: {', '.join(kinds)}")


def run_get(workspace: Workspace, kind: str, name: str | None) -> tuple[Looked, tuple[str, ...]]:
    """Return one resource in full, and what was done or found first.

    `kind` is a kind, or without `name` a resource: `agent:1020`, or what it is called or dialled
    by. Raises UsageError, NotThereError, else as `run_plan`.
    """
    word, colon, rest = kind.partition(":")
    if name is None and colon:
        kind, name = word, rest
    words = tuple(workspace.kinds) if name is None else (find_word(kind, workspace.kinds),)
    planned = run_plan(workspace)
    found = _list(planned, workspace.kinds)
    resource = _find_named(planned, workspace.kinds, found, words, name or kind)
    listed = found[resource]
    noun = planned.compilation.declared.desired.get(resource)
    fields = shown_fields(noun) if noun else {}
    attributes = tuple(_compare(workspace, planned, resource, listed.path))
    return Looked(listed, fields, attributes), planned.notes


def _find_named(
    planned: Planned,
    kinds: Kinds,
    found: Mapping[Resource, Listed],
    words: Sequence[str],
    name: str,
) -> Resource:
    """Return the resource of that name among some kinds, or the one that is dialled so."""
    named = [item for word in words if (item := Resource(word, name)) in found]
    if not named:
        number, compiled = _BLANKS.sub("", name), planned.compilation.compiled
        for resource in (item for item in found if item.kind in words):
            noun = planned.compilation.declared.desired.get(resource)
            forms = compiled.dialled.get(resource) or (
                kinds[resource.kind].dialled(noun) if noun else ()
            )
            named += [resource] if number in forms else []
    if len(named) > 1:
        raise UsageError(f"{name}: name one of {', '.join(map(str, named))}")
    if not named:
        told, which = (f"{words[0]}:", f" {words[0]}") if len(words) == 1 else ("", "")
        raise NotThereError(
            f"{told}{name} is neither declared nor managed; `fsgitops list{which}` names all"
        )
    return named[0]


def _list(planned: Planned, kinds: Kinds) -> dict[Resource, Listed]:
    desired = planned.compilation.declared.desired
    changes = {change.resource: change for change in planned.plan.changes}
    blocked = {hazard.path for hazard in planned.plan.hazards}
    paths = planned.compilation.compiled.paths
    managed = {
        record.resource: path
        for path, entry in planned.live.manifest.entries.items()
        for record in entry.records
        if record.resource.kind in kinds
    }
    found = {}
    for resource in {**desired.sources, **managed}:
        change, noun = changes.get(resource), desired.get(resource)
        path = paths.get(resource) or managed.get(resource, "")
        state = change.action.value if change else "unchanged" if path else "off"
        found[resource] = Listed(
            resource.kind,
            resource.name,
            _about(noun) if noun else "",
            str(desired.sources.get(resource, "")),
            path,
            "blocked" if path in blocked else state,
            drifted=bool(change and change.drifted),
        )
    return found


def _about(noun: Noun) -> str:
    """Return where a resource leads, or else its label."""
    leads = [field for field, mark in called_references(type(noun)).values() if mark.anything]
    to = next((f"-> {value}" for item in leads if (value := getattr(noun, item, None))), "")
    return to or str(getattr(noun, "name", "") or getattr(noun, "label", "") or "")


def _compare(
    workspace: Workspace, planned: Planned, resource: Resource, path: str
) -> Iterator[AttributeChange]:
    """Yield each attribute as it is live and as it is compiled, what is the same too."""
    compiled = _compile(workspace, planned, resource, path)
    wanted = flatten_fragment(compiled.content) if compiled else {}
    held = _read_live(planned.live, path, resource, wanted)
    for name in dict.fromkeys((*wanted, *held)):
        yield compare_attribute(name, held.get(name), wanted.get(name))


def _read_live(
    live: LiveConfig, path: str, resource: Resource, wanted: Mapping[str, str]
) -> Mapping[str, str]:
    whole = live.files.get(path)
    if whole is None or whole.kind is not FileKind.REGULAR:
        return {}
    if whole.content is None:
        return wanted  # its hash is that of what is compiled
    own = OwnFiles(live).get(path, resource)
    if own.kind is not FileKind.REGULAR:
        return {}
    try:
        return flatten_fragment(own.content or b"")
    except FragmentError as problem:
        return {"(the whole file)": f"not readable as FreeSWITCH would: {problem}"}


def _compile(
    workspace: Workspace, planned: Planned, resource: Resource, path: str
) -> CompiledFile | None:
    """Return what is compiled of a resource, its bytes too where the plan did not need them."""
    file = planned.compilation.compiled.files.get(path)
    if file is not None and file.settled:
        again = compile_declared(workspace, declare_desired(workspace))
        file = again.compiled.files[path]
    if file is None or len(file.parts) == 1:
        return file
    return split_compiled(file).get(resource)
