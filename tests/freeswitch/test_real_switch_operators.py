"""Two operators, users of one group, on a FreeSWITCH that runs as a user of its own.

The conf directory is FreeSWITCH's and of its group, as Debian's package has it, and is prepared as
docs/getting-started.md says.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from operators_site import ALICE, ANN, BEN, OPERATORS, SEVERAL_USERS, Site
from project import KEY
from real_switch import RealSwitch, switch_template

from fsgitops.cli import run
from fsgitops.live.prover import SwitchProver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Ran

pytestmark = [pytest.mark.freeswitch, *SEVERAL_USERS]


@pytest.fixture(scope="module")
def switch() -> Iterator[RealSwitch]:
    """A switch whose user and group have the number that the operators' group has."""
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    top = Path(tempfile.mkdtemp(prefix="fsgitops-operators-"))
    top.chmod(0o755)
    switch = RealSwitch(Path(binary), top / "switch", switch_template(), user=OPERATORS)
    switch.work_dir.mkdir()
    try:
        yield switch.start()
    finally:
        switch.stop()
        shutil.rmtree(top)


def own(conf: Path, user: int, group: int) -> None:
    """What Debian's unit does whenever it starts FreeSWITCH: `chown -R`."""
    for place in (conf, *conf.rglob("*")):
        os.chown(place, user, group)


@pytest.fixture
def site(switch: RealSwitch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("FSGITOPS_KEY", KEY)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    monkeypatch.setenv("TEST_ESL_PASSWORD", switch.esl_password)
    site = Site(switch.work_dir.parent / "project", switch.conf_dir)
    site.root.mkdir()
    (site.root / "fsgitops.yaml").write_text(switch.settings())
    own(site.conf, OPERATORS, OPERATORS)
    for place in (site.conf, *site.conf.rglob("*")):
        mode = 0o2770 if place.is_dir() else 0o660
        place.chmod(mode)
    yield site
    site.declare("Alice")
    applied(site, ANN)
    (site.root / "desired/agents.yaml").write_text("agents: []\n")
    ran = site.run(ANN, "apply", "--yes", "--allow", "empty", "--allow", "deletes")
    assert ran.code == 0, ran.err
    shutil.rmtree(site.state)
    shutil.rmtree(site.root)


def applied(site: Site, user: int) -> Ran:
    ran = site.run(user, "apply", "--yes")
    assert ran.code == 0, ran.err
    return ran


def held(switch: RealSwitch) -> str:
    """Whom the switch has in its memory as 1020."""
    with switch.esl() as esl:
        return esl.api(f"user_data 1020@{switch.domain} var effective_caller_id_name").strip()


def test_a_second_operator_takes_over_on_a_real_switch(site: Site, switch: RealSwitch) -> None:
    site.declare("Alice")
    applied(site, ANN)
    assert held(switch) == "Alice"
    site.declare("Anna")
    ran = applied(site, BEN)
    assert "Read back from the switch" in ran.out
    assert held(switch) == "Anna"
    ran = site.run(ANN, "rollback", "--yes")
    assert (ran.code, held(switch)) == (0, "Alice"), ran.err


def test_he_does_so_after_a_restart_gave_everything_to_freeswitchs_user(
    site: Site, switch: RealSwitch
) -> None:
    site.declare("Alice")
    applied(site, ANN)
    own(site.conf, OPERATORS, OPERATORS)
    site.declare("Anna")
    applied(site, BEN)
    assert held(switch) == "Anna"
    found = (site.conf / ALICE).stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode) & 0o007) == (OPERATORS, 0)


def test_he_recovers_what_the_first_ones_killed_apply_left(site: Site, switch: RealSwitch) -> None:
    site.declare("Alice")
    applied(site, ANN)
    before = (site.conf / ALICE).read_bytes()
    site.declare("Anna")

    def die_at_the_switch() -> int:
        def kill(*_words: object, **_more: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        SwitchProver.reload = kill  # type: ignore[method-assign,assignment]
        return run(["-C", str(site.root), "apply", "--yes"])

    assert site.become(ANN, die_at_the_switch).code == -signal.SIGKILL
    assert (site.conf / ALICE).read_bytes() != before
    ran = site.run(BEN, "plan")
    assert (ran.code, "an interrupted apply has been undone" in ran.err) == (0, True), ran.err
    assert (site.conf / ALICE).read_bytes() == before
    assert held(switch) == "Alice"


def test_root_does_not_trust_what_a_restart_gave_to_freeswitchs_user(site: Site) -> None:
    site.declare("Alice")
    applied(site, ANN)
    own(site.conf, OPERATORS, OPERATORS)
    ran = site.run(0, "apply", "--yes")
    assert (ran.code, "could make root act for them" in ran.err) == (1, True), ran.err
