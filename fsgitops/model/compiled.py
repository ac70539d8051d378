"""What the desired state becomes: bytes for paths below the conf directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.findings import Position
    from fsgitops.model.resource import Resource


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """What a directory `<user>` must hold once loaded: parameters and variables by name.

    `secret_params` names the parameters whose value is a secret; where no key is at hand their
    value is `UNKNOWN`.
    """

    id: str
    params: Mapping[str, str]
    variables: Mapping[str, str]
    secret_params: frozenset[str] = frozenset()


UNKNOWN = "(known after apply)"
"""Stands for a secret value that cannot be derived, because no key is at hand."""


@dataclass(frozen=True, slots=True)
class CompiledFile:
    """One file: its bytes, where it came from, which byte spans of it are secret.

    `path` is relative to the conf directory, with `/`. `inputs` is a hex digest of all that
    went into the bytes (declared values, secrets, template, compiler version). `unknown` says
    that the spans hold UNKNOWN, for want of a key. `settled` says that an apply proved and wrote
    the output of the same inputs: `sha256` is known from then, and `content` is left empty.
    `protect` says that the resource must not be deleted.
    """

    path: str
    content: bytes
    resource: Resource
    source: Position
    secret_spans: tuple[tuple[int, int], ...] = ()
    unknown: bool = False
    inputs: str = ""
    sha256: str = ""
    settled: bool = False
    protect: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What the manifest knows of a path: the digest of the inputs, and the hash of their output."""

    inputs: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CompiledConfig:
    """Every file by its path.

    `keys` are the fingerprints of the project keys that agents' secrets are derived from;
    `upcoming_key` is the one that a declared rotation moves them to, or "".
    """

    files: Mapping[str, CompiledFile]
    keys: frozenset[str] = frozenset()
    upcoming_key: str = ""
