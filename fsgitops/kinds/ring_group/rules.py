"""What is asked of ring groups alone: that what is declared of them has an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.findings import Severity
from fsgitops.kinds.ring_group.noun import RingGroup
from fsgitops.model.reading import resource_of
from fsgitops.model.rule import Breach, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds


def check_members(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every agent who is in a group twice."""
    for group in desired.of(RingGroup):
        seen: set[str] = set()
        for at, member in enumerate(group.members):
            if member.agent in seen:
                message = f"agent {member.agent} is in the ring group {group.name} twice"
                hint = "Its phone would ring twice at a time: remove one of the two."
                yield Breach(resource_of(group), ("members", at, "agent"), message, hint)
            seen.add(member.agent)


def check_times(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every time that has no effect."""
    for group in desired.of(RingGroup):
        if group.strategy == "sequential":
            yield from _check_sequence(group)
        elif group.timeout is not None:
            yield from _check_delays(group, group.timeout)


def _check_sequence(group: RingGroup) -> Iterator[Breach]:
    message = "`{}` has no effect in a sequential group"
    hint = "Set the `timeout` of its members: each phone rings as long as that says."
    if group.timeout is not None:
        yield Breach(resource_of(group), ("timeout",), message.format("timeout"), hint)
    for at, member in enumerate(group.members):
        if member.delay:
            path = ("members", at, "delay")
            yield Breach(resource_of(group), path, message.format("delay"), hint)


def _check_delays(group: RingGroup, timeout: int) -> Iterator[Breach]:
    for at, member in enumerate(group.members):
        if member.delay >= timeout:
            message = (
                f"the phone of {member.agent} never rings: the group gives up after {timeout} s"
            )
            hint = "Shorten its `delay`, or let the group's `timeout` be longer."
            yield Breach(resource_of(group), ("members", at, "delay"), message, hint)


RULES: Final = (
    Rule(
        "repeated-member",
        Severity.ERROR,
        check_members,
        "An agent is in a ring group once.",
    ),
    Rule(
        "idle-time",
        Severity.WARNING,
        check_times,
        "Each delay and timeout of a ring group has an effect.",
    ),
)
