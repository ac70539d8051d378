"""Somebody else's file, of which some elements are ours: cut out, the rest keeps its bytes.

The file is cut as it was written, before FreeSWITCH's preprocessor reads it. What is left is then
read as FreeSWITCH does, and must say what the file said, but for these elements.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from fsgitops.homes import home_of
from fsgitops.homes.pieces import find_spans, names_in, own_file, take_apart
from fsgitops.model.live import ManifestEntry, Record
from fsgitops.routing.fragment import FragmentError, flatten_fragment, read_items

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fsgitops.model.compiled import Part

_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>)?")
_BLANK_BEHIND = re.compile(rb"[ \t]*\r?(?:\n|\Z)")


def list_names(content: bytes, path: str) -> list[str]:
    """Return the names of a file's elements, each as often as it stands there.

    Raises FragmentError where it cannot be read, FsgitopsError where it is no place of a home.
    """
    return [name for names in take_apart(content, path).names for name in names]


def know_foreign(content: bytes, path: str, records: Iterable[Record]) -> ManifestEntry:
    """Return what is known of somebody else's file in which these resources have their elements."""
    pieces = take_apart(content, path)
    known = []
    for record in records:
        mine = [
            at for at, names in enumerate(pieces.names) if not {*names}.isdisjoint(record.elements)
        ]
        digest = hashlib.sha256(own_file(map(pieces.bytes_of, mine))).hexdigest()
        known.append(record._replace(sha256=digest, elements=pieces.names_of(mine)))
    return ManifestEntry(hashlib.sha256(content).hexdigest(), tuple(known), foreign=True)


def take_out(content: bytes, path: str, names: Collection[str]) -> bytes:
    """Return a file without the elements of these names; what is left of it keeps its bytes.

    A line that had nothing else goes with its element. Raises FragmentError where it cannot be
    proved that nothing else is changed by that.
    """
    home = home_of(path)
    gone = set(names)
    head = re.sub(rb"\S", b" ", content[: _end_of_head(content)])
    text = head + content[len(head) :]
    out: list[bytes] = []
    cursor = 0
    for start, end in find_spans(text, home.element):
        if gone.isdisjoint(names_in(text[start:end], home)):
            continue
        first, behind = _find_line(text, start), _BLANK_BEHIND.match(text, end)
        whole_line = behind and (first == 0 or text[first - 1 : first] == b"\n")
        out.append(content[cursor : first if whole_line else start])
        cursor = behind.end() if behind and whole_line else end
    left = b"".join((*out, content[cursor:]))
    pieces = take_apart(content, path)
    mine = [at for at, found in enumerate(pieces.names) if not gone.isdisjoint(found)]
    cut = tuple(pieces.spans.elements[at] for at in mine)
    if flatten_fragment(left) != pieces.spans._replace(elements=cut).flatten_rest():
        raise FragmentError(1, "its elements cannot be taken out without changing others")
    return left


def _end_of_head(content: bytes) -> int:
    """Return where a byte order mark and an XML declaration end, which no parser takes inside."""
    found = _HEAD.match(content)
    return found.end() if found else 0


def _find_line(text: bytes, start: int) -> int:
    """Return where the blanks before a place begin."""
    while start and text[start - 1] in b" \t":
        start -= 1
    return start


def own_elements(content: bytes, path: str, owned: Iterable[Part | Record]) -> bytes:
    """Return a file of only those elements of somebody else's that are of these resources."""
    pieces, mine = take_apart(content, path), {name for item in owned for name in item.elements}
    numbers = (at for at, names in enumerate(pieces.names) if not mine.isdisjoint(names))
    return own_file(map(pieces.bytes_of, numbers))


def is_bare(content: bytes) -> bool:
    """Tell whether a file says nothing: neither an element nor a text, a comment or a directive."""
    items, directives = read_items(content)
    return not (items or directives)
