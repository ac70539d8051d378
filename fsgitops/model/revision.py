"""What an apply leaves behind: who changed what, when, from which commit, and how it ended."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from io import BytesIO
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, Any

from fsgitops.model.applied import COUNTS, REPLIES, SwitchReply
from fsgitops.model.live import FileKind, ManifestEntry, is_safe_path
from fsgitops.model.plan import ATTRIBUTES, DRIFTED, SOURCE, Action, AttributeChange, Danger
from fsgitops.model.resource import Resource
from fsgitops.schema_parts import flag, json_values, shape, text, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Change, Plan

REVISION_VERSION = 1
CHANGES_FILE = "changes.json"
_ROLLED_BACK_TO = {
    "type": ["integer", "null"],
    "description": "The revision that it rolled back to; null: an apply; 0: before the first.",
}


class Ending(StrEnum):
    """How a revision ended. Only the first two changed the conf directory for good."""

    APPLIED = "applied"
    WRITTEN = "written"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"
    INTERRUPTED = "interrupted"
    """It is under way, or the process was killed; the next command makes it `undone`."""
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who ran the command: the login user, who that was before sudo, and the CI's name for them."""

    user: str = field(default="", metadata=text("The login user."))
    sudo_user: str = field(default="", metadata=text('Who that was before sudo; "": nobody else.'))
    ci_actor: str = field(default="", metadata=text("The CI's name for them."))
    host: str = field(default="", metadata=text("The machine."))

    def __str__(self) -> str:
        names = [self.ci_actor, self.sudo_user or self.user]
        return " as ".join(name for name in names if name) or "(unknown)"


@dataclass(frozen=True, slots=True)
class Revision:
    """One apply or roll-back."""

    time: str = field(metadata=text("UTC, ISO 8601."))
    actor: Actor = field(metadata=shape(Actor, "Who ran the command."))
    target: str = field(metadata=text("The target."))
    domain: str = field(metadata=text("Its SIP domain."))
    commit: str = field(default="", metadata=text('The commit; "" outside git.'))
    dirty: bool = field(default=False, metadata=flag("What was applied differs from that commit."))
    fingerprint: str = field(default="", metadata=text("The plan's."))
    created: int = field(default=0, metadata=COUNTS["created"])
    updated: int = field(default=0, metadata=COUNTS["updated"])
    deleted: int = field(default=0, metadata=COUNTS["deleted"])
    rolled_back_to: int | None = field(default=None, metadata=_ROLLED_BACK_TO)
    ending: Ending = field(default=Ending.INTERRUPTED, metadata=word("How it ended.", *Ending))
    message: str = field(default="", metadata=text("Why it failed."))
    replies: tuple[SwitchReply, ...] = field(default=(), metadata=REPLIES)

    @property
    def changed_files(self) -> bool:
        """Tell whether the conf directory stayed changed."""
        return self.ending in (Ending.APPLIED, Ending.WRITTEN)

    def to_json(self) -> dict[str, Any]:
        """Return the revision as the JSON object that is kept on disk."""
        return {"version": REVISION_VERSION, **asdict(self)}

    def encode(self) -> bytes:
        """Return the bytes of the revision's file."""
        return json.dumps(self.to_json()).encode()

    @classmethod
    def from_json(cls, data: Any) -> Revision:
        """Return the revision that `to_json` wrote. Raises ValueError for anything else."""
        try:
            if data["version"] != REVISION_VERSION:
                raise ValueError(f"expected a revision of version {REVISION_VERSION}")
            values = {name: data[name] for name in cls.__slots__}
            values["actor"] = Actor(**values["actor"])
            values["ending"] = Ending(values["ending"])
            values["replies"] = tuple(SwitchReply(**item) for item in values["replies"])
            return cls(**values)
        except (KeyError, TypeError) as problem:
            raise ValueError(f"not a revision: {problem}") from None


@dataclass(frozen=True, slots=True)
class RevisionChange:
    """One resource that a revision changed, and its file before. It holds no secret.

    Attributes are kept for updates only: a created or deleted resource has them all. The first
    change of a file has in `entry_before` what was known of it, and says with `existed` that the
    file was there where the resource was not; `left` is the hash of what was left of a file that is
    somebody else's. `login` and `networks` are as in a Change.
    """

    action: Action = field(metadata=word("What happened.", *Action))
    resource: Resource = field(metadata=text("KIND:NAME"))
    path: str = field(metadata=text("The file, below the conf directory."))
    drifted: bool = field(default=False, metadata=DRIFTED)
    source: str = field(default="", metadata=SOURCE)
    attributes: tuple[AttributeChange, ...] = field(default=(), metadata=ATTRIBUTES)
    entry_before: ManifestEntry | None = None
    existed: bool = False
    login: str = ""
    left: str = ""
    networks: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the change as a JSON object."""
        entry = self.entry_before
        return {
            **json_values(self),
            "entry_before": entry and entry.to_json(),
            **({"existed": True} if self.existed else {}),
            **({"login": self.login} if self.login else {}),
            **({"left": self.left} if self.left else {}),
            **({"networks": True} if self.networks else {}),
        }

    def encode(self) -> str:
        """Return what `json.dumps` makes of it, ten times faster where there is little to say."""
        if (
            self.attributes
            or self.entry_before
            or self.existed
            or self.login
            or self.left
            or self.networks
        ):
            return json.dumps(self.to_json())
        return _encode_little(self)

    @classmethod
    def from_json(cls, data: Any) -> RevisionChange:
        """Return the change that `to_json` wrote. Raises ValueError for anything else."""
        try:
            entry = data["entry_before"]
            if not is_safe_path(data["path"]):
                raise ValueError(f"{data['path']!r} is not a path below the conf directory")
            return cls(
                Action(data["action"]),
                Resource.parse(data["resource"]),
                data["path"],
                data["drifted"],
                data["source"],
                tuple(AttributeChange(**item) for item in data["attributes"]),
                entry and ManifestEntry.from_json(entry),
                data.get("existed") is True,
                str(data.get("login", "")),
                str(data.get("left", "")),
                data.get("networks") is True,
            )
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"not a change of a revision: {problem}") from None


def encode_changes(plan: Plan, live: LiveConfig, left: Mapping[str, str]) -> bytes:
    """Return the bytes of the file of a revision's changes, change by change.

    `left` are the hashes of what is left of files that are somebody else's, by path.
    """
    out = BytesIO()
    head = json.dumps({"version": 1, "kick_rotated": plan.kick_rotated})
    out.write(f'{head[:-1]}, "changes": ['.encode())
    for number, change in enumerate(_encode_each(plan, live, left)):
        out.write(f"{', ' if number else ''}{change}".encode())
    out.write(b"]}")
    return out.getvalue()


def _encode_little(change: Change | RevisionChange) -> str:
    """Return what is said of a change of which no more is kept than what it is."""
    return (
        f'{{"action": "{change.action.value}", "resource": {quote(str(change.resource))}, '
        f'"path": {quote(change.path)}, "drifted": {"true" if change.drifted else "false"}, '
        f'"source": {quote(change.source)}, "attributes": [], "entry_before": null}}'
    )


def _encode_each(plan: Plan, live: LiveConfig, left: Mapping[str, str]) -> Iterator[str]:
    """Yield what a revision says about each change of a file, in the plan's order.

    What is kept in the manifest alone has no file to go back to, and is left out. The files are in
    the order of their first changes: so they are numbered (`before/N`).
    """
    seen: set[str] = set()
    for change in plan.changes:
        if change.dangers == (Danger.NOTHING,):
            continue
        first = change.path not in seen
        seen.add(change.path)
        create = change.action is Action.CREATE
        if create and not (first or change.login or change.networks):
            yield _encode_little(change)  # most of 100,000 are such
            continue
        yield RevisionChange(
            change.action,
            change.resource,
            change.path,
            change.drifted,
            change.source,
            tuple(change.attributes) if change.action is Action.UPDATE else (),
            live.manifest.entries.get(change.path) if first else None,
            first and create and live.files[change.path].kind is not FileKind.MISSING,
            change.login,
            left.get(change.path, "") if first else "",
            change.networks,
        ).encode()  # fmt: skip
