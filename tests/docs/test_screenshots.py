"""The pictures of the docs: there, shown, and made by `make screenshots`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import find_chromium
from screenshots import IMAGES, PICTURED, SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]


def names(paths: Iterable[Path]) -> list[str]:
    return sorted(path.stem for path in paths)


def test_each_picture_is_there_and_shown_in_the_docs() -> None:
    assert names(IMAGES.glob("*.png")) == sorted(PICTURED.values())
    texts = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    assert [name for name in PICTURED.values() if f"(images/{name}.png)" not in texts] == []


@pytest.mark.sweep
@pytest.mark.xdist_group("browser")
def test_the_script_makes_every_page_in_every_size(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra [cdr] is not installed")
    if not find_chromium():
        pytest.skip("Chromium is not installed")
    script = [sys.executable, str(ROOT / "tests" / "screenshots.py"), str(tmp_path)]
    subprocess.run(script, check=True, capture_output=True, timeout=120)
    pages = {picture.partition("-")[0] for picture in PICTURED}
    assert names(tmp_path.iterdir()) == sorted(f"{page}-{size}" for page in pages for size in SIZES)
