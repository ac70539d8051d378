"""`fsgitops credentials`: what a phone needs to register as an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.commands.workspace import Workspace, declare_desired, find_key
from fsgitops.errors import DesiredInvalidError, SecretError, UsageError
from fsgitops.findings import has_errors

if TYPE_CHECKING:
    from fsgitops.secret import Secret

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One agent's username, secrets and domain. Only `to_json(reveal=True)` shows a secret."""

    username: str
    domain: str
    password: Secret
    voicemail_pin: Secret | None

    def to_json(self, *, reveal: bool) -> dict[str, Any]:
        """Return JSON values (docs/json.md); the secrets as `(hidden)` unless `reveal`."""
        pin = self.voicemail_pin
        return {
            "format": "fsgitops-credentials",
            "version": 1,
            "username": self.username,
            "password": self.password.reveal() if reveal else HIDDEN,
            "domain": self.domain,
            "voicemail_pin": pin if pin is None else pin.reveal() if reveal else HIDDEN,
        }


def run_credentials(workspace: Workspace, extension: str) -> Credentials:
    """Return the credentials of a declared agent.

    Raises UsageError for an agent that is not declared, SecretError without the project key.
    """
    from fsgitops.secret import Secret, derive_sip_password, derive_voicemail_pin

    declared = declare_desired(workspace)
    if has_errors(list(declared.findings)):
        raise DesiredInvalidError(list(declared.findings))
    agent = next((item for item in declared.desired.agents if item.extension == extension), None)
    if agent is None:
        raise UsageError(f"no agent {extension} is declared")
    key = find_key(workspace)
    if key is None:
        raise SecretError("no project key: set FSGITOPS_KEY, or make one with `fsgitops key new`")
    domain = workspace.target.domain
    subject = (key, agent.extension, domain, agent.password_version)
    pin = None
    if agent.voicemail.enabled:
        pin = Secret(agent.voicemail.pin) if agent.voicemail.pin else derive_voicemail_pin(*subject)
    return Credentials(agent.extension, domain, derive_sip_password(*subject), pin)
