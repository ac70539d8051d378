"""Extensions that differ in nothing but digits: what they say is read once for all of them.

Ten thousand DIDs are so many extensions of one template. Their runs of digits are the holes of a
mould. Where a hole is tells what it is for: it is in the name, in the expression that takes
numbers, in where the call is transferred to, or elsewhere.
"""

from __future__ import annotations

import re
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.contents import (
    NUMBER,
    Action,
    Quick,
    Written,
    read_conditions,
    read_quick,
)
from fsgitops.routing.records import Record
from fsgitops.routing.shapes import is_plain
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.contents import Condition
    from fsgitops.routing.tree import Element

_RUN: Final = re.compile(rb"([0-9]{3,})")
_FIRST: Final = 7 * 10**14
"""The first of the made-up numbers that stand in the holes while a mould is made."""
_MADE_UP: Final = re.compile(r"7[0-9]{14}")

Runs = tuple[str, ...]
Template = tuple[str | int, ...]
"""A text: what is the same for all, and which run of digits stands between."""


class Mould(NamedTuple):
    """What extensions share that take certain numbers, and differ in their digits alone.

    `rest` are the runs that stand neither in the name, nor in the expression, nor in where the call
    is transferred to.
    """

    quick: Quick
    shown: Template
    texts: tuple[Callable[[Runs], str], ...]
    condition: Condition
    rest: tuple[int, ...]

    def fill_quick(self, runs: Runs) -> Quick:
        """Return what decides alone of the extension with these digits."""
        texts = frozenset([fill(runs) for fill in self.texts])
        return Quick(self.quick.field, texts, partial(_fill, self.shown, runs))

    def fill_condition(self, moved: Callable[[int], str], runs: Runs) -> Condition:
        """Return its condition for a number that it takes: the expression matches any.

        `moved` returns what stands for a run of digits in where the call is transferred to.
        """
        actions = [
            Written(self._fill_action(item.action, moved, runs), item.inline, item.loops)
            for item in self.condition.actions
        ]
        expression = "^(.*)$" if "(" in self.condition.expression else ".*"
        return self.condition._replace(expression=expression, actions=actions)

    @staticmethod
    def _fill_action(action: Action, moved: Callable[[int], str], runs: Runs) -> Action:
        parts = _split(action.data)
        if not is_movable(action):
            return action._replace(data=_fill(parts, runs))
        filled = (part if isinstance(part, str) else moved(part) for part in parts)
        return action._replace(data="".join(filled))


def is_movable(action: Action) -> bool:
    """Tell whether an action does nothing with digits but transfer the call there."""
    return fold(action.application) == "transfer" and "$" not in action.data


class Cast(NamedTuple):
    """An extension as it comes out of its mould: its digits, in their order."""

    mould: Mould
    runs: Runs


def find_cast(extension: Element) -> Cast | None:
    """Return the mould of an extension, and its digits; None: it has none."""
    if not isinstance(extension, Record) or not is_plain(extension.values):
        return None
    parts = _RUN.split(extension.values)
    key = tuple(parts[::2])
    known = extension.shape.read
    if key not in known:
        known[key] = _make_mould(extension, key)
    mould = known[key]
    return mould and Cast(mould, tuple([run.decode("ascii") for run in parts[1::2]]))


def _make_mould(extension: Record, between: tuple[bytes, ...]) -> Mould | None:
    runs = len(between) - 1
    values = b"".join(
        part + (b"%d" % (_FIRST + at) if at < runs else b"") for at, part in enumerate(between)
    )
    made = extension.shape.grow(values)
    quick = read_quick(made)
    conditions = read_conditions(made)
    if quick is None or not quick.texts or quick.field != NUMBER or len(conditions) != 1:
        return None
    (condition,) = conditions
    if condition.nested:
        return None
    shown = _split(quick.shown)
    named = {*_split(made.attributes.get("name", "")), *shown}
    for item in condition.actions:
        named.update(_split(item.action.data) if is_movable(item.action) else ())
    rest = tuple(at for at in range(runs) if at not in named)
    fillers = tuple(_make_filler(_split(text)) for text in quick.texts)
    return Mould(quick, shown, fillers, condition, rest)


def _make_filler(template: Template) -> Callable[[Runs], str]:
    """Return what does as `_fill`, in a third of the time."""
    form = "".join(part.replace("%", "%%") if isinstance(part, str) else "%s" for part in template)
    holes = [part for part in template if isinstance(part, int)]
    if not holes:
        return lambda _runs: form % ()
    get = itemgetter(*holes)
    return lambda runs: form % get(runs)


def _split(text: str) -> Template:
    """Return what a text with made-up numbers is made of."""
    parts: list[str | int] = []
    at = 0
    for run in _MADE_UP.finditer(text):
        parts += [text[at : run.start()], int(run[0]) - _FIRST]
        at = run.end()
    return (*parts, text[at:])


def _fill(template: Template, runs: Runs) -> str:
    return "".join([part if isinstance(part, str) else runs[part] for part in template])
