"""`make oldest`, `make newest`: are the versions installed here the edge of what is allowed?

A lower bound that another package raises was not tested, and so is not the lower bound.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

CHECKOUT = Path(__file__).resolve().parent.parent
OURS = ("cdr", "api", "spark")


def requirements() -> list[Requirement]:
    """Return what fsgitops needs to run, with every extra that users can ask for."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *(name for extra in OURS for name in extras[extra])]
    return [Requirement(name) for name in named]


def bounds(requirement: Requirement) -> tuple[str, str]:
    """Return the lower and the upper bound; either is empty where there is none."""
    found = {part.operator: part.version for part in requirement.specifier}
    return found.get(">=", ""), found.get("<", "")


def main(edge: str) -> None:
    faults = []
    for requirement in requirements():
        lower, installed = bounds(requirement)[0], metadata.version(requirement.name)
        print(f"{requirement.name} {installed}")
        if installed not in requirement.specifier:
            faults.append(f"{requirement}: {installed} is installed")
        elif edge == "oldest" and Version(installed) != Version(lower):
            faults.append(f"{requirement}: the oldest that could be tested is {installed}")
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main(sys.argv[1])
