"""Every resource's secrets: derived from its key, or fetched from where they stand."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.findings import Finding, Position, Severity, error
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.agent.secrets import count_rotation
from fsgitops.model.resource import Resource
from fsgitops.secret.key import NEXT_KEY_VARIABLE, NEXT_SUFFIX, keyed_digest, load_key
from fsgitops.secret.source import identify_source, is_written_out
from fsgitops.visible import count_noun
from fsgitops.workspace.open import make_fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Judged, Secrets, Wish
    from fsgitops.secret.fetch import SecretFetcher
    from fsgitops.secret.key import ProjectKey
    from fsgitops.secret.source import Source
    from fsgitops.secret.value import Secret
    from fsgitops.settings.shapes import RotationSettings, Settings
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
    """Which resources' secrets are derived from the next key."""

    __slots__ = ("everyone", "groups", "named")

    def __init__(self, rotation: RotationSettings | None) -> None:
        self.everyone = rotation is not None and rotation.everyone
        self.groups = frozenset(rotation.groups if rotation else ())
        names = rotation.extensions if rotation else ()
        self.named = frozenset(Resource(Agent.kind, name) for name in names)

    def has(self, resource: Resource, groups: Iterable[str]) -> bool:
        """Tell whether a resource that is in these groups has moved."""
        return self.everyone or resource in self.named or not self.groups.isdisjoint(groups)


@dataclass(slots=True)
class SecretBook:
    """Gives each resource's secrets, and gathers what was wrong with them on the way.

    `fetcher` gives what fetches secrets, and is None where nothing is to be fetched: then only
    derived secrets are known.
    """

    keys: Keys
    domain: str
    moved: Moved
    levels: Mapping[str, str]
    sources: Mapping[Resource, Position]
    fetcher: Callable[[], SecretFetcher] | None
    findings: list[Finding] = field(default_factory=list)
    unavailable: dict[str, None] = field(default_factory=dict)
    """Why secrets are not at hand, each reason once."""
    used: set[str] = field(default_factory=set)
    """The fingerprints of the keys that secrets were derived from."""
    fetched: dict[Source, Secret] = field(default_factory=dict, repr=False)
    """What was fetched from elsewhere than the files that are declared."""
    _found: dict[Resource, Secrets] = field(default_factory=dict, repr=False)
    _seen: dict[tuple[str, str], dict[str, tuple[Resource, Hashable]]] = field(
        default_factory=dict, repr=False
    )

    @property
    def key(self) -> ProjectKey | None:
        """The project key, which also ties plans to what they were made from."""
        return self.keys.current

    def salt(self) -> str:
        """Return what differs with the project key, and tells nothing of it."""
        return keyed_digest(self.key, b"inputs") or ""

    def mark(self, resource: Resource, wishes: Sequence[Wish]) -> str:
        """Return what differs whenever the secrets differ, and tells nothing of them."""
        derived = [wish for wish in wishes if wish.source is None]
        key = self._key_of(resource, derived[0]) if derived else None
        if key is not None:
            self.used.add(key.id)
        mark = key.id if key else ""
        if len(derived) == len(wishes):
            return mark
        found = [*self.reveal(resource, wishes).values()]
        known = "\n".join(secret.reveal() for secret in found if secret is not None)
        digest = None if None in found else keyed_digest(self.key, known.encode())
        return f"{mark} {digest or 'not at hand'}"

    def reveal(self, resource: Resource, wishes: Sequence[Wish]) -> Secrets:
        """Return the secrets by name; what is not at hand is None, and said why."""
        if all(wish.source is None for wish in wishes):
            return {wish.name: self._derive(resource, wish) for wish in wishes}
        if resource not in self._found:
            self._found[resource] = {
                wish.name: self._gather(resource, wish, wish.source)
                if wish.source
                else self._derive(resource, wish)
                for wish in wishes
            }
        return self._found[resource]

    def _derive(self, resource: Resource, wish: Wish) -> Secret | None:
        key = self._key_of(resource, wish)
        return None if key is None or wish.derive is None else wish.derive(key, self.domain)

    def _key_of(self, resource: Resource, wish: Wish) -> ProjectKey | None:
        if not self.moved.has(resource, wish.groups):
            return self.keys.current
        if self.keys.upcoming is None:
            reason = f"the next key: set {NEXT_KEY_VARIABLE}, or put its file beside the key file"
            self.unavailable[reason] = None
        return self.keys.upcoming

    def _gather(self, resource: Resource, wish: Wish, source: Source) -> Secret | None:
        secret = self._fetch(resource, wish.name, source)
        if secret is None:
            return None
        if not is_written_out(source):  # those are judged where they are written
            for judged in wish.judge(resource.name, secret.reveal()) if wish.judge else ():
                self._report(resource, judged)
        if wish.shared is not None:
            known = (resource, identify_source(source))
            seen = self._seen.setdefault((resource.kind, wish.name), {})
            other, identity = seen.setdefault(secret.reveal(), known)
            # The same source twice has been found without opening it.
            if other != resource and identity != known[1]:
                self._report(resource, wish.shared(resource.name, other))
        return secret

    def _fetch(self, resource: Resource, name: str, source: Source) -> Secret | None:
        if self.fetcher is None:
            return None
        try:
            secret = self.fetcher().fetch(source)
        except SecretUnavailableError as problem:
            self.unavailable[f"{resource.kind} {resource.name}: {name}: {problem}"] = None
            return None
        except SecretError as problem:
            message = f"{resource.kind} {resource.name}: `{name}`: {problem}"
            self.findings.append(error("secret", self._place(resource), message))
            return None
        if not is_written_out(source):
            self.fetched[source] = secret
        return secret

    def _report(self, resource: Resource, judged: Judged) -> None:
        level = self.levels.get(judged.rule, judged.severity.value)
        if level != "off":
            place = self._place(resource)
            finding = Finding(judged.rule, Severity(level), place, judged.message, judged.hint)
            self.findings.append(finding)

    def _place(self, resource: Resource) -> Position:
        return self.sources.get(resource, Position("desired"))


def explain_rotation(workspace: Workspace, book: SecretBook, desired: Desired) -> Iterator[str]:
    """Yield which key which agents' secrets are derived from, by group."""
    rotation = workspace.settings.key_rotation
    if rotation is None:
        return
    moved, total = count_rotation(desired.of(Agent), book.moved.has)
    names = [key.id if key else "not at hand" for key in (book.keys.current, book.keys.upcoming)]
    yield (
        f"key rotation: {moved['']:,} of {count_noun(total[''], 'agent')} moved to the next "
        f"key ({names[1]}); the others use the current one ({names[0]})"
    )
    for group in sorted(set(total) - {""}):
        yield f"key rotation: group {group}: {moved[group]} of {total[group]} on the next key"
    for group in sorted(set(rotation.groups).difference(total)):
        yield f"key rotation: no agent with derived secrets is in group {group}"


def open_book(workspace: Workspace, desired: Desired, *, fetch: bool = True) -> SecretBook:
    """Return the book of all secrets of a workspace's target. Raises SecretError for a bad key."""
    keys = find_keys(workspace)
    settings = workspace.settings
    fetcher = None
    if fetch:
        trusted = keys.current is not None
        made = partial(
            make_fetcher, settings.secrets, workspace.root, settings.key_file, trusted=trusted
        )
        fetcher = cache(made)  # what fetches is loaded with the first secret that stands elsewhere
    return SecretBook(
        keys,
        workspace.target.domain,
        Moved(settings.key_rotation),
        settings.rules,
        desired.sources,
        fetcher,
    )
