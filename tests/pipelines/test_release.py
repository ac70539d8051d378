"""A release: built twice alike, whole, and enough for the main job and for its own pipelines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rehearsal_release import build, check_contents, copy_checkout, digest, main_job
from scratch_repository import CHECKOUT

Built = tuple[Path, Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    place = tmp_path_factory.mktemp("a release")
    return build(sys.executable, copy_checkout(place / "copy", 0o644), place / "dist")


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the wheel hides this checkout; what it needs is the tests' own."""
    target = tmp_path_factory.mktemp("installed")
    words = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, str(built[1])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {"PATH": os.environ["PATH"], "HOME": str(target), "PYTHONPATH": str(target)}


FSGITOPS = [sys.executable, "-c", "from fsgitops.cli import main; main()"]


def test_a_release_carries_all_that_is_in_git_and_nothing_else(built: Built) -> None:
    check_contents(*built)


def test_another_user_builds_the_very_same_files(built: Built, tmp_path: Path) -> None:
    again = build(sys.executable, copy_checkout(tmp_path / "elsewhere", 0o600), tmp_path / "dist")
    assert [digest(path) for path in again] == [digest(path) for path in built]


def test_the_main_job_runs_with_the_wheel_alone(installed: dict[str, str], tmp_path: Path) -> None:
    where = [sys.executable, "-c", "import fsgitops; print(fsgitops.__file__)"]
    found = subprocess.run(where, env=installed, cwd=tmp_path, capture_output=True, text=True)
    assert found.stdout.startswith(installed["PYTHONPATH"])
    said = main_job(FSGITOPS, tmp_path / "project", installed)
    assert "Applied: 7 created, 0 changed, 0 deleted" in said
    assert "No changes:" in said.rpartition("$ fsgitops plan")[2]


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_init_pins_the_wheel_that_it_was_made_from(
    installed: dict[str, str], built: Built, tmp_path: Path, host: str
) -> None:
    words = ["init", "--ci", host, "project"]
    subprocess.run([*FSGITOPS, *words], env=installed, cwd=tmp_path, check=True)
    scripts = tmp_path / "project" / f".{host}" / "scripts"
    wheel = built[1]
    pinned = (scripts / "fsgitops.txt").read_text().splitlines()[-1]
    assert pinned == f".{host}/scripts/{wheel.name} --hash=sha256:{digest(wheel)}"
    assert (scripts / wheel.name).read_bytes() == wheel.read_bytes()
    assert (scripts / "requirements.txt").read_bytes() == (
        CHECKOUT / "requirements-run.lock"
    ).read_bytes()
