"""The API keeps to its OpenAPI document, whatever is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

schemathesis = pytest.importorskip("schemathesis")

if TYPE_CHECKING:
    from served_api import Served

OPERATIONS = 13


class NoRecords:
    """A lake without a record."""

    def find(self, **wanted: object) -> list[dict[str, Any]]:
        return []

    def today(self) -> dict[str, int]:
        return {"calls": 0, "answered": 0, "billsec": 0}


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_every_answer_is_as_the_document_says(
    served: Served, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    from fsgitops.api.app import create_app
    from fsgitops.api.edge import Gate
    from fsgitops.api.serve import build_service

    monkeypatch.setattr("fsgitops.api.edge.BAD_TOKENS_PER_MINUTE", 10**9)
    service = replace(
        build_service(served.workspace, served.connect),
        records=NoRecords(),
        gate=Gate(served.project.root, reads_per_minute=10**9, operations_per_minute=10**9),
    )
    served.board.add_registration("1020", "sandbox.example")
    document = schemathesis.openapi.from_asgi("/openapi.json", create_app(service))
    # A stream of events never ends by itself: tests/api/test_api_live.py reads some of one.
    schema = document.exclude(path="/api/live")
    operations = [item.ok() for item in schema.get_all_operations()]
    assert len(operations) == OPERATIONS
    headers = {"Authorization": served.client.headers["authorization"]}
    wanted = schemathesis.GenerationMode[mode]
    tried = 0
    for operation in operations:
        if mode == "NEGATIVE" and not (operation.query or operation.body):
            continue
        tried += 1
        cases = operation.as_strategy(generation_mode=wanted)

        @settings(
            max_examples=15,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def keeps_to_it(case: Any) -> None:
            # A token that is missing from a case is brought by the call: nothing is wrong then.
            assume(mode == "POSITIVE" or "Authorization" in (case.headers or {}))
            # Whether a number can be dialled, or a month has 31 days, no pattern can tell.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        keeps_to_it()
    assert tried >= 4
