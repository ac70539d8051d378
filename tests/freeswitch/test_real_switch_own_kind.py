"""The paging group of docs/own-kinds.md on a real FreeSWITCH: who dials it calls all its phones."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doc_pages import read_page
from phones_and_carrier import agent, until
from sip_phone import SipPhone, require_sipp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

AFTER = """\
<include>
  <extension name="after_ours">
    <condition field="destination_number" expression="^7001$">
      <action application="hangup" data="CALL_REJECTED"/>
    </condition>
  </extension>
</include>
"""
"""Takes the number where the group does not: the stock dialplan then plays music to any number."""

PAGE = Path(__file__).parents[2] / "docs" / "own-kinds.md"


def declare_page(project: Project) -> None:
    """Put into a project what the page writes, and its settings at the end of those."""
    for step in read_page(PAGE).steps:
        if step.verb in ("write", "file"):
            name, body = step.text.split("\n", 1)
            project.write(name, body)
    kinds = re.search(r"^kinds:\n(?:  .*\n)+", PAGE.read_text(), re.MULTILINE)
    assert kinds
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + kinds[0])


@pytest.fixture
def listening(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> Iterator[dict[str, socket.socket]]:
    """What hears all that the switch sends to the registered phone of each agent."""
    require_sipp()
    with contextlib.ExitStack() as stack:
        heard = {}
        for extension in ("1020", "1021"):
            secret = real.run("credentials", extension, "--reveal", "--json").json()["password"]
            phone = SipPhone(freeswitch, tmp_path / extension, extension, secret)
            phone.register()
            until(lambda name=extension: agent(real, name)["registered"])
            heard[extension] = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            heard[extension].bind(("127.0.0.1", phone.port))
            heard[extension].settimeout(10)
        yield heard


def await_invite(heard: socket.socket) -> str:
    """Return the next INVITE, whatever else is sent to a phone."""
    for _ in range(20):
        message = heard.recv(65535).decode(errors="replace")
        if message.startswith("INVITE"):
            return message
    raise AssertionError("no INVITE")


@pytest.mark.parametrize("dialled", ["7001", "paging_warehouse"])
def test_whoever_dials_a_paging_group_calls_all_its_phones(
    real: Project, freeswitch: RealSwitch, listening: dict[str, socket.socket], dialled: str
) -> None:
    declare_page(real)
    applied = real.run("apply", "--yes")
    assert applied.code == 0, applied.err
    assert "No drift" in real.run("drift").out
    with freeswitch.esl() as esl:
        esl.api(f"bgapi originate loopback/{dialled}/default &park")
        invites = [await_invite(heard) for heard in listening.values()]
        esl.api("hupall")
    assert ["answer-after=0" in invite for invite in invites] == [True, True]


def test_a_group_that_is_deleted_is_reached_no_more(real: Project, freeswitch: RealSwitch) -> None:
    declare_page(real)
    assert real.run("apply", "--yes").code == 0
    (real.root / "desired/paging.yaml").unlink()
    after = freeswitch.conf_dir / "dialplan/default/31_after_ours.xml"
    after.write_text(AFTER)
    try:
        assert real.run("apply", "--yes").code == 0
        assert "No drift" in real.run("drift").out
        with freeswitch.esl() as esl:
            answer = esl.api("originate {originate_timeout=2}loopback/7001/default &park")
    finally:
        after.unlink()
    assert answer.startswith("-ERR"), answer
