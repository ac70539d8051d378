"""Words that complete a command line: targets, extensions, DIDs, revisions, fields, files.

They are read from the project's files; no switch is asked. Nothing here is checked: a shell that
waits for words wants those that are there, however wrong the rest is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.settings.project import find_project
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from fsgitops.model.noun import Noun
    from fsgitops.workspace.open import Workspace

MAX_WORDS = 500
"""More than a shell shows without asking; whoever types another digit gets the others."""


class Place(NamedTuple):
    """The project, where the command line stands in it, the target, and what is typed so far.

    `kind` is what an earlier word names, in its own words.
    """

    root: Path
    start: Path
    target: str | None
    typed: str
    kind: str | None = None


class Suggestion(NamedTuple):
    """A word, and what it is: shells that can show that show it."""

    word: str
    about: str = ""


def suggest_targets(place: Place) -> Iterator[Suggestion]:
    """Yield every target."""
    workspace = open_workspace(place.root, "sandbox")
    yield Suggestion("sandbox", "the embedded switch")
    for name, target in workspace.settings.targets.items():
        yield Suggestion(name, target.domain)


def suggest_extensions(place: Place) -> Iterator[Suggestion]:
    """Yield the extension of every declared agent."""
    return _names(place, "agents")


def suggest_dids(place: Place) -> Iterator[Suggestion]:
    """Yield every declared public number, in E.164 where it is a number."""
    return _names(place, "did_routes")


def suggest_numbers(place: Place) -> Iterator[Suggestion]:
    """Yield what can be called: extensions, public numbers, and all else as KIND/NAME."""
    yield from suggest_extensions(place)
    yield from suggest_dids(place)
    for kind in open_workspace(place.root, "sandbox").kinds.values():
        for word, about in _names(place, kind.section) if kind.reach else ():
            yield Suggestion(f"{kind.word}/{word}", about)


def suggest_groups(place: Place) -> Iterator[Suggestion]:
    """Yield every declared group, behind those of a list that are typed already."""
    before = place.typed[: place.typed.rfind(",") + 1]
    for item in _declared(place, "agents"):
        groups = item.get("groups") or ()
        names = groups.split(",") if isinstance(groups, str) else groups
        if isinstance(names, list):
            yield from (Suggestion(before + str(name).strip()) for name in names)


def suggest_extension_list(place: Place) -> Iterator[Suggestion]:
    """Yield every extension, behind those of a list that are typed already."""
    before = place.typed[: place.typed.rfind(",") + 1]
    for word, about in suggest_extensions(place):
        yield Suggestion(before + word, about)


def suggest_resources(place: Place) -> Iterator[Suggestion]:
    """Yield `agent:1020`, `did:+1949…` and so on for all that is declared, and the files."""
    for kind in open_workspace(place.root, "sandbox").kinds.values():
        for word, about in _names(place, kind.section):
            yield Suggestion(f"{kind.word}:{word}", about)
    yield from suggest_declared_files(place)


def suggest_kinds(place: Place) -> Iterator[Suggestion]:
    """Yield the word of each kind."""
    for kind in open_workspace(place.root, "sandbox").kinds.values():
        yield Suggestion(kind.word, kind.about)


def suggest_declared_names(place: Place) -> Iterator[Suggestion]:
    """Yield the names of what is declared of the kind that is typed already."""
    from fsgitops.commands.listing import find_word

    kinds = open_workspace(place.root, "sandbox").kinds
    return _names(place, kinds[find_word(place.kind or "", kinds)].section)


def suggest_declared_files(place: Place) -> Iterator[Suggestion]:
    """Yield every YAML file of the desired state."""
    from fsgitops.steps.load import find_files

    paths, _ = find_files(place.root, open_workspace(place.root, "sandbox").settings.desired)
    for path in paths:
        yield Suggestion(os.path.relpath(place.root / path, place.start))


def suggest_managed(place: Place) -> Iterator[Suggestion]:
    """Yield what a target manages: resources, and their files."""
    from fsgitops.steps.read_live import read_manifest

    for path, entry in read_manifest(
        open_workspace(place.root, place.target).target.state_dir
    ).entries.items():
        names = [str(record.resource) for record in entry.records]
        yield from (Suggestion(name, path) for name in names)
        yield Suggestion(path, ", ".join(names))


def suggest_live_files(place: Place) -> Iterator[Suggestion]:
    """Yield files and folders of a target's conf directory, one level below what is typed."""
    conf_dir = open_workspace(place.root, place.target).target.conf_dir
    folder = place.typed.rpartition("/")[0]
    with os.scandir(conf_dir / folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                slash = "/" if entry.is_dir(follow_symlinks=False) else ""
                yield Suggestion(f"{folder}/{entry.name}{slash}".lstrip("/"))


def suggest_revisions(place: Place) -> Iterator[Suggestion]:
    """Yield the revisions of a target, the latest first."""
    from fsgitops.live.revisions import list_revisions

    for kept in reversed(list_revisions(open_workspace(place.root, place.target).target.state_dir)):
        about = f"{kept.revision.time} {kept.revision.actor} {kept.revision.ending.value}"
        yield Suggestion(str(kept.number), about)


def suggest_commits(place: Place) -> Iterator[Suggestion]:
    """Yield git's branches and tags."""
    from fsgitops.workspace.git import run_git

    told = run_git(place.root, "for-each-ref", "--format=%(refname:short)%09%(subject)")
    for line in told.splitlines():
        word, _, about = line.partition("\t")
        yield Suggestion(word, about)


def suggest_names(place: Place) -> Iterator[Suggestion]:
    """Yield what `explain` explains: kinds, fields and rules."""
    from fsgitops.commands.explain import list_names
    from fsgitops.commands.validate import list_rules

    workspace = open_workspace(place.root, place.target)
    yield from map(Suggestion, list_names(workspace.readable))
    for rule in list_rules(workspace):
        yield Suggestion(rule.name, rule.description)


def suggest_tokens(place: Place) -> Iterator[Suggestion]:
    """Yield the ids of the API's tokens."""
    from fsgitops.commands.token import read_tokens

    for token in read_tokens(place.root):
        yield Suggestion(token.id, token.name)


def suggest(
    name: str, start: Path, target: str | None, typed: str, kind: str | None = None
) -> list[Suggestion]:
    """Return the words of `suggest_NAME` that begin as what is typed, each once, not too many.

    `start` is the directory that the command line runs in, or names.
    """
    place = Place(find_project(start) or start, start, target, typed, kind)
    found: Iterable[Suggestion] = globals()[f"suggest_{name}"](place)
    chosen: dict[str, Suggestion] = {}
    for item in found:
        # A word with a blank or a control character in it is no word to a shell.
        if item.word.startswith(typed) and item.word.isprintable() and " " not in item.word:
            chosen.setdefault(item.word, item)
        if len(chosen) >= MAX_WORDS:
            break
    chosen.pop("", None)
    return list(chosen.values())


def _names(place: Place, section: str) -> Iterator[Suggestion]:
    """Yield what the resources of a section are called, a telephone number in E.164."""
    from fsgitops.model.reading import called_references, key_field, numbers
    from fsgitops.phone import NumberError, normalise_number

    workspace = open_workspace(place.root, "sandbox")
    kind = workspace.kinds.by_section(section)
    assert kind is not None
    noun: type[Noun] = kind.noun
    key = key_field(noun)
    leads = [field for field, mark in called_references(noun).values() if mark.anything]
    for item in _declared(place, section):
        word = str(item.get(key, ""))
        if key in numbers(noun):
            try:
                word = normalise_number(word, workspace.settings.default_region)
            except NumberError:
                continue
        to = next((f"-> {item[field]}" for field in leads if item.get(field)), "")
        yield Suggestion(word, to or ("" if key == "name" else str(item.get("name") or "")))


def _declared(place: Place, section: str) -> Iterator[Mapping[str, object]]:
    from fsgitops.steps.load import load_documents

    workspace: Workspace = open_workspace(place.root, "sandbox")
    for document in load_documents(place.root, workspace.settings.desired)[0]:
        items = document.data.get(section)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                yield item
