"""`fsgitops compile`: the compiled files, below a directory of the user's choice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fsgitops.errors import UsageError
from fsgitops.transaction.folder import FILE_MODE
from fsgitops.workspace.compile import Compilation, compile_declared
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.workspace.open import Workspace


def run_compile(workspace: Workspace, out: Path) -> Compilation:
    """Write every compiled file below `out`, which must be empty or not exist yet.

    Raises DesiredInvalidError with every finding, UsageError when `out` holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: expected an empty directory; name another one")
    compilation = compile_declared(workspace, declare_desired(workspace))
    for path, file in compilation.compiled.files.items():
        place = out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(file.content)
    return compilation
