"""The kinds that come with the program. This is the one list: nothing registers itself."""

from __future__ import annotations

from typing import Final

from fsgitops.kinds.agent import AGENT
from fsgitops.kinds.did_route import DID_ROUTE
from fsgitops.kinds.gateway import GATEWAY
from fsgitops.kinds.ring_group import RING_GROUP
from fsgitops.model.kind import Kinds

BUILT_IN: Final = Kinds((AGENT, DID_ROUTE, RING_GROUP, GATEWAY))
