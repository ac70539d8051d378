"""Which compiler this is: a digest of the source that decides what is written."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import fsgitops

DECIDING = (
    "kinds",
    "model",
    "phone.py",
    "routing/pattern.py",
    "routing/skeleton.py",
    "rules/texts.py",
    "secret/key.py",
    "steps/compile",
)
"""Modules, and packages whose every module decides: a new kind cannot be forgotten."""


@cache
def source_digest() -> str:
    """Return a hex digest that changes with the program's version and with its source."""
    state = hashlib.blake2b(fsgitops.__version__.encode(), digest_size=16)
    package = Path(fsgitops.__file__).parent
    for name in DECIDING:
        place = package / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            state.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    return state.hexdigest()
