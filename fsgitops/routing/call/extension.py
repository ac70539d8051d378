"""The search for extensions: `dialplan_hunt` and `parse_exten` of FreeSWITCH 1.11.

Source: `src/mod/dialplans/mod_dialplan_xml/mod_dialplan_xml.c`, with its oddities. What is not
known is asked of the state, which takes one answer on each way.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fsgitops.model.trace import End, Fate, Step, Tested, What
from fsgitops.routing.call.condition import Found, Judge
from fsgitops.routing.call.contents import Action
from fsgitops.routing.call.match import TooManyStepsError, substitute
from fsgitops.routing.call.state import CallEndedError
from fsgitops.routing.call.words import from_raw, is_true
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.contents import Condition, Written
    from fsgitops.routing.call.expand import Value
    from fsgitops.routing.call.extensions import Contents
    from fsgitops.routing.call.state import State
    from fsgitops.routing.tree import Element

MAX_DEPTH: Final = 100
"""`MAX_RECUR` of mod_dialplan_xml.c."""
GOES_ON: Final = "the search goes on"
MAX_LOOPS: Final = 1000
"""Repetitions of one action that are followed."""


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
    search = _Search(state, inline) if state.passes else _Glance(state, inline)
    found = state.leg.get("auto_hunt")
    contents = state.world.contents(context)
    extensions = contents.extensions
    at = 0
    if found is not None and is_true(found.text):
        wanted = fold(number)
        at = next((i for i, (item, _) in enumerate(extensions) if fold(_name(item)) == wanted), 0)
    while (at := search.pass_on(contents, at, name, number)) < len(extensions):
        extension = extensions[at][0]
        took = search.consider(extension, name, number)
        if took and not is_true(extension.attributes.get("continue")):
            break
        at += 1
    return search.queue


def _name(extension: Element) -> str:
    return extension.attributes.get("name", "(no name)")


class _Search:
    def __init__(self, state: State, inline: Callable[[State, Action], None]) -> None:
        self.state = state
        self.judge = Judge(state)
        self.inline = inline
        self.queue: list[Action] | None = None
        self.changed = False
        """Whether the extension at hand queued or executed anything."""
        self.extension: Element | None = None

    def consider(self, extension: Element, name: str, number: str) -> bool:
        """Hold the call against an extension, and note what came of it."""
        steps = self.state.steps
        self.state.tested.clear()
        self.state.count(1)
        self.changed = took = False
        self.extension = extension
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

    def pass_on(self, contents: Contents, at: int, name: str, number: str) -> int:
        """Note what passes the call on for certain, from one on; return where another stands.

        Other ways of the same call come by here too, and find what was noted.
        """
        state = self.state
        if state.brief:
            return self._count_on(contents, at, name, number)
        fields = state.leg.current.fields
        extensions = contents.extensions
        key = (id(contents), at, name, number, state.depth)
        known = state.answers.passed.get(key)
        if known is not None and all(fields.get(field) == value for field, value in known[0]):
            state.extend(known[2])
            return known[1]
        steps: list[Step] = []
        used: dict[str, Value | None] = {}
        start = at
        with suppress(
            TooManyStepsError
        ):  # of PCRE2: the extension is held against the call in full
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
        if at > start:
            state.answers.passed[key] = (tuple(used.items()), at, steps)
            state.extend(steps)
        return at

    def _count_on(self, contents: Contents, at: int, name: str, number: str) -> int:
        state = self.state
        stop = state.find_next(contents, at)
        if many := stop - at:
            state.add(Step(What.PASSES, name, number, leg=state.depth, many=many))
            state.count(many - 1)
        return stop

    def run(self, parent: Element, depth: int) -> bool:
        """`parse_exten`: return whether the search ends here, or the outer conditions go on."""
        if depth > MAX_DEPTH:
            self.state.note("FreeSWITCH looks no deeper than 100 conditions")
            return False
        required = not depth or is_true(parent.attributes.get("require-nested", "true"))
        return self._run_conditions(parent, depth) or not required

    def _run_conditions(self, parent: Element, depth: int) -> bool:
        proceed = False
        for condition in self.state.world.conditions(parent):
            held, found, proceed = self.judge.judge(condition, proceed)
            proceed = self._queue(condition, found, held=held, proceed=proceed)
            stop = condition.stop
            breaks = held if stop == "on-true" else not held
            if stop == "always" or (breaks and stop != "never"):
                break
            if (
                proceed
                and condition.nested
                and not (proceed := self.run(condition.element, depth + 1))
                and stop != "never"
            ):
                break
        return proceed

    def _queue(self, condition: Condition, found: Found, *, held: bool, proceed: bool) -> bool:
        """Queue or execute the actions, or the anti-actions; return whether to proceed."""
        grouped = found.field is not None and "(" in (found.expression or "")
        if not held:
            for written in condition.others:
                self._add(written, written.action)
                proceed = True
            return proceed
        if grouped:
            self.judge.capture("DP_MATCH", found.match)
        for written in condition.actions:
            action = written.action
            if grouped:
                action = Action(action.application, self._substitute(action.data, found))
            self._add(written, action)
        return proceed

    def _substitute(self, data: str, found: Found) -> str:
        if "$" not in data:
            return data
        if found.match is None:
            told = "FreeSWITCH puts groups of a match that there is none of: it may crash"
            raise CallEndedError(End(Fate.UNKNOWN, told))
        limit = (len(data) + len(found.data) + 10) * max(1, found.proceed)
        return substitute(data, found.match, limit)

    def _add(self, written: Written, action: Action) -> None:
        self.queue = [] if self.queue is None else self.queue
        self.changed = True
        action = Action(action.application, action.data, self.extension)
        if written.loops > MAX_LOOPS:
            told = f"an action is looped {written.loops:,} times, which is not followed"
            raise CallEndedError(End(Fate.UNKNOWN, told))
        for _ in range(written.loops):
            if written.inline:
                self.inline(self.state, action)
            elif "\\'" in action.data:
                self.state.note(
                    f"FreeSWITCH leaves out {action.application}: \\' stands in its data"
                )
            else:
                self.queue.append(action)


class _Glance(_Search):
    """The same search where nobody asks which extensions a call passes, and why."""

    def consider(self, extension: Element, name: str, number: str) -> bool:
        """Hold the call against an extension, and note that it took it."""
        state = self.state
        state.count(1)
        self.changed = took = False
        self.extension = extension
        at = len(state.steps)
        try:
            took = self.run(extension, 0)
        finally:
            if took or self.changed:
                ends = took and not is_true(extension.attributes.get("continue"))
                state.note_taken(extension, ends=ends)
                if state.keeps:
                    step = Step(
                        What.TAKES, name, number, _name(extension), text="" if ends else GOES_ON,
                        line=extension.line, leg=state.depth,
                    )  # fmt: skip
                    state.steps.insert(at, step)
        return took

    def pass_on(self, contents: Contents, at: int, name: str, number: str) -> int:  # noqa: ARG002
        self.state.world.note("number", number)
        stop = self.state.find_next(contents, at)
        self.state.count(stop - at)
        return stop
