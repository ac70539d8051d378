"""`make rehearse-release`: a release, up to the upload.

Builds the source archive and the wheel twice, as different users would, and compares them. Checks
what they carry. Installs the wheel with its locked dependencies outside the checkout, and runs the
main job with it. Lets the pipelines that `init` writes install it too. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SECONDS = 600
FOLDERS = {
    "templates": "fsgitops/templates",
    "desired": "fsgitops/example/desired",
    ".github/scripts": "fsgitops/example/scripts",
    ".gitlab/scripts": "fsgitops/example/gitlab/scripts",
}
FILES = {
    "docs/ci/gitlab.yml": "fsgitops/example/gitlab/gitlab.yml",
    "fsgitops.yaml": "fsgitops/example/fsgitops.yaml",
    "requirements-run.lock": "fsgitops/example/requirements-run.lock",
    **{
        f".github/workflows/{name}.yml": f"fsgitops/example/workflows/{name}.yml"
        for name in ("plan", "apply", "drift")
    },
}


def version() -> str:
    """Return the version that this checkout is."""
    text = (CHECKOUT / "pyproject.toml").read_text()
    found = re.search(r'^version = "([^"]+)"$', text, re.MULTILINE)
    assert found
    return found[1]


MADE = {"__pycache__", ".venv", "build", "dist", ".hypothesis", ".mypy_cache", ".ruff_cache"}
"""What installing and testing make in a checkout."""


def tracked() -> list[str]:
    """Return the files that git would clone; in a source archive, all there are."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\0") if (CHECKOUT / name).is_file()]
    files = (path.relative_to(CHECKOUT) for path in CHECKOUT.rglob("*") if path.is_file())
    return [str(path) for path in files if not MADE.intersection(path.parts)]


def copy_checkout(place: Path, mode: int) -> Path:
    """Copy what is in git, with modes and times that are not those of the checkout."""
    for name in tracked():
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, target)
        executable = os.access(CHECKOUT / name, os.X_OK)
        target.chmod(mode | (0o100 if executable else 0))
        os.utime(target, (mode * 10**6, mode * 10**6))
    return place


def build(python: Path | str, source: Path, dist: Path) -> tuple[Path, Path]:
    """Build both files from a copy of the checkout: the wheel from the source archive, as pip does.

    Returns the source archive and the wheel.
    """
    hatch = [str(python), "-m", "hatchling", "build", "-d", str(dist)]
    call([*hatch, "-t", "sdist"], source)
    [archive] = dist.glob("*.tar.gz")
    unpacked = dist.parent / f"{dist.name}-unpacked"
    with tarfile.open(archive) as files:
        files.extractall(unpacked, filter="data")
    [folder] = unpacked.iterdir()
    call([*hatch, "-t", "wheel"], folder)
    [wheel] = dist.glob("*.whl")
    return archive, wheel


def check_contents(archive: Path, wheel: Path) -> None:
    """Compare what the two carry with what is in git."""
    with zipfile.ZipFile(wheel) as files:
        carried = {name for name in files.namelist() if ".dist-info/" not in name}
        told = {n.partition("/")[2]: n for n in files.namelist() if ".dist-info/" in n}
        licence = files.read(told["licenses/LICENSE"])
    expected = {name for name in tracked() if name.startswith("fsgitops/")}
    for source, target in FOLDERS.items():
        inside = (name for name in tracked() if name.startswith(f"{source}/"))
        expected |= {f"{target}/{name.removeprefix(f'{source}/')}" for name in inside}
    expected |= set(FILES.values())
    assert carried == expected, f"the wheel differs in {sorted(carried ^ expected)}"
    assert licence == (CHECKOUT / "LICENSE").read_bytes()
    with tarfile.open(archive) as tar:
        root = f"fsgitops-{version()}"
        kept = {name.removeprefix(f"{root}/") for name in tar.getnames()}
    missing = {*FILES, "LICENSE", "README.md", "pyproject.toml"} - kept
    assert not missing, f"the source archive lacks {sorted(missing)}"


def main_job(fsgitops: list[str], project: Path, env: dict[str, str]) -> str:
    """Run the main job in a new project; return what it printed."""
    said = call([*fsgitops, "init", str(project)], project.parent, env)
    for words in (["key", "new"], ["validate"], ["plan"], ["apply", "--yes"], ["plan"]):
        said += f"$ fsgitops {' '.join(words)}\n" + call([*fsgitops, *words], project, env)
    return said


def call(command: list[str], folder: Path, env: dict[str, str] | None = None) -> str:
    """Run a command; return all that it printed, and end where it failed."""
    done = subprocess.run(
        command, cwd=folder, env=env, text=True, timeout=SECONDS, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


def make_environment(place: Path, lock: str, *more: str) -> Path:
    """Make a virtual environment of a lock, and return its programs' folder."""
    call([sys.executable, "-m", "venv", str(place)], CHECKOUT)
    pip = [str(place / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    call([*pip, "install", "--require-hashes", "--requirement", lock], CHECKOUT)
    if more:
        call([*pip, "install", "--no-deps", "--no-index", *more], CHECKOUT)
    return place / "bin"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def try_it(wheel: Path, work: Path) -> None:
    """Install the wheel as a user does, and then as the pipelines do that it writes."""
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(work)}
    bare |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    user = make_environment(work / "user", "requirements-run.lock", str(wheel))
    print(main_job([str(user / "fsgitops")], work / "project", bare))
    python = f"{Path(sys.executable).parent}:{bare['PATH']}"
    for host in ("github", "gitlab"):
        project = work / f"project-{host}"
        call([str(user / "fsgitops"), "init", "--ci", host, str(project)], work, bare)
        pinned = (project / f".{host}/scripts/fsgitops.txt").read_text()
        assert f"{wheel.name} --hash=sha256:{digest(wheel)}" in pinned, pinned
        runner = {**bare, "PATH": python, "CI_PROJECT_DIR": str(project)}
        script = f"PATH=$(bash .{host}/scripts/install.sh):$PATH; command -v fsgitops"
        assert str(project) in call(["bash", "-ec", script], project, runner)
        print(f"The pipeline of {host} installed {wheel.name} by its hash.")


def main(dist: Path) -> None:
    ref = os.environ.get("GITHUB_REF_NAME", "")
    if os.environ.get("GITHUB_REF_TYPE") == "tag" and ref != f"v{version()}":
        sys.exit(f"the tag is {ref}, the version in pyproject.toml {version()}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tools = make_environment(work / "tools", "requirements-release.lock")
        built = [
            build(
                tools / "python", copy_checkout(work / f"copy-{mode:o}", mode), work / f"{mode:o}"
            )
            for mode in (0o644, 0o600)
        ]
        sums = [[digest(path) for path in pair] for pair in built]
        assert sums[0] == sums[1], "the same commit was built twice, and the files differ"
        check_contents(*built[0])
        print(call([str(tools / "twine"), "check", "--strict", *map(str, built[0])], work))
        try_it(built[0][1], work)
        shutil.rmtree(dist, ignore_errors=True)
        dist.mkdir(parents=True)
        for path in built[0]:
            shutil.copyfile(path, dist / path.name)
            print(f"{digest(path)}  {dist / path.name}")
    print("Nothing was uploaded.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
