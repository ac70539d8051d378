"""`fsgitops diff`: what one revision declares and another does not, without any switch."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.errors import DesiredInvalidError, FsgitopsError, UsageError
from fsgitops.homes.pieces import list_records
from fsgitops.model.live import FileKind, LiveConfig, LiveFile, Manifest, ManifestEntry
from fsgitops.model.plan import Baseline
from fsgitops.planning.planned import Planned, plan_compiled
from fsgitops.secret.key import write_key_file
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.workspace.declare import compile_declared, declare_desired
from fsgitops.workspace.git import ask_git
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.workspace.declare import Compilation
    from fsgitops.workspace.open import Workspace

ARCHIVE_SECONDS = 120.0
WORKING_TREE = "the working tree"
_KEY_FILE = "fsgitops-diff.key"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: its name for the reader, and what it compiles to."""

    name: str
    workspace: Workspace
    compilation: Compilation


def run_diff(root: Path, target: str | None, before: str, after: str | None) -> Planned:
    """Compile both revisions (or `before` and the working tree) and compare the results.

    Both sides get one key that is made for this and thrown away, so that a secret that would
    change is seen to. Raises UsageError for what is no revision, DesiredInvalidError for findings
    in `after`, FsgitopsError when `before` cannot be compiled.
    """
    with tempfile.TemporaryDirectory(prefix="fsgitops-diff-") as folder:
        top = Path(folder)
        for name, revision in (("before", before), ("after", after)):
            place = top / name
            place.mkdir()
            if revision is None:
                _copy_tree(root, place, target)
            else:
                _extract(root, revision, place)
        write_key_file(top / _KEY_FILE)
        first = _compile_before(top / "before", target, before)
        second = _compile(top / "after", target, after or WORKING_TREE)
        return _compare(first, second)


def _compare(before: Side, after: Side) -> Planned:
    live = _as_live(before.compilation.compiled, after.compilation.compiled)
    workspace = after.workspace
    shown = replace(workspace.target, conf_dir=Path(f"{before.name}..{after.name}"))
    workspace = replace(workspace, target=shown)
    planned = plan_compiled(workspace, after.compilation, live)
    plan = replace(
        planned.plan, commit="", dirty=False, unknown_secrets=False, simulated=False,
        baseline=Baseline.REVISION,
    )  # fmt: skip
    return replace(planned, plan=plan)


def _as_live(before: CompiledConfig, after: CompiledConfig) -> LiveConfig:
    """Return what was compiled before as something that stands on disk."""
    entries = {
        path: ManifestEntry(file.sha256, list_records(file)) for path, file in before.files.items()
    }
    files = {
        path: LiveFile(
            FileKind.REGULAR, file.sha256, _content(after, path, file.sha256, file.content)
        )
        for path, file in before.files.items()
    }
    for path in after.files:
        files.setdefault(path, LiveFile(FileKind.MISSING))
    return LiveConfig(Manifest(entries), files)


def _content(after: CompiledConfig, path: str, sha256: str, content: bytes) -> bytes | None:
    file = after.files.get(path)
    return None if file is not None and file.sha256 == sha256 else content


def _compile_before(root: Path, target: str | None, name: str) -> Side:
    try:
        return _compile(root, target, name)
    except DesiredInvalidError as problem:
        first = f"{problem.findings[0].position}: {problem.findings[0].message}"
        raise FsgitopsError(
            f"{name} has errors, so nothing can be compared with it: {first}"
        ) from None


def _compile(root: Path, target: str | None, name: str) -> Side:
    workspace = open_workspace(root, target)
    settings = workspace.settings.model_copy(update={"key_file": f"../{_KEY_FILE}"})
    workspace = replace(workspace, settings=settings)
    return Side(
        name, workspace, compile_declared(workspace, declare_desired(workspace), fetch=False)
    )


def _extract(root: Path, revision: str, place: Path) -> None:
    """Write the project's files, as they are in a revision, below `place`."""
    if revision.startswith("-"):
        raise UsageError(f"{revision!r} is not a revision")
    shown = ask_git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if shown is None:
        raise UsageError(f"{revision!r} is not a revision of the git repository at {root}")
    archive = ask_git(
        root, "archive", "--format=tar", shown.decode().strip(), ".", seconds=ARCHIVE_SECONDS
    )
    if archive is None:
        raise FsgitopsError(f"git could not read {revision} at {root}")
    if not hasattr(tarfile, "data_filter"):
        raise FsgitopsError("comparing revisions needs Python 3.11.4 or later")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        wanted = list(_wanted(tar))
        try:
            tar.extractall(place, members=wanted, filter="data")
        except tarfile.TarError as problem:
            raise FsgitopsError(
                f"{revision} holds a file that is not safe to extract: {problem}"
            ) from None


def _wanted(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield text that can be part of a project: settings, YAML and templates."""
    for member in tar:
        name = member.name.removeprefix("./")
        if member.isdir() or name == SETTINGS_FILE or name.endswith((".yaml", ".yml", ".j2")):
            yield member


def _copy_tree(root: Path, place: Path, target: str | None) -> None:
    """Copy what the project declares now, links kept as links."""
    settings = open_workspace(root, target).settings
    for name in {SETTINGS_FILE, settings.desired, settings.templates, settings.policy.folder}:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, place / name, symlinks=True, dirs_exist_ok=True)
        elif source.is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place / name)
