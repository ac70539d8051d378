"""What YAML files were parsed into, kept in the cache by their bytes, so that none is parsed twice.

But a file with a secret written out in it is: of such a one nothing is kept.
"""

from __future__ import annotations

import hashlib
import marshal
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Position
from fsgitops.model.document import Document

if TYPE_CHECKING:
    from fsgitops.model.document import Marks
    from fsgitops.workspace.cache import Cache

ROOM: Final = 256 << 20
"""Bytes: 2,000,000 agents."""


class Trees:
    """The trees of earlier runs, and those of this one that are to be kept."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._new: list[tuple[bytes, bytes]] = []

    def recall(self, path: str, data: bytes) -> Document | None:
        """Return the document of a file of these bytes, None where they were never parsed."""
        known = self._cache.read(_subject(data))
        if known is None:
            return None
        # Whoever has the project key has written it, and nothing in this format is code.
        tree, places = marshal.loads(known)  # noqa: S302
        positions = {
            section: tuple(Position(path, line, column) for line, column in items)
            for section, items in places.items()
        }
        return Document(path, tree, data, positions, _scan)

    def note(self, document: Document) -> None:
        """Have a document kept that was parsed without a finding."""
        places = {
            section: [(item.line, item.column) for item in items]
            for section, items in document.item_positions.items()
        }
        known = marshal.dumps((document.data, places))
        # Written out, a secret says so, or what declares it has an error: `keep` is not called.
        if b"plaintext" not in known:
            self._new.append((_subject(document.text), known))

    def keep(self) -> None:
        """Keep them, now that nothing that is declared has an error."""
        for subject, known in self._new:
            self._cache.write(subject, known)
        if self._new:
            self._cache.tidy()
        self._new.clear()


def _subject(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _scan(data: bytes) -> Marks:
    # The parser is imported where somebody asks for a place.
    from fsgitops.steps.load.events import scan_marks

    return scan_marks(data)
