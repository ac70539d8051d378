"""One step of a reload: sent, judged, waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scripted_esl import connect_switch

from fsgitops.errors import ReloadRefusedError, SwitchError
from fsgitops.homes import home
from fsgitops.homes.home import run_step
from fsgitops.model.plan import ReloadStep
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsgitops.switch.client import Switch


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_skeleton(tmp_path / "conf", "d.example")
    return tmp_path / "conf"


@pytest.fixture
def switch(conf: Path) -> Iterator[Switch]:
    with EmbeddedSwitch(conf, "word") as running, connect_switch(*running.address, "word") as one:
        yield one


def test_a_step_is_followed_by_the_pause_that_it_asks_for(
    switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(home.time, "sleep", waited.append)
    assert run_step(switch, ReloadStep("reloadxml", "x", "reload")) == "+OK [Success]"
    run_step(switch, ReloadStep("xml_flush_cache", "x", pause=2.5))
    assert waited == [2.5]


def test_files_that_do_not_load_are_refused_with_the_line(switch: Switch, conf: Path) -> None:
    (conf / "directory/broken.xml").write_text("<include>\n<domain>\n</include>\n")
    with pytest.raises(ReloadRefusedError, match="reloadxml: the switch said") as refused:
        run_step(switch, ReloadStep("reloadxml", "x", "reload"))
    assert refused.value.line


def test_a_step_that_is_not_taken_is_an_error(switch: Switch) -> None:
    with pytest.raises(SwitchError, match=r"flush_inbound_reg .*: the switch said"):
        run_step(switch, ReloadStep("sofia profile nope flush_inbound_reg 1@d", "x"))
