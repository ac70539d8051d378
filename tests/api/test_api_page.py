"""The operator page in a real browser, fed by a real server: live, and deaf to hostile names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from piped_browser import Browser
from served_api import listening, token
from switchboard import DOMAIN

from fsgitops.api.serve import build_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from served_api import Served

HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "browser") as one:
        yield one


def test_the_page_shows_calls_as_they_come_and_runs_no_name(
    served: Served, browser: Browser
) -> None:
    service = build_service(served.workspace, served.connect)
    served.board.add_registration("1020", DOMAIN)
    secret = token(served.project, "read")["Authorization"].removeprefix("Bearer ")
    with listening(service) as port:
        browser.open(f"http://127.0.0.1:{port}/#token={secret}")
        assert browser.until("document.querySelectorAll('.agent.available').length") == 1
        assert browser.evaluate("location.href") == f"http://127.0.0.1:{port}/"
        served.board.add_call("+19495431333", "1020", DOMAIN, "+12025550123", HOSTILE)
        assert browser.until("document.querySelectorAll('.agent.on-call').length") == 1
        (row,) = browser.evaluate(
            "[...document.querySelectorAll('#calls tr')].map(row => row.innerText)"
        )
        assert row.startswith(f"+12025550123 {HOSTILE}\t1020\t+19495431333\t1020\tactive")
        assert (
            browser.evaluate("document.querySelectorAll('#board img, #board script').length") == 0
        )
        assert browser.evaluate("document.title") == "test: operators"


def test_the_page_tells_when_the_switch_goes_away(served: Served, browser: Browser) -> None:
    service = build_service(served.workspace, served.connect, anonymous=["read"])
    with listening(service) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        assert browser.until("document.querySelector('#state.up')?.textContent") == "switch up"
        served.board.stop()
        assert browser.until("document.querySelector('#note.shown')?.textContent")
        assert browser.evaluate("document.getElementById('state').textContent") == "switch away"


def test_without_a_token_the_page_asks_for_one_and_then_shows(
    served: Served, browser: Browser
) -> None:
    service = build_service(served.workspace, served.connect)
    secret = token(served.project, "read")["Authorization"].removeprefix("Bearer ")
    with listening(service) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        assert browser.until("document.querySelector('#login.shown') !== null")
        assert "Alice" not in browser.evaluate("document.body.innerText")
        browser.evaluate(f"document.getElementById('token').value = {secret!r}")
        browser.evaluate("document.querySelector('#login button').click()")
        assert browser.until("document.body.innerText.includes('Alice')")
        assert browser.picture().startswith(b"\x89PNG")


def test_the_page_shows_the_gateways_that_run(served: Served, browser: Browser) -> None:
    service = build_service(served.workspace, served.connect, anonymous=["read"])
    with listening(service) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        assert browser.until("document.querySelectorAll('#gateways .trunk.up').length") == 1
        text = browser.evaluate("document.querySelector('#gateways li').innerText")
        assert text.split() == ["sandboxexternal", "up"]
