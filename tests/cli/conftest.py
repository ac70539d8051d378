"""What tests of the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from switchboard import running_switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project

    from fsgitops.sandbox.switch import EmbeddedSwitch


@pytest.fixture
def switch(project: Project) -> Iterator[EmbeddedSwitch]:
    """The sandbox that the project is applied to, running."""
    with running_switch(project) as running:
        yield running
