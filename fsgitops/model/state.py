"""A recording of the live side without its secrets: something to plan against elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fsgitops.model.live import FileKind, LiveConfig, LiveFile, Manifest, ManifestEntry, Owner
from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_VERSION = 1
_FORMAT = "fsgitops-state"


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One managed file: `digest` and `secrets` are keyed digests, "" where there was no key."""

    kind: FileKind
    resource: Resource
    source: str
    drifted: bool
    digest: str
    secrets: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordedState:
    """The live side of one target at one time (UTC); `foreign` are the files beside ours.

    `key_id` tells whether two keys are the same and nothing else about them.
    """

    target: str
    domain: str
    conf_dir: str
    taken_at: datetime
    key_id: str
    commit: str
    files: Mapping[str, RecordedFile]
    foreign: tuple[str, ...] = ()
    owner: Owner | None = None

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
            "files": {
                path: {
                    "kind": file.kind.name.lower(),
                    "resource": str(file.resource),
                    "source": file.source,
                    "drifted": file.drifted,
                    "digest": file.digest,
                    "secrets": file.secrets,
                    "attributes": dict(file.attributes),
                }
                for path, file in sorted(self.files.items())
            },
            "foreign": list(self.foreign),
            **({"owner": self.owner.to_json()} if self.owner else {}),
        }

    @classmethod
    def from_json(cls, data: Any) -> RecordedState:
        """Return the recording that `to_json` wrote. Raises ValueError for anything else."""
        try:
            if data["format"] != _FORMAT or data["version"] != STATE_VERSION:
                raise ValueError(f"expected a recorded state of version {STATE_VERSION}")
            taken_at = datetime.strptime(data["taken_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            texts = {name: _text(data[name]) for name in _TEXTS}
            files = {path: _read_file(path, item) for path, item in data["files"].items()}
            foreign = tuple(_text(path) for path in data["foreign"])
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
        for path, item in self.files.items():
            secrets = item.secrets if same_key else ""
            files[path] = LiveFile(
                item.kind, item.digest, attributes=item.attributes, secrets=secrets
            )
            owned = "drifted" if item.drifted else item.digest
            entries[path] = ManifestEntry(owned, item.resource, item.source)
        for path in compiled_paths:
            if path not in files:
                kind = FileKind.REGULAR if path in foreign else FileKind.MISSING
                files[path] = LiveFile(kind, attributes={})
        # As `read_live` counts: not what stands in dialplan/ itself.
        beside = sum("/" in path.rpartition("/")[0] for path in foreign)
        return LiveConfig(Manifest(entries, owner=self.owner), files, beside)


_TEXTS = ("target", "domain", "conf_dir", "key_id", "commit")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _read_file(path: str, data: Any) -> RecordedFile:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path!r} leaves the conf directory")
    return RecordedFile(
        kind=FileKind[data["kind"].upper()],
        resource=Resource.parse(data["resource"]),
        source=_text(data["source"]),
        drifted=data["drifted"] is True,
        digest=_text(data["digest"]),
        secrets=_text(data["secrets"]),
        attributes={_text(k): _text(v) for k, v in data["attributes"].items()},
    )
