"""What YAML files were parsed into, kept in the cache by their bytes, so that none is parsed twice.

But a file with a secret written out in it is: of such a one nothing is kept, nor of one with a
value that a plan masks, by its name or by what it looks like.
"""

from __future__ import annotations

import hashlib
import marshal
from functools import lru_cache
from string import hexdigits
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Position
from fsgitops.model.document import Document
from fsgitops.model.plan import HASH_LENGTH, SECRET_WORDS, is_secret
from fsgitops.steps.load.plain import scan

if TYPE_CHECKING:
    from fsgitops.workspace.cache import Cache

ROOM: Final = 256 << 20
"""Bytes: 2,000,000 agents."""
_COUNTS: Final = "password_version"
"""A field that is named after a secret and is none."""


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
        return Document(path, tree, data, positions, scan)

    def note(self, document: Document) -> None:
        """Have a document kept that was parsed without a finding."""
        places = {
            section: [(item.line, item.column) for item in items]
            for section, items in document.item_positions.items()
        }
        known = marshal.dumps((document.data, places))
        # Written out, a secret says so, or what declares it has an error: `keep` is not called.
        if b"plaintext" not in known and not (
            _may_hold_masked(document.text) and _holds_masked(document.data)
        ):
            self._new.append((_subject(document.text), known))

    def keep(self) -> None:
        """Keep them, now that nothing that is declared has an error."""
        for subject, known in self._new:
            self._cache.write(subject, known)
        if self._new:
            self._cache.tidy()
        self._new.clear()


_HEX: Final = bytes(ord("0") if chr(sign) in hexdigits else ord(" ") for sign in range(256))
_FOLDED: Final = ("\u017f", "\u212a")
"""What a search takes for `s` and `k`, where the case of letters makes no difference."""
_TELLING: Final = tuple(
    map(str.encode, (*SECRET_WORDS, *_FOLDED, "/param", "/variable", "\\", "="))
)


def _may_hold_masked(text: bytes) -> bool:
    """Tell whether a text could hold such a value, at a glance: most files hold nothing like it.

    What is written with a backslash may be anything.
    """
    lower = text.lower()
    return any(sign in lower for sign in _TELLING) or b"0" * HASH_LENGTH in text.translate(_HEX)


def _holds_masked(value: object, name: str = "") -> bool:
    """Tell whether there is a value that a plan would mask, wherever in a file it came to stand.

    A list of parameters, each with its `name` and its `value`, is as good as a mapping.
    """
    if isinstance(value, dict):
        named = value.get("name") if "value" in value else None
        return any(
            _holds_masked(item, named if key == "value" and isinstance(named, str) else str(key))
            for key, item in value.items()
        )
    if isinstance(value, list):
        return any(_holds_masked(item, name) for item in value)
    if value is None or isinstance(value, bool):
        return False
    return _names_masked(name) or (type(value) is str and is_secret("", value))


@lru_cache(maxsize=4096)
def _names_masked(name: str) -> bool:
    return name != _COUNTS and is_secret(f"variable .{name}")


def _subject(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
