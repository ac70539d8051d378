"""`fsgitops fmt`: YAML files in one canonical form, each proved to say what it said before."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.durable import replace_file
from fsgitops.errors import DesiredInvalidError, UsageError
from fsgitops.findings import Finding, Position, error, sort_findings
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.format_source import format_text
from fsgitops.steps.load import find_files, load_document
from fsgitops.steps.load.plain import parse_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.model.document import Document
    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class Formatted:
    """The files that are (or, for a check, would be) written again, and how many are canonical."""

    changed: tuple[str, ...]
    canonical: int


def run_fmt(workspace: Workspace, paths: Sequence[str], *, check: bool) -> Formatted:
    """Format the YAML files at `paths`, or everything declared; with `check`, write nothing.

    All files are read, formatted and compared before the first is written. Raises
    DesiredInvalidError for a file that the loader refuses, UsageError for a path outside the
    project, or a file that was saved again meanwhile: it is left, and so are those after it.
    """
    changes: list[tuple[str, bytes, bytes]] = []
    canonical = 0
    names, findings = _find(workspace, paths)
    for name in names:
        formatted, found = _format_file(workspace, name)
        findings += found
        if formatted is None:
            canonical += 1
        else:
            changes.append((name, *formatted))
    if findings:
        raise DesiredInvalidError(sort_findings(findings))
    if not check:
        for name, content, before in changes:
            try:
                replace_file(workspace.root / name, content, before=before)
            except OSError as problem:
                raise UsageError(f"{name}: {problem.strerror}; run it again") from None
    return Formatted(tuple(name for name, _, _ in changes), canonical)


def _find(workspace: Workspace, paths: Sequence[str]) -> tuple[list[str], list[Finding]]:
    root = workspace.root
    starts = [_relative(root, path) for path in paths] or [workspace.settings.desired]
    names: dict[str, None] = {}
    findings: list[Finding] = []
    for start in starts:
        if paths and not (root / start).exists():
            hint = "A path that you type starts in the folder that you are in."
            findings.append(error("unreadable-file", Position(start), "no such file", hint))
            continue
        found, problems = find_files(root, start)
        names.update(dict.fromkeys(found))
        findings += problems
    return [name for name in names if name != SETTINGS_FILE or name in starts], findings


def _relative(root: Path, path: str) -> str:
    full = Path(os.path.normpath(root / path))
    if not full.is_relative_to(root):
        raise UsageError(f"{path}: outside the project; only files below {root} are formatted")
    return full.relative_to(root).as_posix()


def _format_file(
    workspace: Workspace, name: str
) -> tuple[tuple[bytes, bytes] | None, list[Finding]]:
    """Return the canonical bytes and those that stand there now, None where they are the same."""
    document, findings = load_document(workspace.root, name)
    if findings or document is None:
        return None, findings
    try:
        text = document.text.decode("utf-8")
        content = format_text(text, workspace.readable).encode("utf-8")
    except ValueError as problem:
        message = f"this file cannot be formatted: {problem}"
        return None, [error("format", Position(name), message, "Write the line in a plainer way.")]
    if content == document.text and not document.marked:
        return None, []
    again, problems = parse_file(name, content)
    if problems or again is None or not _says_the_same(document, again):
        message = "this file cannot be brought into canonical form without changing what it says"
        hint = "Write it in a plainer style; it is left as it is."
        return None, [error("format", Position(name), message, hint)]
    return (content, (codecs.BOM_UTF8 if document.marked else b"") + document.text), []


def _says_the_same(before: Document, after: Document) -> bool:
    """Compare what the loader reads, the number of items, and every comment."""
    return (
        before.data == after.data
        and {name: len(items) for name, items in before.item_positions.items()}
        == {name: len(items) for name, items in after.item_positions.items()}
        and before.text.count(b"#") == after.text.count(b"#")
    )
