"""What is asked of gateways alone: that they can log in, and let nobody in who should not be."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Severity
from fsgitops.kinds.gateway.noun import Gateway
from fsgitops.model.kind import Judged
from fsgitops.model.reading import resource_of
from fsgitops.model.rule import Breach, Rule
from fsgitops.secret.source import PlaintextSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds

_COLON: Final = "FreeSWITCH answers a challenge wrong with it: ask the provider for another one."
USERS: Final = "default"
"""The context that the stock directory has its users call in."""


def check_credentials(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every gateway that FreeSWITCH would leave out, as it has nothing to log in with."""
    for gateway in desired.of(Gateway):
        missing = [
            field
            for field in ("username", "password")
            if getattr(gateway, field) is None
            and (gateway.registers or (field == "username" and gateway.password is not None))
        ]
        for field in missing:
            does = "registers" if gateway.registers else "has a password"
            message = f"the gateway {gateway.name} {does}, and has no `{field}`"
            hint = f"Declare its `{field}`" + (
                ", or `registration: false`."
                if gateway.registers
                else ", or leave the password out."
            )
            at = ("registration",) if gateway.registration else ("name",)
            yield Breach(resource_of(gateway), at, message, hint)


def judge_password(name: str, password: str) -> Iterator[Judged]:
    """Yield what is wrong with a password (docs/freeswitch.md, "Gateways")."""
    if ":" in password:
        message = f"the password of the gateway {name} holds a colon"
        yield Judged("gateway-password", Severity.ERROR, message, _COLON)


def check_passwords(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every password in the YAML that would not work."""
    for gateway in desired.of(Gateway):
        if isinstance(gateway.password, PlaintextSource):
            for judged in judge_password(gateway.name, gateway.password.value.reveal()):
                yield Breach(resource_of(gateway), ("password",), judged.message, judged.hint)


def check_context(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every gateway by which a stranger would call as one of the project's phones does.

    Whoever writes `;gw=NAME` into an address gets the context of the gateway (sofia.c).
    """
    inside = {USERS} | {
        kind.starts(noun)
        for kind in kinds.values()
        if kind.starts is not None
        for noun in desired.of(kind.noun)
    }
    for gateway in desired.of(Gateway):
        if gateway.context in inside:
            message = (
                f"the gateway {gateway.name} leads into the context {gateway.context}, in which "
                "phones of users call: any stranger who names the gateway could call as they do"
            )
            hint = "Leave `context` out, or name one that only leads to public numbers."
            yield Breach(resource_of(gateway), ("context",), message, hint)


def check_acl(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every `acl` of which FreeSWITCH would take a part for nothing."""
    for gateway in desired.of(Gateway):
        networks = [item for item in gateway.acl if "/" in item]
        if len(gateway.acl) > 1 and len(networks) < len(gateway.acl):
            message = f"the `acl` of the gateway {gateway.name} has a name and more beside it"
            hint = "Name one ACL alone, or networks with their lengths, such as 192.0.2.7/32."
            yield Breach(resource_of(gateway), ("acl",), message, hint)
        for at, item in enumerate(gateway.acl):
            if "/" in item and not _is_network(item):
                message = f"{item} is no network"
                hint = "Write it like 192.0.2.0/24: FreeSWITCH would take it for no address at all."
                yield Breach(resource_of(gateway), ("acl", at), message, hint)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


RULES: Final = (
    Rule(
        "gateway-credentials",
        Severity.ERROR,
        check_credentials,
        "A gateway that registers has a user name and a password.",
    ),
    Rule(
        "gateway-password",
        Severity.ERROR,
        check_passwords,
        "The password of a gateway holds no colon.",
    ),
    Rule(
        "gateway-context",
        Severity.ERROR,
        check_context,
        "No gateway leads strangers into a context of users.",
    ),
    Rule("gateway-acl", Severity.ERROR, check_acl, "The `acl` of a gateway is one that works."),
)
