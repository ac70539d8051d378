from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the extra [cdr] is not installed")
sys.path.insert(0, str(Path(__file__).parent))

from lakes import fill, make_row
from object_stores import gs_store
from replay_switch import load_templates
from sidecars import options

from fsgitops.cdr.sidecar import Sidecar

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="session")
def captures() -> Path:
    """The recorded streams beside the checkout, or this folder's own small ones."""
    folder = SHARED / "esl-captures"
    return folder if folder.is_dir() else Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def templates() -> list[dict]:
    return load_templates(SHARED if (SHARED / "esl-captures").is_dir() else None)


@pytest.fixture(params=["directory", "gs"])
def lake_url(request, tmp_path: Path, monkeypatch):
    """A lake that is not there yet: on disk, and in Cloud Storage."""
    if request.param == "directory":
        yield str(tmp_path / "lake")
        return
    with gs_store(monkeypatch) as url:
        yield url


@pytest.fixture
def sidecar(tmp_path):
    made = []

    def start(address=None, **changes) -> Sidecar:
        made.append(Sidecar(options(tmp_path, **changes), address))
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def place(tmp_path: Path, templates, monkeypatch) -> list[str]:
    for name in list(os.environ):
        if name.startswith(("FSGITOPS_", "FS_")):
            monkeypatch.delenv(name)
    spool, _ = fill(tmp_path, templates, 14)
    spool.add([make_row(templates, 15)])
    return ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
