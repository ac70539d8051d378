"""The kinds that come with the program. This is the one list: nothing registers itself."""

from __future__ import annotations

from typing import Final

from fsgitops.kinds.agent import AGENT
from fsgitops.kinds.did_route import DID_ROUTE
from fsgitops.kinds.expectation import with_expectations
from fsgitops.kinds.ring_group import RING_GROUP
from fsgitops.model.kind import Kinds

BUILT_IN: Final = Kinds((AGENT, DID_ROUTE, RING_GROUP))
READABLE: Final = with_expectations(BUILT_IN)
"""What desired files may hold: these, and what calls are expected to do."""
