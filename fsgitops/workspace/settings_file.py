"""Change `fsgitops.yaml` by a line, and leave everything else in it as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsgitops.durable import replace_file
from fsgitops.errors import UsageError
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.load.plain import parse_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def change_settings(root: Path, edit: Callable[[str], str]) -> None:
    """Replace the text of the settings by what `edit` makes of it.

    Raises UsageError when somebody else saves it meanwhile, or it cannot be written.
    """
    path = root / SETTINGS_FILE
    before = path.read_bytes() if path.exists() else None
    text = "" if before is None else before.decode("utf-8").replace("\r\n", "\n")
    try:
        replace_file(path, edit(text).encode("utf-8"), before=before)
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}; run it again") from None


def append_line(text: str, line: str) -> str:
    """Return the settings with a line of their own at the end."""
    return f"{text.rstrip()}\n\n{line}" if text.strip() else line


def read_text(text: str) -> dict[str, Any]:
    """Return what the text of the settings says; no two that cannot be read say the same."""
    document, findings = parse_file(SETTINGS_FILE, text.encode())
    if findings or document is None:
        return {"(unreadable)": text}
    return dict(document.data or {})
