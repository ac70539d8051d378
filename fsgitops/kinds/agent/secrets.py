"""The secrets of an agent, and how agents move from one project key to the next."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Severity
from fsgitops.kinds.agent.rules import PIN_HINT, judge_pin, judge_strength
from fsgitops.model.kind import Judged, Wish
from fsgitops.model.reading import resource_of
from fsgitops.secret.key import derive_sip_password, derive_voicemail_pin
from fsgitops.secret.source import HashSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.model.resource import Resource
    from fsgitops.secret.key import ProjectKey
    from fsgitops.secret.value import Secret

PASSWORD: Final = "password"  # noqa: S105 - the name of a field
PIN: Final = "voicemail.pin"


def agent_wishes(agent: Agent) -> tuple[Wish, ...]:
    """Return the secrets that an agent needs: its SIP password, and the PIN of its mailbox."""
    derive = partial(_derive, derive_sip_password, agent)
    password = Wish(PASSWORD, agent.password, derive, agent.groups, None, _same_password)
    if not agent.voicemail.enabled:
        return (password,)
    derive = partial(_derive, derive_voicemail_pin, agent)
    pin = agent.voicemail.pin
    judge = None if isinstance(pin, HashSource) else _judge_pin
    return (password, Wish(PIN, pin, derive, agent.groups, judge))


def _derive(
    function: Callable[[ProjectKey, str, str, int], Secret],
    agent: Agent,
    key: ProjectKey,
    domain: str,
) -> Secret:
    return function(key, agent.extension, domain, agent.password_version)


def _judge_pin(extension: str, pin: str) -> Iterator[Judged]:
    if why := judge_pin(pin, extension):
        yield Judged("voicemail-pin", Severity.ERROR, why, PIN_HINT)
    if weakness := judge_strength(pin, extension):
        yield Judged("weak-pin", Severity.WARNING, weakness, PIN_HINT)


def _same_password(extension: str, other: Resource) -> Judged:
    message = f"agents {extension} and {other.name} have the same SIP password"
    hint = "With one password, each agent can register as the other: choose another one."
    return Judged("shared-password", Severity.ERROR, message, hint)


def count_rotation(
    agents: Sequence[Agent], has_moved: Callable[[Resource, Sequence[str]], bool]
) -> tuple[Counter[str], Counter[str]]:
    """Return how many agents with derived secrets have moved to the next key, and how many are.

    Both by group; "" stands for all of them, "(no group)" for those in none. `has_moved` tells it
    of a resource and its groups.
    """
    moved: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for agent in agents:
        if agent.enabled and any(wish.source is None for wish in agent_wishes(agent)):
            names = ["", *(agent.groups or ("(no group)",))]
            total.update(names)
            if has_moved(resource_of(agent), agent.groups):
                moved.update(names)
    return moved, total
