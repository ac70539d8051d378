"""What stands on disk: the files that we manage, and what stands in their way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from io import BytesIO
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MANIFEST_VERSION = 1

_PATH = re.compile(r"[A-Za-z0-9_+@-][A-Za-z0-9_+@. -]*(?:/[A-Za-z0-9_+@-][A-Za-z0-9_+@. -]*)*")
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9+*#_][A-Za-z0-9_+*#@.:-]*")
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_OWNER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")
_KEY_ID = re.compile(r"[0-9a-f]{16}")
_dump = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def is_safe_path(path: str) -> bool:
    """Tell whether a relative path stays below the directory that it starts from.

    Every part is plain: not empty, not hidden (the state directory is), no `..`, no control
    character, no backslash.
    """
    return len(path) < 1024 and _PATH.fullmatch(path) is not None


class Record(NamedTuple):
    """What a file was written to hold of one resource, and where that came from.

    Where the file holds others as well, `sha256` is the hash of what it holds of this one, as a
    file of its own, and `elements` names that; otherwise both are empty.
    """

    resource: Resource
    source: str = ""
    commit: str = ""
    inputs: str = ""
    protect: bool = False
    sha256: str = ""
    elements: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "resource": str(self.resource),
            "source": self.source,
            "commit": self.commit,
            "inputs": self.inputs,
            **({"protect": True} if self.protect else {}),
        }

    def encode(self, sha256: str, elements: Sequence[str] | None = None) -> str:
        """Return the same with its hash, and its elements if any are told, as the manifest has it.

        Of 100,000, what `json.dumps` takes would be felt.
        """
        named = "" if elements is None else f'"elements":[{",".join(map(quote, elements))}],'
        protect = '"protect":true,' if self.protect else ""
        return (
            f'{{"commit":{quote(self.commit)},{named}"inputs":{quote(self.inputs)},{protect}'
            f'"resource":{quote(str(self.resource))},"sha256":{quote(sha256)},'
            f'"source":{quote(self.source)}}}'
        )


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file that fsgitops wrote: its hash, and the resources that lie in it, one or more.

    A `foreign` file is somebody else's: only the elements of its records are ours, and the next
    apply takes them out of it.
    """

    sha256: str
    records: tuple[Record, ...]
    foreign: bool = False

    @property
    def alone(self) -> bool:
        """Tell whether the whole file is that of its one resource."""
        return len(self.records) == 1 and not self.foreign

    @property
    def inputs(self) -> dict[Resource, str]:
        """The digest of each resource's inputs."""
        return {record.resource: record.inputs for record in self.records}

    def to_json(self) -> dict[str, Any]:
        """Return JSON values: a file of one resource is written as that resource is."""
        if self.alone:
            return {"sha256": self.sha256, **self.records[0].to_json()}
        several = [
            {**item.to_json(), "sha256": item.sha256, "elements": list(item.elements)}
            for item in self.records
        ]
        foreign = {"foreign": True} if self.foreign else {}
        return {**foreign, "sha256": self.sha256, "resources": several}

    def encode(self) -> str:
        """Return what `json.dumps` makes of it, with sorted keys and no blanks."""
        if self.alone:
            return self.records[0].encode(self.sha256)
        several = ",".join(item.encode(item.sha256, item.elements) for item in self.records)
        foreign = '"foreign":true,' if self.foreign else ""
        return f'{{{foreign}"resources":[{several}],"sha256":{quote(self.sha256)}}}'

    @classmethod
    def from_json(cls, data: Any) -> ManifestEntry:
        """Return what `to_json` wrote. Raises ValueError, KeyError or TypeError for others."""
        sha256 = _digest(data["sha256"])
        several = data.get("resources")
        if several is None:
            return cls(sha256, (_read_record(data),))
        records = tuple(
            _read_record(item)._replace(
                sha256=_digest(item["sha256"]), elements=tuple(map(read_text, item["elements"]))
            )
            for item in several
        )
        if not records:
            raise ValueError("expected a resource")
        return cls(sha256, records, data.get("foreign") is True)


def _read_record(data: Any) -> Record:
    name = data["resource"]
    texts = (data["source"], data["commit"], data["inputs"])
    if not (type(texts[0]) is type(texts[1]) is type(texts[2]) is str):
        raise ValueError("expected text")
    return Record(_resource(name), *texts, data.get("protect") is True)


def _resource(name: str) -> Resource:
    if not _RESOURCE_NAME.fullmatch(name.partition(":")[2]):
        raise ValueError(f"{name!r} is not the name of a resource")
    return Resource.parse(name)


def _digest(text: str) -> str:
    """Refuse what could become more than a hash in a command. Raises ValueError."""
    if not _HEX_DIGEST.fullmatch(text):
        raise ValueError("expected a sha256 in hexadecimal digits")
    return text


def read_text(value: object) -> str:
    """Return a text as it is. Raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


class Owner(NamedTuple):
    """Who applied what is live: a project, and which of its targets that is."""

    project: str
    target: str

    def __str__(self) -> str:
        return f"project {self.project} (target {self.target})"

    @classmethod
    def from_json(cls, data: Any) -> Owner | None:
        """Return what was written of one, None for None. Raises ValueError for anything else."""
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
    unloaded: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    owner: Owner | None = None

    def records(self) -> Iterator[Record]:
        """Yield what is managed, file by file."""
        for entry in self.entries.values():
            yield from entry.records

    @property
    def ours(self) -> set[str]:
        """The paths of the files that are ours as a whole."""
        return {path for path, entry in self.entries.items() if not entry.foreign}

    def encode(self) -> bytes:
        """Return the bytes of the manifest's file: JSON, its keys sorted, no blanks."""
        marks: dict[str, Any] = {
            "keys": sorted(self.keys),
            "owner": self.owner and self.owner._asdict(),
            "unloaded": {path: _names(items) for path, items in self.unloaded.items()},
        }
        marks = {name: value for name, value in marks.items() if value}
        # Entry by entry: 100,000 of them as one object would take 100 MB.
        out = BytesIO()
        out.write(b'{"entries":{')
        for number, (path, entry) in enumerate(sorted(self.entries.items())):
            out.write(f"{',' if number else ''}{_dump(path)}:{entry.encode()}".encode())
        out.write(f"}},{_dump({**marks, 'version': MANIFEST_VERSION})[1:]}".encode())
        return out.getvalue()

    @classmethod
    def from_json(cls, data: Any) -> Manifest:
        """Return the manifest that `encode` wrote. Raises ValueError for anything else."""
        if not isinstance(data, dict) or data.get("version") != MANIFEST_VERSION:
            raise ValueError(f"expected a manifest of version {MANIFEST_VERSION}")
        entries: dict[str, ManifestEntry] = {}
        for path, entry in data["entries"].items():
            _check_path(path)
            try:
                entries[path] = ManifestEntry.from_json(entry)
            except ValueError as problem:
                raise ValueError(f"{path!r}: {problem}") from None
        keys = data.get("keys", [])
        if not all(isinstance(key, str) and _KEY_ID.fullmatch(key) for key in keys):
            raise ValueError("expected fingerprints of keys in `keys`")
        unloaded = _read_unloaded(data.get("unloaded", {}))
        return cls(entries, unloaded, frozenset(keys), Owner.from_json(data.get("owner")))


def _names(resources: Sequence[Resource]) -> str | list[str]:
    return str(resources[0]) if len(resources) == 1 else [str(item) for item in resources]


def _read_unloaded(data: Any) -> dict[str, tuple[Resource, ...]]:
    unloaded: dict[str, tuple[Resource, ...]] = {}
    for path, names in data.items():
        _check_path(path)
        unloaded[path] = tuple(map(_resource, [names] if isinstance(names, str) else names))
    return unloaded


def _check_path(path: str) -> None:
    if not is_safe_path(path):
        raise ValueError(f"{path!r} is not a path below the conf directory")


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
    those, or ""; one of several resources has each of these in `parts`, as a file of its own.
    """

    kind: FileKind
    sha256: str = ""
    content: bytes | None = None
    exposed: bool = False
    attributes: Mapping[str, str] | None = None
    secrets: str = ""
    parts: Mapping[Resource, LiveFile] | None = None


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """The manifest, what stands at each of its paths and at each compiled path.

    `unmanaged` counts the other files in the folders that fsgitops writes to: they are left alone.
    """

    manifest: Manifest
    files: Mapping[str, LiveFile]
    unmanaged: int = 0
