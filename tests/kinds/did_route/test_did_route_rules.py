"""What is asked of DID routes alone."""

from __future__ import annotations

from functools import partial

import builders
from builders import route

from fsgitops.kinds.did_route import DID_ROUTE

breaches = partial(builders.breaches, DID_ROUTE.rules)


def test_a_number_outside_the_numbering_plan_is_found() -> None:
    assert len(breaches("unassigned-number", route(number="+15551234567"))) == 1
