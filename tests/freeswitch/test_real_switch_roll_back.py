"""On a real FreeSWITCH, with a call in progress: what fails is rolled back by itself."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from project import Project
from real_switch import RealSwitch, free_ports
from sip_phone import SECONDS, sipp_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plain_esl import PlainEsl

pytestmark = pytest.mark.freeswitch

PARKED = """\
<include>
  <extension name="parked">
    <condition field="destination_number" expression="^7777$">
      <action application="answer"/>
      <action application="park"/>
    </condition>
  </extension>
</include>
"""
RIVAL = """\
<user id="1020">
  <params>
    <param name="a1-hash" value="0123456789abcdef0123456789abcdef"/>
  </params>
</user>
"""


@pytest.fixture
def real(on_real_switch: Project, freeswitch: RealSwitch) -> Iterator[Project]:
    """The example project, applied to the real switch, with an extension that parks calls."""
    parked = freeswitch.conf_dir / "dialplan/public/00_parked.xml"
    rival = freeswitch.conf_dir / "directory/default/0rival.xml"
    parked.write_text(PARKED)
    assert on_real_switch.run("apply", "--yes").code == 0
    yield on_real_switch
    parked.unlink()
    rival.unlink(missing_ok=True)


class Talk:
    """A call from outside that goes on until the switch hangs up."""

    def __init__(self, switch: RealSwitch, work_dir: Path, esl: PlainEsl) -> None:
        work_dir.mkdir()
        (work_dir / "talk.csv").write_text("SEQUENTIAL\n7777;15550199999\n")
        esl.command("event json CHANNEL_PARK")
        self.process = subprocess.Popen(
            [
                *sipp_command(work_dir, "talk", port=free_ports(1)[0]),
                "-inf", "talk.csv", f"{switch.esl_host}:{switch.external_port}",
            ],
            cwd=work_dir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        event: dict[str, Any] = {}
        while event.get("Event-Name") != "CHANNEL_PARK":
            frame = esl.read()
            if frame.headers.get("Content-Type") == "text/event-json":
                event = json.loads(frame.body)
        self.uuid = event["Unique-ID"]
        esl.command("noevents")

    def ended_well(self) -> bool:
        """Whether the caller saw the call end as it should, and nothing else before that."""
        try:
            return self.process.wait(SECONDS) == 0
        finally:
            self.process.kill()
            self.process.wait(SECONDS)


def whole(real: Project, switch: RealSwitch) -> dict[str, bytes]:
    manifest = switch.conf_dir / ".fsgitops/manifest.json"
    return {**real.tree(switch.conf_dir), "manifest": manifest.read_bytes()}


def test_a_failed_read_back_is_rolled_back_with_a_call_in_progress_untouched(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    """A user of the same number wins the look-up, so the change cannot be proved.

    A command prints it, which only the switch carries out: a plan cannot know of it.
    """
    hidden = tmp_path / "rival"
    hidden.write_text(RIVAL)
    with freeswitch.esl() as esl:
        talk = Talk(freeswitch, tmp_path / "talk", esl)
        answered = esl.api(f"uuid_getvar {talk.uuid} answer_uepoch")
        path = real.root / "desired/agents.yaml"
        path.write_text(path.read_text().replace("Alice", "Anna"))
        rival = freeswitch.conf_dir / "directory/default/0rival.xml"
        rival.write_text(f'<X-PRE-PROCESS cmd="exec" data="cat {hidden}"/>\n')
        before = whole(real, freeswitch)
        ran = real.run("apply", "--yes")
        assert (ran.code, whole(real, freeswitch)) == (5, before), ran.err
        assert "agent:1020" in ran.err
        assert "what `exec` at directory/default/0rival.xml:1 prints" in ran.err
        assert "the switch has loaded them again" in ran.err
        rival.unlink()
        assert esl.api("reloadxml").strip() == "+OK [Success]"
        user = f"1020@{freeswitch.domain} var effective_caller_id_name"
        assert esl.api(f"user_data {user}") == "Alice"
        assert esl.api(f"uuid_exists {talk.uuid}") == "true"
        assert esl.api(f"uuid_getvar {talk.uuid} answer_uepoch") == answered
        esl.api(f"uuid_kill {talk.uuid}")
    assert talk.ended_well()
    assert real.run("history", "--json").json()["revisions"][-1]["ending"] == "rolled-back"


def test_a_roll_back_to_an_earlier_revision_is_proved_with_a_call_in_progress_untouched(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    before = real.tree(freeswitch.conf_dir)
    path = real.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna").replace("1021", "1022"))
    with freeswitch.esl() as esl:
        talk = Talk(freeswitch, tmp_path / "talk", esl)
        assert real.run("apply", "--yes").code == 0
        ran = real.run("rollback", "--yes")
        assert (ran.code, real.tree(freeswitch.conf_dir)) == (0, before), ran.err
        assert esl.api(f"user_exists id 1021 {freeswitch.domain}") == "true"
        assert esl.api(f"user_exists id 1022 {freeswitch.domain}") == "false"
        assert esl.api(f"uuid_exists {talk.uuid}") == "true"
        esl.api(f"uuid_kill {talk.uuid}")
    assert talk.ended_well()


SCRIPT = """\
for i in 1030 1031; do
  echo "<user id=\\"$i\\"><params><param name=\\"password\\" value=\\"gen-$i\\"/></params></user>"
done
"""


def test_behind_an_executed_line_the_broken_file_is_named_and_no_innocent_one(
    on_real_switch: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    """../shared/cases/14: the users that the script prints shift every line behind them."""
    script = tmp_path / "gen_users.sh"
    script.write_text(SCRIPT)
    path = freeswitch.conf_dir / "directory/default.xml"
    stock = path.read_text()
    include = '<X-PRE-PROCESS cmd="include" data="default/*.xml"/>'
    executed = f'<X-PRE-PROCESS cmd="exec" data="sh {script}"/>\n'
    path.write_text(stock.replace(include, executed + include))
    broken = freeswitch.conf_dir / "directory/default/1005a.xml"
    broken.write_text('<include>\n  <user id="9">\n  </oops>\n</include>\n')
    try:
        ran = on_real_switch.run("apply", "--yes")
    finally:
        path.write_text(stock)
        broken.unlink()
    assert ran.code == 5, ran.err
    assert "is uncertain: only the switch knows what `exec` at directory/default.xml:" in ran.err
    assert "directory/default/1005a.xml:3: unexpected closing tag </oops>" in ran.err
    assert "directory/default/1005.xml" not in ran.err
