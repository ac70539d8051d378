"""What a person declares of a public number."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from fsgitops.model.fields import (
    E164,
    PROTECT,
    RANGE,
    Destination,
    Expect,
    Key,
    Ref,
    Switch,
    Text,
    TrunkName,
    about,
    read_list,
)
from fsgitops.model.noun import Noun

_AGENT = (
    "Agents stand in a list of their own, `agents:`; a route names one in `destination_extension`."
)


class DidRoute(Noun):
    """A public number's route. It leads to the extension that rings for it."""

    kind = "did"
    called = "route"
    slips: ClassVar = {
        "is_active": "Did you mean `enabled`?",
        **dict.fromkeys(("did", "number", "e164"), "Did you mean `did_number`?"),
        **dict.fromkeys(
            ("destination", "extension", "agent", "to"), "Did you mean `destination_extension`?"
        ),
        **dict.fromkeys(("password", "sip_password", "voicemail", "caller_id_name"), _AGENT),
    }

    did_number: Annotated[
        E164,
        Key(
            "duplicate-did",
            "A public number has one route, however it is written.",
            "the number {name} already has a route, at {first}",
            "Remove one of the two routes; a call can only go to one of them.",
        ),
        about(
            "The public number: +19495431333, or national with a `default_region`. A range of "
            "them: +19495431300..1399.",
            "+19495431333",
            "(949) 543-1334",
        ),
    ]
    destination_extension: Annotated[
        Destination,
        Ref(
            ("agent",),
            anything=True,
            called="destination",
            lost="nobody would answer this number",
            does="rings",
        ),
        about(
            "What rings: a declared and enabled agent, or KIND/NAME of something else. Of a range, "
            "it may be one for each number: 1300..1399.",
            1020,
            written=RANGE,
        ),
    ]
    also: Annotated[
        tuple[
            Annotated[
                TrunkName,
                Expect("a name of letters, digits, `.`, `_` and `-`", "Write [one, two]."),
            ],
            ...,
        ],
        BeforeValidator(read_list),
        Expect("a list of names, at most 8", "Write [one, two] or `one, two`."),
        about(
            "What else the carrier dials for it: the user name of a trunk that registers.",
            ["acct1"],
            max_length=8,
        ),
    ] = ()
    description: Annotated[Text | None, about("For people who read this file.", "Main number")] = (
        None
    )
    enabled: Annotated[
        Switch, about("false: not compiled. A route that was live is deleted.", False)
    ] = True
    protect: Annotated[Switch, about(PROTECT, True)] = False
