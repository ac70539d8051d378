"""What a person declares of a gateway: a trunk to a provider, or to another switch."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from fsgitops.model.fields import (
    PROTECT,
    Account,
    Acl,
    Codec,
    Count,
    Entry,
    Expect,
    Hidden,
    Host,
    Key,
    SecretSource,
    Slug,
    Switch,
    Text,
    TrunkName,
    about,
)
from fsgitops.model.noun import Noun

_SECONDS = Expect("a whole number of seconds, at least 5", "Write it in digits, such as 60.")
_WORD = Expect("a name of letters, digits, `.`, `_` and `-`")
_TO_NUMBER = (
    "auto_to_user: the number in the call's To. auto: the dialled one, or that in To where only "
    "the gateway is dialled. Anything else is taken for the number of all its calls."
)


class Gateway(Noun):
    """A trunk to a provider or another switch. With a password it registers there."""

    kind = "gateway"
    called = "gateway"
    slips: ClassVar = {
        "is_active": "Did you mean `enabled`?",
        **dict.fromkeys(("host", "server", "address", "sip_server"), "Did you mean `proxy`?"),
        **dict.fromkeys(("user", "user_name", "login", "account"), "Did you mean `username`?"),
        **dict.fromkeys(("secret", "pass", "sip_password"), "Did you mean `password`?"),
        **dict.fromkeys(("codec", "codec_prefs"), "Did you mean `codecs`?"),
        **dict.fromkeys(("cid_type", "caller_id_in_from"), "Did you mean `caller_id`?"),
        "register": "Did you mean `registration`?",
        **dict.fromkeys(("expires", "expiry"), "Did you mean `expire_seconds`?"),
    }

    name: Annotated[
        Slug,
        Key(
            "duplicate-gateway",
            "A name belongs to one gateway of the whole switch.",
            "the gateway {name} is already declared at {first}",
            "Give one of the two another name, or remove it. Profiles share the names.",
        ),
        about("What it is called in `sofia/gateway/NAME`, on the whole switch.", "carrier"),
    ]
    proxy: Annotated[
        Host,
        about(
            "Where its calls are sent: a host name or an address, with a port if need be.",
            "sip.example.com",
            "192.0.2.10:5080",
        ),
    ]
    profile: Annotated[
        TrunkName,
        _WORD,
        about("The SIP profile that it runs in: its folder of sip_profiles/.", "external"),
    ] = "external"
    username: Annotated[
        Account | None, about("Who the switch is at the provider.", "acme-4711")
    ] = None
    password: Annotated[
        SecretSource,
        Hidden("gateway password"),
        about("Where to find the provider's password. None is derived."),
    ] = None
    auth_username: Annotated[
        Account | None,
        about("Who it logs in as, where that is not `username`.", "acme-4711-auth"),
    ] = None
    realm: Annotated[
        Host | None,
        about("The realm of the provider's challenge. Default: the proxy.", "example.com"),
    ] = None
    registration: Annotated[
        Switch | None,
        about("true: the switch registers there. Default: where there is a password.", False),
    ] = None
    register_proxy: Annotated[
        Host | None,
        about("Where it registers, if not at the proxy.", "register.example.com"),
    ] = None
    outbound_proxy: Annotated[
        Host | None,
        about("Through which proxy all of it is sent.", "edge.example.com:5060"),
    ] = None
    transport: Annotated[
        Literal["udp", "tcp", "tls"],
        about("How it is spoken to. tls: the profile has to have it.", "tcp"),
    ] = "udp"
    expire_seconds: Annotated[
        Count, _SECONDS, about("How long a registration lasts.", 600, ge=5, le=86_400)
    ] = 3600
    retry_seconds: Annotated[
        Count,
        _SECONDS,
        about("How long to wait after a registration failed.", 60, ge=5, le=86_400),
    ] = 30
    ping: Annotated[
        Count | None,
        _SECONDS,
        about(
            "Seconds between two OPTIONS. A gateway that does not answer them is down.",
            30,
            ge=5,
            le=86_400,
        ),
    ] = None
    from_user: Annotated[
        Account | None, about("The user in From. Default: `username`.", "acme-main")
    ] = None
    from_domain: Annotated[
        Host | None, about("The domain in From. Default: the proxy.", "acme.example.com")
    ] = None
    caller_id: Annotated[
        Literal["rpid", "pid", "from", "none"],
        about(
            "How the caller's number is sent: in Remote-Party-ID, in P-Asserted-Identity, in "
            "From, or not at all.",
            "pid",
        ),
    ] = "rpid"
    codecs: Annotated[
        tuple[Codec, ...],
        Expect("a list of at most 16 codecs", "Write [PCMA, PCMU]."),
        about(
            "The codecs of calls over it, the best first. Default: the profile's.",
            ["PCMA", "PCMU"],
            max_length=16,
        ),
    ] = ()
    context: Annotated[
        TrunkName | None,
        _WORD,
        about("Where its calls come in. Default: the target's `inbound_context`.", "from_carrier"),
    ] = None
    extension: Annotated[
        Entry, about(f"Which number they call. {_TO_NUMBER}", "auto", "+19495431333")
    ] = "auto_to_user"
    acl: Annotated[
        tuple[Acl, ...],
        Expect("a list of at most 32 networks, or the name of an ACL", "Write [192.0.2.0/24]."),
        about(
            "From which addresses a challenge is answered with the password: networks, or one "
            "ACL. Default: those of its hosts.",
            ["192.0.2.0/24"],
            ["carriers"],
            max_length=32,
        ),
    ] = ()
    description: Annotated[
        Text | None, about("For people who read this file.", "Main trunk, contract 4711")
    ] = None
    enabled: Annotated[
        Switch, about("false: not compiled. A gateway that was live is deleted.", False)
    ] = True
    protect: Annotated[Switch, about(PROTECT, True)] = False

    @property
    def registers(self) -> bool:
        """Tell whether the switch registers there."""
        return self.password is not None if self.registration is None else self.registration
