"""The examples of README and docs: what a page says to run, and what it says comes of that.

A fenced block whose first line is `$ fsgitops …`, `ann$ fsgitops …` or `$ curl …` is an example:
its other lines are the output, until the next prompt. A `y` after a question is typed. What the
reader does not see stands in comments before it:

    <!-- example: run fsgitops apply --yes -->      a command that is not shown
    <!-- example: fails fsgitops plan -->           the same, and it must fail
    <!-- example: shows fsgitops plan -->           the next block is a part of what that prints;
                                                    `shows cat FILE`: a part of that file
    <!-- example: runs -->                          the commands of the next block run, and end well
    <!-- example: edit FILE /before/after/ -->      an edit of a file
    <!-- example: file FILE (and its lines) -->     a file, `remove FILE`: it goes away
    <!-- example: write -->                         the next block is files below `# path`;
                                                    `write FILE`: it is that file
    <!-- example: from FILE -->                     the next block is lines of a file of this
                                                    repository, where `…` stands for any lines
    <!-- example: unset NAME -->                    a variable of the environment goes away
    <!-- example: commit -->                        what stands is committed, on the branch main
    <!-- example: empty -->                         the page begins in an empty folder
    <!-- example: skip WHY -->                      the next block is not run, compared or read

and, on the switch that target `prod` names:

    <!-- example: target prod -->                   commands without --target mean this one
    <!-- example: domain 127.0.0.1 -->              its domain
    <!-- example: register 1020 5070 a phone -->    a phone registers, at a port, by its name
    <!-- example: agents 2000 2100 -->              so many are declared
    <!-- example: gateway telnyx -->                a gateway; `gateway` alone: there is none
    <!-- example: refuse 1020 NO_ANSWER -->         the next call to it ends so
    <!-- example: call UUID FROM DID TO -->         somebody from outside talks to an agent
    <!-- example: records 12 -->                    legs of calls that the sidecar has kept
    <!-- example: api read operate -->              the API, which allows these without a token

In an expected line `…` stands for any text, and a line of `…` alone for any lines. A block of JSON
is compared by value: what it shows is there, and more may be.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PART = re.compile(
    r"^<!-- example: (?P<verb>\w+) ?(?P<rest>.*?) ?-->$"
    r"|^(?P<fence>````?)(?P<kind>\w*)\n(?P<body>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_PROMPT = re.compile(r"^(?P<user>[a-z]*)\$ ", re.MULTILINE)
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_TOKEN = re.compile(
    r"(?<=oken )[0-9a-f]{8}(?= )|(?<=^fsg_)[0-9a-f]{8}(?=_)|^[0-9a-f]{8}(?=  )", re.MULTILINE
)
_VARIABLE = (
    (re.compile(r"/home/ann/pbx/"), ""),
    (re.compile(r"\bcommit [0-9a-f]{12}\b"), "commit N"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|\+00:00| UTC)?"), "DATE"),
    (_UUID, "UUID"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{16}\b"), "DIGEST"),
    (_TOKEN, "TOKEN"),
    (re.compile(r"\bage1[0-9a-z]{58}\b"), "RECIPIENT"),
    (re.compile(r"less than a minute ago|\b\d+ (minute|hour|day)s? ago"), "AGO"),
    (re.compile(r"\b\d{4} s(?=  )"), "N s"),
    (re.compile(r"(?<=  )\d:\d\d(?=  )"), "N:NN"),
    (re.compile(r"\b\d+ unmanaged files?"), "N unmanaged files"),
    (re.compile(r"\bline \d+(?= of the merged|\])"), "line N"),
)
"""What no page can know: dates, digests, and how large the reader's own configuration is."""

_VARIABLE_FIELDS = {"uid", "user", "sudo_user", "id", "expires", "call_id"}
"""Fields of JSON whose value no page can know; it is of the same type."""


@dataclass
class Step:
    """One thing that a page does; `expected` is None where nothing is shown."""

    line: int
    verb: str
    text: str
    expected: list[str] | None = None
    user: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Block:
    """A fenced block, and the verb of the comment that stands before it."""

    line: int
    kind: str
    body: str
    verb: str
    why: str

    @property
    def is_example(self) -> bool:
        """Tell whether the block shows a command at its prompt."""
        return re.match(r"[a-z]*\$ ", self.body) is not None


@dataclass
class Page:
    """What a page does, in its order, and its blocks."""

    path: Path
    steps: list[Step] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def read_page(path: Path) -> Page:
    """Return what a page does."""
    text, page, pending, rest = path.read_text(encoding="utf-8"), Page(path), "", ""
    for match in _PART.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["verb"]:
            if match["verb"] in ("skip", "write", "shows", "runs", "from"):
                pending, rest = match["verb"], match["rest"]
            else:
                page.steps.append(Step(line, match["verb"], match["rest"]))
            continue
        block = Block(line, match["kind"], match["body"], pending, rest)
        page.blocks.append(block)
        page.steps += _steps(block)
        pending, rest = "", ""
    return page


def _steps(block: Block) -> Iterator[Step]:
    if block.verb == "write":
        yield Step(block.line, "write", f"{block.why}\n{block.body}")
    elif block.verb == "shows":
        shown = block.body.rstrip("\n").split("\n")
        if block.kind != "json":
            shown = ["…", *shown, "…"]
        yield Step(block.line, "shows", block.why, shown, kind=block.kind)
    elif block.verb == "runs":
        for line in block.body.replace("\\\n", " ").splitlines():
            yield Step(block.line, "line", line)
    elif block.verb not in ("skip", "from") and block.is_example:
        parts = _PROMPT.split(block.body)[1:]
        for user, part in zip(parts[::2], parts[1::2], strict=True):
            command, expected = _command(part.rstrip("\n").split("\n"))
            kind = "json" if command.startswith("curl ") else ""
            yield Step(block.line, "run", command, expected, user, kind)


def _command(lines: list[str]) -> tuple[str, list[str]]:
    """Part a command from its output: it goes on behind a `\\`, and in an open quotation."""
    for end in range(1, len(lines) + 1):
        command = "\n".join(lines[:end])
        if not command.endswith("\\") and command.count("'") % 2 == 0:
            break
    return command.replace("\\\n", " "), lines[end:]


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


def is_excerpt(shown: str, text: str) -> bool:
    """Tell whether a text has these lines in this order; between them `…` stands for any."""
    at, text = 0, f"\n{text}"
    for part in re.split(r"^ *…\n", shown, flags=re.MULTILINE):
        at = text.find(f"\n{part}", at)
        if at < 0:
            return False
        at += len(part)
    return True


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


def compare(step: Step, said: str) -> bool:
    """Tell whether what a command said is what the page shows of it."""
    if step.kind == "json":
        said = re.sub(r"^\(exit code \d+\)\n\Z", "", said, flags=re.MULTILINE)
        return _shows_json(step.expected or [], said)
    lines = [line.rstrip() for line in said.rstrip("\n").split("\n")] if said else []
    return agrees(step.expected or [], lines)


def learn_names(step: Step, said: str) -> dict[str, str]:
    """Return which uuid, or token's id, of this run is meant by each that the page shows."""
    learnt: dict[str, str] = {}
    for name in (_UUID, _TOKEN):
        shown, found = name.findall("\n".join(step.expected or [])), name.findall(said)
        if len(shown) == len(found):
            learnt.update(zip(shown, found, strict=True))
    return learnt


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


def read_values(text: str) -> list[Any]:
    """Return the JSON values of a text: it is one, or has one on each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _shows_json(expected: list[str], said: str) -> bool:
    try:
        found = [inner for value in read_values(said) for inner in _inside(value)]
    except ValueError:
        return False
    return all(
        any(is_part(shown, value) for value in found) for shown in read_values("\n".join(expected))
    )


def _inside(value: Any) -> Iterator[Any]:
    """Yield a value and all that are in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _inside(one)


def is_part(shown: Any, found: Any, name: str = "") -> bool:
    """Tell whether a JSON value is one that a page shows, of which it may leave things out."""
    if type(shown) is not type(found):
        return False
    if isinstance(shown, dict):
        return all(key in found and is_part(shown[key], found[key], key) for key in shown)
    if isinstance(shown, list):
        left = iter(found)
        return all(any(is_part(one, other) for other in left) for one in shown)
    if name in _VARIABLE_FIELDS:
        return True
    return _fits(shown, found) if isinstance(shown, str) else bool(shown == found)
