"""Record the golden cases of calls: `python tests/record_golden_calls.py`, with a FreeSWITCH.

FSGITOPS_TEST_FREESWITCH names the binary. Each case is a folder of `tests/golden/calls`, with
contexts made at random, and what a real FreeSWITCH executed for the calls through them; where the
stock configurations are beside the checkout, a file of `tests/golden/stock_calls` for each of them.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hooked_dialplan import make_hooked
from made_dialplans import MadeCall, make_dialplan
from real_switch import RealSwitch, switch_template
from recorded_calls import hasten, record_calls
from stock_calls import (
    NAMES,
    NUMBERS,
    STOCK,
    ask_variables,
    choose_calls,
    lay_out,
    read_world,
    write_golden,
)

GOLDEN = Path(__file__).parent / "golden" / "calls"
SEEDS = range(101, 111)
CONTEXTS, CALLS = 8, 4


def main() -> None:
    """Write every case anew."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        binary = Path(os.environ["FSGITOPS_TEST_FREESWITCH"])
        switch = RealSwitch(binary, folder / "switch", hasten(switch_template(), folder))
        try:
            switch.start()
            for seed in SEEDS:
                write_case(switch, f"made-{seed}", *make_dialplan(seed, CONTEXTS, CALLS))
            write_case(switch, "hooked", *make_hooked())
        finally:
            switch.stop()
    for name in NAMES if STOCK.is_dir() else ():
        record_stock(binary, name)


def record_stock(binary: Path, name: str) -> None:
    """Record calls through a stock configuration. Raises StopIteration where the trace is wrong."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        template = lay_out(folder, name)
        switch = RealSwitch(binary, folder / "switch", hasten(template, folder))
        try:
            switch.start()
            at = datetime.now(UTC).replace(microsecond=0)
            world = read_world(switch.conf_dir, ask_variables(switch))
            kept = choose_calls(world, template)
            kept = [kept[place * len(kept) // NUMBERS] for place in range(NUMBERS)]
            calls = [call for call, _ in kept]
            recorded = record_calls(switch, calls)
            ways = [ways for _, ways in kept]
            write_golden(name, switch, calls, at, list(zip(ways, recorded, strict=True)))
        finally:
            switch.stop()


def write_case(switch: RealSwitch, name: str, dialplan: str, calls: list[MadeCall]) -> None:
    """Record the calls of one case."""
    path = switch.conf_dir / "dialplan" / "made.xml"
    path.write_text(f"<include>\n{dialplan}</include>\n", encoding="utf-8")
    with switch.esl() as esl:
        esl.api("reloadxml")
    at = datetime.now(UTC).replace(microsecond=0)
    recorded = record_calls(switch, calls)
    rows = [
        [*call, item.cause, *(list(pair) for pair in item.executed)]
        for call, item in zip(calls, recorded, strict=True)
    ]
    case = GOLDEN / name
    case.mkdir(parents=True, exist_ok=True)
    (case / "dialplan.xml").write_text(dialplan, encoding="utf-8")
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    body = f'{{"at": "{at.isoformat()}", "calls": [\n{lines}\n]}}\n'
    (case / "calls.json").write_text(body, encoding="utf-8")


if __name__ == "__main__":
    main()
