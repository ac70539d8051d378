"""The examples of README and docs: what a page says to run, and what it says comes of that.

A fenced block whose first line is `$ fsgitops …`, or `ann$ fsgitops …`, is an example: its other
lines are the output, until the next prompt. A `y` after a question is typed. What the reader does
not see stands in comments before it:

    <!-- example: run fsgitops apply --yes -->      a command that is not shown
    <!-- example: edit FILE /before/after/ -->      an edit of a file
    <!-- example: file FILE (and its lines) -->     a file, `remove FILE`: it goes away
    <!-- example: write -->                         the next block is files, each below `# its/path`
    <!-- example: commit -->                        what stands is committed, on the branch main
    <!-- example: register 1020 -->                 a phone registers; `agents 2000 2100`
    <!-- example: empty -->                         the page begins in an empty folder
    <!-- example: skip WHY -->                      the next example is not run

In an expected line `…` stands for any text, and a line of `…` alone for any lines.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PART = re.compile(
    r"^<!-- example: (?P<verb>\w+) ?(?P<rest>.*?) ?-->$"
    r"|^```(?P<kind>\w*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PROMPT = re.compile(r"^(?P<user>[a-z]*)\$ ", re.MULTILINE)
_VARIABLE = (
    (re.compile(r"/home/ann/pbx/"), ""),
    (re.compile(r"\bcommit [0-9a-f]{12}\b"), "commit N"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|\+00:00| UTC)?"), "DATE"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{16}\b"), "DIGEST"),
    (re.compile(r"less than a minute ago|\b\d+ (minute|hour|day)s? ago"), "AGO"),
    (re.compile(r"\b\d+ unmanaged files?"), "N unmanaged files"),
    (re.compile(r"\bline \d+(?= of the merged|\])"), "line N"),
)
"""What no page can know: dates, digests, and how large the reader's own configuration is."""


@dataclass
class Step:
    """One thing that a page does; `expected` is None where nothing is shown."""

    line: int
    verb: str
    text: str
    expected: list[str] | None = None
    user: str = ""


@dataclass
class Page:
    """What a page does, in its order, and the shell blocks that only name commands."""

    path: Path
    steps: list[Step] = field(default_factory=list)
    shells: list[Step] = field(default_factory=list)


def read_page(path: Path) -> Page:
    """Return what a page does."""
    text, page, pending = path.read_text(encoding="utf-8"), Page(path), ""
    for match in _PART.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["verb"]:
            if match["verb"] in ("skip", "write"):
                pending = match["verb"]
            else:
                page.steps.append(Step(line, match["verb"], match["rest"]))
            continue
        body = match["body"]
        if pending == "write":
            page.steps.append(Step(line, "write", body))
        elif pending != "skip" and re.match(r"[a-z]*\$ fsgitops ", body):
            page.steps += _examples(line, body)
        elif match["kind"] == "sh":
            page.shells.append(Step(line, "sh", body))
        pending = ""
    return page


def _examples(line: int, body: str) -> Iterator[Step]:
    parts = _PROMPT.split(body)[1:]
    for user, part in zip(parts[::2], parts[1::2], strict=True):
        command, *expected = part.rstrip("\n").split("\n")
        yield Step(line, "run", command, expected, user)


def commands_of(shell: str) -> Iterator[list[str]]:
    """Yield the words of each command of a shell block, up to a pipe or a redirection."""
    for line in shell.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in lexer:
            if set(word) <= set("|&;<>()"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)
        if words:
            yield words


def read_quotes(path: Path) -> list[list[str]]:
    """Return the lines of each quotation of a page."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"(?:^>.*\n)+", text, re.MULTILINE)
    return [[line.removeprefix(">").strip(" ") for line in one.splitlines()] for one in found]


def normalise(text: str) -> str:
    """Return a line with what differs from run to run named instead of told."""
    for pattern, name in _VARIABLE:
        text = pattern.sub(name, text)
    return text.rstrip()


def agrees(expected: list[str], found: list[str]) -> bool:
    """Tell whether the output is what a page shows."""
    if not expected:
        return not found
    if expected[0].strip() == "…":
        return any(agrees(expected[1:], found[at:]) for at in range(len(found) + 1))
    return bool(found) and _fits(expected[0], found[0]) and agrees(expected[1:], found[1:])


def _fits(expected: str, found: str) -> bool:
    parts = map(re.escape, normalise(expected).split("…"))
    return re.fullmatch(".*".join(parts), normalise(found)) is not None
