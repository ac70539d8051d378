"""Fetch what a project says of where its secrets stand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.secret import SecretFetcher
    from fsgitops.settings import SecretsSettings


def make_fetcher(
    settings: SecretsSettings, root: Path, key_file: str, *, trusted: bool = True
) -> SecretFetcher:
    """Return what fetches this project's secrets; `trusted` as for SecretPlace."""
    from fsgitops.secret import SecretFetcher, SecretPlace, key_files

    identity = root / settings.age_identity
    kept = (identity, *(root / name for name in key_files(key_file)))
    return SecretFetcher(
        SecretPlace(root, os.environ, identity, settings.allow_commands, trusted, kept)
    )
