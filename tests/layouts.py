"""What is declared in both layouts, and how one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from project import Project

AGENTS = """\
agents:
  - {extension: 1020, name: Alice}
  - {extension: 1021, name: Bob}
  - {extension: 999998, name: Zoe}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
  - {did_number: +442071838750, destination_extension: 999998}
"""
US = ROUTES.splitlines(keepends=True)[1]


def choose(project: Project, layout: str) -> None:
    settings = project.root / "fsgitops.yaml"
    lines = settings.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("layout:")]
    settings.write_text("\n".join((*kept, f"layout: {layout}")) + "\n")
