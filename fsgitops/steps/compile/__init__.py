"""Compile the desired state: what each file below the conf directory must hold, byte for byte.

Values reach a file only as escaped attribute values of a sandboxed template, and every file that is
not known to be right already is proved (see routing/skeleton.py).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from fsgitops.findings import Finding, Position, error
from fsgitops.model.compiled import CompiledConfig
from fsgitops.model.draft import DraftError
from fsgitops.model.kind import declared_values
from fsgitops.model.reading import leads_to, resource_of
from fsgitops.rules.texts import unsafe_reason
from fsgitops.steps.compile.compilation import RULE, Compilation, digest_inputs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.compiled import Part
    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kind, Kinds, Secrets, Shared, Site, Wish
    from fsgitops.model.live import ManifestEntry
    from fsgitops.model.noun import Noun
    from fsgitops.model.resource import Resource

SETTINGS_FILE: Final = "fsgitops.yaml"

_DOMAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_CONTEXT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)


class SecretFinder(Protocol):
    """Knows the secrets of each resource, wherever they stand."""

    def salt(self) -> str:
        """Return what differs with the project key, and tells nothing of it."""

    def mark(self, resource: Resource, wishes: Sequence[Wish]) -> str:
        """Return what differs whenever the secrets differ, and tells nothing of them."""

    def reveal(self, resource: Resource, wishes: Sequence[Wish]) -> Secrets:
        """Return the secrets by name; None for those that are not at hand."""


def compile_config(
    kinds: Kinds,
    desired: Desired,
    site: Site,
    secrets: SecretFinder,
    settled: Mapping[str, ManifestEntry] | None = None,
) -> tuple[CompiledConfig, list[Finding]]:
    """Return every file that the desired state means, and what stands in the way of writing it.

    Args:
        kinds: What is compiled.
        desired: What is declared, validated and normalised. Disabled resources get no file.
        site: The target; what it says of `desired` itself is filled in here.
        secrets: Gives the secrets of each resource, None for those that are not at hand.
        settled: Path -> what an earlier apply proved and wrote there; the same inputs give it back.
            None where nobody asks for the inputs: then they are not told.
    """
    findings = _check_site(site)
    if findings:
        return CompiledConfig({}), findings
    enabled = {
        kind.word: [noun for noun in desired.of(kind.noun) if noun.enabled]
        for kind in kinds.values()
    }
    site = replace(
        site,
        sources=desired.sources,
        own_variables=desired.own_variables,
        dialled=dict(_dialled(kinds, enabled)),
        reach=partial(kinds.reach, desired),
    )
    joint = frozenset(kind.word for kind in kinds.values() if kind.joint(site))
    base = None if settled is None else digest_inputs(site, secrets.salt())
    work = Compilation(site, settled or {}, base, joint)
    for kind in kinds.values():
        _compile_kind(work, kind, enabled[kind.word], secrets)
    for kind in kinds.values():
        for shared in kind.shared:
            _compile_shared(work, kind, shared)
    return work.result()


def _dialled(kinds: Kinds, enabled: Mapping[str, Sequence[Noun]]) -> Iterator[tuple[str, Noun]]:
    for kind in kinds.values():
        for noun in enabled[kind.word]:
            for number in kind.dialled(noun):
                yield number, noun


class _Asked(NamedTuple):
    """A resource that is to be compiled, with all that its files follow from."""

    noun: Noun
    part: Part
    wishes: Sequence[Wish]
    paths: tuple[str, ...]
    known: Any


def _compile_kind(
    work: Compilation, kind: Kind[Any], nouns: Sequence[Noun], secrets: SecretFinder
) -> None:
    items: Iterable[_Asked] = _ask(work, kind, nouns, secrets)
    settled: Collection[str] = ()
    if work.settled:  # else they come one by one: of 100,000, what they ask for is 40 MB
        items = [*items]
        settled = _settle(work, items)
    for item in items:
        if settled and all(path in settled for path in item.paths):
            continue
        resource = item.part.resource
        found = secrets.reveal(resource, item.wishes)
        try:
            drafts = [*kind.drafts(item.noun, work.site, found, item.known)]
        except DraftError as problem:
            work.refuse(resource, problem)
            continue
        for draft in drafts:
            if draft.path not in item.paths:
                raise ValueError(f"{resource}: {draft.path} is none of the files of its kind")
            if draft.path not in settled:
                work.add(draft, item.part)


def _settle(work: Compilation, items: Sequence[_Asked]) -> set[str]:
    """Return the files that are known to be right already, as all that lie in them say."""
    files: dict[str, list[Part]] = {}
    for item in items:
        for path in item.paths:
            files.setdefault(path, []).append(item.part)
    return {path for path, parts in files.items() if work.settle(path, parts)}


def _ask(
    work: Compilation, kind: Kind[Any], nouns: Sequence[Noun], secrets: SecretFinder
) -> Iterator[_Asked]:
    survey = work.surveys[kind.word] = kind.survey(nouns, work.site)
    work.findings += survey.findings
    fields = ",".join((kind.word, *kind.noun.model_fields))
    for noun in nouns:
        resource, wishes = resource_of(noun), kind.wishes(noun)
        name = resource.name
        if name in survey.dialled:
            work.dialled[resource] = survey.dialled[name]
        known, mark = survey.known.get(name), secrets.mark(resource, wishes)
        inputs = ""
        if work.base is not None:
            led = [work.site.reach(other) for other in leads_to(noun)]
            inputs = work.digest(fields, declared_values(noun), known, led, mark)
        part = work.part(resource, inputs, protect=noun.protect)
        yield _Asked(noun, part, wishes, kind.paths(noun, work.site), known)


def _compile_shared(work: Compilation, kind: Kind[Any], shared: Shared) -> None:
    """Compile a file that is the same for any set of resources."""
    if not shared.when(work.site) or not work.holds("" if shared.always else kind.word):
        return
    draft = shared.draft(work.site, work.surveys[kind.word])
    part = work.part(shared.resource, work.digest(draft.template, draft.values, draft.choices))
    part = part._replace(source=Position(work.site.templates.file(draft.template)))
    if not work.settle(draft.path, [part]):
        work.add(draft, part)


def _check_site(site: Site) -> list[Finding]:
    findings = []
    for name, context in (
        ("inbound context", site.places.inbound_context),
        ("inner context", site.places.context),
    ):
        if not _CONTEXT.fullmatch(context):
            message = f"the {name} {context!r} is not a plain word"
            findings.append(error(RULE, Position(SETTINGS_FILE), message, "it names a folder"))
    if not _DOMAIN.fullmatch(site.domain):
        message = f"the domain {site.domain!r} is not a host name or an IPv4 address"
        findings.append(
            error(RULE, Position(SETTINGS_FILE), message, "it becomes part of dialplan")
        )
    for value in (site.caller_id, site.caller_name):
        why = unsafe_reason(value) if value else None
        if why:
            message = f"the default caller ID {value!r} {why}"
            findings.append(error(RULE, Position(SETTINGS_FILE), message, "write a plain one"))
    return findings
