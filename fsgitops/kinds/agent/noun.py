"""What a person declares of an agent, and of the mailbox that goes with it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, StringConstraints

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
    LoginSource,
    Names,
    Network,
    Ref,
    Switch,
    UserName,
    about,
    read_list,
)
from fsgitops.model.noun import Noun, Part


class Voicemail(Part):
    """An agent's mailbox. Without a `pin`, one is derived from the project key."""

    short = "enabled"
    slips: ClassVar = {
        "is_active": "Did you mean `enabled`?",
        **dict.fromkeys(("password", "vm_password"), "Did you mean `pin`?"),
    }

    enabled: Annotated[Switch, about("false: no mailbox.")] = True
    pin: Annotated[
        LoginSource,
        Hidden("voicemail PIN", login=True),
        about("4 to 10 digits. Default: derived from the project key."),
    ] = None
    email: Annotated[Email | None, about("Where messages are sent.")] = None


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

_Param = Annotated[str, StringConstraints(max_length=255), Expect("a text of 1 to 255 characters")]


class Agent(Noun):
    """A SIP extension: somebody's phone. Without a `password`, one is derived."""

    kind = "agent"
    called = "agent"
    slips: ClassVar = {
        "sip_password": "Did you mean `password`?",
        **dict.fromkeys(("vm_password", "pin"), _PIN),
        "is_active": "Did you mean `enabled`?",
        **dict.fromkeys(("username", "user_name", "login", "auth_user"), "Did you mean `user`?"),
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
        about(
            "The number that is dialled inside: 4 to 6 digits. Kept as written: 0100.", 1020, "0100"
        ),
    ]
    name: Annotated[
        Label,
        about(
            "Who answers. Shown to the called party unless `caller_id_name` says otherwise.",
            "Alice Example",
        ),
    ]
    user: Annotated[
        UserName | None,
        about(
            "What its phones register as, where that is no number. Default: the extension.",
            "reception",
        ),
    ] = None
    password: Annotated[
        LoginSource,
        Hidden("SIP password", login=True),
        about("Where to find the SIP password. Default: derived from the project key."),
    ] = None
    email: Annotated[Email | None, about("Where to write to the person.", "alice@example.com")] = (
        None
    )
    caller_id_name: Annotated[
        Label | None,
        Expect("a text of 1 to 80 characters", "Leave it out to use the agent's name."),
        about("The name that called parties see. Default: `name`.", "Example Support"),
    ] = None
    caller_id_number: Annotated[
        CallerNumber | None,
        Ref(("agent", "did"), owned=True),
        about("The number that called parties see. Default: the extension.", "+19495431333", 1020),
    ] = None
    enabled: Annotated[
        Switch, about("false: not compiled. An agent that was live is deleted.", False)
    ] = True
    groups: Annotated[
        Names,
        Network,
        about(
            "Call groups: a list, or names separated by commas.",
            ["office", "sales"],
            "office, sales",
        ),
    ] = ()
    toll_allow: Annotated[
        Names,
        Network,
        about(
            "The calls it may make: domestic, international, local, premium, satellite.",
            ["local"],
            "domestic, local",
        ),
    ] = ("domestic", "international", "local")
    context: Annotated[
        Label,
        Expect("the name of a dialplan context", "Leave it out for that of the target."),
        about("The dialplan context of the agent's own calls. Default: the target's.", "default"),
    ] = "default"
    webrtc: Annotated[Switch, about("true: encrypted media, for phones in browsers.", True)] = False
    phone_forwarding: Annotated[
        Switch,
        about(
            "true: a call follows the phone's forwarding (302), if this agent's "
            "`toll_allow` permits the number. false: a phone that forwards counts as not reached.",
            True,
        ),
    ] = False
    voicemail: Annotated[
        Voicemail,
        about("true, false, or a mailbox's settings.", True, {"email": "alice@example.com"}),
    ] = Voicemail.model_construct(enabled=False)
    variables: Annotated[
        dict[str, _Variable],
        Expect("a mapping of at most 100 names to texts", "Write `name: value` lines below it."),
        about(
            "Further channel variables of the agent's calls.",
            {"site_department": "support"},
            max_length=100,
        ),
    ] = Field(default={})
    params: Annotated[
        dict[str, _Param],
        Expect("a mapping of at most 40 names to texts", "Write `name: value` lines below it."),
        about(
            "Further parameters of the agent's directory user.",
            {"max-registrations-per-extension": "2"},
            max_length=40,
        ),
    ] = Field(default={})
    cacheable: Annotated[
        Switch,
        about("true: FreeSWITCH keeps what it looked up of the agent until the next apply.", True),
    ] = False
    cidr: Annotated[
        tuple[Network, ...],
        BeforeValidator(read_list),
        Expect("a list of at most 16 networks", "Write [192.0.2.0/24] or `192.0.2.7`."),
        about(
            "Networks that call as this agent without a password, where an ACL of the SIP profile "
            "takes in the domain's users.",
            ["192.0.2.0/24"],
            max_length=16,
        ),
    ] = ()
    password_version: Annotated[
        Count,
        Expect("a whole number from 1 to 1000000", "Raise it to get another password."),
        about(
            "Raise it to give the agent a new SIP password and voicemail PIN.",
            2,
            ge=1,
            le=1_000_000,
        ),
    ] = 1
    protect: Annotated[Switch, about(PROTECT, True)] = False

    @property
    def sip_user(self) -> str:
        """What its phones register as: the `id` of its directory user."""
        return self.user or self.extension
