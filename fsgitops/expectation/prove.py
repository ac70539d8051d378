"""Prove what calls are expected to do: each on every way that it may take, where nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fsgitops.expectation.compare import find_miss, tell_outcome
from fsgitops.model.resource import Resource
from fsgitops.model.trace import Way
from fsgitops.model.verdict import Proof, Verdict
from fsgitops.routing.call.clock import Clock, at_switch
from fsgitops.routing.call.dialling import BRIDGE
from fsgitops.routing.call.evaluate import follow_ways
from fsgitops.routing.call.menu import KEYS_OF, find_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from fsgitops.expectation.compare import Miss
    from fsgitops.expectation.noun import Expectation
    from fsgitops.findings import Position
    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds
    from fsgitops.routing.call.scene import Scene
    from fsgitops.routing.call.state import Question
    from fsgitops.settings.target import Target


@dataclass(frozen=True, slots=True)
class Proved:
    """An expectation, its verdict, and the ways that the call may take."""

    test: Expectation
    verdict: Verdict
    ways: tuple[Way, ...] = ()


class Prover:
    """Places the calls of expectations in a scene, and holds them against what is expected."""

    def __init__(self, scene: Scene, target: Target, desired: Desired, kinds: Kinds) -> None:
        self._scene = scene
        self._target = target
        self._desired = desired
        self._kinds = kinds
        self._entry = scene.entry(target.inbound_context)[0]
        self._now = at_switch(datetime.now().astimezone())

    def prove(self, test: Expectation, source: Position | None) -> Proved:
        """Return the verdict on one expectation."""
        domain, scene = self._target.domain, self._scene
        user = scene.world.user(test.agent, domain) if test.agent else None
        if test.agent and user is None:
            told = f"the directory has no agent {test.agent} in the domain {domain}"
            return Proved(test, self._fail(test, source, tell_outcome(test), told))
        at = at_switch(datetime.fromisoformat(test.at)) if test.at else self._now
        clock = Clock(at, scene.world.zones, known=test.at is not None)
        call = scene.call(test.call, test.context or self._entry, test.caller, user, domain)
        # Ways that end alike may differ before that.
        found, complete = follow_ways(
            scene.world, call, clock, scene.registered(test.registered, domain),
            _decide(test.presses), every=True,
        )  # fmt: skip
        ways = tuple(Way(end, tuple(state.steps)) for end, state in found)
        for way in ways:
            miss = find_miss(test, way, self._enter)
            if miss is not None:
                verdict = self._fail(test, source, miss.expected, miss.found, miss)
                return Proved(test, verdict, ways)
        if not complete:
            told = f"the call may take more than {len(ways)} ways, and not all were followed"
            return Proved(test, self._fail(test, source, tell_outcome(test), told), ways)
        place = str(source) if source else ""
        return Proved(test, Verdict(test.name, place, test.call, holds=True), ways)

    def _fail(
        self,
        test: Expectation,
        source: Position | None,
        expected: str,
        found: str,
        miss: Miss | None = None,
    ) -> Verdict:
        hide = self._scene.veil.hide
        taker = miss.station.taker if miss else None
        return Verdict(
            test.name,
            str(source) if source else "",
            test.call,
            holds=False,
            expected=expected,
            found=hide(found),
            taker=taker.extension if taker else "",
            place=self._scene.place(taker.line) if taker else "",
            assumed=tuple(map(hide, miss.station.assumed)) if miss else (),
        )

    def _enter(self, text: str) -> frozenset[tuple[str, str]]:
        """Return the numbers, with their context, by which a call comes to a resource."""
        resource = Resource(*text.split("/", 1))
        reach, noun = self._kinds.reach(self._desired, resource), self._desired.get(resource)
        if reach is None or noun is None:
            return frozenset()
        numbers = (reach.number, *self._kinds[resource.kind].dialled(noun))
        return frozenset((number, reach.context) for number in numbers)


def _decide(keys: Sequence[str]) -> Callable[[Question, Collection[Question]], int | None]:
    """Return what answers for a caller who presses these keys, and for agents who never answer."""

    def decide(question: Question, before: Collection[Question]) -> int | None:
        if question.subject.startswith(BRIDGE):
            return 1
        if not question.subject.startswith(KEYS_OF):
            return None
        at = sum(item.subject.startswith(KEYS_OF) for item in before)
        return find_key(question, keys[at]) if at < len(keys) else 0

    return decide


def make_proof(scene: Scene, proved: Sequence[Proved]) -> Proof:
    """Return what was proved in a scene, as it is told."""
    verdicts = tuple(item.verdict for item in proved)
    doubts = tuple(map(scene.veil.hide, scene.doubts))
    return Proof(scene.name, all(item.holds for item in verdicts), doubts, verdicts)
