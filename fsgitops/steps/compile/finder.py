"""What a compilation asks for agents' secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fsgitops.secret import AgentSecrets, derive_secrets

if TYPE_CHECKING:
    from fsgitops.model.desired import Agent
    from fsgitops.secret import ProjectKey


class SecretFinder(Protocol):
    """Knows each agent's secrets, wherever they stand."""

    def mark(self, agent: Agent) -> str:
        """Return what differs whenever the agent's secrets differ, and tells nothing of them."""

    def find(self, agent: Agent) -> AgentSecrets:
        """Return the agent's secrets; None for those that are not at hand."""


@dataclass(frozen=True, slots=True)
class DerivedSecrets:
    """Derives secrets from one key; without a key, none is at hand."""

    key: ProjectKey | None
    domain: str

    def mark(self, agent: Agent) -> str:  # noqa: ARG002 - the key is the same for all
        """Return the key's public fingerprint."""
        return self.key.id if self.key else ""

    def find(self, agent: Agent) -> AgentSecrets:
        """Return what the key gives this agent; a secret that stands elsewhere is not at hand."""
        found = derive_secrets(
            self.key,
            agent.extension,
            self.domain,
            agent.password_version,
            mailbox=agent.voicemail.enabled,
        )
        return AgentSecrets(
            None if agent.password else found.password,
            None if agent.voicemail.pin else found.pin,
        )
