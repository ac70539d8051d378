"""The templates that the desired state is compiled with, as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Templates:
    """Template name -> source text, and the file that each was read from, for messages."""

    sources: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)

    def file(self, name: str) -> str:
        """Return the file to name in a message about the template `name`."""
        return self.files.get(name, f"templates/{name}")
