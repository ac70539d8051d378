"""`make screenshots`: the pictures of the docs, made from the real pages with example data.

Each page is made as users make it and opened in a headless Chromium. People, numbers and times are
made up, and always the same. With a folder, each page is pictured there in every size.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
import tempfile
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from piped_browser import Browser
from scripted_esl import connect_switch
from served_api import listening

from fsgitops.api.live import LiveBoard
from fsgitops.api.serve import build_service
from fsgitops.api.view import build_board, look
from fsgitops.cli import run
from fsgitops.errors import NotPossibleError
from fsgitops.sandbox.leg import Leg
from fsgitops.sandbox.routed import join
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.api.handlers import Service
    from fsgitops.api.live import Happened
    from fsgitops.api.view import Seen
    from fsgitops.switch.client import Switch

IMAGES = Path(__file__).parents[1] / "docs" / "images"
NOW = 1795528800  # 2026-11-24 14:00:00 UTC
STILL = f"Date.now = () => {NOW * 1000};"
KEY = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="
DOMAIN = "sandbox.example"
PASSWORD = "a password"
LIGHT, DARK = "light", "dark"
SIZES = {"wide": (1280, 1100, LIGHT), "dark": (1280, 1100, DARK),
         "narrow": (390, 844, LIGHT), "narrow-dark": (390, 844, DARK)}  # fmt: skip
PICTURED = {
    "operators-wide": "operators",
    "operators-narrow": "operators-narrow",
    "transfer-narrow": "transfer-narrow",
    "plan-wide": "plan-html",
    "report-wide": "report",
    "report-narrow": "report-narrow",
}
"""What the docs show, and under which name; other folders get each page in each size."""

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


CAUSES = {"NORMAL_CLEARING": 82, "NO_ANSWER": 9, "ORIGINATOR_CANCEL": 6, "USER_BUSY": 3}


def agents(names: tuple[str, ...] = NAMES) -> str:
    """Return the agents as they are declared."""
    lines = [
        f"  - {{extension: {1020 + number}, name: {name}}}" for number, name in enumerate(names)
    ]
    return "\n".join(["agents:", *lines, ""])


@contextlib.contextmanager
def project_folder() -> Iterator[Path]:
    """Make the project's folder, and remove it: one name, since a plan's page shows it."""
    place = Path("/tmp/example")
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def write_project(root: Path) -> None:
    """Declare the example project, and apply it to the sandbox."""
    for path, text in {
        "fsgitops.yaml": SETTINGS,
        "desired/agents.yaml": agents(),
        "desired/routes.yaml": ROUTES,
    }.items():  # fmt: skip
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    command(root, "apply", "--yes")


def command(root: Path, *words: str, wanted: int = 0) -> None:
    """Run fsgitops in the project."""
    with contextlib.chdir(root):
        code = run([*words])
    assert code == wanted, f"{words}: exit code {code}"


@contextlib.contextmanager
def operator_page(root: Path) -> Iterator[str]:
    """Serve the operator page over an embedded switch with phones and calls; yield its address."""
    workspace = open_workspace(root)
    with EmbeddedSwitch(root / ".fsgitops" / "sandbox" / "conf", PASSWORD) as switch:
        for number in range(9):
            switch.add_registration(str(1020 + number), DOMAIN, agent=PHONES[number % len(PHONES)])
        host, port = switch.address

        def connect() -> Switch:
            return connect_switch(host, port, PASSWORD)

        service = build_service(workspace, connect, anonymous=("read", "cdr", "operate"))
        moment = [NOW]
        board = LiveBoard(service.pool, service.declared, Today(), clock=lambda: moment[0])
        # As if a page had been open all the time.
        open_page = mock.patch("fsgitops.api.live.STALE_SECONDS", 3600)
        with connect() as asked, open_page:
            live_through(board.happened, switch, lambda: look(asked, "internal"), moment, service)
        with listening(replace(service, board=board, records=None)) as served:
            yield f"http://127.0.0.1:{served}/"


def live_through(
    happened: Happened,
    switch: EmbeddedSwitch,
    ask: Callable[[], Seen],
    moment: list[int],
    service: Service,
) -> None:
    """Let the calls come in one by one, and somebody operate, as if a page had been open."""

    def see() -> None:
        _, roster = service.declared.current()
        seen = build_board(roster, ask(), DOMAIN, {}, moment[0])
        happened.see(seen.registered(), seen.calls)

    moment[0] = NOW - 400
    see()
    for call in CALLS:
        moment[0] = NOW - call[-1]
        add_call(switch, *call)
        see()
    who = "console (token 5d0c1f7e)"
    moment[0] = NOW - 9
    happened.note_operation(who, "kick", "1031", {"phones": "1"})
    moment[0] = NOW - 3
    problem = NotPossibleError("agent 1030 is not registered: no phone to ring")
    happened.note_operation(who, "dial", "1030", {"number": "+12025550199"}, problem)
    moment[0] = NOW
    see()


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
        initial_destination=did, initial_context="public", application="bridge",
        uuid=f"00000000-0000-4000-8000-{extension:0>12}", created=began,
    )  # fmt: skip
    second = Leg(
        f"sofia/internal/{extension}@127.0.0.1", "outbound", extension, name, caller,
        presence=f"{extension}@{DOMAIN}", uuid=f"00000000-0000-4000-9000-{extension:0>12}",
        created=began,
    )  # fmt: skip
    join(switch.memory, first, second)


def call_record(chance: random.Random, number: int, day: date) -> dict[str, str]:
    """Return the hang-up event of one call on a working day."""
    hour = round(chance.triangular(7, 18.9, 10.5), 4)
    began = int(datetime.combine(day, time(), UTC).timestamp() + hour * 3600) * 1_000_000
    rang = chance.randint(3, 25) * 1_000_000
    cause = chance.choices(list(CAUSES), weights=list(CAUSES.values()))[0]
    talked = int(chance.lognormvariate(4.7, 0.8)) * 1_000_000 if cause == "NORMAL_CLEARING" else 0
    did, agent, _, _, _ = CALLS[number % len(CALLS)]
    caller = f"+1202555{100 + chance.randint(0, 60):04}"
    event = {
        "Unique-ID": str(uuid.UUID(int=number + (1 << 100))),
        "FreeSWITCH-Switchname": "switch-1",
        "Call-Direction": "inbound",
        "Caller-Caller-ID-Number": caller,
        "Caller-Destination-Number": agent,
        "variable_hangup_cause": cause,
        "variable_start_uepoch": str(began),
        "variable_progress_uepoch": str(began + chance.randint(150, 900) * 1000),
        "variable_answer_uepoch": str(began + rang if talked else 0),
        "variable_end_uepoch": str(began + rang + talked),
        "variable_duration": str((rang + talked) // 1_000_000),
        "variable_billsec": str(talked // 1_000_000),
        "variable_billusec": str(talked),
        "variable_dialed_user": agent,
        "variable_sip_req_user": did,
    }
    if number % 4 == 0:  # the agent calls out
        event |= {
            "variable_sip_authorized": "true",
            "variable_user_name": agent,
            "variable_sip_req_user": caller,
            "Caller-Destination-Number": caller,
        }
    return event


def report_page(folder: Path) -> Path:
    """Fill a lake with two weeks of calls; return the page of its report."""
    from fsgitops.cdr.flush import flush_once
    from fsgitops.cdr.lake import open_lake
    from fsgitops.cdr.record import RecordBuilder
    from fsgitops.cdr.spool import Spool
    from fsgitops.cli.cdr import invoke

    chance, builder, rows = random.Random(1), RecordBuilder(), []
    for offset in range(14):
        day = date(2026, 11, 9) + timedelta(days=offset)
        for _ in range(0 if day.weekday() > 4 else chance.randint(48, 92)):
            event = call_record(chance, len(rows), day)
            rows.append(builder.build(event, "esl", NOW * 1_000_000))
    spool, lake = Spool(folder / "spool"), open_lake(str(folder / "lake"), create=True)
    spool.add(rows)
    while flush_once(spool, lake, 10_000, 1 << 30):
        pass
    spool.close()
    page = folder / "report.html"
    places = ["--lake", str(folder / "lake"), "--spool", str(folder / "spool")]
    span = ["--from", "2026-11-09", "--to", "2026-11-22", "--tz", "UTC"]
    code = invoke(["report", *places, *span, "--output", str(page)])
    assert code == 0, f"report: exit code {code}"
    return page


class Camera:
    """A browser, and the folder that its pictures go to."""

    def __init__(self, browser: Browser, place: Path, *, every: bool) -> None:
        self._browser, self._place, self._every = browser, place, every

    def take(self, url: str, name: str, ready: str, before: str = "1") -> None:
        """Open a page in each size, wait until it is ready, do something on it, and keep it."""
        for size, (width, height, scheme) in SIZES.items():
            picture = f"{name}-{size}"
            kept = picture if self._every else PICTURED.get(picture)
            if kept is None:
                continue
            self._browser.shape(width, height, scheme)
            self._browser.open("about:blank")
            self._browser.open(url)
            assert self._browser.until(ready), f"{name}: {ready}"
            self._browser.evaluate(before)
            (self._place / f"{kept}.png").write_bytes(self._browser.picture())


def plan_page(root: Path) -> Path:
    """Change what is declared, and one live file behind its back; return the plan's page."""
    names = ("Alice Sample", *NAMES[1:-1])
    added = "  - {extension: 1040, name: Mona Sample, webrtc: true}\n"
    (root / "desired" / "agents.yaml").write_text(agents(names) + added)
    (root / "desired" / "routes.yaml").write_text(ROUTES.replace(": 1021}", ": 1020}"))
    live = root / ".fsgitops" / "sandbox" / "conf" / "directory" / "default" / "1022.xml"
    text = live.read_text()
    assert "Carol Example" in text
    live.write_text(text.replace("Carol Example", "Mallory"))
    page = root / "plan.html"
    command(root, "plan", "--output", str(page))
    return page


def main(place: Path, *, every: bool) -> None:
    """Make the pictures in a folder."""
    place.mkdir(parents=True, exist_ok=True)
    os.environ.update(TZ="UTC", FSGITOPS_KEY=KEY)
    with tempfile.TemporaryDirectory() as folder, project_folder() as root:
        write_project(root)
        with Browser(Path(folder)) as browser:
            browser.begin_with(STILL)
            camera = Camera(browser, place, every=every)
            with operator_page(root) as url:
                ready = "document.querySelectorAll('#calls tr').length === 3"
                camera.take(url, "operators", ready)
                ask = "document.querySelector('button[data-action=transfer]').click()"
                camera.take(url, "transfer", ready, ask)
            ready = "document.querySelectorAll('#list details').length > 2"
            opened = (
                "Array.from(document.querySelectorAll('#list details'))"
                ".find((one) => one.textContent.includes('drift')).open = true"
            )
            camera.take(plan_page(root).as_uri(), "plan", ready, opened)
            ready = "document.readyState === 'complete'"
            camera.take(report_page(Path(folder)).as_uri(), "report", ready)


if __name__ == "__main__":
    named = sys.argv[1:]
    main(Path(named[0]) if named else IMAGES, every=bool(named))
