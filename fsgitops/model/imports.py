"""What stands in a conf directory by hand, as resources would say it: what an import is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.findings import Position
    from fsgitops.secret.value import Secret


class Known(NamedTuple):
    """A secret as the configuration has it: the text, or only its a1-hash.

    `login`: phones log in with it. It can be made of the project key, and its hash will do.
    """

    secret: Secret
    hashed: bool = False
    login: bool = True


class Reason(NamedTuple):
    """Why something is not as it was, and where that stands."""

    place: Position
    why: str


@dataclass(frozen=True, slots=True)
class Brought:
    """A hand-written element that a resource says as well.

    Attributes:
        kind: The word of its kind.
        name: What the resource is called.
        values: Its fields, as YAML says them; those that have their default may be among them.
        place: Where the element begins.
        comments: What is written beside it, a text for each line.
        secrets: By the dotted names of fields.
        again: Secrets, by their fields, that become others, and why.
        changes: What FreeSWITCH will hold that it did not: variables, each with its value.
        own: Variables that the project must declare as its own.
    """

    kind: str
    name: str
    values: Mapping[str, object]
    place: Position
    comments: tuple[str, ...] = ()
    secrets: Mapping[str, Known] = field(default_factory=dict, repr=False)
    again: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A hand-written element that stays as it is, and all reasons why."""

    what: str
    place: Position
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What is (or, for a dry run, would be) written, and what is not.

    `files` are the paths with how many resources each has. `again` are the agents whose phones
    must log in anew, `pins` those whose mailbox gets another PIN, each with the reason. `settings`
    are the lines that `fsgitops.yaml` gets. `columns` says in which column of a table each field
    was found, and `unread` which were not read. `places` are the folders that would not be read,
    each with the reason and what to do; `realms` what has phones log in to a realm for which
    no hash is.
    """

    target: str
    conf_dir: str
    dry_run: bool
    files: Mapping[str, int]
    brought: tuple[Brought, ...]
    kept: tuple[Kept, ...]
    declared: int
    again: Mapping[str, str]
    pins: Mapping[str, str]
    shared: frozenset[str]
    settings: tuple[str, ...]
    secrets_file: str = ""
    lost_comments: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    realms: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {
            "target": self.target,
            "conf_dir": self.conf_dir,
            "dry_run": self.dry_run,
            "files": [{"path": path, "resources": many} for path, many in self.files.items()],
            "imported": [
                {
                    "resource": f"{item.kind}:{item.name}",
                    "file": item.place.file,
                    "line": item.place.line,
                    "changes": list(item.changes),
                }
                for item in self.brought
            ],
            "left": [
                {
                    "what": item.what,
                    "file": item.place.file,
                    "line": item.place.line,
                    "reasons": [
                        {"file": each.place.file, "line": each.place.line, "reason": each.why}
                        for each in item.reasons
                    ],
                }
                for item in self.kept
            ],
            "declared": self.declared,
            "register_anew": [{"agent": name, "reason": why} for name, why in self.again.items()],
            "new_pins": [{"agent": name, "reason": why} for name, why in self.pins.items()],
            "shared_passwords": sorted(self.shared),
            "settings": list(self.settings),
            "secrets_file": self.secrets_file,
            "lost_comments": list(self.lost_comments),
            "columns": [{"field": at, "column": head} for at, head in self.columns.items()],
            "columns_unread": list(self.unread),
            "places": [{"problem": problem, "remedy": remedy} for problem, remedy in self.places],
            "realms": [{"problem": problem, "remedy": remedy} for problem, remedy in self.realms],
        }
