"""Say what of an ordered list moved, came or went, where two versions of a file are compared.

By attribute, an action that is put before others changes each of those behind it. The lists are
compared by deepdiff, which is loaded where an item did more than change in its place: with it come
numpy and pandas, where they are installed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ITEM: Final = re.compile(r"((?:.*/)?(?:anti-)?action) ([0-9]+) ([^@/]*)", re.DOTALL)

_Lists = dict[str, list[str]]
"""List -> its items in order: an action's application and its data, with a NUL between."""


def find_moves(
    before: Mapping[str, str], after: Mapping[str, str], names: Iterable[str]
) -> tuple[str, ...]:
    """Return a sentence for each item that moved, came or went in a list of actions.

    It tells applications and places, and no data, which may hold a secret.

    Args:
        before: What the file said, as `flatten_fragment` names it.
        after: What it is to say.
        names: The names whose values differ. An item that has another value at its old place is
            told by these alone.
    """
    wanted = {found[1] for name in names if (found := _ITEM.fullmatch(name))}
    if not wanted:
        return ()
    old, new = _read_lists(before, wanted), _read_lists(after, wanted)
    changed = [name for name in sorted(wanted) if _is_reordered(old[name], new[name])]
    return tuple(_tell({name: old[name] for name in changed}, new)) if changed else ()


def _read_lists(flat: Mapping[str, str], wanted: Iterable[str]) -> _Lists:
    lists: _Lists = {name: [] for name in wanted}
    for name, value in flat.items():
        found = _ITEM.fullmatch(name)
        if found and found[1] in lists:
            lists[found[1]].append(f"{found[3]}\0{value}")
    return lists


def _is_reordered(old: list[str], new: list[str]) -> bool:
    """Tell whether more happened than that items have other values at their places."""
    if len(old) != len(new):
        return True
    pairs = [pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]]
    return not {was for was, _ in pairs}.isdisjoint(now for _, now in pairs)


def _tell(old: _Lists, new: _Lists) -> Iterator[str]:
    from deepdiff import DeepDiff

    gone: dict[tuple[str, int], str] = {}
    come: dict[tuple[str, int], str] = {}
    pairs: list[tuple[tuple[str, int], tuple[str, int]]] = []
    for levels in DeepDiff(old, {name: new[name] for name in old}, view="tree").values():
        for level in levels:
            name, before = level.path(output_format="list")
            after = level.path(output_format="list", use_t2=True)[1]
            if isinstance(level.t1, str):
                gone[name, before] = level.t1
            if isinstance(level.t2, str):
                come[name, after] = level.t2
            if isinstance(level.t1, str) and isinstance(level.t2, str):
                pairs.append(((name, before), (name, after)))
    told = list(_pair(gone, come))
    for before, after in pairs:
        if before in gone and after in come:  # another value in its place: the attributes say it
            del gone[before], come[after]
    told += [(at, f"{_label(text)} is gone") for at, text in gone.items()]
    told += [(at, f"{_label(text)} is new") for at, text in come.items()]
    for (name, place), what in sorted(told):
        yield f"{name} {place + 1} {what}"


def _pair(
    gone: dict[tuple[str, int], str], come: dict[tuple[str, int], str]
) -> Iterator[tuple[tuple[str, int], str]]:
    """Take out what left one place of a list and came to another, and tell it."""
    places: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for at, text in sorted(gone.items(), reverse=True):
        places.setdefault((at[0], text), []).append(at)
    for at, text in sorted(come.items()):
        if found := places.get((at[0], text)):
            before = found.pop()
            del gone[before], come[at]
            yield before, f"{_label(text)} moved to place {at[1] + 1}"


def _label(text: str) -> str:
    return text.partition("\0")[0]
