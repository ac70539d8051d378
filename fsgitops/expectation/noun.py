"""What a person expects of a call: who places it, and whom or what it gets to, in order."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from fsgitops.model.causes import CAUSES
from fsgitops.model.fields import (
    Count,
    Expect,
    Extension,
    Key,
    Label,
    Ref,
    Switch,
    Text,
    about,
    read_list,
)
from fsgitops.model.noun import Noun, Part

LONGEST: Final = 3600
_LIST: Final = 64
_YES: Final = ("true", "True", "TRUE")


def _read_cause(value: object) -> bool | str | None:
    if value is None or value is True or value in _YES:
        return None if value is None else True
    if not isinstance(value, str) or value not in CAUSES:
        raise PydanticCustomError("cause", "no hang-up cause")
    return value


def _check_time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("time", "no such time") from None
    return text


def _agent(lost: str, does: str) -> Ref:
    return Ref(("agent",), lost=lost, does=does)


_RINGS: Final = _agent("its phone would never ring", "expects a call for")
_CALLS: Final = _agent("it would call nobody", "expects a call of")
_NUMBER = r"^[!-~]{1,64}$"
_GOAL = r"^[a-z][a-z0-9_]{0,39}/[!-~]{1,128}$"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?$"
_NAME = r"^[A-Za-z0-9_.-]{1,64}$"

IN_WORDS: Final = {
    _NUMBER: "what is dialled: 1 to 64 characters without blanks",
    _GOAL: "KIND/NAME, such as gateway/carrier",
    _TIME: "a time such as 2026-12-24T18:00",
    _NAME: "the name of a context",
}
"""What the patterns of this kind mean, for people."""

Dialled = Annotated[
    str, StringConstraints(pattern=_NUMBER), Expect("a number, or what is dialled, without blanks")
]
Phones = Annotated[
    tuple[Annotated[Extension, _RINGS], ...],
    BeforeValidator(read_list),
    Field(max_length=_LIST),
    Expect("an agent or a list of at most 64", "Write 1020 or [1020, 1021]."),
]
Keys = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]{1,32}$")], ...],
    BeforeValidator(read_list),
    Field(max_length=16),
    Expect("keys of a phone, or a list of at most 16", "Write 1 or [2, 1]."),
]
Goal = Annotated[
    str,
    StringConstraints(pattern=_GOAL),
    Expect("KIND/NAME of what serves the caller", "Write it like gateway/carrier or menu/main."),
]
Cause = Annotated[
    bool | str | None,
    PlainValidator(_read_cause),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": sorted(CAUSES)}]}),
    Expect("true, or a hang-up cause such as USER_BUSY"),
]
Seconds = Annotated[
    Count, Expect("a whole number of seconds, at most 3600", "Write it in digits, such as 20.")
]

Rings = Annotated[
    Phones | None,
    about("The agents whose phones ring: these, and no others.", 1020, [1020, 1021], min_length=1),
]
Reaches = Annotated[
    Goal | None,
    about(
        "What the call gets to: a gateway, menu, queue, conference, mailbox or parking by name, an "
        "application, or what is declared.",
        "gateway/carrier",
        "gateway/carrier/+12025550100",
        "menu/main",
        "application/echo",
        "agent/1020",
    ),
]
Leaves = Annotated[
    Annotated[Extension, _agent("it has no mailbox", "expects a message for")] | None,
    about("The agent in whose mailbox the caller leaves a message.", 1020),
]
Plays = Annotated[
    Text | None,
    about(
        "A file that the caller hears before that: its whole path, or the end of it.",
        "ivr/closed.wav",
        min_length=1,
    ),
]
HangsUp = Annotated[
    Cause,
    about("The call is hung up, or nobody takes it: true, or with which cause.", True, "USER_BUSY"),
]
Within = Annotated[
    Seconds | None,
    about(
        "At most so many seconds after the call came in, as delays and timeouts say.",
        20,
        ge=0,
        le=LONGEST,
    ),
]

_SLIPS: Final = {
    **dict.fromkeys(("ring", "phone", "phones", "agents", "agent"), "Did you mean `rings`?"),
    **dict.fromkeys(("voicemail", "mailbox", "message"), "Did you mean `leaves_message`?"),
    **dict.fromkeys(("gateway", "menu", "queue", "goes_to", "leads_to"), "Did you mean `reaches`?"),
    **dict.fromkeys(("hangup", "hang_up", "rejected", "busy"), "Did you mean `hangs_up`?"),
    **dict.fromkeys(("after", "timeout", "seconds"), "Did you mean `within`?"),
    **dict.fromkeys(("play", "hears"), "Did you mean `plays`?"),
}


class Outcome(Part):
    """What is expected next, where nobody answered."""

    slips: ClassVar = _SLIPS

    rings: Rings = None
    reaches: Reaches = None
    leaves_message: Leaves = None
    plays: Plays = None
    hangs_up: HangsUp = None
    within: Within = None


def _read_then(value: object) -> object:
    return (value,) if isinstance(value, dict) else value


class _Called(Noun):
    name: Annotated[
        Label,
        Key(
            "duplicate-test",
            "A name belongs to one expectation.",
            "the expectation {name} is already declared at {first}",
            "Give one of the two another name, or remove it.",
        ),
        about("What is expected, in words.", "the main number rings reception"),
    ]
    call: Annotated[Dialled, about("The number that is called, as it arrives.", "+19495431333")]


_CALLER: Final[dict[str, Any]] = {
    "from": (
        Annotated[
            Dialled | None,
            about(
                "The caller's number. Without one, what is expected holds whoever calls.",
                "+12025550100",
            ),
        ],
        None,
    ),
    "as": (
        Annotated[
            Annotated[Extension, _CALLS] | None,
            about("The agent who calls. Without one, the call comes from outside.", 1020),
        ],
        None,
    ),
}
"""`from` and `as` are words of Python: no class can spell them out."""
_Caller: Any = create_model("_Caller", __base__=_Called, __module__=__name__, **_CALLER)


class Expectation(_Caller):
    """What a call is expected to do. It is no resource: it is proved, and nothing is written."""

    kind = "expectation"
    called = "expectation"
    slips: ClassVar = {
        **_SLIPS,
        **dict.fromkeys(("number", "did", "dial", "to"), "Did you mean `call`?"),
        **dict.fromkeys(("caller", "caller_id"), "Did you mean `from`?"),
        **dict.fromkeys(("user", "by"), "Did you mean `as`?"),
        **dict.fromkeys(("time", "when", "date"), "Did you mean `at`?"),
        **dict.fromkeys(("keys", "press", "digits"), "Did you mean `presses`?"),
        "is_active": "Did you mean `enabled`?",
    }

    if TYPE_CHECKING:
        name: str
        call: str

    context: Annotated[
        Annotated[str, StringConstraints(pattern=_NAME), Expect("the name of a context")] | None,
        about(
            "The context that the call begins in. Default: where carriers' calls come in.", "public"
        ),
    ] = None
    at: Annotated[
        Annotated[
            str,
            StringConstraints(pattern=_TIME),
            AfterValidator(_check_time),
            Expect("a time such as 2026-12-24T18:00", "It is the switch's clock."),
        ]
        | None,
        about(
            "When the call is placed, on the switch's clock. Without one, what is expected holds "
            "at any time.",
            "2026-12-24T18:00",
        ),
    ] = None
    registered: Annotated[
        Phones | None,
        about("Only these agents' phones are registered. Default: all are.", [1020, 1021]),
    ] = None
    presses: Annotated[
        Keys,
        about("What the caller presses in one menu after the other. Default: nothing.", [2, 1]),
    ] = ()
    rings: Rings = None
    reaches: Reaches = None
    leaves_message: Leaves = None
    plays: Plays = None
    hangs_up: HangsUp = None
    within: Within = None
    then: Annotated[
        Annotated[
            tuple[Outcome, ...],
            BeforeValidator(_read_then),
            Field(max_length=16),
            Expect("a mapping, or a list of at most 16", "Write {leaves_message: 1020}."),
        ],
        about(
            "What follows where nobody answers, in order.",
            {"leaves_message": 1020},
            [{"rings": 1021}, {"hangs_up": True}],
            alone=True,
        ),
    ] = ()
    description: Annotated[
        Text | None, about("For people who read this file.", "Agreed with the shop")
    ] = None
    enabled: Annotated[Switch, about("false: not looked at.", False)] = True

    @property
    def caller(self) -> str | None:
        """Return the caller's number."""
        caller: str | None = getattr(self, "from")
        return caller

    @property
    def agent(self) -> str | None:
        """Return the agent who calls."""
        agent: str | None = getattr(self, "as")
        return agent
