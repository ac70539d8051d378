"""What is asked of DID routes alone."""

from __future__ import annotations

from functools import partial

import builders
from builders import route

from fsgitops.kinds.did_route import DID_ROUTE, MANY

breaches = partial(builders.breaches, DID_ROUTE.rules)


def test_a_number_outside_the_numbering_plan_is_found() -> None:
    assert len(breaches("unassigned-number", route(number="+15551234567"))) == 1


def test_many_dids_are_one_breach_where_each_has_a_file() -> None:
    crowd = [route(number=f"+1949{5_430_000 + at}") for at in range(MANY + 2)]
    [breach] = breaches("many-dids", *crowd)
    assert "`layout: files`" in breach.message
    assert breaches("many-dids", *crowd[:MANY]) == []
    assert breaches("many-dids", *crowd, sharded=True) == []
