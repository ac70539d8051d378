"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fresh_switch import run_freeswitch
from hypothesis import HealthCheck, settings
from project import AGENTS, KEY, ROUTES, SETTINGS, Project
from real_switch import RealSwitch, switch_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from browser import Browser

    from fsgitops.sandbox.switch import EmbeddedSwitch

CHECKOUT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path:
    folder = CHECKOUT.parent / "shared"
    if not (folder / "freeswitch-conf").is_dir():
        pytest.skip("the reference data is not beside this checkout (../shared)")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Output is not wrapped where it is no terminal: a worker of pytest-xdist is given a width.

    The cache of whoever runs the tests is left alone.

    The disk is not waited for: no test takes the power away. The sweeps, and all programs that
    tests start, do wait.

    A property that says nothing else is tried with 25 examples, so that all tests end in time.
    """
    os.environ.pop("COLUMNS", None)
    os.environ["FSGITOPS_CACHE"] = "off"
    if not config.getoption("--sweeps"):
        os.fsync, os.sync = (lambda _: None), (lambda: None)
    # A machine that is busy makes no test fail.
    slow = [HealthCheck.too_slow]
    settings.register_profile("tests", max_examples=25, suppress_health_check=slow)
    settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sweeps", action="store_true", help="the long sweeps alone (make sweeps)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long sweeps out, or all the others."""
    if config.getoption("--sweeps"):
        kept = [item for item in items if is_sweep(item) or "sweeps" in item.fixturenames]  # type: ignore[attr-defined]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
        return
    skip = pytest.mark.skip(reason="a long sweep: `make sweeps` runs it")
    for item in items:
        if is_sweep(item):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """What thousands of tests are made of stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def is_sweep(item: pytest.Item) -> bool:
    return item.get_closest_marker("sweep") is not None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say why what was skipped was skipped, one line a reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {count}: {reason}")


@pytest.fixture(scope="session")
def sweeps(pytestconfig: pytest.Config) -> bool:
    """Whether to try every one of many, or a few of them."""
    return bool(pytestconfig.getoption("--sweeps"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data beside the checkout, or a skip."""
    return shared_folder()


@pytest.fixture(scope="session")
def freeswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    """A real FreeSWITCH, started once for the whole run, or a skip."""
    yield from run_freeswitch(tmp_path_factory.mktemp("freeswitch"), switch_template())


@pytest.fixture
def project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A small valid project with a key, nothing applied yet."""
    for name in list(os.environ):
        if name.startswith(("FSGITOPS_", "FS_", "DEFAULT_CALLER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FSGITOPS_KEY", KEY)
    monkeypatch.setenv("FSGITOPS_CACHE", "off")
    project = Project(tmp_path / "project", capsys)
    project.write("fsgitops.yaml", SETTINGS)
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    return project


@pytest.fixture
def applied(project: Project) -> Project:
    """Everything applied, with a switch of its own for each command: it holds what stands there."""
    project.prepare("apply", "--yes")
    return project


@pytest.fixture
def board(project: Project) -> Iterator[EmbeddedSwitch]:
    """The project applied to its sandbox, which runs; a number from outside leads to each agent."""
    from switchboard import switch_with_dids

    with switch_with_dids(project) as switch:
        yield switch


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium, or a skip."""
    from browser import Browser, find_chromium, find_driver

    if not (find_chromium() and find_driver()):
        pytest.skip("Chromium and chromedriver are not both installed")
    window = Browser(tmp_path_factory.mktemp("profile"))
    try:
        yield window
    finally:
        window.close()


@pytest.fixture
def on_real_switch(
    project: Project, freeswitch: RealSwitch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """The project with the real switch as its target; all that it applied is deleted afterwards."""
    monkeypatch.setenv("TEST_ESL_PASSWORD", freeswitch.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    project.write("fsgitops.yaml", freeswitch.settings())
    yield project
    for path in (project.root / "desired").iterdir():
        path.unlink()
    gone = project.run("apply", "--yes", "--allow", "empty", "--allow", "calls")
    assert gone.code == 0, gone.err
    shutil.rmtree(freeswitch.conf_dir / ".fsgitops")
