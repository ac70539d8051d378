"""A gateway: a trunk to a provider, or to another switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.kinds.gateway.drafts import MARK, draft_gateway, gateway_path, gateway_wishes
from fsgitops.kinds.gateway.noun import Gateway
from fsgitops.kinds.gateway.rules import RULES
from fsgitops.model.kind import Kind, Left

if TYPE_CHECKING:
    from fsgitops.model.kind import Read


def _ours(profile: str, name: str, read: Read) -> Left | None:
    """Others have gateways as well: ours have a variable that says so."""
    if (read() or {}).get(f"gateway {name}/variable {MARK}") != "true":
        return None
    return Left(name, f"sip_profiles/{profile}/{name}.xml")


GATEWAY: Final = Kind(
    word="gateway",
    section="gateways",
    noun=Gateway,
    paths=lambda gateway, _site: (gateway_path(gateway),),
    drafts=draft_gateway,
    wishes=gateway_wishes,
    rules=RULES,
    lists="Trunks to providers and other switches.",
    also=("trunk", "trunks", "provider", "carrier", "sip_trunk"),
    ours=_ours,
)
