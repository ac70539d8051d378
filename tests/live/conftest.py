"""A project whose target is a switch that a test controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from controlled_switch import AGENT, ROUTE, SETTINGS, Runner
from misbehaving_esl import PASSWORD

from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project


@pytest.fixture
def conf(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    project.write("fsgitops.yaml", SETTINGS)
    project.write("desired/agents.yaml", AGENT.format(more=""))
    project.write("desired/routes.yaml", ROUTE)
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", PASSWORD)
    conf = project.root / "conf"
    write_skeleton(conf, "pbx.example.com")
    return conf


@pytest.fixture
def run(project: Project, conf: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(project, conf, monkeypatch)
