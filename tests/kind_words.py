"""Where a module names a kind: in an identifier, in an import, or in a string that is no docstring.

python tests/kind_words.py [ROOM…]
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.kinds import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[1] / "fsgitops"
ROOMS = ("steps", "homes", "routing", "transaction", "planning")

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ENGLISH = {"did"}
"""Words of a kind that are words of their own in a sentence."""
_OF_FREESWITCH = {("gateway",), ("gateways",)}
"""Words of FreeSWITCH's configuration: who reads that names no kind of ours."""


class Site(NamedTuple):
    """One place that names a kind."""

    place: str
    line: int
    text: str


def _spellings() -> set[tuple[str, ...]]:
    words = {
        spelt
        for word, kind in BUILT_IN.items()
        for spelt in (word, kind.section, kind.noun.__name__, *kind.aliases, f"{word}s")
    }
    spelt = {tuple(part.lower() for part in _PARTS.findall(word)) for word in words}
    return spelt - _OF_FREESWITCH


SPELLINGS = _spellings()


def names_kind(text: str, *, sentence: bool = False) -> bool:
    """Tell whether a text has a kind's word in it, as whole words: `agent`, `DidRoute`, `dids`."""
    parts = [part.lower() for part in _PARTS.findall(text)]
    for spelt in SPELLINGS:
        at = range(len(parts) - len(spelt) + 1)
        if any(tuple(parts[i : i + len(spelt)]) == spelt for i in at):
            prose = sentence and spelt[0] in _ENGLISH and len(spelt) == 1
            if not prose or re.search(rf"(^|[^\w]){spelt[0]}(:|$)", text):
                return True
    return False


def find_sites(path: Path) -> Iterator[Site]:
    """Yield every place in a module that names a kind."""
    tree = ast.parse(path.read_text())
    where = str(path.relative_to(PACKAGE))
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in docs and names_kind(node.value, sentence=True):
                yield Site(where, line, repr(node.value))
            continue
        for name in _identifiers(node):
            if names_kind(name):
                yield Site(where, line, name)


def _identifiers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.keyword):
        yield node.arg or ""
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
    elif isinstance(node, ast.alias):
        yield node.asname or node.name


def find_all(*rooms: str) -> Iterator[Site]:
    """Yield every place in the modules of some rooms that names a kind."""
    for room in rooms or ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            yield from sorted(find_sites(path), key=lambda site: site.line)


if __name__ == "__main__":
    for site in find_all(*sys.argv[1:]):
        print(f"{site.place}:{site.line}: {site.text[:100]}")
