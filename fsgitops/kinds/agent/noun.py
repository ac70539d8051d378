"""What a person declares of an agent, and of the mailbox that goes with it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from fsgitops.model.fields import (
    PROTECT,
    CallerNumber,
    Count,
    Email,
    Expect,
    Extension,
    Globals,
    Hidden,
    Key,
    Label,
    Names,
    Ref,
    SecretSource,
    Switch,
)
from fsgitops.model.noun import Noun, Part


class Voicemail(Part):
    """An agent's mailbox. Without a `pin`, one is derived from the project key."""

    short = "enabled"
    slips: ClassVar = {
        "is_active": "Did you mean `enabled`?",
        **dict.fromkeys(("password", "vm_password"), "Did you mean `pin`?"),
    }

    enabled: Annotated[Switch, Field(description="false: no mailbox.")] = True
    pin: Annotated[
        SecretSource,
        Hidden("voicemail PIN"),
        Field(description="4 to 10 digits. Default: derived from the project key."),
    ] = None
    email: Annotated[Email | None, Field(description="Where messages are sent.")] = None


_ROUTE = (
    "Numbers stand in a list of their own: `did_routes: [{did_number: +19495431333, "
    "destination_extension: 1020}]`, beside `agents:`."
)
_PIN = "Set `voicemail: {pin: …}`, or leave it out and one is derived."
_Variable = Annotated[
    str,
    StringConstraints(max_length=1024),
    Globals(),
    Expect("a text of at most 1024 characters", 'Write "" for an empty value.'),
]


class Agent(Noun):
    """A SIP extension: somebody's phone. Without a `password`, one is derived."""

    kind = "agent"
    called = "agent"
    slips: ClassVar = {
        "sip_password": "Did you mean `password`?",
        **dict.fromkeys(("vm_password", "pin"), _PIN),
        "is_active": "Did you mean `enabled`?",
        "number": "Did you mean `extension`? A public number is a route, under `did_routes:`.",
        **dict.fromkeys(("did", "dids", "did_number", "did_numbers"), _ROUTE),
        **dict.fromkeys(("did_route", "did_routes"), _ROUTE),
        **dict.fromkeys(("destination", "destination_extension"), _ROUTE),
    }

    extension: Annotated[
        Extension,
        Key(
            "duplicate-extension",
            "An extension belongs to one agent.",
            "extension {name} is already declared at {first}",
            "Give one of the two agents another extension, or remove it.",
        ),
        Field(
            description="The number that is dialled inside: 4 to 6 digits. Kept as written: 0100.",
            examples=[1020, "0100"],
        ),
    ]
    name: Annotated[
        Label,
        Field(
            description="Who answers. Shown to the called party unless `caller_id_name` says "
            "otherwise.",
            examples=["Alice Example"],
        ),
    ]
    password: Annotated[
        SecretSource,
        Hidden("SIP password"),
        Field(description="Where to find the SIP password. Default: derived from the project key."),
    ] = None
    email: Annotated[
        Email | None,
        Field(description="Where to write to the person.", examples=["alice@example.com"]),
    ] = None
    caller_id_name: Annotated[
        Label | None,
        Expect("a text of 1 to 80 characters", "Leave it out to use the agent's name."),
        Field(
            description="The name that called parties see. Default: `name`.",
            examples=["Example Support"],
        ),
    ] = None
    caller_id_number: Annotated[
        CallerNumber | None,
        Ref(("agent", "did"), owned=True),
        Field(
            description="The number that called parties see. Default: the extension.",
            examples=["+19495431333", 1020],
        ),
    ] = None
    enabled: Annotated[
        Switch,
        Field(
            description="false: not compiled. An agent that was live is deleted.",
            examples=[False],
        ),
    ] = True
    groups: Annotated[
        Names,
        Field(
            description="Call groups: a list, or names separated by commas.",
            examples=[["office", "sales"], "office, sales"],
        ),
    ] = ()
    toll_allow: Annotated[
        Names,
        Field(
            description="The calls it may make: domestic, international, local, premium, "
            "satellite.",
            examples=[["local"], "domestic, local"],
        ),
    ] = ("domestic", "international", "local")
    context: Annotated[
        Label,
        Expect("the name of a dialplan context", "Leave it out for `default`."),
        Field(description="The dialplan context of the agent's own calls.", examples=["default"]),
    ] = "default"
    webrtc: Annotated[
        Switch,
        Field(description="true: encrypted media, for phones in browsers.", examples=[True]),
    ] = False
    phone_forwarding: Annotated[
        Switch,
        Field(
            description="true: a call follows the phone's forwarding (302), if this agent's "
            "`toll_allow` permits the number. false: a phone that forwards counts as not reached.",
            examples=[True],
        ),
    ] = False
    voicemail: Annotated[
        Voicemail,
        Field(
            description="true, false, or a mailbox's settings.",
            examples=[True, {"email": "alice@example.com"}],
        ),
    ] = Voicemail(enabled=False)
    variables: Annotated[
        dict[str, _Variable],
        Expect("a mapping of at most 100 names to texts", "Write `name: value` lines below it."),
        Field(
            max_length=100,
            description="Further channel variables of the agent's calls.",
            examples=[{"site_department": "support"}],
        ),
    ] = Field(default={})
    password_version: Annotated[
        Count,
        Expect("a whole number from 1 to 1000000", "Raise it to get another password."),
        Field(
            ge=1,
            le=1_000_000,
            description="Raise it to give the agent a new SIP password and voicemail PIN.",
            examples=[2],
        ),
    ] = 1
    protect: Annotated[Switch, Field(description=PROTECT, examples=[True])] = False
