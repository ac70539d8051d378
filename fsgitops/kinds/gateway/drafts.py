"""The file of a gateway: one <gateway>, in the folder of its profile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from fsgitops.kinds.gateway.rules import judge_password
from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.draft import Draft, DraftError
from fsgitops.model.kind import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.kinds.gateway.noun import Gateway
    from fsgitops.model.draft import Elements, Leaf
    from fsgitops.model.kind import Secrets, Site

TEMPLATE: Final = "gateway.xml.j2"
PASSWORD: Final = "password"  # noqa: S105 - the name of a field
MARK: Final = "fsgitops_gateway"
"""The variable by which a gateway in the switch's memory is known to be one of ours."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_PROFILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def gateway_path(gateway: Gateway) -> str:
    """Return the file of a gateway."""
    return f"sip_profiles/{gateway.profile}/{gateway.name}.xml"


def gateway_wishes(gateway: Gateway) -> tuple[Wish, ...]:
    """Return the password that the provider gave, where there is one."""
    if gateway.password is None:
        return ()
    return (Wish(PASSWORD, gateway.password, judge=judge_password),)


def draft_gateway(gateway: Gateway, site: Site, secrets: Secrets, _known: Any) -> Iterator[Draft]:
    """Yield the file of a gateway. Raises DraftError for names that are none of FreeSWITCH's."""
    if not (_NAME.fullmatch(gateway.name) and _PROFILE.fullmatch(gateway.profile)):
        raise DraftError(["a gateway and its profile have plain names"], "they name its file")
    values: dict[str, Leaf] = {
        "name": gateway.name,
        "params": _params(gateway, site, secrets),
        "variables": _variables(gateway),
    }
    hidden = frozenset((("params", PASSWORD),) if gateway.password is not None else ())
    yield Draft(gateway_path(gateway), TEMPLATE, values, hidden=hidden, prove=prove_gateway)


def _params(gateway: Gateway, site: Site, secrets: Secrets) -> dict[str, Leaf]:
    """Return the params, as `parse_gateways` in sofia.c reads them; any other word is ignored."""
    secret = secrets.get(PASSWORD)
    found: dict[str, str | None] = {
        "proxy": gateway.proxy,
        "username": gateway.username,
        "password": None if gateway.password is None else secret.reveal() if secret else UNKNOWN,
        "auth-username": gateway.auth_username,
        "realm": gateway.realm,
        "register": "true" if gateway.registers else "false",
        "register-proxy": gateway.register_proxy,
        "outbound-proxy": gateway.outbound_proxy,
        "register-transport": gateway.transport,
        "expire-seconds": str(gateway.expire_seconds),
        "retry-seconds": str(gateway.retry_seconds),
        "ping": None if gateway.ping is None else str(gateway.ping),
        "from-user": gateway.from_user,
        "from-domain": gateway.from_domain,
        "caller-id-in-from": "true" if gateway.caller_id == "from" else "false",
        "context": gateway.context or site.places.inbound_context,
        "extension": gateway.extension,
        "gw-auth-acl": ",".join(gateway.acl) or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _variables(gateway: Gateway) -> dict[str, Leaf]:
    """Return the variables of calls over it; FreeSWITCH has no params for these."""
    form = {"rpid": None, "from": "none"}.get(gateway.caller_id, gateway.caller_id)
    found = {"sip_cid_type": form, "absolute_codec_string": ",".join(gateway.codecs) or None}
    return {name: value for name, value in found.items() if value is not None}


def prove_gateway(found: Elements, values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template does not render exactly this gateway, if it does not."""
    made_up = cast("Mapping[str, Any]", values)
    gateways = [(path, at.get("name")) for path, at in found if path[-1] == "gateway"]
    outside = any(path[0] != "gateway" for path, _ in found)
    if outside or gateways != [(("gateway",), made_up["name"])]:
        return ['it must render exactly one <gateway name="{{ name }}">, inside <include>']
    problems = []
    for box, tag, direction in (("params", "param", None), ("variables", "variable", "outbound")):
        declared = made_up[box]
        there = [
            (at.get("name"), at.get("value"), at.get("direction"))
            for path, at in found
            if path[-1] == tag and at.get("name") in declared
        ]
        wanted = [(name, value, direction) for name, value in declared.items()]
        if sorted(map(str, there)) != sorted(map(str, wanted)):
            problems.append(f"it must render each of {box} once, name and value as they are")
    if not any(path[-1] == "variable" and at.get("name") == MARK for path, at in found):
        problems.append(f"it must render the variable {MARK}, which tells that it is ours")
    return problems
