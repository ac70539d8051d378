"""Every agent's secrets: derived from the key that is its own, or fetched from where they stand."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.findings import Finding, Position, Severity, error
from fsgitops.model.resource import Resource
from fsgitops.rules.voicemail_pin import HINT, judge_pin
from fsgitops.rules.weak_pin import judge_strength
from fsgitops.secret import (
    NEXT_KEY_VARIABLE,
    NEXT_SUFFIX,
    AgentSecrets,
    PlaintextSource,
    derive_secrets,
    identify_source,
    keyed_digest,
    load_key,
)
from fsgitops.visible import count_noun
from fsgitops.workspace.fetch import make_fetcher

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from pathlib import Path

    from fsgitops.model.desired import Agent, Desired
    from fsgitops.secret import ProjectKey, Secret, SecretFetcher, Source
    from fsgitops.settings import RotationSettings, Settings
    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class Keys:
    """The project key, and the one that takes its place, where there is one."""

    current: ProjectKey | None
    upcoming: ProjectKey | None = None


def next_key_file(settings: Settings, root: Path) -> Path:
    """Return where the next key stands: beside the project key."""
    return root / f"{settings.key_file}{NEXT_SUFFIX}"


def find_keys(workspace: Workspace) -> Keys:
    """Return the keys at hand. Raises SecretError for a malformed one, or one others may read."""
    settings, root = workspace.settings, workspace.root
    current = load_key(os.environ, root / settings.key_file)
    if settings.key_rotation is None:
        return Keys(current)
    return Keys(current, load_key(os.environ, next_key_file(settings, root), NEXT_KEY_VARIABLE))


class Moved:
    """Which agents' secrets are derived from the next key."""

    __slots__ = ("everyone", "extensions", "groups")

    def __init__(self, rotation: RotationSettings | None) -> None:
        self.everyone = rotation is not None and rotation.everyone
        self.groups = frozenset(rotation.groups if rotation else ())
        self.extensions = frozenset(rotation.extensions if rotation else ())

    def has(self, agent: Agent) -> bool:
        """Tell whether this agent has moved."""
        return (
            self.everyone
            or agent.extension in self.extensions
            or not self.groups.isdisjoint(agent.groups)
        )


def is_derived(agent: Agent) -> bool:
    """Tell whether any of an agent's secrets comes from a key."""
    return agent.password is None or (agent.voicemail.enabled and agent.voicemail.pin is None)


@dataclass(slots=True)
class SecretBook:
    """Gives each agent's secrets, and gathers what was wrong with them on the way.

    `fetcher` is None where nothing is to be fetched: then only derived secrets are known.
    """

    keys: Keys
    domain: str
    rotation: RotationSettings | None
    levels: dict[str, str]
    desired: Desired
    fetcher: SecretFetcher | None
    findings: list[Finding] = field(default_factory=list)
    unavailable: dict[str, None] = field(default_factory=dict)
    """Why secrets are not at hand, each reason once."""
    _moved: Moved = field(init=False, repr=False)
    _found: dict[str, AgentSecrets] = field(default_factory=dict, repr=False)
    _passwords: dict[str, tuple[str, Hashable]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._moved = Moved(self.rotation)

    @property
    def key(self) -> ProjectKey | None:
        """The project key, which also ties plans to what they were made from."""
        return self.keys.current

    def keys_in_use(self) -> frozenset[str]:
        """Return the fingerprints of the keys at hand that agents' secrets are derived from."""
        agents = (agent for agent in self.desired.agents if agent.enabled and is_derived(agent))
        keys = {self._key_of(agent) for agent in agents}
        return frozenset(key.id for key in keys if key is not None)

    def mark(self, agent: Agent) -> str:
        """Return what differs whenever the agent's secrets differ, and tells nothing of them."""
        key = self._key_of(agent) if is_derived(agent) else None
        mark = key.id if key else ""
        if agent.password is None and agent.voicemail.pin is None:
            return mark
        found = self.find(agent)
        words = [item.reveal() if item else "" for item in (found.password, found.pin)]
        unknown = found.password is None or (agent.voicemail.enabled and found.pin is None)
        digest = None if unknown else keyed_digest(self.key, "\n".join(words).encode())
        return f"{mark} {digest or 'not at hand'}"

    def find(self, agent: Agent) -> AgentSecrets:
        """Return the secrets of one agent; what is not at hand is None, and said why."""
        if agent.password is None and agent.voicemail.pin is None:
            return self._derive(agent)
        if agent.extension not in self._found:
            self._found[agent.extension] = self._gather(agent)
        return self._found[agent.extension]

    def _derive(self, agent: Agent) -> AgentSecrets:
        return derive_secrets(
            self._key_of(agent),
            agent.extension,
            self.domain,
            agent.password_version,
            mailbox=agent.voicemail.enabled,
        )

    def _gather(self, agent: Agent) -> AgentSecrets:
        derived = AgentSecrets()
        if is_derived(agent):
            derived = self._derive(agent)
        password, pin = derived.password, derived.pin
        if agent.password is not None:
            password = self._fetch(agent, "password", agent.password)
            if password is not None:
                self._compare(agent, agent.password, password)
        if agent.voicemail.enabled and agent.voicemail.pin is not None:
            pin = self._fetch(agent, "voicemail.pin", agent.voicemail.pin)
            if pin is not None and not isinstance(agent.voicemail.pin, PlaintextSource):
                self._judge(agent, pin)
        return AgentSecrets(password, pin)

    def explain_rotation(self, desired: Desired) -> Iterable[str]:
        """Yield which key which agents' secrets are derived from, by group."""
        if self.rotation is None:
            return
        moved, total = count_rotation(desired, self.rotation)
        names = [
            key.id if key else "not at hand" for key in (self.keys.current, self.keys.upcoming)
        ]
        yield (
            f"key rotation: {moved['']:,} of {count_noun(total[''], 'agent')} moved to the next "
            f"key ({names[1]}); the others use the current one ({names[0]})"
        )
        for group in sorted(set(total) - {""}):
            yield f"key rotation: group {group}: {moved[group]} of {total[group]} on the next key"
        for group in sorted(set(self.rotation.groups).difference(total)):
            yield f"key rotation: no agent with derived secrets is in group {group}"

    def _key_of(self, agent: Agent) -> ProjectKey | None:
        if not self._moved.has(agent):
            return self.keys.current
        if self.keys.upcoming is None:
            reason = f"the next key: set {NEXT_KEY_VARIABLE}, or put its file beside the key file"
            self.unavailable[reason] = None
        return self.keys.upcoming

    def _fetch(self, agent: Agent, name: str, source: Source) -> Secret | None:
        if self.fetcher is None:
            return None
        try:
            return self.fetcher.fetch(source)
        except SecretUnavailableError as problem:
            self.unavailable[f"agent {agent.extension}: {name}: {problem}"] = None
        except SecretError as problem:
            message = f"agent {agent.extension}: `{name}`: {problem}"
            self.findings.append(error("secret", self._place(agent), message))
        return None

    def _judge(self, agent: Agent, pin: Secret) -> None:
        why = judge_pin(pin.reveal(), agent.extension)
        if why:
            self.findings.append(error("voicemail-pin", self._place(agent), why, HINT))
        weakness = judge_strength(pin.reveal(), agent.extension)
        if weakness:
            self._report(agent, "weak-pin", Severity.WARNING, weakness, HINT)

    def _compare(self, agent: Agent, source: Source, password: Secret) -> None:
        known = (agent.extension, identify_source(source))
        other, identity = self._passwords.setdefault(password.reveal(), known)
        # The same source twice has been found without opening it.
        if other != agent.extension and identity != known[1]:
            message = f"agents {agent.extension} and {other} have the same SIP password"
            hint = "With one password, each agent can register as the other: choose another one."
            self._report(agent, "shared-password", Severity.ERROR, message, hint)

    def _report(self, agent: Agent, rule: str, weight: Severity, message: str, hint: str) -> None:
        level = self.levels.get(rule, weight.value)
        if level != "off":
            self.findings.append(Finding(rule, Severity(level), self._place(agent), message, hint))

    def _place(self, agent: Agent) -> Position:
        resource = Resource("agent", agent.extension)
        return self.desired.sources.get(resource, Position("desired"))


def count_rotation(
    desired: Desired, rotation: RotationSettings | None
) -> tuple[Counter[str], Counter[str]]:
    """Return how many agents with derived secrets have moved, and how many there are.

    Both by group; "" stands for all of them, "(no group)" for those in none.
    """
    moved: Counter[str] = Counter()
    total: Counter[str] = Counter()
    chosen = Moved(rotation)
    for agent in desired.agents:
        if agent.enabled and is_derived(agent):
            names = ["", *(agent.groups or ("(no group)",))]
            total.update(names)
            if chosen.has(agent):
                moved.update(names)
    return moved, total


def open_book(workspace: Workspace, desired: Desired, *, fetch: bool = True) -> SecretBook:
    """Return the book of all secrets of a workspace's target. Raises SecretError for a bad key."""
    keys = find_keys(workspace)
    settings = workspace.settings
    fetcher = None
    if fetch:
        trusted = keys.current is not None
        fetcher = make_fetcher(settings.secrets, workspace.root, settings.key_file, trusted=trusted)
    return SecretBook(
        keys,
        workspace.target.domain,
        settings.key_rotation,
        dict(settings.rules),
        desired,
        fetcher,
    )
