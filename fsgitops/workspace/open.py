"""What every command starts from: the project's root, settings, target, and keys."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.errors import DesiredInvalidError
from fsgitops.model.document import NO_SETTINGS
from fsgitops.secret.key import key_files, load_key
from fsgitops.settings import build_settings
from fsgitops.settings.shapes import SETTINGS_FILE, Settings
from fsgitops.settings.target import Environment, Target, read_environment, select_target
from fsgitops.steps.load import load_document

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.model.document import Document
    from fsgitops.model.kind import Kinds
    from fsgitops.secret.fetch import SecretFetcher
    from fsgitops.secret.key import ProjectKey
    from fsgitops.settings.shapes import SecretsSettings


@dataclass(frozen=True, slots=True)
class Workspace:
    """A project directory with its settings, and the target that a command works on."""

    root: Path
    settings: Settings
    environment: Environment
    target: Target
    kinds: Kinds
    document: Document
    """The settings file, for the places that findings about it name; empty without one."""
    readable: Kinds
    """The same, and what is declared beside resources: expectations."""
    opened: int = 0
    """Before what was read here was read, in nanoseconds as those of files."""


def open_workspace(root: Path, target: str | None = None) -> Workspace:
    """Read the settings below `root`, all of them optional, and pick a target.

    Raises DesiredInvalidError for a malformed `fsgitops.yaml`, UsageError for an unknown target.
    """
    from fsgitops.expectation import with_expectations
    from fsgitops.kinds import BUILT_IN

    opened = time.time_ns()
    environment = read_environment()
    document = NO_SETTINGS
    if (root / SETTINGS_FILE).exists():
        read, findings = load_document(root, SETTINGS_FILE)
        if findings or read is None:
            raise DesiredInvalidError(findings)
        document = read
    sections = (*BUILT_IN.sections(), "tests", *_own_sections(document.data))
    settings = build_settings(document.data, document.position, environment, sections)
    kinds = BUILT_IN
    if settings.kinds:
        from fsgitops.workspace.own_kinds import read_own_kinds

        kinds = read_own_kinds(root, settings.kinds, document, BUILT_IN)
    chosen = select_target(settings, target, root, environment)
    kinds = kinds.placed(chosen.places)
    readable = with_expectations(kinds)
    return Workspace(root, settings, environment, chosen, kinds, document, readable, opened)


def _own_sections(data: Any) -> list[str]:
    """Return the sections of the project's own kinds, as far as they are well formed."""
    kinds = data.get("kinds")
    items = [item for item in kinds if isinstance(item, dict)] if isinstance(kinds, list) else []
    sections = [item.get("section") for item in items]
    return [section for section in sections if isinstance(section, str)]


def find_key(workspace: Workspace) -> ProjectKey | None:
    """Return the project key, or None where there is none. Raises SecretError for a bad one."""
    return load_key(os.environ, workspace.root / workspace.settings.key_file)


def make_fetcher(
    settings: SecretsSettings, root: Path, key_file: str, *, trusted: bool = True
) -> SecretFetcher:
    """Return what fetches this project's secrets; `trusted` as for SecretPlace."""
    from fsgitops.secret.fetch import SecretFetcher, SecretPlace

    identity = root / settings.age_identity
    kept = (identity, *(root / name for name in key_files(key_file)))
    return SecretFetcher(
        SecretPlace(root, os.environ, identity, settings.allow_commands, trusted, kept)
    )
