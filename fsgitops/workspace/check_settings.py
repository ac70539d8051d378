"""What only a whole project can tell of its settings: numbers, regions, folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import Finding, Position, error, quote_value
from fsgitops.settings.shapes import SETTINGS_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.model.document import Document
    from fsgitops.settings.shapes import Settings


def check_settings(
    root: Path, settings: Settings, document: Document | None
) -> tuple[str | None, list[Finding]]:
    """Return the default caller ID in E.164 (or None), and what is wrong with the settings."""
    from fsgitops.phone import NumberError, is_extension, is_region, normalise_number

    findings: list[Finding] = []
    region, number = settings.default_region, settings.default_caller_id
    if region is not None and not is_region(region):
        place = _place(document, "default_region")
        message = f"found {region!r}, expected a country's two capital letters, such as US"
        findings.append(error("settings", place, f"`default_region`: {message}"))
        region = None
    if number is not None and not is_extension(number):
        try:
            number = normalise_number(number, region)
        except NumberError as problem:
            place = _place(document, "default_caller_id")
            message = f"`default_caller_id`: {quote_value(number)} {problem}"
            findings.append(error("settings", place, message, problem.hint))
    findings += _check_own_variables(settings, document)
    declared = document is not None and document.has(("templates",))
    if declared and not (root / settings.templates).is_dir():
        message = f"`templates`: there is no folder {quote_value(settings.templates)}"
        hint = "`fsgitops init --templates` makes one; without the setting the packaged ones serve"
        findings.append(error("settings", _place(document, "templates"), message, hint))
    return number, findings


def _check_own_variables(settings: Settings, document: Document | None) -> list[Finding]:
    from fsgitops.model.variables import judge_own_name

    findings = []
    for index, name in enumerate(settings.variables.allow):
        refusal = judge_own_name(name)
        if refusal is not None:
            place = Position(SETTINGS_FILE)
            if document is not None:
                place = document.position(("variables", "allow", index))
            message = f"`variables.allow`: {quote_value(name)}: {refusal.message}"
            findings.append(error("settings", place, message, refusal.hint))
    return findings


def _place(document: Document | None, field: str) -> Position:
    """Return where the file says it; the environment has no place of its own."""
    if document is None or not document.has((field,)):
        return Position(f"{SETTINGS_FILE} (or the environment)")
    return document.position((field,))
