"""What the desired state becomes: bytes for paths below the conf directory."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.findings import Position
    from fsgitops.model.resource import Resource


UNKNOWN = "(known after apply)"
"""Stands for a secret value that cannot be derived, because no key is at hand."""


class Part(NamedTuple):
    """What a file holds of one resource, and where that is declared.

    `inputs` is a hex digest of all that went into its bytes (declared values, secrets, template,
    compiler version). `protect` says that the resource must not be deleted. `span` is where its
    bytes stand in the file; unknown, (0, 0), where the file is settled. `elements` names what it is
    in a file of several resources, where no span tells, and `sha256` is the hash of that as a file
    of its own; "" where it is not known yet. `kept` says that its bytes are those that stand live:
    the plan does not change it.
    """

    resource: Resource
    source: Position
    inputs: str = ""
    protect: bool = False
    span: tuple[int, int] = (0, 0)
    elements: tuple[str, ...] = ()
    kept: bool = False
    sha256: str = ""


class CompiledFile(NamedTuple):
    """One file: its bytes, the resources that lie in it, which byte spans of it are secret.

    `path` is relative to the conf directory, with `/`. `parts` stand in the order of the bytes;
    there is at least one. `unknown` says that the secret spans hold UNKNOWN, for want of a key.
    `settled` says that an apply proved and wrote the output of the same inputs: `sha256` is known
    from then, and `content` is left empty. `foreign` says that it is somebody else's file: only its
    parts are ours, and there may be none.
    """

    path: str
    content: bytes
    parts: tuple[Part, ...]
    secret_spans: tuple[tuple[int, int], ...] = ()
    unknown: bool = False
    sha256: str = ""
    settled: bool = False
    foreign: bool = False

    @property
    def part(self) -> Part:
        """The one resource of a file that holds one. Raises ValueError for several."""
        (part,) = self.parts
        return part


@dataclass(frozen=True)
class CompiledConfig:
    """Every file by its path.

    `keys` are the fingerprints of the project keys that agents' secrets are derived from;
    `upcoming_key` is the one that a declared rotation moves them to, or "". `dialled` is what
    people dial for a resource, in every form, where that depends on others.
    """

    files: Mapping[str, CompiledFile]
    keys: frozenset[str] = frozenset()
    upcoming_key: str = ""
    dialled: Mapping[Resource, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def paths(self) -> dict[Resource, str]:
        """Where each resource lies; the last of several files."""
        return {part.resource: path for path, file in self.files.items() for part in file.parts}

    @property
    def ours(self) -> set[str]:
        """The paths of the files that are ours as a whole."""
        return {path for path, file in self.files.items() if not file.foreign}

    def resources(self) -> Iterator[Resource]:
        """Yield what is compiled, file by file."""
        for file in self.files.values():
            for part in file.parts:
                yield part.resource
