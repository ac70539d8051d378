"""Conditions of the dialplan, held against a call: fields, expressions, times, `regex` rules.

Source: `parse_exten` of `src/mod/dialplans/mod_dialplan_xml/mod_dialplan_xml.c`, with its oddities.
What is not known is asked of the state, which takes one answer on each way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fsgitops.model.trace import Tested
from fsgitops.routing.call.clock import ATTRIBUTES, Failed, UnknownTimeError
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.match import Match, TooManyStepsError
from fsgitops.routing.call.season import is_possible
from fsgitops.routing.call.state import CAPTURED
from fsgitops.routing.call.words import from_raw, is_number, needs_expansion, to_int
from fsgitops.routing.pattern import GIVES_UP
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from fsgitops.routing.call.contents import Condition
    from fsgitops.routing.call.state import State
    from fsgitops.routing.tree import Element

GAVE_UP: Final = "PCRE2 gave up on the expression"
TIME: Final = "the time"
"""What a question begins with whose answer is the time of the call."""
_WHOLE: Final = frozenset(("^(.*)$", "(.*)", "^(.*)", "(.*)$"))
ANYTHING: Final = frozenset(("", ".*", "^.*", ".*$", "^.*$", "^", "$")) | _WHOLE


@dataclass(slots=True)
class Found:
    """What a condition or a `<regex>` looked at, and whether it matched."""

    field: str | None = None
    data: str = ""
    expression: str | None = None
    match: Match | None = None
    proceed: int = 0


class Judge:
    """Holds conditions against the leg of a state."""

    def __init__(self, state: State) -> None:
        self.state = state

    def judge(self, condition: Condition, proceed: bool) -> tuple[bool, Found, bool]:
        """Return whether a condition holds, what it matched, and whether to proceed."""
        timed = self._check_time(condition)
        held = timed is True
        if timed is not None:
            proceed = timed
        if "regex" in condition.element.attributes:
            return self._judge_all(condition.element, held, proceed)
        if condition.field is not None:
            found = self._match(condition)
            return held or found.match is not None, found, found.match is not None
        expression = self.state.expand(condition.expression).text
        found = Found(expression=expression, proceed=int(proceed))
        if timed is None:
            return True, found, True
        return held, found, proceed

    def _judge_all(self, condition: Element, held: bool, proceed: bool) -> tuple[bool, Found, bool]:
        """`regex="all|any|xor"`. What the last element with a group matched is kept."""
        wanted = fold(condition.attributes["regex"])
        every, only = wanted == "all", wanted == "xor"
        self._forget("DP_REGEX_MATCH")
        passed = failed = 0
        kept: Found | None = None
        last = Found()
        for number, rule in enumerate(self.state.world.conditions(condition, "regex"), 1):
            timed = self._check_time(rule)
            if rule.field is not None:
                last = self._match(rule)
                match = last.match is not None
            else:
                last = Found(expression=self.state.expand(rule.expression).text)
                match = timed is not False
            # A time that fails leaves what an earlier match has said.
            proceed = match if match or last.field is not None else proceed
            passed, failed = passed + match, failed + (not match)
            # As C has it behind the loop: one that was expanded is gone.
            last.expression = None if needs_expansion(rule.expression) else last.expression
            if (every and not match) or (match and not every and not only):
                last.match = _forget_groups(last)
                break
            if last.field is not None and "(" in (whole := self.state.expand(rule.expression).text):
                last.expression = whole
                self.capture(f"DP_REGEX_MATCH_{number}", last.match)
                last.match = _forget_groups(last)
                kept = last if last.match is not None else None
            last = Found(last.field, last.data, last.expression)
        held = held or (passed == 1 if only else not failed if every else passed > 0)
        if kept is not None:
            return held, kept, kept.proceed > 0
        return held, last, proceed

    def _check_time(self, condition: Condition) -> bool | None:
        """Return whether the time attributes hold; None: there are none."""
        if not condition.timed:
            return None
        element = condition.element
        leg = self.state.leg
        self.state.world.note("time")
        shift = leg.get("tod_tz_offset")
        zone = leg.get("timezone")
        subject = f"{TIME} in {zone.text}" if zone else TIME
        subject = f"{TIME} {shift.text} hours from UTC" if shift else subject
        why = [] if self.state.clock.known else ["nobody says when the call is placed"]
        why += [item.why[0] for item in (shift, zone) if item is not None and item.why]
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
        told = " ".join(_list_times(element))
        apart = any(item is not None and item.why for item in (shift, zone))
        settled = None if apart else self._settle_time(subject, told)
        held = bool(self._ask(subject, told, why[0])) if settled is None else settled
        self._tell(subject, "", told, settled)
        return held

    def _settle_time(self, subject: str, told: str) -> bool | None:
        """Return what follows for a condition on the time from those before; None: nothing."""
        asked, told = f"{from_raw(subject)} =~ ", from_raw(told)
        before = tuple(
            (question.subject.removeprefix(asked), held == 1)
            for question, held in self.state.answers.known.items()
            if question.subject.startswith(asked)
        )
        may = [is_possible((*before, (told, held))) for held in (False, True)]
        return None if all(may) or not any(may) else may[1]

    def _tell_time(self, element: Element, found: bool | Failed | None) -> None:
        if isinstance(found, Failed):
            self._tell(found.attribute, found.found, found.wanted, False)
        elif found:
            self._tell("time", self.state.clock.now.strftime("%a %Y-%m-%d %H:%M:%S"),
                       " ".join(_list_times(element)), True)  # fmt: skip

    def _match(self, condition: Condition) -> Found:
        """Hold a field against its expression."""
        expression = self.state.expand(condition.expression)
        name = condition.field or ""
        if "$" in name:
            value = self.state.expand(name)
        else:
            value = self.state.leg.read_field(name) or Value("")
        match = self._perform(name, value, expression)
        count = match.reach if match else 0
        return Found(name, value.text, expression.text, match, count)

    def _perform(self, name: str, value: Value, expression: Value) -> Match | None:
        why = (*value.why, *expression.why)
        if not expression.why and expression.text in ANYTHING:
            match = Match((value.text,) * (2 if expression.text in _WHOLE else 1), 2)
            if "\n" not in value.text:
                self._tell(name, value.text, expression.text, True)
                return match
        gave_up = self.state.world.gave_up
        if not why and gave_up[expression.text] >= GIVES_UP:
            why = (GAVE_UP,)
        if not why:
            try:
                found = self.state.search(value.text, expression.text)
            except TooManyStepsError:
                gave_up[expression.text] += 1
                why = (GAVE_UP,)
            else:
                self._tell(name, value.text, expression.text, found is not None)
                return found
        held = bool(self._ask(name, expression.text, why[0]))
        self._tell(name, value.text, expression.text, None)
        return Match((CAPTURED,) * (expression.text.count("(") + 1), 1) if held else None

    def _ask(self, name: str, expected: str, why: str) -> int:
        subject, wanted = from_raw(name), from_raw(expected)
        shorts = (f"{subject} does not match {wanted}", f"{subject} matches {wanted}")
        answers = [f"{short} ({from_raw(why)})" for short in shorts]
        return self.state.choose(f"{subject} =~ {wanted}", answers, shorts)

    def _tell(self, subject: str, value: str, expected: str, held: bool | None) -> None:
        if not self.state.keeps:
            return
        words = {True: "yes", False: "no", None: "unknown"}[held]
        told = Tested(from_raw(subject), from_raw(value), from_raw(expected), words)
        self.state.tested.append(told)

    def _forget(self, prefix: str) -> None:
        variables = self.state.leg.variables
        for name in [name for name in variables if name.startswith(fold(prefix))]:
            self.state.leg.set(name, None)

    def capture(self, name: str, match: Match | None) -> None:
        """Set a list of groups, `switch_capture_regex`: those that are not set are left out."""
        leg = self.state.leg
        leg.set(name, None)
        for group in match.groups[: match.reach] if match else ():
            if group is not None:
                why = ("it was captured from a text that is not known",)
                leg.push(name, Value(group, why if group == CAPTURED else ()))


def _forget_groups(found: Found) -> Match | None:
    """Return the match of a `<regex>`: its groups are lost where its field had to be expanded.

    FreeSWITCH has freed that text by the time it reads them, for `$1` and DP_MATCH.
    """
    if found.match is None or not needs_expansion(found.field or ""):
        return found.match
    return Match((CAPTURED,) * len(found.match.groups), found.match.reach)


def _list_times(element: Element) -> list[str]:
    found = [name for name in ATTRIBUTES if name in element.attributes]
    values = [element.attributes[name].replace('"', "&quot;") for name in found]
    return [f'{name}="{value}"' for name, value in zip(found, values, strict=True)]
