"""How many calls a plan follows: all of them, or of too many some, spread evenly over all.

What a call costs depends on the dialplan: in the stock one, a number is held against a hundred
extensions, and what only the call can tell makes many ways. It is counted in applications that are
executed, so that the same plan follows the same calls on every machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from math import gcd
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from fsgitops.model.reading import leads_to

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.kind import Kinds
    from fsgitops.model.plan import Plan
    from fsgitops.workspace.declare import Compilation

MOST: Final = 10_000
"""So many calls are followed, if they do not take too much work."""
SAMPLE: Final = 500
"""Of more calls than that, so many."""
WORK: Final = 150_000
"""So many applications may be executed."""
_STRIDE: Final = 0.6180339887
"""Each next call is so much of all further on: however soon it ends, all parts had their turn."""

_T = TypeVar("_T")
_R = TypeVar("_R")


def follow_portion(
    items: Sequence[_T],
    follow: Callable[[_T], _R],
    worked: Callable[[], int],
    sort: Callable[[_T], Hashable],
) -> list[tuple[_T, _R]]:
    """Follow calls while the work lasts, spread evenly; of those that are left, one of each sort.

    Return those that were followed, in their order, each with what `follow` returned. `worked`
    tells how many applications were executed so far. Of one `sort` are calls that are held against
    the same extensions: a number that somebody else takes has its own.
    """
    number, until = len(items), worked() + WORK
    found: dict[int, _R] = {}
    for at in islice(_far_apart(number), SAMPLE if number > MOST else number):
        found[at] = follow(items[at])
        if worked() > until:
            break
    if len(found) < number:
        known = {sort(items[at]) for at in found}
        for at, item in enumerate(items):
            if len(known) < SAMPLE and (of := sort(item)) not in known:
                known.add(of)
                found[at] = follow(item)
    return [(items[at], found[at]) for at in sorted(found)]


def _far_apart(number: int) -> Iterator[int]:
    """Yield as many numbers from 0 on, those that are far apart first."""
    step = max(1, round(number * _STRIDE))
    while gcd(step, number) > 1:
        step += 1
    return (at * step % number for at in range(number))


def _spread(items: Sequence[_T], wanted: int) -> list[_T]:
    return [items[at * len(items) // wanted] for at in range(wanted)]


class Portion(NamedTuple):
    """What of a plan calls are followed through, and how many of its changes that leaves out."""

    plan: Plan
    compilation: Compilation
    written: CompiledConfig
    left: int = 0

    def limit(self, items: Sequence[_T]) -> Sequence[_T]:
        """Return the calls that may be followed: at most SAMPLE where changes are left out."""
        return _spread(items, min(SAMPLE, len(items))) if self.left else items


def narrow_plan(
    plan: Plan, compilation: Compilation, written: CompiledConfig, kinds: Kinds
) -> Portion:
    """Return the whole of a plan; of one with more than MOST changes, some files of each kind.

    The files that a kind's resources share are among them, and those of what theirs lead to. So no
    configuration of 100,000 resources is read for the calls of some.
    """
    if len(plan.changes) <= MOST:
        return Portion(plan, compilation, written)
    files: dict[str, Counter[str]] = {}
    for change in plan.changes:
        files.setdefault(change.resource.kind, Counter())[change.path] += 1
    kept: set[str] = set()
    for kind, counted in files.items():
        wanted = -(-SAMPLE * len(counted) // (2 * counted.total())) if kind in kinds else MOST
        kept.update(_spread([*counted], min(wanted, len(counted))))
    kept |= _list_led_to(kept, compilation, written)
    changes = tuple(change for change in plan.changes if change.path in kept)
    compiled = compilation.compiled
    some = {path: file for path, file in compiled.files.items() if path in kept}
    return Portion(
        replace(plan, changes=changes),
        replace(compilation, compiled=replace(compiled, files=some)),
        replace(written, files={path: written.files[path] for path in kept & {*written.files}}),
        len(plan.changes) - len(changes),
    )


def _list_led_to(paths: set[str], compilation: Compilation, written: CompiledConfig) -> set[str]:
    desired = compilation.declared.desired
    parts = (part for path in paths if path in written.files for part in written.files[path].parts)
    nouns = (desired.get(part.resource) for part in parts)
    targets = {target for noun in nouns if noun is not None for target in leads_to(noun)}
    return {written.paths[target] for target in targets if target in written.paths}
