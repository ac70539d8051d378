"""Read the templates: the user's own where there are some, the packaged ones otherwise."""

from __future__ import annotations

import stat
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Final

from fsgitops.findings import Finding, Position, error
from fsgitops.model.draft import Templates

RULE: Final = "template"
_SUFFIX: Final = ".xml.j2"
_LIMIT: Final = 262_144


def read_templates(folder: Path | None, name: str = "") -> tuple[Templates, list[Finding]]:
    """Return every template by name, and what is wrong with the files.

    Args:
        folder: The user's templates; one that is missing there is the packaged one. None, or a
            folder that does not exist, means the packaged ones.
        name: What the folder is called in findings: its path from the project's own, for which
            a pipeline can show them beside the line.
    """
    findings: list[Finding] = []
    sources: dict[str, str] = {}
    files: dict[str, str] = {}
    own = folder is not None and folder.is_dir()
    for where in (packaged_templates(), *((folder,) if own and folder is not None else ())):
        for path in sorted(where.glob(f"*{_SUFFIX}")):
            shown = f"packaged:{path.name}"
            if where is folder:
                shown = (PurePosixPath(name or folder) / path.name).as_posix()
            text = _read(path, shown, where, findings)
            if text is not None:
                sources[path.name], files[path.name] = text, shown
    return Templates(sources, files), findings


def packaged_templates() -> Path:
    """Return the folder of the templates that come with the program."""
    package = Path(str(resources.files("fsgitops")))
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _read(path: Path, shown: str, folder: Path, findings: list[Finding]) -> str | None:
    def refuse(message: str, hint: str, line: int = 1) -> None:
        findings.append(error(RULE, Position(shown, line), message, hint))

    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            refuse(
                "the template is a link to a file outside its folder", "put the file itself there"
            )
            return None
        if not stat.S_ISREG(path.stat().st_mode):
            refuse("the template is not a plain file", "put a text file there")
            return None
        with path.open("rb") as stream:
            content = stream.read(_LIMIT + 1)
    except (OSError, RuntimeError) as problem:
        reason = getattr(problem, "strerror", None) or "a link that leads to itself"
        refuse(f"the template cannot be read: {reason}", "check the file and its mode")
        return None
    if len(content) > _LIMIT:
        refuse(f"the template is larger than {_LIMIT} bytes", "templates are a few lines long")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        refuse("the template is not UTF-8", "save it as UTF-8", line)
        return None
