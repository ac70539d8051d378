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
    that the spans hold UNKNOWN, for want of a key. `protect` says that it must not be deleted.
    """

    path: str
    content: bytes
    resource: Resource
    source: Position
    secret_spans: tuple[tuple[int, int], ...] = ()
    unknown: bool = False
    inputs: str = ""
    protect: bool = False


@dataclass(frozen=True, slots=True)
class CompiledConfig:
    """Every file by its path, and every directory user and DID that the switch must hold."""

    files: Mapping[str, CompiledFile]
    users: Mapping[str, DirectoryUser]
    routes: Mapping[str, str]
    """DID extension name (`inbound_DIGITS`) -> destination extension."""
