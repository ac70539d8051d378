"""What the rules of the dialplan call toll fraud is one on a real FreeSWITCH."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from project import KEY
from sip_phone import CallFailedError
from trunk_exchange import Exchange, lend, run_exchange

from fsgitops.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.freeswitch

OPEN_ROUTE = r"""<include>
  <extension name="open_route">
    <condition field="destination_number" expression="^8([0-9]{10})$">
      <action application="bridge" data="sofia/gateway/trunk/$1"/>
    </condition>
  </extension>
</include>
"""
WILD = """<include>
  <extension name="prefix">
    <condition field="destination_number" expression="^x-(.*)$">
      <action application="transfer" data="$1 XML public"/>
    </condition>
  </extension>
</include>
"""
NO_TOLL = """<include>
  <extension name="free">
    <condition field="destination_number" expression="^(77[0-9]{7})$">
      <action application="bridge" data="sofia/gateway/trunk/$1"/>
    </condition>
  </extension>
</include>
"""


@pytest.fixture(scope="module")
def switch(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    template = shared / "freeswitch-conf" / "vanilla"
    yield from run_exchange(tmp_path_factory.mktemp("analysis"), template)


@pytest.fixture
def exchange(switch: Exchange) -> Iterator[Exchange]:
    """The exchange, from which what a test plants is taken away again."""
    yield from lend(switch)
    for path in (switch.switch.conf_dir / "dialplan").glob("*/zz_planted.xml"):
        path.unlink()
    _reload(switch)


def _reload(exchange: Exchange) -> None:
    with exchange.switch.esl() as esl:
        esl.api("reloadxml")


def plant(exchange: Exchange, context: str, text: str) -> None:
    (exchange.switch.conf_dir / "dialplan" / context / "zz_planted.xml").write_text(text)
    _reload(exchange)


def lint(exchange: Exchange, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSGITOPS_KEY", KEY)
        patch.setenv("TEST_ESL_PASSWORD", exchange.switch.esl_password)
        run(["-C", str(exchange.root), "--target", "real", "lint", "--dialplan", "--json"])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return found


def call(exchange: Exchange, number: str) -> str:
    """Have a stranger call a number, and return what the trunk is asked to dial."""
    outside = exchange.outside()
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(outside.call, number)
        dialled = exchange.trunk.refuse().user
        with pytest.raises(CallFailedError):
            calling.result()
    return dialled


def test_the_stock_configuration_with_our_files_has_none(
    exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = {item["rule"] for item in lint(exchange, capsys)}
    assert "toll-fraud" not in rules
    assert {"listening-in", "open-profile"} <= rules


def test_the_number_that_is_told_makes_the_gateway_dial(
    exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(exchange, "public", OPEN_ROUTE)
    (found,) = [item for item in lint(exchange, capsys) if item["rule"] == "toll-fraud"]
    assert (found["file"], found["line"]) == ("dialplan/public/zz_planted.xml", 2)
    number, dialled = re.findall(r'"([0-9]+)"', found["message"])
    assert call(exchange, number) == dialled


def test_a_captured_text_with_spaces_names_another_context(
    exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(exchange, "public", WILD)
    plant(exchange, "default", NO_TOLL)
    rules = {item["rule"] for item in lint(exchange, capsys)}
    assert "wild-capture" in rules
    assert call(exchange, "x-771234567%20XML%20default") == "771234567"
