"""The search for extensions: `dialplan_hunt` and `parse_exten` of FreeSWITCH 1.11.

Source: `src/mod/dialplans/mod_dialplan_xml/mod_dialplan_xml.c`, with its oddities. What is not
known is asked of the state, which takes one answer on each way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.model.trace import End, Fate, Step, Tested, What
from fsgitops.routing.call.clock import ATTRIBUTES, Failed, UnknownTimeError
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.match import Match, TooManyStepsError, perform, substitute
from fsgitops.routing.call.state import CAPTURED, CallEndedError
from fsgitops.routing.call.words import (
    from_raw,
    is_number,
    is_true,
    needs_expansion,
    to_int,
    to_raw,
)
from fsgitops.routing.pattern import search_bytes
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.state import State
    from fsgitops.routing.tree import Element

MAX_DEPTH: Final = 100
"""`MAX_RECUR` of mod_dialplan_xml.c."""
GOES_ON: Final = "the search goes on"
MAX_LOOPS: Final = 1000
"""Repetitions of one action that are followed."""
_WHOLE: Final = frozenset(("^(.*)$", "(.*)", "^(.*)", "(.*)$"))
_ANYTHING: Final = frozenset(("", ".*", "^.*", ".*$", "^.*$", "^", "$")) | _WHOLE
_TIMES: Final = frozenset(ATTRIBUTES)


class Action(NamedTuple):
    """An application to execute, with its data before it is expanded."""

    application: str
    data: str


@dataclass(slots=True)
class Found:
    """What a condition or a `<regex>` looked at, and whether it matched."""

    field: str | None = None
    data: str = ""
    expression: str | None = None
    match: Match | None = None
    proceed: int = 0


@dataclass(frozen=True, slots=True)
class Quick:
    """An extension whose first condition alone may pass the call on."""

    field: str
    expression: bytes
    shown: str


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
    started = not (found is not None and is_true(found.text))
    extensions = _read_context(state, context)
    if not started:
        wanted = fold(number)
        at = (i for i, (item, _) in enumerate(extensions) if fold(_name(item)) == wanted)
        extensions = extensions[next(at, 0) :]
    for extension, quick in extensions:
        if quick is not None and search.passes_quickly(extension, quick, name, number):
            continue
        took = search.consider(extension, name, number)
        if took and not is_true(extension.attributes.get("continue")):
            break
    return search.queue


def _read_context(state: State, context: Element) -> list[tuple[Element, Quick | None]]:
    """Return the extensions of a context, read once."""
    known: dict[Element, list[tuple[Element, Quick | None]]] = state.world.read
    if context not in known:
        known[context] = [(item, _read_quick(item)) for item in context.all("extension")]
    return known[context]


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
            or not _TIMES.isdisjoint(attributes)
            or any(item.name in ("anti-action", "expression") for item in child.children)
        ):
            return None
        return Quick(fold(field), to_raw(expression).encode("latin-1"), expression)
    return None


class _Search:
    def __init__(self, state: State, inline: Callable[[State, Action], None]) -> None:
        self.state = state
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

    def passes_quickly(self, extension: Element, quick: Quick, name: str, number: str) -> bool:
        """Tell whether the first condition fails for certain, and note that."""
        value = self.state.leg.current.fields.get(quick.field)
        if value is not None and value.why:
            return False
        text = value.text if value else ""
        try:
            if search_bytes(text.encode("latin-1"), quick.expression) is not None:
                return False
        except TooManyStepsError:
            return False
        self.state.add(
            Step(
                What.PASSES, name, number, _name(extension),
                tested=(Tested(quick.field, from_raw(text), quick.shown, "no"),),
                line=extension.line, leg=self.state.depth,
            )
        )  # fmt: skip
        return True

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
            held, found, proceed = self._judge(condition, proceed)
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

    def _judge(self, condition: Element, proceed: bool) -> tuple[bool, Found, bool]:
        """Return whether a condition holds, what it matched, and whether to proceed."""
        timed = self._check_time(condition)
        held = timed is True
        if timed is not None:
            proceed = timed
        if "regex" in condition.attributes:
            return self._judge_all(condition, held, proceed)
        if "field" in condition.attributes:
            found = self._match(condition)
            return held or found.match is not None, found, found.match is not None
        expression = self._expression(condition).text
        found = Found(expression=expression, proceed=int(proceed))
        if timed is None:
            return True, found, True
        return held, found, proceed

    def _judge_all(self, condition: Element, held: bool, proceed: bool) -> tuple[bool, Found, bool]:
        """`regex="all|any|xor"`. What the last element with a group matched is kept."""
        rule = fold(condition.attributes["regex"])
        every, only = rule == "all", rule == "xor"
        self._forget("DP_REGEX_MATCH")
        passed = failed = 0
        kept: Found | None = None
        last = Found()
        for number, element in enumerate(condition.all("regex"), 1):
            timed = self._check_time(element)
            if "field" in element.attributes:
                last = self._match(element)
                match = last.match is not None
            else:
                last = Found(expression=self._expression(element).text)
                match = timed is not False
            # A time that fails leaves what an earlier match has said.
            proceed = match if match or last.field is not None else proceed
            passed, failed = passed + match, failed + (not match)
            last.expression = self._kept_expression(element, last)
            if (every and not match) or (match and not every and not only):
                last.match = _forget_groups(last)
                break
            if last.field is not None and "(" in (whole := self._expression(element).text):
                last.expression = whole
                self._capture(f"DP_REGEX_MATCH_{number}", last.match)
                last.match = _forget_groups(last)
                kept = last if last.match is not None else None
            last = Found(last.field, last.data, last.expression)
        held = held or (passed == 1 if only else not failed if every else passed > 0)
        if kept is not None:
            return held, kept, kept.proceed > 0
        return held, last, proceed

    def _kept_expression(self, element: Element, found: Found) -> str | None:
        """Return the expression as C has it behind the loop: one that was expanded is gone."""
        inner = element.child("expression")
        text = inner.text if inner is not None else element.attributes.get("expression", "")
        return None if needs_expansion(text) else found.expression

    def _check_time(self, element: Element) -> bool | None:
        """Return whether the time attributes hold; None: there are none."""
        if _TIMES.isdisjoint(element.attributes):
            return None
        leg = self.state.leg
        shift = leg.get("tod_tz_offset")
        zone = leg.get("timezone")
        subject = f"the time at line {element.line}"
        why = [item.why[0] for item in (shift, zone) if item is not None and item.why]
        if not why:
            offset = to_int(shift.text) if shift and is_number(shift.text) else None
            try:
                found = self.state.clock.check(
                    element.attributes, zone.text if zone else None, offset
                )
            except UnknownTimeError as problem:
                why = [str(problem)]
            else:
                self._tell_time(element, found)
                return found if found is None or found is True else False
        held = bool(self._ask(subject, " ".join(_list_times(element)), why[0]))
        self._tell(subject, "", " ".join(_list_times(element)), None)
        return held

    def _tell_time(self, element: Element, found: bool | Failed | None) -> None:
        if isinstance(found, Failed):
            self._tell(found.attribute, found.found, found.wanted, False)
        elif found:
            self._tell("time", self.state.clock.now.strftime("%a %Y-%m-%d %H:%M:%S"),
                       " ".join(_list_times(element)), True)  # fmt: skip

    def _expression(self, element: Element) -> Value:
        inner = element.child("expression")
        text = inner.text if inner is not None else element.attributes.get("expression", "")
        return self.state.expand(to_raw(text))

    def _match(self, element: Element) -> Found:
        """Hold a field against its expression."""
        expression = self._expression(element)
        name = to_raw(element.attributes["field"])
        if "$" in name:
            value = self.state.expand(name)
        else:
            value = self.state.leg.current.fields.get(fold(name)) or Value("")
        match = self._perform(name, value, expression)
        count = match.reach if match else 0
        return Found(name, value.text, expression.text, match, count)

    def _perform(self, name: str, value: Value, expression: Value) -> Match | None:
        why = (*value.why, *expression.why)
        if not expression.why and expression.text in _ANYTHING:
            match = Match((value.text,) * (2 if expression.text in _WHOLE else 1), 2)
            if "\n" not in value.text:
                self._tell(name, value.text, expression.text, True)
                return match
        if not why:
            try:
                found = perform(value.text, expression.text)
            except TooManyStepsError:
                why = ("PCRE2 gave up on the expression",)
            else:
                self._tell(name, value.text, expression.text, found is not None)
                return found
        held = bool(self._ask(name, expression.text, why[0]))
        self._tell(name, value.text, expression.text, None)
        return Match((CAPTURED,) * (expression.text.count("(") + 1), 1) if held else None

    def _ask(self, name: str, expected: str, why: str) -> int:
        subject, wanted = from_raw(name), from_raw(expected)
        told = from_raw(why)
        return self.state.choose(
            f"{subject} =~ {wanted}",
            (
                f"{subject} does not match {wanted} ({told})",
                f"{subject} matches {wanted} ({told})",
            ),
        )

    def _tell(self, subject: str, value: str, expected: str, held: bool | None) -> None:
        words = {True: "yes", False: "no", None: "unknown"}[held]
        told = Tested(from_raw(subject), from_raw(value), from_raw(expected), words)
        self.state.tested.append(told)

    def _forget(self, prefix: str) -> None:
        variables = self.state.leg.variables
        for name in [name for name in variables if name.startswith(fold(prefix))]:
            self.state.leg.set(name, None)

    def _capture(self, name: str, match: Match | None) -> None:
        leg = self.state.leg
        leg.set(name, None)
        for group in match.groups[: match.reach] if match else ():
            if group is not None:
                why = ("it was captured from a text that is not known",)
                leg.push(name, Value(group, why if group == CAPTURED else ()))

    def _queue(self, condition: Element, found: Found, *, held: bool, proceed: bool) -> bool:
        """Queue or execute the actions, or the anti-actions; return whether to proceed."""
        grouped = found.field is not None and "(" in (found.expression or "")
        if not held:
            for action in condition.all("anti-action"):
                self._add(action, _read_data(action))
                proceed = True
            return proceed
        if grouped:
            self._capture("DP_MATCH", found.match)
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


def _forget_groups(found: Found) -> Match | None:
    """Return the match of a `<regex>`: its groups are lost where its field had to be expanded.

    FreeSWITCH has freed that text by the time it reads them, for `$1` and DP_MATCH.
    """
    if found.match is None or not needs_expansion(found.field or ""):
        return found.match
    return Match((CAPTURED,) * len(found.match.groups), found.match.reach)


def _read_data(action: Element) -> str:
    return to_raw(action.text or action.attributes.get("data", ""))


def _list_times(element: Element) -> list[str]:
    found = [name for name in ATTRIBUTES if name in element.attributes]
    return [f'{name}="{element.attributes[name]}"' for name in found]
