"""Limit a plan to what a person named: resources, globs of them, or the files they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from fsgitops.errors import UsageError
from fsgitops.model.plan import Action
from fsgitops.model.review import source_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fsgitops.model.plan import Change
    from fsgitops.model.resource import Resource

KINDS = {"agent": "agent", "did": "did", "dialplan": "dialplan", "did_route": "did"}
TRANSFERS = "transfers"
"""The dialplan file that every other dialplan file needs: where calls go that are moved."""

SUGGESTED_AMONG = 20_000
"""Names that a misspelt selector is compared with at most: it takes 0.1 s for 10,000."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`--only` and `--exclude`. Empty: everything is selected."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only or self.exclude)

    def selects(self, resource: Resource, file: str) -> bool:
        """Tell whether a resource, written in that file, is selected."""
        chosen = not self.only or any(_matches(item, resource, file) for item in self.only)
        return chosen and not any(_matches(item, resource, file) for item in self.exclude)


def check_selection(selection: Selection, known: Mapping[Resource, str]) -> None:
    """Raise UsageError for the selectors that name nothing of what is `known`, with its file."""
    for selector in (*selection.only, *selection.exclude):
        if not any(_matches(selector, resource, file) for resource, file in known.items()):
            raise UsageError(
                f"`{selector}` matches nothing that is declared or "
                f"managed{_suggest(selector, known)}"
            )


def select_changes(
    changes: Sequence[Change], selection: Selection, agents_left: Iterable[str]
) -> list[Change]:
    """Return the selected changes, and with them the dialplan that new agents need.

    `agents_left` are the agents that are live once the selected changes are made: while there is
    one, the dialplan that makes agents ring stays.
    """
    chosen = [change for change in changes if selection.selects(change.resource, _file(change))]
    creates = any(
        change.action is Action.CREATE and change.resource.kind == "agent" for change in chosen
    )
    # What is written now closes its legs towards the context for transfers, an old route too.
    writes = any(change.action is not Action.DELETE for change in chosen)
    left = set(agents_left)
    kept: list[Change] = []
    for change in changes:
        selected = selection.selects(change.resource, _file(change))
        if change.resource.kind == "dialplan":
            if change.action is Action.CREATE:
                is_transfers = change.resource.name == TRANSFERS
                selected = selected or creates or (is_transfers and writes)
            elif change.action is Action.DELETE:
                selected = selected and not left
        if selected:
            kept.append(change)
    return kept


def agents_after(managed: Iterable[Resource], changes: Iterable[Change]) -> set[str]:
    """Return the agents that are live once the changes are made."""
    agents = {resource.name for resource in managed if resource.kind == "agent"}
    for change in changes:
        if change.resource.kind == "agent":
            if change.action is Action.DELETE:
                agents.discard(change.resource.name)
            else:
                agents.add(change.resource.name)
    return agents


def find_dangling(
    changes: Iterable[Change],
    declared: Mapping[str, str],
    managed: Iterable[Resource],
    agents: set[str],
) -> list[str]:
    """Return a warning for each DID that rings nobody once the selected changes are made.

    `declared` maps DIDs to the extension that is declared for them.
    """
    made: set[str] = set()
    gone: set[str] = set()
    for change in changes:
        if change.resource.kind == "did":
            (gone if change.action is Action.DELETE else made).add(change.resource.name)
    live = {resource.name for resource in managed if resource.kind == "did"}
    return [
        f"did:{name} rings {declared[name]}, and agent:{declared[name]} is not there "
        "once this partial plan is applied"
        for name in sorted((live | made) - gone)
        if name in declared and declared[name] not in agents
    ]


def _file(change: Change) -> str:
    return source_file(change.source)


def names_resource(selector: str) -> bool:
    """Tell whether a selector is meant to name resources by kind, and not the files they are in."""
    return ":" in selector


def _matches(selector: str, resource: Resource, file: str) -> bool:
    kind, colon, name = selector.partition(":")
    if colon and kind in KINDS:
        if KINDS[kind] != resource.kind:
            return False
        return name == resource.name or fnmatchcase(resource.name, name)
    return selector == file or matches_path(selector, file)


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


@cache
def _path_glob(glob: str) -> PathGlob:
    return PathGlob(glob)


def _suggest(selector: str, known: Mapping[Resource, str]) -> str:
    kind, colon, _ = selector.partition(":")
    if colon and kind not in KINDS:
        close = get_close_matches(kind, KINDS, n=1)
        return f"; did you mean `{close[0]}:`?" if close else "; write agent:1020 or did:+1949…"
    names = [str(resource) for resource in known] if colon else sorted(set(known.values()))
    close = get_close_matches(selector, names[:SUGGESTED_AMONG], n=1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return "; write agent:1020, did:+1949…, a glob of these, or the path of a YAML file"
