"""What an extension of the dialplan does with a call, as far as files can tell.

Follows `parse_exten` of FreeSWITCH 1.11 (`mod_dialplan_xml.c`), with its `break`, `regex`, nested
conditions and anti-actions. What only a call can tell (the time, a variable, who calls) is taken
both ways, so the answer is every way in which the extension may end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.routing.tree import Element

MAX_WAYS: Final = 256
"""Ways of one extension that are followed; of one with more, nothing is said."""
MAX_DEPTH: Final = 100
"""`MAX_RECUR` of mod_dialplan_xml.c."""

_NUMBER: Final = ("destination_number", "${destination_number}")
_TIMES: Final = frozenset((
    "date-time", "year", "yday", "mon", "mday", "week", "mweek", "wday", "hour", "minute",
    "minute-of-day", "time-of-day", "tz-offset", "dst",
))  # fmt: skip
_ANYTHING: Final = frozenset(
    ("", ".*", "^.*", ".*$", "^.*$", "(.*)", "^(.*)", "(.*)$", "^(.*)$", "^", "$")
)
"""Expressions that match whatever the field holds."""
_PLAIN_CALL: Final = {"${sip_looped_call}": ""}
"""What a call that comes in for the first time has in a variable: mod_sofia sets this one on a call
that the switch sent to itself, and nothing else does."""
_TRUE_WORDS: Final = frozenset(("yes", "on", "true", "t", "enabled", "active", "allow"))


class Step(NamedTuple):
    """One queued application; `expression` is what `$1` in its data speaks of, "" where nothing."""

    application: str
    data: str
    expression: str = ""


class Way(NamedTuple):
    """One way in which an extension may end: whether the search for others stops, and its queue."""

    stops: bool
    queue: tuple[Step, ...]


class TooManyWaysError(Exception):
    """The extension depends on more than can be followed."""


@dataclass(frozen=True, slots=True)
class Extension:
    """A hand-written extension, its name for a reader and where the merged text has it."""

    element: Element
    name: str
    line: int
    tests: tuple[str, ...]
    """The expressions that it holds against the dialled number, without those that match any."""

    @property
    def continues(self) -> bool:
        """Tell whether the search goes on behind it."""
        return is_true(self.element.attributes.get("continue", ""))


def read_extension(element: Element) -> Extension:
    """Return the extension, with what it asks of the number."""
    name = element.attributes.get("name", "(no name)")
    tests = dict.fromkeys(_find_tests(element))
    return Extension(element, name, element.line, tuple(tests))


def is_true(text: str) -> bool:
    """Tell whether `switch_true` takes a word, or a number that is not 0, for true."""
    word = fold(text)
    digits = word.removeprefix("-")
    return word in _TRUE_WORDS or (digits.isdigit() and digits.strip("0") != "")


def acts_inline(element: Element) -> bool:
    """Tell whether an action of an extension runs at once, and not when the search is over."""
    return any(
        acts_inline(child)
        if child.name == "condition"
        else child.name.endswith("action") and is_true(child.attributes.get("inline", ""))
        for child in element.children
    )


def list_ways(
    extension: Extension, truth: Mapping[str, bool | None], context: str
) -> frozenset[Way]:
    """Return every way in which the extension may end for a number.

    `truth` says of each of its tests whether the number matches; None: nobody knows. Raises
    TooManyWaysError for an extension that has more than MAX_WAYS.
    """
    hunt = _Hunt(truth, context)
    ways = set()
    for proceed, queue in hunt.run(extension.element, (), 0):
        ways.add(Way(proceed and not extension.continues, queue))
        if len(ways) > MAX_WAYS:
            raise TooManyWaysError
    return frozenset(ways)


_State = tuple[bool, tuple[Step, ...]]
"""Whether the last condition held, and what is queued."""


class _Hunt:
    def __init__(self, truth: Mapping[str, bool | None], context: str) -> None:
        self.truth = truth
        self.context = context
        self.budget = 16 * MAX_WAYS

    def run(self, parent: Element, queue: tuple[Step, ...], depth: int) -> Iterator[_State]:
        """Yield each (proceed, queue) that the conditions of an element may give."""
        if depth > MAX_DEPTH:
            yield False, queue
            return
        required = is_true(parent.attributes.get("require-nested", "true")) or not depth
        for proceed, after in self._from(parent.all("condition"), False, queue, depth):
            yield proceed or not required, after

    def _from(
        self, conditions: list[Element], proceed: bool, queue: tuple[Step, ...], depth: int
    ) -> Iterator[_State]:
        if not conditions:
            yield proceed, queue
            return
        first, rest = conditions[0], conditions[1:]
        stop = fold(first.attributes.get("break", ""))
        for held, went_on in self._held(first):
            self.budget -= 1
            if self.budget < 0:
                raise TooManyWaysError
            added = tuple(_steps(first, "action" if held else "anti-action"))
            now = went_on or (not held and first.child("anti-action") is not None)
            after = queue + added
            on_true, never = stop == "on-true", stop == "never"
            breaks = (held and on_true) or stop == "always" or (not held and not on_true)
            if breaks and not never:
                yield now, after
            elif now and first.child("condition"):
                for inner, later in self.run(first, after, depth + 1):
                    if inner or never:
                        yield from self._from(rest, inner, later, depth)
                    else:
                        yield inner, later
            else:
                yield from self._from(rest, now, after, depth)

    def _held(self, condition: Element) -> set[tuple[bool, bool]]:
        """Return each (held, proceed) that a condition may give."""
        attributes = condition.attributes
        timed = not _TIMES.isdisjoint(attributes)
        if "regex" in attributes:
            found = self._rule(condition, fold(attributes["regex"]))
            return found | ({(True, True), (False, False)} if timed else set())
        matches = self._matches(condition)
        if "field" not in attributes:
            return {(True, True), (False, False)} if timed else {(True, True)}
        answers = {(match, match) for match in matches}
        # Time and field in one condition are ORed, and what the field says is what is gone by.
        return answers | {(True, match) for match in matches} if timed else answers

    def _rule(self, condition: Element, rule: str) -> set[tuple[bool, bool]]:
        """`regex="all|any|xor"`: its elements, each of which may hold, or not, or either.

        Where the last one that has a group, and did not end the search, holds, what follows goes
        on as if the condition had held.
        """
        states: set[tuple[int, int, bool, bool, bool]] = {(0, 0, False, False, False)}
        for element in condition.all("regex"):
            timed = not _TIMES.isdisjoint(element.attributes)
            if "field" in element.attributes:
                matches = self._matches(element)
            else:
                matches = {True, False} if timed else {True}
            grouped = "field" in element.attributes and "(" in _expression(element)
            after: set[tuple[int, int, bool, bool, bool]] = set()
            for passed, failed, proceed, done, saved in states:
                if done:
                    after.add((passed, failed, proceed, done, saved))
                    continue
                for match in matches:
                    ends = match if rule not in ("all", "xor") else rule == "all" and not match
                    kept = match if grouped and not ends else saved
                    after.add((passed + match, failed + (not match), match, ends, kept))
            states = after
        answers = set()
        for passed, failed, proceed, _, saved in states:
            held = passed == 1 if rule == "xor" else (not failed if rule == "all" else passed > 0)
            answers.add((held, proceed or saved))
        return answers

    def _matches(self, element: Element) -> set[bool]:
        """Return what a field and its expression may give."""
        field = element.attributes.get("field", "")
        expression = _expression(element)
        if expression in _ANYTHING:
            return {True}
        if "${" in expression or expression.startswith("_"):
            return {True, False}
        if fold(field) in _NUMBER:
            known = self.truth.get(expression)
            return {True, False} if known is None else {known}
        value = {"context": self.context, "dialplan": "XML"}.get(fold(field))
        value = _PLAIN_CALL.get(fold(field), value)
        if value is None:
            return {True, False}
        from fsgitops.routing.pattern import match_groups

        return {match_groups(value, expression) is not None}


def _expression(element: Element) -> str:
    inner = element.child("expression")
    return inner.text if inner is not None else element.attributes.get("expression", "")


def _find_tests(parent: Element) -> Iterator[str]:
    for child in parent.children:
        if child.name not in ("condition", "regex"):
            continue
        expression = _expression(child)
        dynamic = "${" in expression or expression.startswith("_")
        asked = fold(child.attributes.get("field", "")) in _NUMBER
        if asked and not dynamic and expression not in _ANYTHING:
            yield expression
        yield from _find_tests(child)


def _steps(condition: Element, kind: str) -> Iterator[Step]:
    asked = fold(condition.attributes.get("field", "")) in _NUMBER
    expression = _expression(condition) if asked and kind == "action" else ""
    for action in condition.all(kind):
        if action.attributes.get("loop", "1").strip() in ("0", "-1"):
            continue
        data = action.text or action.attributes.get("data", "")
        yield Step(action.attributes.get("application", ""), data, expression)
