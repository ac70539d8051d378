"""What stands on disk: the files that we manage, and what stands in their way."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file that fsgitops wrote: its hash, whose it is, and where it came from."""

    sha256: str
    resource: Resource
    source: str = ""
    commit: str = ""
    inputs: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every path below the conf directory that fsgitops wrote and may change or delete."""

    entries: Mapping[str, ManifestEntry] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as the JSON object that is kept on disk."""
        entries = {
            path: {
                "sha256": entry.sha256,
                "resource": str(entry.resource),
                "source": entry.source,
                "commit": entry.commit,
                "inputs": entry.inputs,
            }
            for path, entry in sorted(self.entries.items())
        }
        return {"version": MANIFEST_VERSION, "entries": entries}

    @classmethod
    def from_json(cls, data: Any) -> Manifest:
        """Return the manifest that `to_json` wrote. Raises ValueError for anything else."""
        if not isinstance(data, dict) or data.get("version") != MANIFEST_VERSION:
            raise ValueError(f"expected a manifest of version {MANIFEST_VERSION}")
        entries: dict[str, ManifestEntry] = {}
        parsed: dict[str, Resource] = {}
        for path, entry in data["entries"].items():
            if path.startswith("/") or ".." in path.split("/"):
                raise ValueError(f"{path!r} leaves the conf directory")
            name = entry["resource"]
            resource = parsed.get(name) or parsed.setdefault(name, Resource.parse(name))
            entries[path] = ManifestEntry(
                entry["sha256"], resource, entry["source"], entry["commit"], entry["inputs"]
            )
        return cls(entries)


class FileKind(StrEnum):
    """What stands at a path."""

    MISSING = "missing"
    REGULAR = "regular file"
    SYMLINK = "symbolic link"
    HARD_LINK = "file with further hard links"
    DIRECTORY = "directory"
    OUTSIDE = "path that leaves the conf directory by a link"
    UNREADABLE = "unreadable file"
    OTHER = "special file"


@dataclass(frozen=True, slots=True)
class LiveFile:
    """What stands at one path; `content` only where it is not what was expected there.

    A file that is only known from a recording has `attributes`, its secrets masked, a digest for
    its hash, and in `secrets` a keyed digest of those, or "".
    """

    kind: FileKind
    sha256: str = ""
    content: bytes | None = None
    attributes: Mapping[str, str] | None = None
    secrets: str = ""


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """The manifest, what stands at each of its paths and at each compiled path.

    `unmanaged` counts the other files in the folders that fsgitops writes to: they are left alone.
    """

    manifest: Manifest
    files: Mapping[str, LiveFile]
    unmanaged: int = 0
