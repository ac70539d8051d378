"""Commands that are run against a switch that a test controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from misbehaving_esl import MisbehavingSwitch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from misbehaving_esl import Say
    from project import Project, Ran

    Mischief = Callable[[str, int], Say | None]

SETTINGS = """\
default_region: US
targets:
  pbx:
    conf_dir: conf
    domain: pbx.example.com
"""
AGENT = "agents:\n  - {{extension: 1020, name: Alice{more}}}\n"
ROUTE = "did_routes:\n  - {did_number: +19495431333, destination_extension: 1020}\n"


class Runner:
    """Runs commands against a switch; `commands` is what the last one asked of it."""

    def __init__(self, project: Project, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project, self.conf, self.monkeypatch = project, conf, monkeypatch
        self.commands: list[str] = []

    def __call__(self, *words: str, mischief: Mischief = lambda *_: None) -> Ran:
        with self.switch(mischief) as switch:
            ran = self.on(switch, *(words or ("apply", "--yes")))
        self.commands = switch.commands
        return ran

    def switch(self, mischief: Mischief = lambda *_: None) -> MisbehavingSwitch:
        return MisbehavingSwitch(self.conf, mischief)

    def on(self, switch: MisbehavingSwitch, *words: str) -> Ran:
        self.monkeypatch.setenv("FSGITOPS_ESL_HOST", switch.server.host)
        self.monkeypatch.setenv("FSGITOPS_ESL_PORT", str(switch.server.port))
        return self.project.run(*words, "--target", "pbx")
