"""The rules over the whole dialplan: the hand-written files, and ours as the plan leaves them.

A plan shows what it brings in itself, and how much stands there already; `fsgitops lint --dialplan`
shows all of it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.errors import FsgitopsError
from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.plan import Action, Hazard
from fsgitops.model.reading import leads_to
from fsgitops.routing.preprocess import ROOT_FILE, MergeError
from fsgitops.routing.tree import XmlSyntaxError, parse
from fsgitops.rules.table import DIALPLAN_RULES
from fsgitops.steps.silence import Silence, read_xml_silences, tell_unused
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsgitops.model.plan import Plan
    from fsgitops.model.resource import Resource
    from fsgitops.planning.survey import ConfLook
    from fsgitops.routing.analysis.found import Found
    from fsgitops.routing.analysis.outline import Outline
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.survey import Survey
    from fsgitops.routing.tree import Element
    from fsgitops.workspace.declare import Compilation
    from fsgitops.workspace.open import Workspace

_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_ZEROS: Final = re.compile(rb"0+")
_MOST_KEPT: Final = 1000
"""Resources that are read because others lead to them."""
_LOCAL: Final = {rule.name: rule for rule in DIALPLAN_RULES}


class Judged(NamedTuple):
    """A finding, and the resources that it takes: none where it is in hand-written files alone."""

    finding: Finding
    resources: frozenset[Resource]


def judge_dialplan(
    workspace: Workspace, compilation: Compilation, plan: Plan, look: ConfLook
) -> Plan:
    """Return the plan with what it brings in, and a line of what stands there already.

    An error of what the plan writes is a hazard, which an apply refuses. A plan that changes
    nothing brings nothing in, and does not look.
    """
    if not plan.changes or not (workspace.target.conf_dir / ROOT_FILE).is_file():
        return plan
    try:
        judged = analyse_conf(workspace, compilation, look)
    except (FsgitopsError, OSError):
        return plan  # that it cannot be read is told by what looks for our files
    written = {change.resource for change in plan.changes if change.action is not Action.DELETE}
    hazards, warnings = list(plan.hazards), list(plan.warnings)
    standing: list[Finding] = []
    for finding, resources in judged:
        new = sorted(resources & written)
        if not new:
            standing.append(finding)
        elif finding.severity is Severity.ERROR:
            path = compilation.compiled.paths.get(new[0], str(new[0]))
            hazards.append(Hazard(finding.rule, path, finding.message, finding.hint))
        else:
            told = f"{finding.position}: {finding.message}; {finding.hint} [{finding.rule}]"
            warnings.append(told)
    if standing:
        warnings.append(_tell_standing(standing))
    return replace(plan, hazards=tuple(hazards), warnings=tuple(warnings))


def _tell_standing(findings: list[Finding]) -> str:
    errors = Counter(item.severity for item in findings)[Severity.ERROR]
    told = count_noun(len(findings), "finding")
    more = f", {count_noun(errors, 'error')} among them" if errors else ""
    return f"the dialplan already has {told}{more}: see `fsgitops lint --dialplan`"


def analyse_conf(workspace: Workspace, compilation: Compilation, look: ConfLook) -> list[Judged]:
    """Return what the rules find, at their levels here, without what comments silence.

    Raises FsgitopsError or OSError where the conf directory cannot be read.
    """
    from fsgitops.routing.analysis.all import analyse

    survey = look.survey()
    place = _Places(compilation, survey)
    silences, problems = read_xml_silences(place.text, _LOCAL)
    silenced = {(item.line, name): item for item in silences for name in item.names}
    judged = [Judged(place.move(problem), frozenset()) for problem in problems]
    for found in analyse(_outline(workspace, compilation, look, survey)):
        level = _level(workspace.settings.rules, found)
        if level is None or _is_silenced(found, silenced):
            continue
        position = place.of(found)
        if (position.file, position.line, found.rule) in compilation.declared.silenced:
            continue
        message, hint = survey.veil.hide(found.message), survey.veil.hide(found.hint)
        judged.append(Judged(Finding(found.rule, level, position, message, hint), _owners(found)))
    judged += [Judged(place.tell_unused(item), frozenset()) for item in silences if not item.used]
    return sorted(judged, key=lambda item: (item.finding.position, item.finding.rule))


def _level(levels: Mapping[str, str], found: Found) -> Severity | None:
    level = levels.get(found.rule, _LOCAL[found.rule].severity.value)
    if level == "off":
        return None
    return Severity(level) if found.sure else Severity.WARNING


def _owners(found: Found) -> frozenset[Resource]:
    taken = (found.inside, *found.through)
    return frozenset(item.resource for item in taken if item and item.resource)


def _is_silenced(found: Found, silenced: Mapping[tuple[int, str], Silence]) -> bool:
    if found.inside and found.inside.resource:
        return False
    lines = (found.line, *((found.inside.line,) if found.inside else ()))
    silences = [silenced[at] for line in lines if (at := (line, found.rule)) in silenced]
    for item in silences:
        item.used = True
    return bool(silences)


class _Places:
    """Where what was found stands: in a hand-written file, or where a resource is declared."""

    def __init__(self, compilation: Compilation, survey: Survey) -> None:
        self._merged = survey.merged
        self._sources = compilation.declared.desired.sources
        self.text = survey.merged.text.decode("utf-8", "replace")
        self._lines = self.text.split("\n")

    def of(self, found: Found) -> Position:
        """Return the place of something that was found."""
        owner = found.inside.resource if found.inside else None
        if owner is not None:
            return self._sources.get(owner, Position(str(owner)))
        text = self._lines[found.line - 1]
        return self._of_line(found.line, len(text) - len(text.lstrip()) + 1)

    def _of_line(self, line: int, column: int) -> Position:
        source = self._merged.source_of_merged_line(line)
        return Position(source.file, source.line, column) if source else Position(ROOT_FILE)

    def move(self, finding: Finding) -> Finding:
        """Return what is wrong with a comment, at its place."""
        place = finding.position
        return replace(finding, position=self._of_line(place.line, place.column))

    def tell_unused(self, item: Silence) -> Finding:
        """Return what is wrong with a comment that silences nothing."""
        line = self._of_line(item.line, 1).line
        return tell_unused(self._of_line(item.place.line, item.place.column), line, item.names)


def _outline(
    workspace: Workspace, compilation: Compilation, look: ConfLook, survey: Survey
) -> Outline:
    from fsgitops.routing.analysis.outline import Outline

    target, desired = workspace.target, compilation.declared.desired
    nouns = [(kind, noun) for kind in workspace.kinds.values() for noun in desired.of(kind.noun)]
    chosen = _choose_ours(workspace, compilation, survey)
    joined: dict[int, list[tuple[Resource, Element]]] = {}
    for path, (run, resource) in chosen.items():
        for element in _read_elements(workspace, compilation, path):
            joined.setdefault(run, []).append((resource, element))
    return Outline(
        survey.root,
        target.domain,
        target.inbound_context,
        target.profile,
        any(kind.forwards(noun) for kind, noun in nouns),
        lambda line: str(survey.merged.source_of_merged_line(line) or "?"),
        cache(lambda: _load(workspace, compilation, look, chosen)),
        {path: resource for path, (_, resource) in chosen.items()},
        joined,
        frozenset(kind.starts(noun) for kind, noun in nouns if kind.starts),
    )


_Chosen = dict[str, tuple[int, "Resource"]]
"""Paths of fsgitops that stand for all that are like them: the run, and whose the file is."""


def _choose_ours(workspace: Workspace, compilation: Compilation, survey: Survey) -> _Chosen:
    """Choose the files of the dialplan that are looked at.

    Of those that differ in their digits alone, and of those of one kind that were applied earlier,
    the first stands for all.
    """
    seen: set[tuple[int, str, bytes]] = set()
    chosen: _Chosen = {}
    for path, file in compilation.compiled.files.items():
        runs = survey.ours.runs.get(path) if path.startswith("dialplan/") else None
        if not runs:
            continue
        resource = file.parts[0].resource
        shape = b"" if file.settled else _shorten(file.content.translate(_ALIKE))
        kind = str(resource) if workspace.kinds.shared(resource) else resource.kind
        if (runs[0], kind, shape) not in seen:
            seen.add((runs[0], kind, shape))
            chosen[path] = runs[0], resource
    return chosen


@lru_cache(maxsize=64)  # most differ in no more than which digits they have
def _shorten(content: bytes) -> bytes:
    return _ZEROS.sub(b"0", content)


def _read_elements(workspace: Workspace, compilation: Compilation, path: str) -> Sequence[Element]:
    file = compilation.compiled.files[path]
    settled = workspace.target.conf_dir / path
    try:
        return parse(settled.read_bytes() if file.settled else file.content).children
    except XmlSyntaxError:
        return ()


def _load(
    workspace: Workspace, compilation: Compilation, look: ConfLook, chosen: _Chosen
) -> Loaded | None:
    """Read the configuration with the chosen files and those of whom they lead to.

    No others of ours are read. None: it cannot be.
    """
    from fsgitops.routing.call.load import load_disk

    compiled, desired = compilation.compiled, compilation.declared.desired
    waiting = [resource for _, resource in chosen.values()]
    kept = set(waiting)
    while waiting and len(kept) < _MOST_KEPT:
        noun = desired.get(waiting.pop())
        new = [item for item in (leads_to(noun) if noun else ()) if item not in kept]
        kept.update(new)
        waiting += new
    paths = {*chosen, *(compiled.paths[item] for item in kept if item in compiled.paths)}
    overlay: dict[str, bytes | None] = dict.fromkeys(look.ours)
    for path in paths:
        file = compiled.files[path]
        overlay.pop(path, None)
        if not file.settled:
            overlay[path] = file.content
    target = workspace.target
    try:
        return load_disk(target.conf_dir, target.domain, overlay=overlay)
    except MergeError:
        return None
