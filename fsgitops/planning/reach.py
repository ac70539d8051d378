"""Judge a plan by the conf directory: will calls reach what it writes?

What the YAML says may be right and still never be read, or never be asked: nothing includes the
folder, another extension takes the number first, no call begins in the context. Every plan looks,
and costs the same for ten agents as for ten thousand: of the files of fsgitops only the names are
read, and each hand-written extension is held against all numbers at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.errors import FsgitopsError
from fsgitops.findings import Severity, quote_value
from fsgitops.homes import home_of
from fsgitops.model.plan import Action, Hazard
from fsgitops.model.reading import leads_to, resource_of
from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kind, Kinds
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.noun import Noun
    from fsgitops.model.plan import Plan
    from fsgitops.planning.survey import ConfLook
    from fsgitops.routing.shadow import Taker
    from fsgitops.routing.survey import Survey
    from fsgitops.workspace.declare import Compilation
    from fsgitops.workspace.open import Workspace

SHOWN_NAMES = 3


class Claim(NamedTuple):
    """What a rule has against some resources: `told` begins with their names."""

    rule: str
    resources: Sequence[Resource]
    told: str
    hint: str
    sure: bool = True
    """Unless it is, the rule's level is a warning at most."""
    standing: bool = True
    """Whether it is told of what was applied earlier, too."""


def judge_reach(
    workspace: Workspace, compilation: Compilation, live: LiveConfig, plan: Plan, look: ConfLook
) -> Plan:
    """Return the plan with hazards and warnings for what no call will reach.

    An error of what the plan writes is a hazard, which an apply refuses; of what stands there
    already it is a warning, so that it blocks nothing else.
    """
    written = {change.resource for change in plan.changes if change.action is not Action.DELETE}
    standing: set[Resource] = set()
    hazards, warnings = list(plan.hazards), list(plan.warnings)
    paths = compilation.compiled.paths
    claims = _make_claims(workspace, compilation, look)
    for claim in _drop_silenced(claims, workspace, compilation):
        standing = standing or {record.resource for record in live.manifest.records()}
        level = _level(workspace, claim)
        new = [item for item in claim.resources if item in written]
        old = [item for item in claim.resources if item in standing and item not in written]
        if new and level is Severity.ERROR:
            path = paths.get(new[0], str(new[0]))
            hazards.append(Hazard(claim.rule, path, f"{_name(new)} {claim.told}", claim.hint))
            new = []
        told = [*new, *(old if claim.standing or new else [])]
        if told:
            warnings.append(f"{_name(told)} {claim.told}; {claim.hint} [{claim.rule}]")
    return replace(plan, hazards=tuple(hazards), warnings=tuple(warnings))


def _level(workspace: Workspace, claim: Claim) -> Severity:
    from fsgitops.rules.table import PLAN_RULES

    default = next(rule.severity for rule in PLAN_RULES if rule.name == claim.rule)
    level = Severity(workspace.settings.rules.get(claim.rule, default.value))
    return level if claim.sure else Severity.WARNING


def _drop_silenced(
    claims: Iterable[Claim], workspace: Workspace, compilation: Compilation
) -> Iterator[Claim]:
    """Leave out rules that are off, and resources whose line silences the rule."""
    rules, declared = workspace.settings.rules, compilation.declared
    sources = declared.desired.sources
    for claim in claims:
        if rules.get(claim.rule) == "off":
            continue
        kept = [
            item
            for item in claim.resources
            if item not in sources
            or (sources[item].file, sources[item].line, claim.rule) not in declared.silenced
        ]
        if kept:
            yield claim._replace(resources=kept)


def _make_claims(workspace: Workspace, compilation: Compilation, look: ConfLook) -> Iterator[Claim]:
    target = workspace.target
    files = compilation.compiled.files
    if not files or not (target.conf_dir / "freeswitch.xml").is_file():
        return
    try:
        survey = look.survey()
    except (FsgitopsError, OSError) as problem:
        told = (
            f"will not be loaded, because the configuration on disk is not well formed: {problem}"
        )
        everything = list(compilation.compiled.paths)
        yield Claim("unread-folder", everything, told, "correct that file first", sure=False)
        return
    hide = survey.veil.hide
    for claim in _judge(survey, compilation, workspace.kinds):
        yield claim._replace(told=hide(claim.told), hint=hide(claim.hint))


def _judge(survey: Survey, compilation: Compilation, kinds: Kinds) -> Iterator[Claim]:
    yield from _find_unread(survey, compilation)
    yield from _find_contexts(survey, compilation, kinds)
    yield from _find_unused(survey, compilation, kinds)
    yield from _find_beside(survey, compilation, kinds)
    yield from _find_taken(survey, compilation, kinds)


def _find_unread(survey: Survey, compilation: Compilation) -> Iterator[Claim]:
    """Files in folders that nothing includes, or in a place where FreeSWITCH does not look."""
    grouped: dict[tuple[str, str, str], list[Resource]] = {}
    for path, file in compilation.compiled.files.items():
        problem = survey.problem_of(path)
        if problem:
            key = (home_of(path)[0].section, *problem)
            grouped.setdefault(key, []).extend(part.resource for part in file.parts)
    for (section, told, hint), resources in grouped.items():
        yield Claim("unread-folder", resources, told, hint, sure=survey.is_sure(section))


def _find_contexts(survey: Survey, compilation: Compilation, kinds: Kinds) -> Iterator[Claim]:
    """Those whose own calls begin in a context that the dialplan does not have."""
    grouped: dict[str, list[Resource]] = {}
    files = compilation.compiled.paths
    for kind in kinds.values():
        if kind.starts is None:
            continue
        for noun in compilation.declared.desired.of(kind.noun):
            context = kind.starts(noun)
            if not survey.has_context(context) and (resource := resource_of(noun)) in files:
                grouped.setdefault(context, []).append(resource)
    for context, resources in grouped.items():
        known = ", ".join(survey.contexts()[:10]) or "none"
        told = f"cannot call anybody: no dialplan has the context {quote_value(context)}"
        hint = f"set its `context` to one of: {known}; or add that context to dialplan/"
        yield Claim("unknown-context", resources, told, hint, sure=survey.is_sure("dialplan"))


def _find_unused(survey: Survey, compilation: Compilation, kinds: Kinds) -> Iterator[Claim]:
    """What is in the context of calls from outside, and no such call begins in it."""
    folder = f"dialplan/{survey.inbound}/"
    files = compilation.compiled.files.items()
    inside = [
        part.resource for path, file in files if path.startswith(folder) for part in file.parts
    ]
    for path, members in _dispatched(compilation, kinds):
        inside[:0] = members if path.startswith(folder) else ()
    found = survey.find_closed() if inside else None
    if found:
        told, hint, sure = found
        yield Claim("unused-context", inside, told, hint, sure=sure, standing=sure)


def _dispatched(compilation: Compilation, kinds: Kinds) -> Iterator[tuple[str, Sequence[Resource]]]:
    """Yield each file that finds resources in contexts of theirs, and these resources."""
    paths = compilation.compiled.paths
    for kind in kinds.values():
        for shared in kind.shared:
            if shared.follows and shared.resource in paths:
                nouns = map(resource_of, compilation.declared.desired.of(kind.noun))
                yield paths[shared.resource], [item for item in nouns if item in paths]


def _find_beside(survey: Survey, compilation: Compilation, kinds: Kinds) -> Iterator[Claim]:
    """What runs beside a file that finds contexts by their names, and goes on behind it."""
    for path, members in _dispatched(compilation, kinds):
        sure = survey.is_sure("dialplan")
        if place := survey.tell_context("global"):
            told = (
                f"need a dialplan without the context `global` ({place}): FreeSWITCH would run it "
                "for each number near theirs that nobody declares"
            )
            hint = "give that context another name, or choose `layout: files`"
            yield Claim("global-context", members, told, hint, sure=sure)
        for extension in survey.find_inline(path):
            where = survey.tell_extension(extension)
            told = f"do not end the search for an extension: {where} may run its inline actions too"
            hint = "put that extension before them, or take `inline` from its actions"
            yield Claim("runs-behind", members, told, hint)


def _find_taken(survey: Survey, compilation: Compilation, kinds: Kinds) -> Iterator[Claim]:
    """Numbers that another extension takes before ours is asked."""
    desired, forms = compilation.declared.desired, compilation.compiled.dialled
    paths = compilation.compiled.paths
    for kind in kinds.values():
        # Where a kind shares a file that takes the numbers of all, that is where they are taken.
        shared = [
            paths[item.resource]
            for item in kind.shared
            if item.resource in paths and not item.always
        ]
        wanted = {
            resource: (shared[0] if shared else paths[resource], numbers, user)
            for noun in desired.of(kind.noun)
            if (resource := resource_of(noun)) in paths
            and (numbers := forms.get(resource) or kind.dialled(noun))
            and (user := _rung(kind, noun, desired, kinds))
        }
        lost = "will not ring when it is dialled" if kind.reach else "will not be routed"
        yield from _claim_taken(survey, wanted, lost)


def _rung(kind: Kind[Any], noun: Noun, desired: Desired, kinds: Kinds) -> str:
    """Return what is dialled to get to a resource, or to where it leads."""
    if kind.reach:
        return kind.reach(noun).number
    found = (kinds.reach(desired, item) for item in leads_to(noun))
    return next((reach.number for reach in found if reach), "")


def _claim_taken(
    survey: Survey,
    wanted: Mapping[Resource, tuple[str, tuple[str, ...], str]],
    consequence: str,
) -> Iterator[Claim]:
    perhaps = consequence.replace("will not", "may not")
    for context, numbers in survey.by_context(wanted).items():
        sure = survey.is_sure("dialplan", above=survey.line_of(numbers))
        takers, guards = survey.find_takers(context, numbers)
        grouped: dict[tuple[str, bool, bool], list[Taker]] = {}
        for taker in takers:
            where = survey.tell_extension(taker.extension)
            grouped.setdefault((where, taker.certain, bool(taker.form)), []).append(taker)
        for (where, certain, formed), found in grouped.items():
            resources = [Resource.parse(taker.name) for taker in found]
            if certain:
                told = consequence if sure else perhaps
                told += f": the extension {where} takes the number first"
                hint = "change that extension, or include its file after ours"
                yield Claim("taken-number", resources, told, hint, sure=sure)
                continue
            when = f"where it is dialled as {found[0].form}" if formed else "in some calls"
            told = f"{perhaps}: the extension {where} takes the number first, {when}"
            hint = "look at its conditions, and at where it sends the call"
            yield Claim("perhaps-taken-number", resources, told, hint, standing=False)
        for guard in guards:
            where = survey.tell_extension(guard)
            told = f"{perhaps}: the extension {where} may take every number first"
            everything = [Resource.parse(item.name) for item in numbers]
            hint = "look at its conditions, and at where it sends the call"
            yield Claim("perhaps-taken-number", everything, told, hint, standing=False)


def _name(resources: Sequence[Resource]) -> str:
    first = resources[0].kind
    names = [
        item.name if number and item.kind == first else f"{item.kind} {item.name}"
        for number, item in enumerate(resources[:SHOWN_NAMES])
    ]
    more = f" and {len(resources) - SHOWN_NAMES:,} more" if len(resources) > SHOWN_NAMES else ""
    return f"{', '.join(names)}{more}"
