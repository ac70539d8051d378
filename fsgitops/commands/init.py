"""`fsgitops init`: a new repository that works."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.commands.schema import read_schema
from fsgitops.errors import UsageError
from fsgitops.settings import SETTINGS_FILE
from fsgitops.steps.read_templates import packaged_templates

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_FILE = "schema/desired.schema.json"
SETTINGS_SCHEMA_FILE = "schema/settings.schema.json"


OWN_WORKFLOW = "ci.yml"
"""Runs the tests of fsgitops itself: no part of a user's project."""


def run_init(root: Path, *, templates: bool) -> tuple[list[str], list[str]]:
    """Write the example project below `root`; files that exist are left as they are.

    `templates` copies the templates too, for projects that edit them. Returns the paths that
    were written and those that were left. Raises UsageError when nothing is left to write.
    """
    written: list[str] = []
    left: list[str] = []
    for path, content in _files(templates=templates):
        place = root / path
        if place.exists() or place.is_symlink():
            left.append(path)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        written.append(path)
    if not written:
        raise UsageError(f"{root}: every file of the example is here already; nothing was written")
    return written, left


def schema_text(name: str = "desired") -> str:
    """Return a JSON Schema (`fsgitops schema NAME`), as editors read it."""
    return json.dumps(read_schema(name), indent=2, ensure_ascii=False) + "\n"


def _files(*, templates: bool) -> Iterator[tuple[str, bytes]]:
    package = Path(str(resources.files("fsgitops")))
    example = package / "example"
    project = example if (example / SETTINGS_FILE).exists() else package.parent
    yield SETTINGS_FILE, (project / SETTINGS_FILE).read_bytes()
    for path in sorted((project / "desired").rglob("*.yaml")):
        yield str(path.relative_to(project)), path.read_bytes()
    yield SCHEMA_FILE, schema_text().encode()
    yield SETTINGS_SCHEMA_FILE, schema_text("settings").encode()
    yield ".gitignore", (example / "gitignore").read_bytes()
    pipelines = example if project == example else project / ".github"
    for folder in ("workflows", "scripts"):
        for path in sorted((pipelines / folder).glob("*.*")):
            if path.name != OWN_WORKFLOW:
                yield f".github/{folder}/{path.name}", path.read_bytes()
    if templates:
        for path in sorted(packaged_templates().glob("*.j2")):
            yield f"templates/{path.name}", path.read_bytes()
