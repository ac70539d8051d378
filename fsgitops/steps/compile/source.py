"""Which compiler this is: a digest of the source that decides what is written."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import fsgitops

DECIDING = (
    "model/caller_name.py",
    "model/did_forms.py",
    "model/directory_user.py",
    "model/switch_names.py",
    "model/variables.py",
    "secret/derive.py",
    "secret/key.py",
    "steps/compile/compilation.py",
    "steps/compile/config.py",
    "steps/compile/forms.py",
    "steps/compile/program.py",
    "steps/compile/sandbox.py",
    "routing/skeleton.py",
)


@cache
def source_digest() -> str:
    """Return a hex digest that changes with the program's version and with its source."""
    state = hashlib.blake2b(fsgitops.__version__.encode(), digest_size=16)
    package = Path(fsgitops.__file__).parent
    for name in DECIDING:
        path = package / name
        if path.is_file():
            state.update(path.read_bytes())
    return state.hexdigest()
