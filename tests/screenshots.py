"""`make screenshots`: the pictures of the docs, made from the real pages with example data.

Each page is made as users make it and opened in a headless Chromium. People, numbers and times are
made up, and always the same.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from piped_browser import Browser
from served_api import listening

from fsgitops.api.live import LiveBoard
from fsgitops.api.serve import build_service
from fsgitops.cli import run
from fsgitops.commands.workspace import open_workspace
from fsgitops.sandbox import EmbeddedSwitch
from fsgitops.sandbox.calls import Leg, bridge
from fsgitops.switch import connect_switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.switch import Switch

IMAGES = Path(__file__).parents[1] / "docs" / "images"
NOW = 1795528800  # 2026-11-24 14:00:00 UTC
STILL = f"Date.now = () => {NOW * 1000};"
KEY = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="
DOMAIN = "sandbox.example"
PASSWORD = "a password"
SIZES = {"wide": (1280, 900, "light"), "dark": (1280, 900, "dark"), "narrow": (390, 844, "light")}

NAMES = (
    "Alice Example", "Bob Example", "Carol Example", "Dora Sample", "Emil Sample", "Fay Sample",
    "Gus Sample", "Hanna Sample-Longname", "Ivo Sample", "Jana Sample", "Karl Sample", "Lea Sample",
)  # fmt: skip
PHONES = ("Desk phone 4.1", "Soft phone 2.8", "Browser")
SETTINGS = """\
project: example
default_region: US
default_caller_id: +19495431333
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020, description: Main number}
  - {did_number: +19495431334, destination_extension: 1021}
"""
CALLS = (  # number called, agent, caller, caller's name, seconds since it began
    ("+19495431333", "1020", "+12025550123", "Example Supplies", 372),
    ("+19495431334", "1021", "+12025550147", "", 95),
    ("+19495431333", "1023", "+12025550188", "Sample & Sons", 14),
)


def agents(*, names: tuple[str, ...] = NAMES) -> str:
    """Return the agents as they are declared."""
    lines = [
        f"  - {{extension: {1020 + number}, name: {name}}}" for number, name in enumerate(names)
    ]
    return "\n".join(["agents:", *lines, ""])


def write_project(root: Path) -> None:
    """Declare the example project, and apply it to the sandbox."""
    for path, text in {
        "fsgitops.yaml": SETTINGS, "desired/agents.yaml": agents(), "desired/routes.yaml": ROUTES,
    }.items():  # fmt: skip
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    command(root, "apply", "--yes")


def command(root: Path, *words: str, wanted: int = 0) -> None:
    """Run fsgitops in the project."""
    code = run(["-C", str(root), *words])
    assert code == wanted, f"{words}: exit code {code}"


@contextmanager
def operator_page(root: Path) -> Iterator[str]:
    """Serve the operator page over an embedded switch with phones and calls; yield its address."""
    workspace = open_workspace(root)
    with EmbeddedSwitch(root / ".fsgitops" / "sandbox" / "conf", PASSWORD) as switch:
        for number in range(9):
            phone = switch.add_registration(str(1020 + number), DOMAIN)
            held = switch._memory.registrations
            held[held.index(phone)] = replace(phone, agent=PHONES[number % len(PHONES)])
        for call in CALLS:
            add_call(switch, *call)
        host, port = switch.address

        def connect() -> Switch:
            return connect_switch(host, port, PASSWORD)

        service = build_service(workspace, connect, anonymous=("read", "cdr", "operate"))
        moment = [NOW]
        board = LiveBoard(service.pool, service.declared, Today(), clock=lambda: moment[0])
        happened = board.happened
        happened.see({}, ())
        moment[0] = NOW - 370
        who = "console (token 5d0c1f7e)"
        happened.note_operation(who, "kick", "1031", {"phones": "1"})
        moment[0] = NOW - 14
        problem = RuntimeError("agent 1032 is not registered: no phone to ring")
        happened.note_operation(who, "dial", "1030", {"number": "+12025550199"}, problem)
        happened._looked = NOW
        moment[0] = NOW
        with listening(replace(service, board=board, records=None)) as served:
            yield f"http://127.0.0.1:{served}/"


class Today:
    """The figures of a day."""

    def today(self) -> dict[str, int]:
        return {"calls": 214, "answered": 187, "billsec": 31_400}


def add_call(
    switch: EmbeddedSwitch, did: str, extension: str, caller: str, name: str, age: int
) -> None:
    """Put a call up that began `age` seconds ago."""
    began = NOW - age
    first = Leg(
        f"sofia/external/{caller}@127.0.0.1", "inbound", extension, name, caller,
        initial_destination=did, uuid=f"00000000-0000-4000-8000-{extension:0>12}", created=began,
    )  # fmt: skip
    second = Leg(
        f"sofia/internal/{extension}@127.0.0.1", "outbound", extension, name, caller,
        presence=f"{extension}@{DOMAIN}", uuid=f"00000000-0000-4000-9000-{extension:0>12}",
        created=began,
    )  # fmt: skip
    bridge(switch._memory, first, second)


def take(
    browser: Browser,
    url: str,
    name: str,
    ready: str,
    place: Path,
    before: str = "",
    **sizes: object,
) -> None:
    """Open a page, wait until it is ready, and keep its picture in each size."""
    for size, (width, height, scheme) in SIZES.items():
        browser.shape(width, height, scheme)
        browser.open(url)
        assert browser.until(ready), f"{name}: {ready}"
        if before:
            browser.evaluate(before)
        (place / f"{name}-{size}.png").write_bytes(browser.picture())


def main(place: Path) -> None:
    """Make every picture in a folder."""
    place.mkdir(parents=True, exist_ok=True)
    os.environ.update(TZ="UTC", FSGITOPS_KEY=KEY)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        write_project(root)
        with Browser(Path(folder)) as browser:
            browser.begin_with(STILL)
            with operator_page(root) as url:
                ready = "document.querySelectorAll('#calls tr').length === 3"
                take(browser, url, "operators", ready, place)
                ask = "document.querySelector('button[data-action=transfer]').click()"
                take(browser, url, "transfer", ready, place, ask)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
