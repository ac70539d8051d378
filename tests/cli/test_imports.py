"""What each command loads: nobody waits for a library that the command does not use.

Each runs in a process of its own. The lists allow; an older or newer library may need less.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from project import AGENTS, KEY, ROUTES, SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_LINE = {"click", "typing_extensions"}
PROJECT = COMMAND_LINE | {
    "annotated_types",
    "pydantic",
    "pydantic_core",
    "typing_inspection",
    "yaml",
}
DECLARED = PROJECT | {"cryptography", "phonenumbers"}
COMPARED = DECLARED | {"pcre2"}
TEMPLATES = {"jinja2", "markupsafe"}
SOCKET = {"gevent", "greenlet", "greenswitch", "orjson", "six", "zope"}
SIMULATED = {"lxml"}

COMMANDS = {
    "fsgitops --help": COMMAND_LINE,
    "fsgitops plan --help": COMMAND_LINE,
    "fsgitops history": PROJECT,
    "fsgitops explain agents": PROJECT,
    "fsgitops plan": COMPARED,
    "fsgitops drift --offline": PROJECT,
    "fsgitops fmt --check": PROJECT | {"ruamel"},
    "fsgitops validate": COMPARED | TEMPLATES,
    "fsgitops apply --yes": COMPARED | {"filelock"},  # nothing to apply
    "fsgitops status": COMPARED | TEMPLATES | SOCKET | SIMULATED,
    "fsgitops-cdr --help": COMMAND_LINE,
    "fsgitops-cdr schema": COMMAND_LINE,
}
"""Each command on an applied project, and the packages of others that it may load."""

UNUSED = ("sandbox", "esl", "switch", "api", "cdr", "transaction.transact", "transaction.lock",
          "model.applied", "model.revision", "model.state", "live.revisions", "commands.apply",
          "commands.export_state", "diagnosis", "steps.apply", "secret.fetch")  # fmt: skip
"""Rooms and modules of our own that a plan has no use for."""

SCRIPT = """
import sys
from {module} import main
try:
    main(sys.argv[1:])
finally:
    print("loaded:", *sys.modules, file=sys.stderr)
"""
MODULES = {"fsgitops": "fsgitops.cli", "fsgitops-cdr": "fsgitops.cli.cdr"}


def run(site: Path, command: str, script: str = SCRIPT) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with the key of the site."""
    program, *words = command.split()
    environment = {name: text for name, text in os.environ.items() if not name.startswith("FSGIT")}
    return subprocess.run(
        [sys.executable, "-c", script.format(module=MODULES[program]), *words],
        cwd=site,
        env={**environment, "FSGITOPS_KEY": KEY, "XDG_CACHE_HOME": str(site / "cache")},
        capture_output=True,
        text=True,
    )


def load(site: Path, command: str) -> set[str]:
    """Return the modules that a command has loaded when it ends."""
    ran = run(site, command)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.rpartition("loaded:")[2].split())


def packages(modules: set[str]) -> set[str]:
    """Return the packages of others among modules."""
    found = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    return {name for name in found if not name.startswith(("_", "sitecustom", "cython"))} - {
        "fsgitops"
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An applied project: it is the same for every command that changes nothing."""
    root = tmp_path_factory.mktemp("site")
    (root / "desired").mkdir()
    (root / "fsgitops.yaml").write_text(SETTINGS)
    (root / "desired/agents.yaml").write_text(AGENTS)
    (root / "desired/routes.yaml").write_text(ROUTES)
    for command in ("fsgitops fmt", "fsgitops apply --yes"):
        ran = run(root, command)
        assert ran.returncode == 0, ran.stderr
    return root


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_loads_only_the_packages_that_it_uses(command: str, site: Path) -> None:
    assert packages(load(site, command)) <= COMMANDS[command]


def test_a_plan_loads_nothing_of_a_switch_an_apply_or_a_history(site: Path) -> None:
    loaded = load(site, "fsgitops plan")
    assert "fsgitops.commands.plan" in loaded
    assert {name for name in UNUSED if f"fsgitops.{name}" in loaded} == set()


def test_a_plan_of_new_resources_loads_templates_and_no_more(site: Path, tmp_path: Path) -> None:
    (tmp_path / "desired").mkdir()
    for name in ("fsgitops.yaml", "desired/agents.yaml", "desired/routes.yaml"):
        (tmp_path / name).write_text((site / name).read_text())
    assert packages(load(tmp_path, "fsgitops plan")) <= COMPARED | TEMPLATES


def test_a_process_that_ends_looks_for_no_cycles(site: Path) -> None:
    script = "import atexit, gc\natexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
    assert run(site, "fsgitops --version", script + SCRIPT).stdout.splitlines()[-1] == "True"
