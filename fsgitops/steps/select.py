"""Limit a plan to what a person named: resources, globs of them, or the files they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from fsgitops.errors import UsageError
from fsgitops.model.plan import Action
from fsgitops.model.reading import key_field, references
from fsgitops.model.review import source_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kind, Kinds
    from fsgitops.model.plan import Change
    from fsgitops.model.resource import Resource

SUGGESTED_AMONG = 20_000
"""Names that a misspelt selector is compared with at most: it takes 0.1 s for 10,000."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`--only` and `--exclude`. Empty: everything is selected."""

    kinds: Kinds
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only or self.exclude)

    def selects(self, resource: Resource, file: str) -> bool:
        """Tell whether a resource, written in that file, is selected."""
        chosen = not self.only or any(self.matches(item, resource, file) for item in self.only)
        return chosen and not any(self.matches(item, resource, file) for item in self.exclude)

    def takes(self, change: Change) -> bool:
        """Tell whether a change is selected."""
        return self.selects(change.resource, source_file(change.source))

    def matches(self, selector: str, resource: Resource, file: str) -> bool:
        """Tell whether one selector means a resource, written in that file."""
        word, colon, name = selector.partition(":")
        kind = _selector_words(self.kinds).get(word) if colon else None
        if kind is not None and kind != resource.kind:
            return False
        # What is left of a kind that nobody declares any more goes by the word it was applied with.
        if colon and (kind or word) == resource.kind:
            return name == resource.name or fnmatchcase(resource.name, name)
        return selector == file or matches_path(selector, file)


@cache
def _selector_words(kinds: Kinds) -> Mapping[str, str]:
    """Return the words that select by kind: a kind's own, others for it, those of shared files."""
    words = {word: kind.word for kind in kinds.values() for word in (kind.word, *kind.aliases)}
    shared = (item.resource.kind for kind in kinds.values() for item in kind.shared)
    return {**words, **{word: word for word in shared}}


def check_selection(selection: Selection, known: Mapping[Resource, str]) -> None:
    """Raise UsageError for the selectors that name nothing of what is `known`, with its file."""
    for selector in (*selection.only, *selection.exclude):
        if not any(selection.matches(selector, *item) for item in known.items()):
            raise UsageError(
                f"`{selector}` matches nothing that is declared or "
                f"managed{_suggest(selector, known, selection.kinds)}"
            )


def select_changes(
    changes: Sequence[Change], selection: Selection, managed: Iterable[Resource]
) -> tuple[list[Change], set[Resource]]:
    """Return the selected changes, with the shared files that they need, and who is there then.

    A file that the resources of a kind share comes along with the first of them, and stays while
    one of them is there. One that everything needs comes along with whatever is written now: an old
    resource that is written anew may need it too. One that follows its resources comes along with
    any that is written, and never ahead of those that are left out. Raises UsageError where it
    cannot be both.
    """
    kinds = selection.kinds
    chosen = [change for change in changes if selection.takes(change)]
    left = _remaining(managed, chosen, kinds)
    there = {resource.kind for resource in left}
    made = {change.resource.kind for change in chosen if change.action is Action.CREATE}
    written = {change.resource.kind for change in chosen if change.action is not Action.DELETE}
    kept: list[Change] = []
    for change in changes:
        selected = selection.takes(change)
        owner, shared = kinds.owner(change.resource), kinds.shared(change.resource)
        if owner and shared:
            if change.action is Action.CREATE:
                selected = selected or owner.word in made or (shared.always and bool(written))
            elif change.action is Action.UPDATE:
                selected = selected or (shared.follows and owner.word in written)
                if selected and shared.follows:
                    selected = _keeps_up(change, owner.word, changes, selection)
            else:
                selected = selected and not (there if shared.always else owner.word in there)
        if selected:
            kept.append(change)
    return kept, left


def _keeps_up(change: Change, word: str, changes: Sequence[Change], selection: Selection) -> bool:
    """Tell whether a file that follows its resources may change with those that are selected.

    What it would drop may be what finds one that is left out, and still there: then it stays. It
    can only stay where nothing in it is new. Raises UsageError elsewhere.
    """
    behind = [
        str(item.resource)
        for item in changes
        if item.resource.kind == word
        and item.action is not Action.CREATE
        and not selection.takes(item)
    ]
    if not behind or all(item.after is not None for item in change.attributes):
        return True
    if all(item.before is not None for item in change.attributes):
        return False
    more = f" and {len(behind) - 3:,} more" if len(behind) > 3 else ""
    raise UsageError(
        f"{change.resource} would change with what is selected, and may no longer find what is "
        f"left out: {', '.join(behind[:3])}{more}; select these too, or apply them first"
    )


def _remaining(
    managed: Iterable[Resource], changes: Iterable[Change], kinds: Kinds
) -> set[Resource]:
    """Return the resources that are live once the changes are made, shared files left out."""
    left = {resource for resource in managed if kinds.owner(resource) is None}
    # What moves to another file is deleted and created, in the order of the files.
    for change in sorted(changes, key=lambda change: change.action is not Action.DELETE):
        if kinds.owner(change.resource) is None:
            (left.discard if change.action is Action.DELETE else left.add)(change.resource)
    return left


def find_dangling(desired: Desired, left: Collection[Resource]) -> list[str]:
    """Return a warning for each resource that leads to one which is not among those `left`."""
    return [
        f"{resource} {reference.mark.does} {reference.resource.name}, and {reference.resource} is "
        "not there once this partial plan is applied"
        for resource in sorted(left)
        if (noun := desired.get(resource))
        for reference in references(noun)
        if not reference.mark.owned and reference.resource not in left
    ]


def names_resource(selector: str) -> bool:
    """Tell whether a selector is meant to name resources by kind, and not the files they are in."""
    return ":" in selector


def matches_path(glob: str, path: str) -> bool:
    """Tell whether a glob takes a path: `*` and `?` stay within a folder, `**` does not."""
    return _path_glob(glob).matches(path)


_MOVES = 10_000
_FREE = {"": (1, 3), "*": (1,), "**": (1,)}
"""How far on a glob may be without reading: past a star, or past the whole of `**/`."""


class PathGlob:
    """A path glob: `*` and `?` stay within a folder, `**` does not; `**/` may also be nothing.

    It reads a path once, whatever the glob: all places where it may be are followed at a time. The
    regular expression of a glob with many stars would run for minutes.
    """

    def __init__(self, glob: str) -> None:
        signs = re.findall(r"\*\*/|\*\*|.", glob.removeprefix("./"), re.DOTALL)
        self._tokens = [
            part for sign in signs for part in (("", "**", "/") if sign == "**/" else (sign,))
        ]
        self._start = self._spread({0})
        self.moves: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, path: str) -> bool:
        """Tell whether the glob takes a path."""
        places = self._start
        for char in path:
            move = self.moves.get((places, char))
            if move is None:
                move = self._spread(
                    {after for place in places for after in self._read(place, char)}
                )
                if len(self.moves) < _MOVES:
                    self.moves[places, char] = move
            places = move
        return len(self._tokens) in places

    def _spread(self, places: set[int]) -> frozenset[int]:
        """Return the places with those that are reached from them without reading anything."""
        todo = list(places)
        while todo:
            place = todo.pop()
            steps = _FREE.get(self._tokens[place], ()) if place < len(self._tokens) else ()
            for after in {place + step for step in steps} - places:
                places.add(after)
                todo.append(after)
        return frozenset(places)

    def _read(self, place: int, char: str) -> tuple[int, ...]:
        sign = self._tokens[place] if place < len(self._tokens) else None
        if sign == "**" or (sign == "*" and char != "/"):
            return (place,)
        return (place + 1,) if sign == char or (sign == "?" and char != "/") else ()


_path_glob = cache(PathGlob)


def _suggest(selector: str, known: Mapping[Resource, str], kinds: Kinds) -> str:
    word, colon, _ = selector.partition(":")
    words = _selector_words(kinds)
    shown = ", ".join(map(_show_name, [*kinds.values()][:2]))
    if colon and word not in words:
        close = get_close_matches(word, words, n=1)
        return f"; did you mean `{close[0]}:`?" if close else f"; write {shown}"
    names = [str(resource) for resource in known] if colon else sorted(set(known.values()))
    # The word in front is the same for all of a kind: only the name behind it can be like another.
    typed = selector.partition(":")[2] if colon else selector
    alike = {
        name.partition(":")[2] if colon else name: name
        for name in names[:SUGGESTED_AMONG]
        if not colon or name.startswith(f"{word}:")
    }
    close = [alike[item] for item in get_close_matches(typed, alike, n=1)]
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; write {shown}, a glob of these, or the path of a YAML file"


def _show_name(kind: Kind[Any]) -> str:
    """Return a name of a kind's resource, such as its field shows one."""
    field = kind.noun.model_fields[key_field(kind.noun)]
    return f"{kind.word}:{(field.examples or ['NAME'])[0]}"
