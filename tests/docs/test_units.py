"""The units of docs/ start what pip installs, with options that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from scratch_repository import CHECKOUT

from fsgitops.cli import run
from fsgitops.cli.cdr import invoke

DOCS = CHECKOUT / "docs"
SERVICES = sorted(DOCS.glob("*.service"))
PROGRAMS = {"fsgitops": run, "fsgitops-cdr": invoke}


def value(unit: Path, name: str) -> str:
    found = re.search(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)
    assert found, f"{unit.name} has no {name}"
    return found[1]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_starts_what_pip_installs_with_options_that_there_are(
    unit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, *words = value(unit, "ExecStart").split()
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["scripts"]
    folder, _, program = place.rpartition("/")
    assert program in scripts
    page = (DOCS / "getting-started.md").read_text()
    assert "ln -s /usr/local/lib/fsgitops/bin/fsgitops" in page
    assert folder == "/usr/local/bin"
    assert PROGRAMS[program]([*words, "--help"]) == 0, capsys.readouterr().err
    assert PROGRAMS[program]([*words, "--no-such-option", "--help"]) == 64


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_runs_as_the_user_that_the_page_makes(unit: Path) -> None:
    page = (DOCS / "getting-started.md").read_text()
    assert f"--shell /usr/sbin/nologin {value(unit, 'User')}\n" in page
    assert value(unit, "Group") == "freeswitch"
    assert f"`{value(unit, 'WorkingDirectory')}`" in page
    assert f"`{value(unit, 'EnvironmentFile')}`" in page
    assert f"({unit.name})" in page


@pytest.mark.parametrize("name", ["fsgitops-api", "fsgitops-cdr", "fsgitops-drift"])
def test_systemd_finds_nothing_wrong_with_a_unit(name: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("there is no systemd-analyze")
    for script in PROGRAMS:
        (tmp_path / script).symlink_to(Path(sys.executable).parent / script)
    for unit in (*SERVICES, *DOCS.glob("*.timer")):
        text = unit.read_text().replace("/usr/local/bin/", f"{tmp_path}/")
        (tmp_path / unit.name).write_text(text)
    units = sorted(str(path) for path in tmp_path.glob(f"{name}.*"))
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_names_every_page_of_the_docs_and_getting_started_first() -> None:
    table = (CHECKOUT / "README.md").read_text().partition("## Documentation")[2]
    named = re.findall(r"\(docs/([\w-]+\.md)\)", table)
    assert named[0] == "getting-started.md"
    assert sorted(set(named)) == sorted(path.name for path in DOCS.glob("*.md"))
