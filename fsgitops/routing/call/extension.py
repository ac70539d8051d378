"""The search for extensions: `dialplan_hunt` and `parse_exten` of FreeSWITCH 1.11.

Source: `src/mod/dialplans/mod_dialplan_xml/mod_dialplan_xml.c`, with its oddities. What is not
known is asked of the state, which takes one answer on each way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.model.trace import End, Fate, Step, Tested, What
from fsgitops.routing.call.condition import TIMES, Found, Judge
from fsgitops.routing.call.match import TooManyStepsError, substitute
from fsgitops.routing.call.state import CallEndedError
from fsgitops.routing.call.words import (
    from_raw,
    is_true,
    needs_expansion,
    to_int,
    to_raw,
)
from fsgitops.routing.pattern import list_choices, search_bytes
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.routing.call.expand import Value
    from fsgitops.routing.call.state import State
    from fsgitops.routing.tree import Element

MAX_DEPTH: Final = 100
"""`MAX_RECUR` of mod_dialplan_xml.c."""
GOES_ON: Final = "the search goes on"
MAX_LOOPS: Final = 1000
"""Repetitions of one action that are followed."""


class Action(NamedTuple):
    """An application to execute, with its data before it is expanded."""

    application: str
    data: str


@dataclass(frozen=True, slots=True)
class Quick:
    """An extension whose first condition alone may pass the call on."""

    field: str
    expression: bytes
    shown: str
    texts: frozenset[str] | None
    """All that the expression matches, where it is a choice of texts: nothing is compiled then."""

    def matches(self, text: str) -> bool:
        """Tell whether the expression matches a raw text. Raises TooManyStepsError."""
        if self.texts is not None and not text.endswith("\n"):
            return text in self.texts
        return search_bytes(text.encode("latin-1"), self.expression) is not None


Read = tuple["Element", "Quick | None"]
"""An extension, and what decides alone whether it passes the call on."""


def hunt(state: State, inline: Callable[[State, Action], None]) -> list[Action] | None:
    """Return what a call in its context has queued; None: no extension has anything for it.

    `inline` executes an action while the dialplan is read. Raises CallEndedError.
    """
    profile = state.leg.current
    name = from_raw(profile.context)
    number = from_raw(profile.number)
    context = state.world.context(profile.context)
    if context is None:
        told = f"the dialplan has no context {name}"
        raise CallEndedError(End(Fate.NOWHERE, told, "NO_ROUTE_DESTINATION"))
    search = _Search(state, inline)
    found = state.leg.get("auto_hunt")
    extensions = _read_context(state, context)
    at = 0
    if found is not None and is_true(found.text):
        wanted = fold(number)
        at = next((i for i, (item, _) in enumerate(extensions) if fold(_name(item)) == wanted), 0)
    while (at := search.pass_on(extensions, at, name, number)) < len(extensions):
        extension = extensions[at][0]
        took = search.consider(extension, name, number)
        if took and not is_true(extension.attributes.get("continue")):
            break
        at += 1
    return search.queue


def _read_context(state: State, context: Element) -> list[Read]:
    """Return the extensions of a context, read once."""
    known: dict[Element, list[Read]] = state.world.read
    if context not in known:
        known[context] = [(item, _read_quick(item)) for item in context.all("extension")]
    return known[context]


def list_numbers(context: Element) -> Iterator[frozenset[str]]:
    """Yield the numbers that an extension takes, for each that takes some certain ones."""
    for extension in context.all("extension"):
        quick = _read_quick(extension)
        if quick and quick.field == "destination_number" and quick.texts:
            numbers = {text for text in quick.texts if text.removeprefix("+").isdigit()}
            if numbers:
                yield frozenset(numbers)


def _name(extension: Element) -> str:
    return extension.attributes.get("name", "(no name)")


def _read_quick(extension: Element) -> Quick | None:
    """Return what decides alone, where it is a plain field against a plain expression."""
    for child in extension.children:
        if child.name != "condition":
            continue
        attributes = child.attributes
        field = attributes.get("field")
        expression = attributes.get("expression", "")
        if (
            field is None
            or "$" in field
            or needs_expansion(expression)
            or expression.startswith("_")
            or "break" in attributes
            or "regex" in attributes
            or not TIMES.isdisjoint(attributes)
            or any(item.name in ("anti-action", "expression") for item in child.children)
        ):
            return None
        raw = to_raw(expression).encode("latin-1")
        return Quick(fold(field), raw, expression, list_choices(expression))
    return None


class _Search:
    def __init__(self, state: State, inline: Callable[[State, Action], None]) -> None:
        self.state = state
        self.judge = Judge(state)
        self.inline = inline
        self.queue: list[Action] | None = None
        self.changed = False
        """Whether the extension at hand queued or executed anything."""

    def consider(self, extension: Element, name: str, number: str) -> bool:
        """Hold the call against an extension, and note what came of it."""
        steps = self.state.steps
        self.state.tested.clear()
        self.changed = took = False
        at = len(steps)
        try:
            took = self.run(extension, 0)
        finally:
            what = What.TAKES if took or self.changed else What.PASSES
            goes_on = not took or is_true(extension.attributes.get("continue"))
            step = Step(
                what, name, number, _name(extension), tested=tuple(self.state.tested),
                text=GOES_ON if goes_on and what is What.TAKES else "",
                line=extension.line, leg=self.state.depth,
            )  # fmt: skip
            steps.insert(at, step)
        return took

    def pass_on(self, extensions: list[Read], at: int, name: str, number: str) -> int:
        """Note what passes the call on for certain, from one on; return where another stands.

        Other ways of the same call come by here too, and find what was noted.
        """
        state = self.state
        fields = state.leg.current.fields
        key = (id(extensions), at, name, number, state.depth)
        known = state.answers.passed.get(key)
        if known is not None and all(fields.get(field) == value for field, value in known[0]):
            state.extend(known[2])
            return known[1]
        steps: list[Step] = []
        used: dict[str, Value | None] = {}
        start = at
        try:
            while at < len(extensions) and (quick := extensions[at][1]) is not None:
                value = used[quick.field] = fields.get(quick.field)
                text = value.text if value else ""
                if (value and value.why) or quick.matches(text):
                    break
                told = Tested(quick.field, from_raw(text), quick.shown, "no")
                extension = extensions[at][0]
                steps.append(
                    Step(
                        What.PASSES, name, number, _name(extension), tested=(told,),
                        line=extension.line, leg=state.depth,
                    )
                )  # fmt: skip
                at += 1
        except TooManyStepsError:
            pass  # a limit of PCRE2: the extension is held against the call in full
        if at > start:
            state.answers.passed[key] = (tuple(used.items()), at, steps)
            state.extend(steps)
        return at

    def run(self, parent: Element, depth: int) -> bool:
        """`parse_exten`: return whether the search ends here, or the outer conditions go on."""
        if depth > MAX_DEPTH:
            self.state.note("FreeSWITCH looks no deeper than 100 conditions")
            return False
        required = not depth or is_true(parent.attributes.get("require-nested", "true"))
        return self._run_conditions(parent, depth) or not required

    def _run_conditions(self, parent: Element, depth: int) -> bool:
        proceed = False
        for condition in parent.all("condition"):
            held, found, proceed = self.judge.judge(condition, proceed)
            proceed = self._queue(condition, found, held=held, proceed=proceed)
            stop = fold(condition.attributes.get("break", ""))
            breaks = held if stop == "on-true" else not held
            if stop == "always" or (breaks and stop != "never"):
                break
            if (
                proceed
                and condition.child("condition") is not None
                and not (proceed := self.run(condition, depth + 1))
                and stop != "never"
            ):
                break
        return proceed

    def _queue(self, condition: Element, found: Found, *, held: bool, proceed: bool) -> bool:
        """Queue or execute the actions, or the anti-actions; return whether to proceed."""
        grouped = found.field is not None and "(" in (found.expression or "")
        if not held:
            for action in condition.all("anti-action"):
                self._add(action, _read_data(action))
                proceed = True
            return proceed
        if grouped:
            self.judge.capture("DP_MATCH", found.match)
        for action in condition.all("action"):
            data = _read_data(action)
            if grouped:
                data = self._substitute(data, found)
            self._add(action, data)
        return proceed

    def _substitute(self, data: str, found: Found) -> str:
        if found.match is None and "$" not in data:
            return data
        if found.match is None:
            told = "FreeSWITCH puts groups of a match that there is none of: it may crash"
            raise CallEndedError(End(Fate.UNKNOWN, told))
        limit = (len(data) + len(found.data) + 10) * max(1, found.proceed)
        return substitute(data, found.match, limit)

    def _add(self, action: Element, data: str) -> None:
        attributes = action.attributes
        wanted = Action(to_raw(attributes.get("application", "")), data)
        self.queue = [] if self.queue is None else self.queue
        self.changed = True
        loops = to_int(attributes["loop"]) if "loop" in attributes else 1
        if loops > MAX_LOOPS:
            told = f"an action is looped {loops:,} times, which is not followed"
            raise CallEndedError(End(Fate.UNKNOWN, told))
        for _ in range(loops):
            if is_true(attributes.get("inline")):
                self.inline(self.state, wanted)
            elif "\\'" in data:
                self.state.note(
                    f"FreeSWITCH leaves out {wanted.application}: \\' stands in its data"
                )
            else:
                self.queue.append(wanted)


def _read_data(action: Element) -> str:
    return to_raw(action.text or action.attributes.get("data", ""))
