"""The fields of an agent that hold a secret, and where each says that its secret stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsgitops.secret import PlaintextSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Agent, Desired
    from fsgitops.model.document import Path
    from fsgitops.secret import Source


class SecretField(NamedTuple):
    """One secret field that an agent sets itself: what it is called, where, and its source."""

    agent: Agent
    noun: str
    path: Path
    source: Source


PASSWORD = "SIP password"  # noqa: S105 - what messages call the field
PIN = "voicemail PIN"


def secret_fields(desired: Desired) -> Iterator[SecretField]:
    """Yield every secret that an agent does not leave to be derived."""
    for agent in desired.agents:
        if agent.password is not None:
            yield SecretField(agent, PASSWORD, ("password",), agent.password)
        if agent.voicemail.pin is not None:
            yield SecretField(agent, PIN, ("voicemail", "pin"), agent.voicemail.pin)


def plaintext_pins(desired: Desired) -> Iterator[tuple[Agent, str]]:
    """Yield every PIN that stands in the YAML itself, with its agent."""
    for field in secret_fields(desired):
        if field.noun == PIN and isinstance(field.source, PlaintextSource):
            yield field.agent, field.source.value.reveal()
