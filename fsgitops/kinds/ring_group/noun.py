"""What a person declares of a ring group, and of each agent in it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from fsgitops.model.fields import (
    PROTECT,
    Count,
    Destination,
    Expect,
    Extension,
    Key,
    Ref,
    Slug,
    Switch,
    Text,
    about,
)
from fsgitops.model.noun import Noun, Part

LONGEST = 600

_SECONDS = Expect("a whole number of seconds, at most 600", "Write it in digits, such as 20.")


class Member(Part):
    """An agent of a ring group."""

    short = "agent"
    slips: ClassVar = {
        "extension": "Did you mean `agent`?",
        "ring_time": "Did you mean `timeout`?",
        "wait": "Did you mean `delay`?",
    }

    agent: Annotated[
        Extension,
        Ref(("agent",), lost="the group would never ring there", does="rings"),
        about("The extension of a declared agent.", 1020),
    ]
    delay: Annotated[
        Count,
        _SECONDS,
        about(
            "Seconds that the others ring first. Where none of them can be reached, no one waits.",
            10,
            ge=0,
            le=LONGEST,
        ),
    ] = 0
    timeout: Annotated[
        Count,
        _SECONDS,
        about("Seconds that this phone rings.", 15, ge=1, le=LONGEST),
    ] = 20


class RingGroup(Noun):
    """Agents who are called by one number. Their phones ring together, or in turn."""

    kind = "ring_group"
    called = "ring group"
    slips: ClassVar = {
        "is_active": "Did you mean `enabled`?",
        "number": "Did you mean `extension`?",
        **dict.fromkeys(("agents", "extensions", "users"), "Did you mean `members`?"),
        **dict.fromkeys(("destination", "no_answer", "overflow"), "Did you mean `fallback`?"),
    }

    name: Annotated[
        Slug,
        Key(
            "duplicate-ring-group",
            "A name belongs to one ring group.",
            "the ring group {name} is already declared at {first}",
            "Give one of the two another name, or remove it.",
        ),
        about("What the group is called: small letters, digits, _ and -.", "sales"),
    ]
    extension: Annotated[
        Extension | None,
        about("The number that is dialled inside. Without one, only what leads there does.", 7001),
    ] = None
    strategy: Annotated[
        Literal["simultaneous", "sequential"],
        about(
            "simultaneous: all phones ring at once. sequential: one after the other.", "sequential"
        ),
    ] = "simultaneous"
    members: Annotated[
        tuple[Member, ...],
        Expect("a list of 1 to 64 agents", "Write [1020, 1021]."),
        about(
            "The agents whose phones ring: extensions, or mappings.",
            [1020, 1021],
            [{"agent": 1020, "timeout": 15}],
            min_length=1,
            max_length=64,
        ),
    ]
    timeout: Annotated[
        Count | None,
        _SECONDS,
        about(
            "Seconds after which a group that rings at once gives up. Default: when its phones do.",
            30,
            ge=1,
            le=LONGEST,
        ),
    ] = None
    fallback: Annotated[
        Destination | None,
        Ref(("agent",), anything=True, lost="nobody would answer in the end"),
        about(
            "Where a call goes that nobody answers: an agent, or KIND/NAME.",
            1030,
            "ring_group/night",
        ),
    ] = None
    description: Annotated[Text | None, about("For people who read this file.", "Sales desk")] = (
        None
    )
    enabled: Annotated[
        Switch, about("false: not compiled. A group that was live is deleted.", False)
    ] = True
    protect: Annotated[Switch, about(PROTECT, True)] = False
