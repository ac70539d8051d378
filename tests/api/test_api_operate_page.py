"""The operator page with the scope `operate`, in a real browser over a real server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from barriers import FIND_BARRIERS, FIND_CUT, axe_source
from piped_browser import Browser
from served_api import listening, token
from switchboard import DOMAIN

from fsgitops.api.live import LiveBoard
from fsgitops.api.serve import build_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from served_api import Served

HOSTILE = "<img src=x onerror=document.title='owned'>" + "W" * 60
CALLER = "+12025550123"
pytestmark = pytest.mark.xdist_group("browser")


class Page:
    """The page of one operator, and what stands on it."""

    def __init__(self, browser: Browser, served: Served, port: int) -> None:
        self.browser, self.served, self.url = browser, served, f"http://127.0.0.1:{port}/"

    def enter(self, *scopes: str, ready: str = "!document.getElementById('board').hidden") -> None:
        secret = token(self.served.project, *scopes)["Authorization"].removeprefix("Bearer ")
        self.browser.open("about:blank")
        self.browser.open(f"{self.url}#token={secret}")
        assert self.browser.until(f"!!({ready})")

    def press(self, action: str, subject: str) -> None:
        button = (
            f"document.querySelector('button[data-action={action}][data-subject=\"{subject}\"]')"
        )
        assert self.browser.until(button + " !== null")
        self.browser.evaluate(button + ".click()")
        assert self.browser.evaluate("document.getElementById('ask').open")

    def put(self, name: str, value: str) -> None:
        self.browser.evaluate(f"document.getElementById('ask-{name}').value = {json.dumps(value)}")

    def confirm(self) -> str:
        """Confirm; return what the page then says of it."""
        self.browser.evaluate("document.getElementById('ask-do').click()")
        said = "document.querySelector('#answers p')?.innerText.replace(/^[0-9:]+ */, '')"
        answer: str = self.browser.until(said)
        return answer

    def text(self, place: str) -> str:
        found: str = self.browser.evaluate(f"document.querySelector({place!r})?.innerText ?? ''")
        return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture
def page(served: Served, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr("fsgitops.api.live.CACHE_SECONDS", 0.05)
    for extension in ("1020", "1021"):
        served.board.add_registration(extension, DOMAIN)
    service = build_service(served.workspace, served.connect)
    board = LiveBoard(service.pool, service.declared, None, tick=0.1)
    with listening(replace(service, board=board)) as port:
        yield Page(browser, served, port)


def calls(served: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = served.data("/api/calls/active")
    return found


def test_without_the_scope_nothing_can_be_done_and_no_more_is_shown(page: Page) -> None:
    page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", ready="document.querySelectorAll('.agent.on-call').length")
    shown = (
        "Array.from(document.querySelectorAll('button, input, select, dialog, #past'))"
        ".filter((one) => one.checkVisibility()).length"
    )
    assert page.browser.evaluate(shown) == 0
    assert page.browser.evaluate("document.querySelector('#calls tr').cells.length") == 6


def test_a_call_is_hung_up_once_it_is_confirmed(page: Page) -> None:
    uuid, _ = page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", "operate")
    page.press("hangup", uuid)
    assert page.text("#ask-title") == f"Hang up {CALLER} → 1020?"
    page.browser.evaluate("document.getElementById('ask-cancel').click()")
    assert len(calls(page.served)) == 1
    page.press("hangup", uuid)
    assert page.confirm() == f"Hang up {CALLER} → 1020: Call hung up."
    assert calls(page.served) == []
    assert not page.browser.evaluate("document.getElementById('ask').open")


def test_a_call_that_ended_meanwhile_is_told_as_the_api_tells_it(page: Page) -> None:
    uuid, _ = page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", "operate")
    page.press("hangup", uuid)
    page.served.post(f"/api/calls/{uuid}/hangup")
    assert page.confirm() == f"Hang up {CALLER} → 1020: Refused: no call {uuid}"
    assert page.text("#ask-problem") == f"Refused: no call {uuid}"


def test_the_caller_is_transferred_and_not_the_agent(page: Page) -> None:
    uuid, _ = page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", "operate")
    page.press("transfer", uuid)
    assert page.browser.until("document.activeElement.id === 'ask-destination'")
    page.put("destination", "1021")
    assert page.confirm() == f"Transfer {CALLER} → 1020: Call transferred."
    (call,) = calls(page.served)
    assert (call["uuid"], call["agents"]) == (uuid, ["1021"])


def test_an_agent_dials_from_the_own_card(page: Page) -> None:
    page.enter("read", "operate")
    page.press("dial", "1020")
    page.put("destination", "(800) 555-1234")
    said = page.confirm()
    assert said == "Dial (800) 555-1234 from 1020: 1020 and +18005551234 are connected."
    (call,) = calls(page.served)
    assert (call["agent"], call["callee"]) == ("1020", "+18005551234")


def test_who_does_not_wait_is_told_no_more_than_is_known(page: Page) -> None:
    page.enter("read", "operate")
    page.press("dial", "1020")
    page.put("destination", "1021")
    page.browser.evaluate("document.getElementById('ask-wait').click()")
    assert page.confirm() == "Dial 1021 from 1020: 1020 answered; calling 1021."


def test_people_who_take_their_time_do_not_hold_the_page_up(page: Page) -> None:
    page.enter("read", "operate")
    page.press("dial", "1020")
    page.put("destination", "1021")
    page.browser.evaluate(
        "setTimeout = (work) => { work(); }; fetch = () => new Promise(() => {}); 1"
    )
    assert page.confirm() == "Dial 1021 from 1020: asked; not both have answered yet."
    assert not page.browser.evaluate("document.getElementById('ask').open")


def test_what_the_api_refuses_stays_to_be_put_right(page: Page) -> None:
    page.enter("read", "operate")
    page.press("dial", "1020")
    page.put("destination", "nonsense")
    assert "Refused: 'nonsense'" in page.confirm()
    assert page.browser.evaluate("document.getElementById('ask').open")
    assert page.browser.evaluate("document.getElementById('ask-destination').value") == "nonsense"
    assert calls(page.served) == []


def test_an_agent_is_kicked(page: Page) -> None:
    page.enter("read", "operate")
    page.press("kick", "1020")
    assert "ends 1 registration (sandbox phone)" in page.text("#ask-text")
    assert page.confirm() == "Kick 1020 Alice: Ended 1 registration."
    assert [item.user for item in page.served.board.registrations] == ["1021"]


def test_without_an_answer_the_page_claims_nothing(page: Page) -> None:
    uuid, _ = page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", "operate")
    page.press("hangup", uuid)
    page.browser.evaluate("fetch = () => Promise.reject(new TypeError('gone')); 1")
    assert "Nobody knows whether it was done" in page.confirm()


def test_a_switch_that_goes_away_is_told_and_nothing_is_called_done(page: Page) -> None:
    page.enter("read", "operate")
    page.press("kick", "1020")
    page.served.board.stop()
    said = page.confirm()
    assert said.startswith("Kick 1020 Alice: Trouble: ")
    assert said.endswith("Look whether it was done before you try again.")
    assert page.browser.until("document.querySelector('#state.down') !== null")
    assert page.browser.until("document.querySelector('.agent').innerText.includes('not known')")


def test_agents_are_searched_and_filtered(page: Page) -> None:
    page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", "operate", ready="document.querySelectorAll('#agents .agent').length === 2")
    page.browser.press("/")
    assert page.browser.evaluate("document.activeElement.id") == "search"
    page.browser.type("bo")
    assert page.browser.until("document.querySelectorAll('#agents .agent').length === 1")
    assert "Bob" in page.text(".agent")
    assert page.text("#matching") == "1 agent matches"
    assert page.browser.evaluate("document.activeElement.id") == "search"
    page.browser.evaluate(
        "const kind = document.getElementById('presence'); kind.value = 'on call';"
        "kind.dispatchEvent(new Event('change'))"
    )
    assert page.browser.until("document.querySelectorAll('#agents .agent').length === 0")
    assert page.text("#matching") == "0 agents match"


def test_an_answer_is_seen_wherever_one_has_scrolled_to_and_can_be_cleared(page: Page) -> None:
    page.browser.shape(390, 400)
    page.enter("read", "operate", ready="document.querySelectorAll('#agents .agent').length === 2")
    page.browser.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.press("kick", "1021")
    page.confirm()
    place = "document.querySelector('#answers p').getBoundingClientRect()"
    assert page.browser.evaluate("scrollY") > 0
    assert page.browser.evaluate(f"{place}.top >= 0 && {place}.bottom <= innerHeight")
    page.browser.evaluate("document.getElementById('clear').click()")
    assert page.text("#answers") == ""


def test_events_tell_what_came_and_who_did_what(page: Page) -> None:
    page.enter("read", "operate", ready="document.querySelectorAll('#agents .agent').length === 2")
    page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.press("kick", "1021")
    page.confirm()
    assert page.browser.until(
        "document.getElementById('events').innerText.includes('ended 1 registration of 1021')"
        f" && document.getElementById('events').innerText.includes('Call {CALLER} → 1020 began')"
    )
    page.browser.evaluate(
        "const kind = document.getElementById('kind'); kind.value = 'operation';"
        "kind.dispatchEvent(new Event('change'))"
    )
    (line,) = page.text("#events").splitlines()
    assert line.partition(" test (token ")[2].endswith(") ended 1 registration of 1021")


def test_a_row_under_the_keyboard_is_kept_and_its_end_leads_to_the_heading(page: Page) -> None:
    uuid, _ = page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", "operate", ready="document.querySelector('button[data-action=hangup]')")
    page.browser.evaluate("document.querySelector('button[data-action=transfer]').focus()")
    page.served.board.add_call("+19495431334", "1021", DOMAIN, "+12025550147")
    assert page.browser.until("document.querySelectorAll('#calls tr').length === 2")
    assert page.browser.evaluate("document.activeElement.dataset.subject") == uuid
    page.served.post(f"/api/calls/{uuid}/hangup")
    assert page.browser.until("document.querySelectorAll('#calls tr').length === 1")
    assert page.browser.evaluate("document.activeElement.id") == "calls-title"


def test_everything_is_done_by_keyboard(page: Page) -> None:
    page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.enter("read", "operate", ready="document.querySelector('button[data-action=hangup]')")
    names = []
    for _ in range(8):
        page.browser.press("Tab")
        names.append(page.browser.evaluate("document.activeElement.textContent"))
    assert names[:4] == ["Sign out", "Dial…", "Hang up…", "Transfer…"]
    page.browser.evaluate("document.querySelector('button[data-action=hangup]').focus()")
    page.browser.press("Enter", "\r")
    assert page.browser.evaluate("document.activeElement.id") == "ask-cancel"
    page.browser.press("Escape")
    assert not page.browser.evaluate("document.getElementById('ask').open")
    assert page.browser.evaluate("document.activeElement.dataset.action") == "hangup"
    page.browser.press("Enter", "\r")
    page.browser.press("Tab")
    page.browser.press("Enter", "\r")
    assert page.browser.until("document.querySelector('#answers p') !== null")
    assert calls(page.served) == []


def test_nothing_is_cut_at_390_pixels_whatever_names_are_like(page: Page) -> None:
    uuid, _ = page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER, HOSTILE)
    page.browser.shape(390, 844)
    page.enter("read", "operate", ready="document.querySelector('button[data-action=hangup]')")
    assert page.browser.evaluate("innerWidth") == 390
    assert page.browser.evaluate(FIND_CUT) == []
    subjects = {"hangup": uuid, "transfer": uuid, "dial": "1020", "kick": "1020"}
    for action, subject in subjects.items():
        page.press(action, subject)
        assert page.browser.evaluate(FIND_CUT) == []
        page.browser.evaluate("document.getElementById('ask').close()")
    assert page.browser.evaluate("document.title") == "test: operators"


def test_without_the_scope_nothing_is_cut_at_390_pixels_either(page: Page) -> None:
    page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER, HOSTILE)
    page.browser.shape(390, 844)
    page.enter("read", ready="document.querySelectorAll('.agent.on-call').length")
    assert page.browser.evaluate(FIND_CUT) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_barrier_on_the_page_nor_in_what_it_asks(
    page: Page, scheme: str, width: int
) -> None:
    uuid, _ = page.served.board.add_call("+19495431333", "1020", DOMAIN, CALLER)
    page.browser.shape(width, 844, scheme)
    page.browser.open(page.url)
    assert page.browser.until("document.querySelector('#login.shown') !== null")
    page.browser.evaluate(axe_source())
    assert page.browser.evaluate(FIND_BARRIERS) == []
    page.enter("read", "operate", ready="document.querySelector('button[data-action=hangup]')")
    page.browser.evaluate(axe_source())
    assert page.browser.evaluate(FIND_BARRIERS) == []
    for action, subject in (
        ("hangup", uuid),
        ("transfer", uuid),
        ("dial", "1020"),
        ("kick", "1021"),
    ):
        page.press(action, subject)
        assert page.browser.evaluate(FIND_BARRIERS) == []
        page.browser.evaluate("document.getElementById('ask').close()")
    page.press("transfer", uuid)
    page.put("destination", "nonsense")
    page.confirm()
    assert page.browser.evaluate(FIND_BARRIERS) == []
    page.browser.evaluate("document.getElementById('ask').close()")
    assert page.browser.evaluate(FIND_BARRIERS) == []


def test_no_script_but_the_pages_own_runs(page: Page) -> None:
    from fsgitops.api.app import read_page

    text, policy = read_page()
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert " on" not in "".join(part.split(">")[0] for part in text.split("<script>")[0].split("<"))
    page.enter("read", "operate")
    page.browser.evaluate(
        "const made = document.createElement('script'); made.textContent = 'document.title = 1';"
        "document.body.append(made)"
    )
    assert page.browser.evaluate("document.title") == "test: operators"
