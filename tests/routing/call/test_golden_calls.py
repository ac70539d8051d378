"""What a real FreeSWITCH executed for calls through made dialplans, without one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from call_world import DOMAIN, make_world
from made_dialplans import MadeCall
from stock_calls import (
    NAMES,
    NUMBERS,
    STOCK,
    agrees_with_golden,
    make_golden_world,
    read_golden,
    trace_calls,
)

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.world import Phones

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "calls"
CASES = sorted(GOLDEN.iterdir())
NOBODY = Phones(frozenset())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_call_executes_what_freeswitch_executed_and_ends_with_the_same_cause(case: Path) -> None:
    # The preprocessor puts the domain in before anything is parsed.
    dialplan = (case / "dialplan.xml").read_text("utf-8").replace("$${domain}", DOMAIN)
    world = make_world(dialplan, memory={})
    recorded: dict[str, Any] = json.loads((case / "calls.json").read_text("utf-8"))
    clock = Clock(datetime.fromisoformat(recorded["at"]), {})
    for context, number, caller, cause, *applications in recorded["calls"]:
        call = Call(number, context, caller, fields={"source": "mod_loopback"})
        ways, _ = evaluate(world, call, clock, NOBODY)
        assert [list(pair) for pair in ways[0].executed] == applications, (context, number)
        assert ways[0].end.cause == cause, (context, number)


@pytest.mark.parametrize("name", NAMES)
def test_a_call_through_a_stock_dialplan_executes_what_freeswitch_executed(
    tmp_path: Path, name: str
) -> None:
    if not (STOCK / name).is_dir():
        pytest.skip("the stock configurations are not beside the checkout")
    golden = read_golden(name)
    world = make_golden_world(tmp_path, name, golden)
    calls = [MadeCall(*row[:3]) for row in golden["calls"]]
    traced = trace_calls(world, calls, datetime.fromisoformat(golden["at"]))
    assert len(calls) == NUMBERS
    for call, ways, (*_, cause, steps) in zip(calls, traced, golden["calls"], strict=True):
        told = [golden["steps"][step] for step in steps]
        same = (agrees_with_golden(way, call, cause, told, tmp_path) for way in ways)
        assert any(same), (call, told)


def test_the_golden_calls_are_at_least_three_hundred() -> None:
    counts = [len(json.loads((case / "calls.json").read_text("utf-8"))["calls"]) for case in CASES]
    assert sum(counts) >= 300
