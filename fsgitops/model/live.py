"""What stands on disk: the files that we manage, and what stands in their way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST_VERSION = 1

_PATH = re.compile(r"[A-Za-z0-9_+@-][A-Za-z0-9_+@. -]*(?:/[A-Za-z0-9_+@-][A-Za-z0-9_+@. -]*)*")
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9+*#_][A-Za-z0-9_+*#@.:-]*")
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_OWNER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")
_KEY_ID = re.compile(r"[0-9a-f]{16}")


def is_safe_path(path: str) -> bool:
    """Tell whether a relative path stays below the directory that it starts from.

    Every part is plain: not empty, not hidden (the state directory is), no `..`, no control
    character, no backslash.
    """
    return len(path) < 1024 and _PATH.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file that fsgitops wrote: its hash, whose it is, and where it came from."""

    sha256: str
    resource: Resource
    source: str = ""
    commit: str = ""
    inputs: str = ""
    protect: bool = False


class Owner(NamedTuple):
    """Who applied what is live: a project, and which of its targets that is."""

    project: str
    target: str

    def __str__(self) -> str:
        return f"project {self.project} (target {self.target})"

    def to_json(self) -> dict[str, str]:
        """Return JSON values."""
        return {"project": self.project, "target": self.target}

    @classmethod
    def from_json(cls, data: Any) -> Owner | None:
        """Return what `to_json` wrote, None for None. Raises ValueError for anything else."""
        if data is None:
            return None
        names = [data.get("project"), data.get("target")] if isinstance(data, dict) else [None]
        if not all(isinstance(name, str) and _OWNER_NAME.fullmatch(name) for name in names):
            raise ValueError("expected the names of a project and a target in `owner`")
        return cls(*names)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every path below the conf directory that fsgitops wrote and may change or delete.

    `unloaded`: what was written or deleted without telling the switch, and not loaded since.
    `keys`: fingerprints of the project keys that the agents' secrets are derived from; empty where
    that is not known. `owner`: None where an earlier release wrote it.
    """

    entries: Mapping[str, ManifestEntry] = field(default_factory=dict)
    unloaded: Mapping[str, Resource] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    owner: Owner | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as the JSON object that is kept on disk."""
        entries = {
            path: {
                "sha256": entry.sha256,
                "resource": str(entry.resource),
                "source": entry.source,
                "commit": entry.commit,
                "inputs": entry.inputs,
                **({"protect": True} if entry.protect else {}),
            }
            for path, entry in sorted(self.entries.items())
        }
        unloaded = {path: str(resource) for path, resource in sorted(self.unloaded.items())}
        marks: dict[str, Any] = {"unloaded": unloaded} if unloaded else {}
        if self.keys:
            marks["keys"] = sorted(self.keys)
        if self.owner:
            marks["owner"] = self.owner.to_json()
        return {"version": MANIFEST_VERSION, "entries": entries, **marks}

    def encode(self) -> bytes:
        """Return the bytes of the manifest's file."""
        return json.dumps(self.to_json(), separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: Any) -> Manifest:
        """Return the manifest that `to_json` wrote. Raises ValueError for anything else."""
        if not isinstance(data, dict) or data.get("version") != MANIFEST_VERSION:
            raise ValueError(f"expected a manifest of version {MANIFEST_VERSION}")
        entries: dict[str, ManifestEntry] = {}
        parsed: dict[str, Resource] = {}
        for path, entry in data["entries"].items():
            if not is_safe_path(path):
                raise ValueError(f"{path!r} is not a path below the conf directory")
            name = entry["resource"]
            _check_entry(path, entry)
            resource = parsed.get(name) or parsed.setdefault(name, Resource.parse(name))
            entries[path] = ManifestEntry(
                entry["sha256"], resource, entry["source"], entry["commit"], entry["inputs"],
                entry.get("protect") is True,
            )  # fmt: skip
        keys = data.get("keys", [])
        if not all(isinstance(key, str) and _KEY_ID.fullmatch(key) for key in keys):
            raise ValueError("expected fingerprints of keys in `keys`")
        unloaded = _read_unloaded(data.get("unloaded", {}))
        return cls(entries, unloaded, frozenset(keys), Owner.from_json(data.get("owner")))


def _read_unloaded(data: Any) -> dict[str, Resource]:
    for path, name in data.items():
        if not is_safe_path(path):
            raise ValueError(f"{path!r} is not a path below the conf directory")
        if not _RESOURCE_NAME.fullmatch(name.partition(":")[2]):
            raise ValueError(f"{path!r}: {name!r} is not a resource")
    return {path: Resource.parse(name) for path, name in data.items()}


def _check_entry(path: str, entry: Any) -> None:
    """Raise ValueError for what could become more than a hash or a name in a command."""
    texts = (entry["source"], entry["commit"], entry["inputs"])
    if not (type(texts[0]) is type(texts[1]) is type(texts[2]) is str):
        raise ValueError(f"{path!r}: expected text")
    if not _HEX_DIGEST.fullmatch(entry["sha256"]):
        raise ValueError(f"{path!r}: expected a sha256 in hexadecimal digits")
    name = entry["resource"].partition(":")[2]
    if not _RESOURCE_NAME.fullmatch(name):
        raise ValueError(f"{path!r}: {name!r} is not the name of a resource")


class FileKind(StrEnum):
    """What stands at a path."""

    MISSING = "missing"
    REGULAR = "regular file"
    SYMLINK = "symbolic link"
    HARD_LINK = "file with further hard links"
    DIRECTORY = "directory"
    OUTSIDE = "path that leaves the conf directory by a link"
    UNREADABLE = "unreadable file"
    MOUNT = "file that is a mount of its own"
    OVERSIZED = "file of more than 64 MiB"
    OTHER = "special file"


@dataclass(frozen=True, slots=True)
class LiveFile:
    """What stands at one path; `content` only where it is not what was expected there.

    `exposed`: every user of the machine may read it. A file that is only known from a recording
    has `attributes`, its secrets masked, a digest for its hash, and in `secrets` a keyed digest of
    those, or "".
    """

    kind: FileKind
    sha256: str = ""
    content: bytes | None = None
    exposed: bool = False
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
