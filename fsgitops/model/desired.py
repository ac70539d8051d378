"""What the user wants: agents and DID routes, validated and normalised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.findings import Position
    from fsgitops.model.resource import Resource


class Noun(BaseModel):
    """A declared thing: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Voicemail(Noun):
    """An agent's mailbox. Without a `pin`, one is derived from the project key."""

    enabled: bool = True
    pin: str | None = None
    email: str | None = None


class Agent(Noun):
    """A SIP extension: somebody's phone."""

    extension: str
    name: str
    email: str | None = None
    caller_id_name: str | None = None
    caller_id_number: str | None = None
    enabled: bool = True
    groups: tuple[str, ...] = ()
    toll_allow: tuple[str, ...] = ("domestic", "international", "local")
    context: str = "default"
    webrtc: bool = False
    voicemail: Voicemail = Voicemail(enabled=False)
    variables: dict[str, str] = {}
    password_version: int = 1


class DidRoute(Noun):
    """A public number (E.164) and the extension that rings for it."""

    did_number: str
    destination_extension: str
    description: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Desired:
    """All that is declared, sorted by name; `sources` tells where each resource was written."""

    agents: tuple[Agent, ...] = ()
    did_routes: tuple[DidRoute, ...] = ()
    sources: Mapping[Resource, Position] = field(default_factory=dict)
