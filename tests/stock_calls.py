"""Calls through the stock configurations beside the checkout, and whether two follow one way.

The stock files are not the project's. So a golden case holds numbers, the names of applications
and digests of their data, and runs only where the files are.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from made_dialplans import MadeCall
from real_switch import RealSwitch

from fsgitops.model.trace import Fate
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.world import Phones, World
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recorded_calls import Recorded

    from fsgitops.model.trace import Way
    from fsgitops.routing.tree import Element

STOCK: Final = Path(__file__).resolve().parents[2] / "shared" / "freeswitch-conf"
NAMES: Final = ("vanilla", "minimal", "insideout")
GOLDEN: Final = Path(__file__).parent / "golden" / "stock_calls"
NUMBERS: Final = 200
CUT: Final = "MANAGER_REQUEST"
"""The cause of a call that went on until it was hung up by hand."""
SOMETHING: Final = "?"
"""The digest of data of which only the switch knows a part."""
TIME = re.compile(
    r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d"
)
CODES = (
    *("*98", "*69", "*8", "0", "911", "**1000", "*886", "411", "00", "*0911", "vmain", "pizza"),
)


def lay_out(folder: Path, name: str) -> Path:
    """Return the stock configuration with the dialplan of this one."""
    template = folder / "stock"
    shutil.copytree(STOCK / "vanilla", template)
    shutil.rmtree(template / "dialplan")
    shutil.copytree(STOCK / name / "dialplan", template / "dialplan")
    return template


def list_calls(template: Path) -> list[MadeCall]:
    """Return calls to numbers that a stock dialplan speaks of, and others, from two contexts."""
    text = "".join(
        path.read_text("utf-8", "replace") for path in template.rglob("dialplan/**/*.xml")
    )
    spoken = re.findall(r"\b\d{3,5}\b", text)
    spread = [str(number) for number in range(900, 10_000, 47)]
    numbers = list(dict.fromkeys([*CODES, *spoken, *spread]))
    return [
        MadeCall(context, number, f"1202{5550000 + at}")
        for context in ("default", "public")
        for at, number in enumerate(numbers)
    ]


def ask_variables(switch: RealSwitch) -> dict[str, str]:
    """Return the globals that a switch has now."""
    with switch.esl() as esl:
        lines = esl.api("global_getvar").splitlines()
    return dict(line.partition("=")[::2] for line in lines)


def read_world(
    conf_dir: Path, variables: Mapping[str, str], memory: dict[str, str] | None = None
) -> World:
    """Return what a switch loads from a conf directory, with these globals."""
    merged = load_merged(conf_dir, variables)
    root = parse(merged.text)

    def locate(section: str, tag: str, name: str) -> Element | None:
        found = root.find("section", "name", section)
        return found.find(tag, "name", name) if found else None

    held = None if memory is None else lambda *_key: None
    return World(locate, {**merged.variables, **variables}, {}, memory=held)


def trace_calls(
    world: World, calls: Sequence[MadeCall], at: datetime | None = None
) -> list[tuple[Way, ...]]:
    """Return the ways of each call."""
    clock = Clock(at or datetime.now(UTC), world.zones)
    return [
        evaluate(
            world,
            Call(call.number, call.context, call.caller, fields={"source": "mod_loopback"}),
            clock,
            Phones(frozenset()),
        )[0]
        for call in calls
    ]


def choose_calls(world: World, template: Path) -> list[tuple[MadeCall, tuple[Way, ...]]]:
    """Return the calls that neither leave the machine, nor take another of the calls away."""
    asked = list_calls(template)
    traced = zip(asked, trace_calls(world, asked), strict=True)
    kept = [(call, ways) for call, ways in traced if _stands_alone(ways)][: 2 * NUMBERS]
    assert len(kept) >= NUMBERS
    return kept


def _stands_alone(ways: tuple[Way, ...]) -> bool:
    return all(
        way.end.fate not in (Fate.DIALS, Fate.UNKNOWN)
        and not way.end.told.startswith(("listens in", "picks up"))
        for way in ways
    )


def agrees(way: Way, real: Recorded) -> bool:
    """Tell whether both executed the same; a call that went on was hung up by hand."""
    return _is_as_long(way, len(real.executed), real.cause) and all(
        name == other and re.fullmatch(as_pattern(data), TIME.sub("TIME", heard), re.DOTALL)
        for (name, data), (other, heard) in zip(way.executed, real.executed, strict=False)
    )


def _is_as_long(way: Way, number: int, cause: str) -> bool:
    ours = len(way.executed)
    return not ((ours > number and cause != CUT) or (ours < number and not way.end.fate.arrives))


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


def write_golden(
    name: str,
    switch: RealSwitch,
    calls: Sequence[MadeCall],
    at: datetime,
    pairs: Sequence[tuple[tuple[Way, ...], Recorded]],
) -> None:
    """Keep what a switch executed for these calls; each agrees with a way of the trace."""
    variables = ask_variables(switch)
    own = load_merged(switch.conf_dir, {}).variables
    swaps = {
        str(switch.work_dir): "/switch",
        str(switch.binary.parent.parent): "/usr",
        variables["hostname"]: "switch",
        variables.get("local_ip_v6", "::1"): "::1",
    }
    core = {
        key: swap(value, swaps)
        for key, value in sorted(variables.items())
        if key not in own and key not in ("core_uuid", "switch_serial")
    }
    modules = re.findall(
        r'module="(\w+)"', (switch.conf_dir / "autoload_configs/modules.conf.xml").read_text()
    )
    steps: dict[str, int] = {}
    rows = []
    for call, (ways, real) in zip(calls, pairs, strict=True):
        way = next(way for way in ways if agrees(way, real))
        known = [data for _, data in way.executed]
        told = [
            f"{application} {digest(swap(data, swaps), call)}"
            if at < len(known) and "${" not in known[at]
            else f"{application} {SOMETHING}"
            for at, (application, data) in enumerate(real.executed)
        ]
        rows.append([*call, real.cause, [steps.setdefault(item, len(steps)) for item in told]])
    head = {"at": at.isoformat(), "variables": core, "modules": modules, "steps": [*steps]}
    GOLDEN.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    body = f'{json.dumps(head, separators=(",", ":"))[:-1]},\n"calls": [\n{lines}\n]}}\n'
    (GOLDEN / f"{name}.json").write_text(body, encoding="utf-8")


def swap(text: str, swaps: Mapping[str, str]) -> str:
    """Return a text without what is of one machine."""
    for before, after in swaps.items():
        text = text.replace(before, after)
    return text


def digest(data: str, call: MadeCall) -> str:
    """Return a short digest of an application's data; whoever calls, and when, is left out."""
    text = TIME.sub("TIME", data).replace(call.caller, "CALLER")
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_golden(name: str) -> dict[str, Any]:
    """Return a golden case."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return found


def make_golden_world(folder: Path, name: str, golden: dict[str, Any]) -> World:
    """Return what the switch of a golden case had loaded, made of the stock files again."""
    switch = RealSwitch(Path("/usr/bin/freeswitch"), folder / "switch", lay_out(folder, name))
    switch.prepare()
    lines = "".join(f'<load module="{module}"/>' for module in golden["modules"])
    (switch.conf_dir / "autoload_configs" / "modules.conf.xml").write_text(
        f'<configuration name="modules.conf"><modules>{lines}</modules></configuration>'
    )
    return read_world(switch.conf_dir, golden["variables"])


def agrees_with_golden(
    way: Way, call: MadeCall, cause: str, told: Sequence[str], folder: Path
) -> bool:
    """Tell whether a way executes what a switch did; `folder` is that of `make_golden_world`."""
    swaps = {str(folder / "switch"): "/switch"}
    return _is_as_long(way, len(told), cause) and all(
        step == f"{application} {SOMETHING if '${' in data else digest(swap(data, swaps), call)}"
        for (application, data), step in zip(way.executed, told, strict=False)
    )
