"""Comments that silence a rule on one line, and what is wrong with such comments."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from fsgitops.findings import (
    Finding,
    Position,
    error,
    fold_findings,
    quote_value,
    sort_findings,
    warning,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.document import Document
    from fsgitops.model.rule import Rule

    Place = tuple[int, int]
    Literals = Sequence[tuple[Place, Place]]

MARK = b"fsgitops:"
FORM = "# fsgitops: ignore[rule-name] because it says why"
XML_FORM = "<!-- fsgitops: ignore[rule-name] because it says why -->"

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*fsgitops:(?P<rest>.*)")
_IGNORE = re.compile(r"\s*ignore\s*\[(?P<names>[^\]]*)\](?P<reason>.*)")
_REASON = re.compile(r"because\s+\S.*\S\s*$")


@dataclass(slots=True)
class Silence:
    """A comment at a place, and the rules that it silences on a line."""

    place: Position
    line: int
    """The line whose findings are silenced."""
    names: tuple[str, ...]
    used: bool = False


def silence_findings(
    findings: Iterable[Finding],
    documents: Iterable[Document],
    rules: Mapping[str, Rule],
    find_literals: Callable[[bytes], Literals],
    *,
    complete: bool = True,
) -> list[Finding]:
    """Return the findings that no comment silences, and one for each comment that is no good.

    A comment behind a value silences its own line; one on a line of its own, the next line that
    says something. It must name rules and give a reason; a fixed rule cannot be silenced, and a
    silence that silences nothing is a warning. Pass `complete=False` when some files could not be
    read: then nobody knows what is of no use.
    """
    judged: list[Finding] = []
    silences: dict[tuple[str, int, str], Silence] = {}
    everything: list[Silence] = []
    for document in documents:
        if MARK not in document.text:
            continue
        found, problems = _read_silences(document, rules, find_literals)
        judged += problems
        everything += found
        for item in found:
            for name in item.names:
                silences.setdefault((document.path, item.line, name), item)
    for finding in findings:
        silence = silences.get((finding.position.file, finding.position.line, finding.rule))
        if silence is None:
            judged.append(finding)
        else:
            silence.used = True
    if complete:
        judged += _find_unused(everything, rules)
    return fold_findings(sort_findings(judged))


def find_silenced(
    documents: Iterable[Document],
    rules: Mapping[str, Rule],
    find_literals: Callable[[bytes], Literals],
) -> frozenset[tuple[str, int, str]]:
    """Return the (file, line, rule) that comments silence, of the rules that a plan judges."""
    return frozenset(
        (document.path, item.line, name)
        for document in documents
        if MARK in document.text
        for item in _read_silences(document, rules, find_literals)[0]
        for name in item.names
        if rules[name].by_plan
    )


def _find_unused(silences: Iterable[Silence], rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """What a plan judges is not known here: nobody knows what such a silence is good for."""
    for item in silences:
        if not item.used and not any(rules[name].by_plan for name in item.names):
            yield tell_unused(item.place, item.line, item.names)


def tell_unused(place: Position, line: int, names: Iterable[str]) -> Finding:
    """Return what is wrong with a comment that silences nothing on its line."""
    message = f"nothing on line {line} breaks {' or '.join(names)}"
    return warning("silence-unused", place, message, "Remove the comment.")


def _read_silences(
    document: Document, rules: Mapping[str, Rule], find_literals: Callable[[bytes], Literals]
) -> tuple[list[Silence], list[Finding]]:
    lines = document.text.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    literals = find_literals(document.text)
    starts = [start for start, _ in literals]
    silences: list[Silence] = []
    findings: list[Finding] = []
    for number, text in enumerate(lines, 1):
        match = _COMMENT.search(text)
        if match is None:
            continue
        column = match.start() + 1
        index = bisect_right(starts, (number, column)) - 1
        if index >= 0 and (number, column) < literals[index][1]:
            continue
        place = Position(document.path, number, column)
        line = number if text[: match.start()].strip() else _next_line(lines, number)
        item, problems = _read_silence(match["rest"], place, line, rules)
        findings += problems
        if item is not None:
            silences.append(item)
    return silences, findings


def _next_line(lines: list[str], number: int) -> int:
    for index in range(number, len(lines)):
        text = lines[index].strip()
        if text and not text.startswith("#"):
            return index + 1
    return number


def read_xml_silences(text: str, rules: Mapping[str, Rule]) -> tuple[list[Silence], list[Finding]]:
    """Return what comments of XML silence, and what is wrong with some. Their places name no file.

    A comment behind something silences its own line, another one the next line that is not blank
    and no comment: the extension that begins there, say.
    """
    silences: list[Silence] = []
    findings: list[Finding] = []
    if MARK.decode() not in text:
        return silences, findings
    lines = text.split("\n")
    for number, content in enumerate(lines, 1):
        before, _, comment = content.partition("<!--")
        said, closing, _ = comment.partition("-->")
        if not closing or not said.strip().startswith("fsgitops:"):
            continue
        line = number if before.strip() else _next_xml_line(lines, number)
        place = Position("", number, len(before) + 1)
        rest = said.strip().removeprefix("fsgitops:")
        item, problems = _read_silence(rest, place, line, rules, XML_FORM)
        findings += problems
        silences += [item] if item is not None else []
    return silences, findings


def _next_xml_line(lines: list[str], number: int) -> int:
    inside = False
    for index in range(number, len(lines)):
        text = lines[index].strip()
        comment = inside or text.startswith("<!--")
        inside = comment and "-->" not in text
        if text and not comment:
            return index + 1
    return number


def _read_silence(
    text: str, place: Position, line: int, rules: Mapping[str, Rule], form: str = FORM
) -> tuple[Silence | None, list[Finding]]:
    match = _IGNORE.match(text)
    if match is None:
        message = "a comment that begins with `fsgitops:` must silence a rule"
        return None, [error("silence-form", place, message, f"Write: {form}")]
    reason = match["reason"].strip()
    good: list[str] = []
    findings: list[Finding] = []
    reasoned = _REASON.match(reason) is not None
    if not reasoned:
        short = re.match(r"because\s+\S", reason)
        message = "this reason is too short" if short else "this silences a rule without a reason"
        findings.append(error("silence-reason", place, message, f"Write: {form}"))
    for name in (part.strip() for part in match["names"].split(",")):
        rule = rules.get(name)
        if rule is None:
            near = get_close_matches(name, rules, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else "See `fsgitops lint --rules`."
            message = f"there is no rule {quote_value(name)}"
            findings.append(error("silence-unknown", place, message, hint))
        elif rule.fixed:
            message = f"the rule `{name}` cannot be silenced: it protects the switch"
            findings.append(error("silence-fixed", place, message, "Correct what it finds."))
        elif reasoned:
            good.append(name)
    return (Silence(place, line, tuple(good)) if good else None), findings
