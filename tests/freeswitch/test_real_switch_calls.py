"""What the evaluator says of a call is what a real FreeSWITCH executes for it."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hooked_dialplan import make_hooked
from made_dialplans import MadeCall, make_dialplan
from real_switch import RealSwitch, switch_template
from recorded_calls import Recorded, hasten, record_calls

from fsgitops.model.trace import Fate
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.world import Phones, World
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsgitops.model.trace import Way
    from fsgitops.routing.tree import Element

pytestmark = pytest.mark.freeswitch

STOCK = Path(__file__).resolve().parents[3] / "shared" / "freeswitch-conf"
SEEDS = (1, 2, 3)
CONTEXTS, CALLS = 100, 2
NUMBERS = 200
TIME = re.compile(
    r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d"
)


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
    with switch.esl() as esl:
        lines = esl.api("global_getvar").splitlines()
    variables = dict(line.partition("=")[::2] for line in lines)
    root = parse(load_merged(switch.conf_dir, variables).text)

    def locate(section: str, tag: str, name: str) -> Element | None:
        found = root.find("section", "name", section)
        return found.find(tag, "name", name) if found else None

    held = None if memory is None else lambda *_key: None
    return World(locate, variables, {}, memory=held)


def trace_calls(world: World, calls: Sequence[MadeCall]) -> list[tuple[Way, ...]]:
    clock = Clock(datetime.now(UTC), world.zones)
    return [
        evaluate(
            world,
            Call(call.number, call.context, call.caller, fields={"source": "mod_loopback"}),
            clock,
            Phones(frozenset()),
        )[0]
        for call in calls
    ]


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


def list_numbers(template: Path) -> list[str]:
    """Return numbers that the stock dialplan speaks of, and others, each once."""
    text = "".join(
        path.read_text("utf-8", "replace") for path in template.rglob("dialplan/**/*.xml")
    )
    spoken = re.findall(r"\b\d{3,5}\b", text)
    codes = [
        "*98",
        "*69",
        "*8",
        "0",
        "911",
        "**1000",
        "*886",
        "411",
        "00",
        "*0911",
        "vmain",
        "pizza",
    ]
    spread = [str(number) for number in range(900, 10_000, 47)]
    return list(dict.fromkeys([*codes, *spoken, *spread]))


@pytest.mark.parametrize("name", ["vanilla", "minimal", "insideout"])
def test_calls_through_a_stock_dialplan_execute_what_the_trace_says(
    tmp_path: Path, name: str
) -> None:
    if not (STOCK / name).is_dir():
        pytest.skip("the stock configurations are not beside the checkout")
    template = tmp_path / "stock"
    shutil.copytree(STOCK / "vanilla", template)
    shutil.rmtree(template / "dialplan")
    shutil.copytree(STOCK / name / "dialplan", template / "dialplan")
    for switch in start(tmp_path, template):
        world = load_world(switch)
        asked = [
            MadeCall(context, number, f"1202{5550000 + at}")
            for context in ("default", "public")
            for at, number in enumerate(list_numbers(template))
        ]
        traced = list(zip(asked, trace_calls(world, asked), strict=True))
        # Nothing may leave the machine.
        kept = [(call, ways) for call, ways in traced if stands_alone(ways)][: 2 * NUMBERS]
        assert len(kept) >= NUMBERS
        recorded = record_calls(switch, [call for call, _ in kept])
        wrong = [
            (call, ways[0].executed, real.executed)
            for (call, ways), real in zip(kept, recorded, strict=True)
            if not any(agrees(way, real) for way in ways)
        ]
        assert not wrong, wrong[:3]


def stands_alone(ways: tuple[Way, ...]) -> bool:
    """Tell whether a call neither leaves the machine, nor takes another of the calls away."""
    return all(
        way.end.fate not in (Fate.DIALS, Fate.UNKNOWN)
        and not way.end.told.startswith(("listens in", "picks up"))
        for way in ways
    )


def agrees(way: Way, real: Recorded) -> bool:
    """Tell whether both executed the same; a call that went on was hung up by hand."""
    cut = real.cause == "MANAGER_REQUEST"
    ours, said = way.executed, real.executed
    if (len(ours) > len(said) and not cut) or (len(ours) < len(said) and not way.end.fate.arrives):
        return False
    return all(
        name == other and re.fullmatch(as_pattern(data), TIME.sub("TIME", heard), re.DOTALL)
        for (name, data), (other, heard) in zip(ours, said, strict=False)
    )


def as_pattern(data: str) -> str:
    """Return what matches the data; what only the switch knows stands as `${…}`, for anything."""
    parts, depth, at = [""], 0, 0
    data = TIME.sub("TIME", data)
    while at < len(data):
        if data.startswith("${", at):
            depth += 1
            at += 2
            continue
        if depth and data[at] == "}":
            depth -= 1
            if not depth:
                parts.append("")
        elif not depth:
            parts[-1] += data[at]
        at += 1
    return ".*".join(re.escape(part) for part in parts)
