"""Judge a plan by the conf directory: will calls reach what it writes?

What the YAML says may be right and still never be read, or never be asked: nothing includes the
folder, another extension takes the number first, no call begins in the context. Of the files of
fsgitops, every plan reads the names; what is in them only where calls have to be followed
(astray.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.findings import quote_value
from fsgitops.homes import home_of
from fsgitops.model.reading import resource_of
from fsgitops.planning.astray import follow_calls
from fsgitops.planning.claims import Claim, tell_claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsgitops.model.kind import Kinds
    from fsgitops.model.plan import Plan
    from fsgitops.model.resource import Resource
    from fsgitops.planning.ahead import Ahead
    from fsgitops.planning.astray import Followed
    from fsgitops.planning.survey import ConfLook
    from fsgitops.routing.survey import Survey
    from fsgitops.workspace.declare import Compilation
    from fsgitops.workspace.open import Workspace


def judge_reach(
    workspace: Workspace,
    compilation: Compilation,
    plan: Plan,
    look: ConfLook,
    ahead: Ahead,
) -> tuple[Plan, Followed | None]:
    """Return the plan with hazards and warnings for what no call will reach.

    And what was seen of calls; None where they could not be followed.
    """
    followed = None
    claims: list[Claim] = []
    if compilation.compiled.files and (workspace.target.conf_dir / "freeswitch.xml").is_file():
        try:
            survey = look.survey()
            followed = follow_calls(ahead, survey)
        except (FsgitopsError, OSError) as problem:
            claims.append(_refuse(compilation, problem))
        else:
            claims += _judge(survey, compilation, workspace.kinds)
            hide = survey.veil.hide
            claims = [
                claim._replace(told=hide(claim.told), hint=hide(claim.hint))
                for claim in (*claims, *followed.claims)
            ]
    return tell_claims(plan, claims, workspace, compilation, ahead.live), followed


def _refuse(compilation: Compilation, problem: Exception) -> Claim:
    told = f"will not be loaded, because the configuration on disk is not well formed: {problem}"
    everything = list(compilation.compiled.paths)
    return Claim("unread-folder", everything, told, "correct that file first", sure=False)


def _judge(survey: Survey, compilation: Compilation, kinds: Kinds) -> Iterator[Claim]:
    yield from _find_unread(survey, compilation)
    yield from _find_contexts(survey, compilation, kinds)
    yield from _find_beside(survey, compilation, kinds)


def _find_unread(survey: Survey, compilation: Compilation) -> Iterator[Claim]:
    """Files in folders that nothing includes, or in a place where FreeSWITCH does not look."""
    grouped: dict[tuple[str, str, str], list[Resource]] = {}
    for path, file in compilation.compiled.files.items():
        problem = survey.problem_of(path)
        if problem:
            key = (home_of(path).section, *problem)
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
