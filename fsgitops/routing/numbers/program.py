"""Expressions as programs: steps that read a text byte by byte, in the order that PCRE2 tries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from fsgitops.routing.numbers.expression import (
    EXACTLY,
    NO_BYTES,
    Bytes,
    NotRegularError,
    Reader,
    Tree,
)

MOST_STEPS: Final = 4_000
"""Steps of one program."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a program. The next one follows it, but for `split`, which tries each of `to`.

    `read` takes a byte, within `groups`; `open` begins a group; `start`, `end` and `line` hold at
    the start, at the end, and at the end or before a last line feed; `match` is the end.
    """

    what: str
    chars: Bytes = NO_BYTES
    groups: frozenset[int] = frozenset()
    group: int = 0
    to: tuple[int, ...] = ()


class Program(NamedTuple):
    """An expression to be searched for: its steps, and what is known of its groups."""

    steps: tuple[Step, ...]
    groups: int
    repeated: frozenset[int]
    """Groups that may be set several times, or that stand in one that may."""
    hollow: bool
    """A repetition may take nothing: which match is found first is then PCRE2's own affair."""
    offsets: dict[int, int]
    """Groups that are always the text without its first bytes, and how many those are."""


@lru_cache(maxsize=16_384)
def read_program(expression: str, how: str = EXACTLY) -> Program:
    """Read a raw expression, `/…/i` among them (`switch_regex_perform`). Raises NotRegularError.

    Only what PCRE2 takes is to be given: what is wrong may be read as something else.
    """
    options = ""
    if expression.startswith("/"):
        expression, slash, options = expression[1:].rpartition("/")
        if not slash:
            raise NotRegularError("the slash at its end is missing")
    reader = Reader(expression, ignore_case="i" in options, dot_all="s" in options, how=how)
    tree = reader.read()
    builder = _Builder()
    builder.add(("group", 0, tree), frozenset(), 0)
    builder.steps.append(Step("match"))
    offsets = {0: 0} if _is_bounded(tree) else {}
    offsets.update(_find_offsets(tree))
    return Program(
        tuple(builder.steps), reader.groups + 1, frozenset(builder.repeated), builder.hollow,
        offsets,
    )  # fmt: skip


def _find_offsets(tree: Tree) -> list[tuple[int, int]]:
    """Find groups between `^`, things of one length, and the end of the text."""
    if tree[0] == "group":
        return [(tree[1], 0), *_find_offsets(tree[2])] if _is_bounded(tree[2]) else []
    if tree[0] != "cat" or not _is_bounded(tree):
        return []
    *head, last, _ = tree[1]
    lengths = [_measure(item) for item in head[1:]]
    if last[0] != "group" or None in lengths:
        return []
    skipped = sum(length or 0 for length in lengths)
    found = [(last[1], skipped)]
    inner = last[2]
    while inner[0] == "group":
        found.append((inner[1], skipped))
        inner = inner[2]
    return found


def _is_bounded(tree: Tree) -> bool:
    if tree[0] != "cat" or len(tree[1]) < 3:
        return False
    ends = (tree[1][0], tree[1][-1])
    return ends[0] == ("assert", "start") and ends[1] in (("assert", "line"), ("assert", "end"))


def _measure(tree: Tree) -> int | None:
    """Return how many bytes a tree takes; None: that differs."""
    kind = tree[0]
    if kind == "set":
        return 1
    if kind == "assert":
        return 0
    if kind == "group":
        return _measure(tree[2])
    if kind == "rep":
        inner = _measure(tree[1])
        return inner * tree[2] if inner is not None and tree[2] == tree[3] else None
    lengths = [_measure(item) for item in tree[1]]
    if None in lengths:
        return None
    if kind == "alt":
        return lengths[0] if len(set(lengths)) == 1 else None
    return sum(length or 0 for length in lengths)


def _may_be_empty(tree: Tree) -> bool:
    kind = tree[0]
    if kind == "rep":
        return tree[2] == 0 or _may_be_empty(tree[1])
    if kind == "group":
        return _may_be_empty(tree[2])
    if kind == "alt":
        return any(map(_may_be_empty, tree[1]))
    return kind == "assert" or (kind == "cat" and all(map(_may_be_empty, tree[1])))


class _Builder:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.repeated: set[int] = set()
        self.hollow = False

    def add(self, tree: Tree, groups: frozenset[int], times: int) -> None:
        """Append the steps of a tree that stands in some groups, in `times` repetitions."""
        if len(self.steps) > MOST_STEPS:
            raise NotRegularError("it is too long")
        kind = tree[0]
        if kind == "set":
            self.steps.append(Step("read", chars=tree[1], groups=groups))
        elif kind == "assert":
            self.steps.append(Step(tree[1]))
        elif kind == "group":
            if times:
                self.repeated.add(tree[1])
            groups |= {tree[1]}
            self.steps.append(Step("open", groups=groups, group=tree[1]))
            self.add(tree[2], groups, times)
        elif kind == "cat":
            for item in tree[1]:
                self.add(item, groups, times)
        elif kind == "alt":
            self._add_choice(tree[1], groups, times)
        else:
            self._add_repetition(tree, groups, times)

    def _add_choice(self, choices: tuple[Tree, ...], groups: frozenset[int], times: int) -> None:
        split = self._reserve()
        starts, ends = [], []
        for choice in choices:
            starts.append(len(self.steps))
            self.add(choice, groups, times)
            ends.append(self._reserve())
        self.steps[split] = Step("split", to=tuple(starts))
        for end in ends:
            self.steps[end] = Step("split", to=(len(self.steps),))

    def _add_repetition(self, tree: Tree, groups: frozenset[int], times: int) -> None:
        _, inner, least, most, greedy = tree
        again = times + (most is None or most > 1)
        self.hollow |= again > times and _may_be_empty(inner)
        for _ in range(least):
            self.add(inner, groups, again)
        if most is None:
            split = self._reserve()
            self.add(inner, groups, again)
            self.steps.append(Step("split", to=(split,)))
            self._close(split, greedy=greedy)
            return
        splits = []
        for _ in range(most - least):
            splits.append(self._reserve())
            self.add(inner, groups, again)
        for split in splits:
            self._close(split, greedy=greedy)

    def _reserve(self) -> int:
        self.steps.append(Step("split"))
        return len(self.steps) - 1

    def _close(self, split: int, *, greedy: bool) -> None:
        into, past = split + 1, len(self.steps)
        self.steps[split] = Step("split", to=(into, past) if greedy else (past, into))
