"""What pipelines install: `init` pins it, and `install.sh` takes nothing that is not tied down."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from dependency_edge import bounds, requirements
from packaging.utils import canonicalize_name
from project import Project
from scratch_repository import CHECKOUT

from fsgitops.commands import init

SHA = "0123456789abcdef" * 4
COMMIT = SHA[:40]
WHEEL = "fsgitops-0.1.0-py3-none-any.whl"
TIED_DOWN = {
    "0.1.0": "fsgitops==0.1.0",
    "0.2.0rc1": "fsgitops==0.2.0rc1",
    f"https://files.example/{WHEEL}#sha256={SHA}": (
        f"fsgitops @ https://files.example/{WHEEL}#sha256={SHA}"
    ),
    f"https://files.example:8443/a/fsgitops-0.1.0.tar.gz#sha256={SHA}": (
        f"fsgitops @ https://files.example:8443/a/fsgitops-0.1.0.tar.gz#sha256={SHA}"
    ),
    f"git+https://git.example/pbx/fsgitops@{COMMIT}": (
        f"fsgitops @ git+https://git.example/pbx/fsgitops@{COMMIT}"
    ),
}
LOOSE = [
    f"https://files.example/{WHEEL}",
    f"http://files.example/{WHEEL}#sha256={SHA}",
    f"https://somebody:secret@files.example/{WHEEL}#sha256={SHA}",
    f"https://files.example/{WHEEL}#sha256={SHA[:-1]}",
    f"https://files.example/{WHEEL}#sha256={SHA}\nevil",
    "git+https://git.example/pbx/fsgitops@main",
    f"git+https://git.example/pbx/fsgitops@{COMMIT[:7]}",
    "fsgitops",
    "fsgitops>=0.1",
    "--index-url=https://files.example",
    "0.1.0 evil",
    "absent.whl",
    "file:///tmp/fsgitops-0.1.0-py3-none-any.whl",
]


def pinned(root: Path, host: str = "github") -> str:
    return (root / f".{host}/scripts/fsgitops.txt").read_text().splitlines()[-1]


@pytest.mark.parametrize(("what", "line"), TIED_DOWN.items())
def test_init_pins_what_it_is_told(project: Project, what: str, line: str) -> None:
    ran = project.run("init", "--install", what, str(project.root / "fresh"))
    assert (ran.code, pinned(project.root / "fresh")) == (0, line)
    assert f".github/scripts/fsgitops.txt: the pipelines install {line}" in ran.err


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_an_install_that_is_asked_for_is_pinned_anew_where_nothing_else_is_missing(
    project: Project, host: str
) -> None:
    root = project.root / "fresh"
    project.run("init", "--ci", host, "--install", "0.1.0", str(root))
    before = project.tree(root)
    ran = project.run("init", "--ci", host, "--install", "0.2.0rc1", str(root))
    assert (ran.code, pinned(root, host)) == (0, "fsgitops==0.2.0rc1"), ran.err
    changed = {path for path, content in project.tree(root).items() if before[path] != content}
    assert changed == {f".{host}/scripts/fsgitops.txt"}


def test_a_variable_alone_pins_nothing_anew(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project.root / "fresh"
    project.run("init", "--install", "0.1.0", str(root))
    (root / ".gitignore").unlink()
    monkeypatch.setenv("FSGITOPS_INSTALL", "0.2.0rc1")
    assert project.run("init", str(root)).code == 0
    assert pinned(root) == "fsgitops==0.1.0"


def test_an_install_without_pipelines_is_refused(project: Project) -> None:
    ran = project.run("init", "--ci", "none", "--install", "0.1.0", str(project.root / "fresh"))
    assert ran.code == 64
    assert "give --ci github or gitlab" in ran.err
    assert not (project.root / "fresh").exists()


@pytest.mark.parametrize("what", ["", *LOOSE])
def test_init_refuses_what_is_not_tied_down(project: Project, what: str) -> None:
    ran = project.run("init", "--install", what, str(project.root / "fresh"))
    assert ran.code == 64
    assert not (project.root / "fresh" / "fsgitops.yaml").exists()


def test_a_wheel_goes_into_the_project_with_its_hash(project: Project) -> None:
    (project.root / WHEEL).write_bytes(b"wheel")
    project.run("init", "--ci", "gitlab", "--install", str(project.root / WHEEL), "fresh")
    scripts = next(project.root.glob("**/.gitlab/scripts"))
    digest = hashlib.sha256(b"wheel").hexdigest()
    assert (scripts / WHEEL).read_bytes() == b"wheel"
    line = (scripts / "fsgitops.txt").read_text().splitlines()[-1]
    assert line == f".gitlab/scripts/{WHEEL} --hash=sha256:{digest}"


def installed_from(monkeypatch: pytest.MonkeyPatch, said: object) -> None:
    """Let the record that pip left say where this very program came from."""
    record = SimpleNamespace(read_text=lambda _: json.dumps(said) if said else None)
    monkeypatch.setattr("importlib.metadata.distribution", lambda _: record)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (None, f"fsgitops=={init.__version__}"),
        (
            {"url": f"https://files.example/{WHEEL}", "archive_info": {"hashes": {"sha256": SHA}}},
            f"fsgitops @ https://files.example/{WHEEL}#sha256={SHA}",
        ),
        (
            {"url": f"https://files.example/{WHEEL}", "archive_info": {"hash": f"sha256={SHA}"}},
            f"fsgitops @ https://files.example/{WHEEL}#sha256={SHA}",
        ),
        (
            {
                "url": "https://git.example/pbx/fsgitops",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT},
            },
            f"fsgitops @ git+https://git.example/pbx/fsgitops@{COMMIT}",
        ),
    ],
)
def test_init_pins_where_pip_says_it_came_from(
    project: Project, monkeypatch: pytest.MonkeyPatch, said: object, line: str
) -> None:
    installed_from(monkeypatch, said)
    ran = project.run("init", str(project.root / "fresh"))
    assert pinned(project.root / "fresh") == line
    assert "Pipelines cannot install that" not in ran.err


@pytest.mark.parametrize(
    "said",
    [
        {"url": "file:///srv/checkout", "dir_info": {"editable": True}},
        {"url": f"file:///absent/{WHEEL}", "archive_info": {"hashes": {"sha256": SHA}}},
        {"url": f"https://files.example/{WHEEL}", "archive_info": {}},
        {"url": f"https://a:b@files.example/{WHEEL}", "archive_info": {"hashes": {"sha256": SHA}}},
        {"url": "ssh://git@git.example/x", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
        {"url": 5, "archive_info": 5, "vcs_info": []},
    ],
)
def test_init_says_when_pipelines_cannot_install_what_it_came_from(
    project: Project, monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    installed_from(monkeypatch, said)
    ran = project.run("init", str(project.root / "fresh"))
    assert pinned(project.root / "fresh") == f"fsgitops=={init.__version__}"
    assert "Pipelines cannot install that." in ran.err
    assert "fsgitops init --install" in ran.err


PYTHON = """\
#!/bin/sh
echo "python3 $*" >>"$HOME/asked"
mkdir -p "$4/bin"
printf '#!/bin/sh\\nprintf "%%s|" "$@" >>"$HOME/asked"; echo >>"$HOME/asked"\\n' >"$4/bin/python"
printf '#!/bin/sh\\necho fsgitops, version 0.1.0\\n' >"$4/bin/fsgitops"
chmod +x "$4/bin/python" "$4/bin/fsgitops"
"""


def install(root: Path, **variables: str) -> tuple[int, list[str], str]:
    """Run a project's install.sh with a Python that notes what it is asked; nothing is fetched."""
    shutil.copytree(CHECKOUT / ".github/scripts", root / ".github/scripts", dirs_exist_ok=True)
    (root / "bin").mkdir(parents=True, exist_ok=True)
    (root / "bin/python3").write_text(PYTHON)
    (root / "bin/python3").chmod(0o755)
    done = subprocess.run(
        ["bash", ".github/scripts/install.sh"],
        cwd=root,
        env={"PATH": f"{root / 'bin'}:/usr/bin:/bin", "HOME": str(root), "RUNNER_TEMP": str(root),
             "GITHUB_PATH": str(root / "path"), **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    asked = root / "asked"
    lines = asked.read_text().splitlines() if asked.exists() else []
    return done.returncode, lines, done.stdout


@pytest.mark.parametrize(("what", "line"), TIED_DOWN.items())
def test_a_pipeline_installs_what_its_variable_names(tmp_path: Path, what: str, line: str) -> None:
    code, asked, _ = install(tmp_path, FSGITOPS_INSTALL=what)
    assert code == 0
    assert asked[-1].endswith(f"install|--no-deps|--no-build-isolation|{line}|")


@pytest.mark.parametrize("what", LOOSE)
def test_a_pipeline_installs_nothing_that_is_not_tied_down(tmp_path: Path, what: str) -> None:
    code, asked, _ = install(tmp_path, FSGITOPS_INSTALL=what)
    assert (code, asked) == (64, [])


def test_a_pipeline_installs_a_wheel_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / WHEEL).write_bytes(b"wheel")
    code, asked, _ = install(tmp_path, FSGITOPS_INSTALL=WHEEL)
    assert (code, asked[-1].split("|")[-2]) == (0, str(tmp_path / WHEEL))


def test_without_the_variable_a_pipeline_installs_what_init_pinned(tmp_path: Path) -> None:
    root = tmp_path / "a project"
    code, asked, said = install(root)
    scripts = root / ".github/scripts"
    assert code == 0
    assert f"--require-hashes|--requirement|{scripts}/requirements.txt|" in asked[-2]
    assert asked[-1].endswith(
        f"--no-deps|--no-build-isolation|--requirement|{scripts}/fsgitops.txt|"
    )
    programs = f"{root}/.fsgitops-venv/bin"
    assert (said, (root / "path").read_text()) == (f"{programs}\n", f"{programs}\n")


def test_what_a_runner_has_already_is_taken(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/fsgitops").write_text("#!/bin/sh\n")
    (tmp_path / "bin/fsgitops").chmod(0o755)
    code, asked, said = install(tmp_path)
    assert (code, asked, said) == (0, [], f"{tmp_path}/bin\n")


def test_the_run_lock_holds_the_versions_of_the_large_one() -> None:
    def versions(name: str) -> dict[str, str]:
        lines = (CHECKOUT / name).read_text().splitlines()
        found = (line.split()[0].split("==") for line in lines if line[:1].isalnum())
        return {name: version for name, version, *_ in found}

    large = versions("requirements.lock")
    assert versions("requirements-run.lock").items() <= large.items()
    shared = versions("requirements-release.lock")
    assert {name: shared[name] for name in shared.keys() & large.keys()} == {
        name: large[name] for name in shared.keys() & large.keys()
    }


def test_every_dependency_has_a_range_and_the_locked_version_is_inside() -> None:
    locked = dict(
        line.split()[0].split("==")
        for line in (CHECKOUT / "requirements.lock").read_text().splitlines()
        if line[:1].isalnum()
    )
    found = requirements()
    assert found
    for requirement in found:
        assert all(bounds(requirement)), f"{requirement}: the range is open"
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier
