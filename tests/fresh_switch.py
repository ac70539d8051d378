"""A real FreeSWITCH of a folder's own: no other file's phones are registered there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from real_switch import RealSwitch

if TYPE_CHECKING:
    from collections.abc import Iterator


def run_freeswitch(folder: Path, template: Path) -> Iterator[RealSwitch]:
    """Yield a started FreeSWITCH, or skip where the environment names none."""
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    switch = RealSwitch(Path(binary), folder, template)
    try:
        yield switch.start()
    finally:
        switch.stop()
