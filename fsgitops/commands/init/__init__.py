"""`fsgitops init`: a new repository that works."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.commands.init.origin import Pin, find_pin, read_pin
from fsgitops.commands.schema import read_schema
from fsgitops.durable import create_file, replace_file
from fsgitops.errors import UsageError
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.read_templates import packaged_templates
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_FILE = "schema/desired.schema.json"
SETTINGS_SCHEMA_FILE = "schema/settings.schema.json"


GITLAB_PIPELINES = "docs/ci/gitlab.yml"
OWN_WORKFLOWS = frozenset({"ci.yml", "release.yml"})
"""They test and release fsgitops itself: no part of a user's project."""

PIN_FILE = "fsgitops.txt"
RUN_LOCK = "requirements-run.lock"
PIN_HEAD = """\
# What the pipelines install, as pip reads it. The variable FSGITOPS_INSTALL names something else.
# What it needs is in requirements.txt, with hashes; take both from the same release.
"""
SCRIPT_FOLDERS = {"github": ".github/scripts", "gitlab": ".gitlab/scripts"}


@dataclass(frozen=True, slots=True)
class Begun:
    """The paths that were written and those left as they were, and what the user must know."""

    written: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[str, ...]


def run_init(
    root: Path,
    *,
    templates: bool,
    pipelines: str = "github",
    install: str | None = None,
    rewrite: bool = False,
) -> Begun:
    """Write the example project below `root`; files that exist are left as they are.

    `templates` copies the templates too, for projects that edit them; `pipelines` is `github`,
    `gitlab` or `none`. `install` is what the pipelines install (see `read_pin`); None for what
    this program was installed from. With `rewrite`, what an existing project installs becomes
    that. Raises UsageError when nothing is left to write, or `install` has no pipelines.
    """
    written: list[str] = []
    left: list[str] = []
    pin = find_pin() if install is None else read_pin(install)
    if rewrite and pipelines not in SCRIPT_FOLDERS:
        raise UsageError("--install says what the pipelines install: give --ci github or gitlab")
    pinned = f"{SCRIPT_FOLDERS.get(pipelines)}/{PIN_FILE}"
    pinning = (pinned, f"{SCRIPT_FOLDERS.get(pipelines)}/{pin.wheel[0] if pin.wheel else PIN_FILE}")
    root.mkdir(parents=True, exist_ok=True)
    for path, content in _files(pin, templates=templates, pipelines=pipelines):
        place = root / path
        if rewrite and path in pinning and place.is_file():
            replace_file(place, content)
            written.append(path)
            continue
        if place.exists() or place.is_symlink():
            left.append(path)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        create_file(place, content)
        written.append(path)
    if not written:
        raise UsageError(f"{root}: every file of the example exists here; nothing was written")
    notes = [
        f"{above} is a project too; in {root} and below it, this one counts"
        for above in list(root.resolve().parents)
        if os.path.lexists(above / SETTINGS_FILE)
    ][:1]
    if pinned in written:
        notes += [f"{pinned}: the pipelines install {pin.requirement}"]
        notes += [pin.note] if pin.note else []
    return Begun(tuple(written), tuple(left), tuple(notes))


def schema_text(name: str = "desired") -> str:
    """Return a JSON Schema (`fsgitops schema NAME`), as editors read it."""
    return to_json(read_schema(name), indent=2) + "\n"


def _files(pin: Pin, *, templates: bool, pipelines: str) -> Iterator[tuple[str, bytes]]:
    package = Path(str(resources.files("fsgitops")))
    example = package / "example"
    project = example if (example / SETTINGS_FILE).exists() else package.parent
    yield SETTINGS_FILE, (project / SETTINGS_FILE).read_bytes()
    for declared in sorted((project / "desired").rglob("*.yaml")):
        yield str(declared.relative_to(project)), declared.read_bytes()
    yield SCHEMA_FILE, schema_text().encode()
    yield SETTINGS_SCHEMA_FILE, schema_text("settings").encode()
    yield ".gitignore", (example / "gitignore").read_bytes()
    for path, place in _pipeline_files(example, project, pipelines):
        yield path, place.read_bytes()
    if folder := SCRIPT_FOLDERS.get(pipelines):
        lock = example / RUN_LOCK if project == example else project / RUN_LOCK
        yield f"{folder}/requirements.txt", lock.read_bytes()
        yield f"{folder}/{PIN_FILE}", (PIN_HEAD + pin.line(folder) + "\n").encode()
        if pin.wheel:
            yield f"{folder}/{pin.wheel[0]}", pin.wheel[1]
    if templates:
        for template in sorted(packaged_templates().glob("*.j2")):
            yield f"templates/{template.name}", template.read_bytes()


def _pipeline_files(example: Path, project: Path, pipelines: str) -> Iterator[tuple[str, Path]]:
    packaged = project == example
    ours = example if packaged else project / ".github"
    scripts = sorted((ours / "scripts").glob("*.*"))
    if pipelines == "github":
        for path in sorted((ours / "workflows").glob("*.*")):
            if path.name not in OWN_WORKFLOWS:
                yield f".github/workflows/{path.name}", path
        for path in scripts:
            yield f".github/scripts/{path.name}", path
    if pipelines == "gitlab":
        gitlab = example / "gitlab" if packaged else project / ".gitlab"
        yield ".gitlab-ci.yml", gitlab / "gitlab.yml" if packaged else project / GITLAB_PIPELINES
        shared = (path for path in scripts if path.suffix == ".sh")
        for path in (*shared, *sorted((gitlab / "scripts").glob("*.*"))):
            yield f".gitlab/scripts/{path.name}", path
