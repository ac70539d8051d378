"""Where the elements of one kind stand in a file, byte by byte."""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.parsers import expat

from fsgitops.routing.fragment import (
    FragmentError,
    flatten_fragment,
    flatten_text,
    preprocess_lines,
)

_ROOT = b"<fragment>"
_OPEN = b"<include>"
_CLOSE = b"</include>\n"


class Spans(NamedTuple):
    """A file's text, the outermost elements of a tag in it, and the directives beside it.

    `exact` tells that `text` is the whole of the file: what is cut out of it and put into it is cut
    out of the file and put into it. Otherwise it is what the preprocessor leaves.
    """

    text: bytes
    elements: tuple[tuple[int, int], ...]
    directives: tuple[str, ...]
    exact: bool

    def flatten_rest(self) -> dict[str, str]:
        """Return what the file says without the elements, as `flatten_fragment` names it."""
        kept, position = [], 0
        for start, end in self.elements:
            kept.append(self.text[position:start])
            position = end
        rest = b"".join((*kept, self.text[position:]))
        return flatten_fragment(rest) if self.exact else flatten_text(rest, self.directives)


def find_elements(content: bytes, tag: str) -> Spans:
    """Return where the elements of a tag stand. Raises FragmentError when it is not XML."""
    text, directives = preprocess_lines(content)
    exact = content == _OPEN + text + _CLOSE
    shift = len(_OPEN) if exact else 0
    elements = tuple((start + shift, end + shift) for start, end in _parse(text, tag))
    return Spans(content if exact else text, elements, directives, exact)


def _parse(text: bytes, tag: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    ending = re.compile(b"</" + re.escape(tag.encode()) + rb"\s*>")
    depth = start_at = 0

    def start(name: str, _attributes: object) -> None:
        nonlocal depth, start_at
        if name == tag:
            if not depth:
                start_at = parser.CurrentByteIndex - len(_ROOT)
            depth += 1

    def end(name: str) -> None:
        nonlocal depth
        if name == tag:
            depth -= 1
            if not depth:
                at = parser.CurrentByteIndex - len(_ROOT)
                # Of `<user/>`, this is where it ends; of `</user>`, where that begins.
                closed = ending.match(text, at)
                found.append((start_at, closed.end() if closed else at))

    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(_ROOT + text + b"</fragment>", True)
    except expat.ExpatError as problem:
        raise FragmentError(problem.lineno, expat.ErrorString(problem.code) or "not XML") from None
    return found
