"""What the evaluator says of a call is what a real FreeSWITCH executes for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hooked_dialplan import make_hooked
from made_dialplans import MadeCall, make_dialplan
from real_switch import RealSwitch, switch_template
from recorded_calls import hasten, record_calls
from stock_calls import (
    NAMES,
    STOCK,
    agrees,
    ask_variables,
    choose_calls,
    lay_out,
    read_world,
    trace_calls,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.call.world import World

pytestmark = pytest.mark.freeswitch

SEEDS = (1, 2, 3)
CONTEXTS, CALLS = 100, 2


def start(folder: Path, template: Path) -> Iterator[RealSwitch]:
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    switch = RealSwitch(Path(binary), folder / "switch", hasten(template, folder))
    try:
        yield switch.start()
    finally:
        switch.stop()


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    yield from start(tmp_path_factory.mktemp("calls"), switch_template())


def load_world(switch: RealSwitch, memory: dict[str, str] | None = None) -> World:
    """Return what the switch has loaded, with the globals that it has now."""
    return read_world(switch.conf_dir, ask_variables(switch), memory)


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_through_made_dialplans_execute_what_the_trace_says(
    switch: RealSwitch, seed: int
) -> None:
    dialplan, calls = make_dialplan(seed, CONTEXTS, CALLS)
    path = switch.conf_dir / "dialplan" / "made.xml"
    path.write_text(f"<include>\n{dialplan}</include>\n", encoding="utf-8")
    with switch.esl() as esl:
        assert "[Success]" in esl.api("reloadxml")
    recorded = record_calls(switch, calls)
    for call, ways, real in zip(
        calls, trace_calls(load_world(switch, {}), calls), recorded, strict=True
    ):
        assert ways[0].executed == real.executed, call
        assert ways[0].end.cause == real.cause, call


def test_variables_send_calls_on_and_make_it_execute_as_the_trace_says(switch: RealSwitch) -> None:
    dialplan, calls = make_hooked()
    path = switch.conf_dir / "dialplan" / "made.xml"
    path.write_text(f"<include>\n{dialplan}</include>\n", encoding="utf-8")
    with switch.esl() as esl:
        assert "[Success]" in esl.api("reloadxml")
    recorded = record_calls(switch, calls)
    traced = trace_calls(load_world(switch, {}), calls)
    wrong = [
        (call.number, ways[0].executed, ways[0].end.cause, real)
        for call, ways, real in zip(calls, traced, recorded, strict=True)
        if (ways[0].executed, ways[0].end.cause) != (real.executed, real.cause)
    ]
    assert not wrong, "\n".join(map(str, wrong))


ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Auckland", "America/St_Johns", "Pacific/Kiritimati", "Africa/Casablanca", "Etc/GMT+5",
    "America/Sao_Paulo", "Asia/Tokyo",
)  # fmt: skip


def test_each_time_attribute_in_each_zone_holds_as_the_trace_says(switch: RealSwitch) -> None:
    asked = [f'hour="{hour}"' for hour in range(24)] + [f'wday="{day}"' for day in range(1, 8)]
    asked += [f'mday="{day}"' for day in range(1, 32)] + ['tz-offset="1"', 'mweek="4-5"']
    probes = "".join(
        f'<condition {item} break="never"><action application="eval" data="{{}}"/></condition>'
        for item in asked
    )
    parts = []
    for at, zone in enumerate(ZONES):
        put = f'<condition><action application="set" data="timezone={zone}" inline="true"/>'
        # Braces would be read as a variable's; the attribute is named without its quotes.
        inside = "".join(
            probe.replace("{}", item.replace('"', ""))
            for probe, item in zip(probes.split("</condition>"), asked, strict=False)
            for probe in (f"{probe}</condition>",)
        )
        parts.append(
            f'<context name="zone{at}"><extension name="z">{put}</condition>{inside}'
            "</extension></context>"
        )
    path = switch.conf_dir / "dialplan" / "made.xml"
    path.write_text(f"<include>\n{''.join(parts)}\n</include>\n", encoding="utf-8")
    with switch.esl() as esl:
        assert "[Success]" in esl.api("reloadxml")
    calls = [MadeCall(f"zone{at}", "1", f"1202556{at:04}") for at in range(len(ZONES))]
    world = load_world(switch, {})
    if not world.zones:
        pytest.skip("the configuration names no time zones")
    recorded = record_calls(switch, calls)
    traced = trace_calls(world, calls)
    for zone, ways, real in zip(ZONES, traced, recorded, strict=True):
        assert ways[0].executed == real.executed, zone
        assert len(real.executed) >= 4, zone


@pytest.mark.parametrize("name", NAMES)
def test_calls_through_a_stock_dialplan_execute_what_the_trace_says(
    tmp_path: Path, name: str
) -> None:
    if not (STOCK / name).is_dir():
        pytest.skip("the stock configurations are not beside the checkout")
    template = lay_out(tmp_path, name)
    for switch in start(tmp_path, template):
        kept = choose_calls(load_world(switch), template)
        recorded = record_calls(switch, [call for call, _ in kept])
        wrong = [
            (call, ways[0].executed, real.executed)
            for (call, ways), real in zip(kept, recorded, strict=True)
            if not any(agrees(way, real) for way in ways)
        ]
        assert not wrong, wrong[:3]
