"""A recording of the live side without its secrets: something to plan against elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fsgitops.model.live import (
    FileKind,
    LiveConfig,
    LiveFile,
    Manifest,
    ManifestEntry,
    Owner,
    Record,
    read_text,
)
from fsgitops.model.plan import DRIFTED, SOURCE
from fsgitops.model.resource import Resource
from fsgitops.schema_parts import TEXT, by_name, json_values, list_of, objects, shape, text

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_VERSION = 1
_FORMAT = "fsgitops-state"


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One resource of a managed file, which is the file where that holds no other.

    `digest` and `secrets` are keyed digests, "" where there was no key.
    """

    kind: FileKind = field(metadata=text("The kind of file."))
    resource: Resource = field(metadata=text("KIND:NAME"))
    source: str = field(metadata=SOURCE)
    drifted: bool = field(metadata=DRIFTED)
    digest: str = field(metadata=text("A keyed digest."))
    secrets: str = field(metadata=text("A keyed digest of its secrets."))
    attributes: Mapping[str, str] = field(
        metadata=by_name("What it holds; secrets are masked.", TEXT)
    )

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        said: dict[str, Any] = json_values(self)
        return said | {"kind": self.kind.name.lower()}

    def to_live(self, *, same_key: bool) -> LiveFile:
        """Return what stood live, as far as it is known."""
        secrets = self.secrets if same_key else ""
        return LiveFile(self.kind, self.digest, attributes=self.attributes, secrets=secrets)

    def applied(self) -> Record:
        """Return what was applied, and its hash as far as it is known."""
        owned = "drifted" if self.drifted else self.digest
        return Record(self.resource, self.source, sha256=owned)


_FILES = by_name("The managed files, by path.", shape(RecordedFile))
_OWNER = objects(
    "Who applied what is live; absent: nobody yet.",
    project=text("A project."),
    target=text("One of its targets."),
)


@dataclass(frozen=True, slots=True)
class RecordedState:
    """The live side of one target at one time (UTC); `foreign` are the files beside ours.

    `key_id` tells whether two keys are the same and nothing else about them.
    """

    target: str = field(metadata=text("The target's name."))
    domain: str = field(metadata=text("Its SIP domain."))
    conf_dir: str = field(metadata=text("Its conf directory."))
    taken_at: datetime = field(metadata=text("UTC, ISO 8601."))
    key_id: str = field(metadata=text("The same for the same key; keyed."))
    commit: str = field(metadata=text("The commit."))
    files: Mapping[str, tuple[RecordedFile, ...]] = field(metadata=_FILES)
    foreign: tuple[str, ...] = field(default=(), metadata=list_of(TEXT, "Paths beside ours."))
    owner: Owner | None = field(default=None, metadata=_OWNER)

    def to_json(self) -> dict[str, Any]:
        """Return the recording as JSON values (docs/json.md). It holds no secret."""
        return {
            "format": _FORMAT,
            "version": STATE_VERSION,
            "target": self.target,
            "domain": self.domain,
            "conf_dir": self.conf_dir,
            "taken_at": self.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "key_id": self.key_id,
            "commit": self.commit,
            "files": {path: _to_json(items) for path, items in sorted(self.files.items())},
            "foreign": list(self.foreign),
            **({"owner": self.owner._asdict()} if self.owner else {}),
        }

    @classmethod
    def from_json(cls, data: Any) -> RecordedState:
        """Return the recording that `to_json` wrote. Raises ValueError for anything else."""
        try:
            if data["format"] != _FORMAT or data["version"] != STATE_VERSION:
                raise ValueError(f"expected a recorded state of version {STATE_VERSION}")
            taken_at = datetime.strptime(data["taken_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            texts = {name: read_text(data[name]) for name in _TEXTS}
            files = {path: _read_files(path, item) for path, item in data["files"].items()}
            foreign = tuple(read_text(path) for path in data["foreign"])
            owner = Owner.from_json(data.get("owner"))
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"not a recorded state: {problem}") from None
        return cls(taken_at=taken_at, files=files, foreign=foreign, owner=owner, **texts)

    def to_live(self, compiled_paths: Mapping[str, object], *, same_key: bool) -> LiveConfig:
        """Return the recording as something to compare with what is compiled.

        Without the same key nothing is known about secrets, and they count as unchanged.
        """
        foreign = set(self.foreign)
        files: dict[str, LiveFile] = {}
        entries: dict[str, ManifestEntry] = {}
        for path, items in self.files.items():
            own = {item.resource: item.to_live(same_key=same_key) for item in items}
            first = next((file for file in own.values() if file.kind is FileKind.REGULAR), None)
            first = first or own[items[0].resource]
            files[path] = first if len(items) == 1 else replace(first, parts=own)
            records = tuple(item.applied() for item in items)
            entries[path] = ManifestEntry(records[0].sha256, records)
        for path in compiled_paths:
            if path not in files:
                kind = FileKind.REGULAR if path in foreign else FileKind.MISSING
                files[path] = LiveFile(kind, attributes={})
        # As `read_live` counts: not what stands in dialplan/ itself.
        beside = sum("/" in path.rpartition("/")[0] for path in foreign)
        return LiveConfig(Manifest(entries, owner=self.owner), files, beside)


_TEXTS = ("target", "domain", "conf_dir", "key_id", "commit")


def _to_json(items: tuple[RecordedFile, ...]) -> dict[str, Any]:
    several = [item.to_json() for item in items]
    return several[0] if len(several) == 1 else {"resources": several}


def _read_files(path: str, data: Any) -> tuple[RecordedFile, ...]:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path!r} leaves the conf directory")
    items = tuple(map(_read_file, data.get("resources", [data])))
    if not items:
        raise ValueError(f"{path!r}: expected a resource")
    return items


def _read_file(data: Any) -> RecordedFile:
    return RecordedFile(
        kind=FileKind[data["kind"].upper()],
        resource=Resource.parse(data["resource"]),
        source=read_text(data["source"]),
        drifted=data["drifted"] is True,
        digest=read_text(data["digest"]),
        secrets=read_text(data["secrets"]),
        attributes={read_text(k): read_text(v) for k, v in data["attributes"].items()},
    )
