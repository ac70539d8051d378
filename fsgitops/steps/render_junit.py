"""A review as JUnit XML: findings and what is in the way fail, each change is a passed case."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.findings import Severity
from fsgitops.model.impact import HEADING as CALLERS
from fsgitops.model.plan import Action
from fsgitops.model.review import list_changes, name_change, tell_source, word_change
from fsgitops.model.task import HEADING, find_tasks
from fsgitops.model.wording import describe_attribute
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.model.plan import Change, Plan
    from fsgitops.model.review import Review
    from fsgitops.model.verdict import Proof, Verdict

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def render_junit(review: Review) -> str:
    """Return one `<testsuites>` document: the suite `validate`, and the suite `plan` if any."""
    suites = [_suite("validate", _finding_cases(review))]
    if review.plan is not None:
        suites.append(_suite("plan", _plan_cases(review, review.plan)))
    return _document(suites)


def _document(suites: Sequence[tuple[str, int, int]]) -> str:
    tests = sum(count for _, count, _ in suites)
    failures = sum(count for _, _, count in suites)
    head = f'<testsuites name="fsgitops" tests="{tests}" failures="{failures}" errors="0">'
    body = "\n".join(text for text, _, _ in suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{body}\n</testsuites>\n'


def render_proof_junit(proof: Proof) -> str:
    """Return one `<testsuites>` document with the suite `test`: a case for each expectation."""
    return _document([_suite("test", list(_proof_cases(proof.verdicts)))])


def _proof_cases(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, bool]]:
    for verdict in verdicts:
        file, line = verdict.source.split(":")[:2]
        place = f"file={_quote(file)} line={_quote(line)}"
        told = "" if verdict.holds else verdict.tell()
        yield _case("test", verdict.name, told, place=place, failed=not verdict.holds)


def _suite(name: str, cases: list[tuple[str, bool]]) -> tuple[str, int, int]:
    failures = sum(failed for _, failed in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0"'
    body = "\n".join(text for text, _ in cases)
    return f' <testsuite name="{name}" {counts}>\n{body}\n </testsuite>', len(cases), failures


def _finding_cases(review: Review) -> list[tuple[str, bool]]:
    cases: list[tuple[str, bool]] = []
    for finding in review.findings:
        failed = finding.severity is Severity.ERROR
        text = f"{finding.position}: {finding.severity}: {finding.message}"
        name = f"{finding.rule} at {finding.position}"
        place = (
            f'file={_quote(review.locate(finding.position.file))} line="{finding.position.line}"'
        )
        cases.append(_case("validate", name, text, finding.hint, place=place, failed=failed))
    if not any(failed for _, failed in cases):
        cases.append(_case("validate", "what is declared is valid"))
    return cases


def _plan_cases(review: Review, plan: Plan) -> list[tuple[str, bool]]:
    cases = [
        _case("plan", f"{item.rule} at {item.path}", item.message, item.hint, failed=True)
        for item in plan.hazards
    ]
    cases += [_case("plan", f"{HEADING}: {task.kind}", task.text) for task in find_tasks(plan)]
    calls = "\n".join(plan.impact.tell()) if plan.impact else ""
    cases += [_case("plan", CALLERS, calls)] if calls else []
    seen: Counter[str] = Counter()
    for change in list_changes(plan):
        name = f"{word_change(change)} {name_change(change)}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} ({change.path})"
        cases.append(_case("plan", name, _explain(change)))
    cases.append(_case("plan", review.summary))
    return cases


def _explain(change: Change) -> str:
    lines = [f"{change.path} {tell_source(change)}"]
    if change.drifted:
        lines.append("drift: changed by somebody else since the last apply")
    if change.action is Action.UPDATE or change.moved:
        lines += [describe_attribute(item) for item in change.attributes]
    return "\n".join(lines)


def _case(
    group: str, name: str, text: str = "", hint: str = "", *, place: str = "", failed: bool = False
) -> tuple[str, bool]:
    head = f"  <testcase classname={_quote(f'fsgitops.{group}')} name={_quote(name)}"
    head += f" {place}" if place else ""
    body = "\n".join(_escape(line) for line in [*text.split("\n"), hint] if line)
    if failed:
        inner = f"<failure message={_quote(text)}>{body}</failure>"
    elif body:
        inner = f"<system-out>{body}</system-out>"
    else:
        return f"{head}/>", failed
    return f"{head}>{inner}</testcase>", failed


def _escape(text: str) -> str:
    # No control character, surrogate or non-character is left: XML 1.0 has no way to write them.
    return make_visible(text).translate(_ESCAPES)


def _quote(text: str) -> str:
    return f'"{_escape(text)}"'
