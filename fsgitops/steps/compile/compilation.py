"""The files and findings of one compilation, gathered as each resource is compiled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Finding, Position, error
from fsgitops.model.compiled import UNKNOWN, CompiledConfig, CompiledFile, Part, Settled
from fsgitops.model.draft import DraftError, paths_of, texts_of
from fsgitops.model.live import is_safe_path
from fsgitops.rules.texts import is_safe, unsafe_reason
from fsgitops.steps.compile.program import Programs, TemplateError
from fsgitops.steps.compile.source import source_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fsgitops.model.draft import Draft
    from fsgitops.model.kind import Site
    from fsgitops.model.resource import Resource
    from fsgitops.steps.compile.program import Rendering

RULE: Final = "compile"

_NOWHERE: Final = Position("desired")
_PLAIN: Final = "write it without what FreeSWITCH would act on"


@dataclass(slots=True)
class Compilation:
    """The files and findings gathered so far.

    `settled` maps paths to what an earlier apply proved and wrote there. The same inputs give the
    same bytes, so they are not rendered again: such a file has its hash and no content.
    """

    site: Site
    settled: Mapping[str, Settled]
    base: bytes
    files: dict[str, CompiledFile] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    dialled: dict[Resource, tuple[str, ...]] = field(default_factory=dict)
    _programs: Programs | None = None

    def result(self) -> tuple[CompiledConfig, list[Finding]]:
        """Return all that was compiled, sorted by path, and every finding."""
        broken = self._programs.findings if self._programs else []
        compiled = CompiledConfig(dict(sorted(self.files.items())), dialled=self.dialled)
        return compiled, [*self.findings, *broken]

    def refuse(self, resource: Resource, message: str, hint: str) -> None:
        """Add an error at the place where the resource is declared."""
        position = self.site.sources.get(resource, _NOWHERE)
        self.findings.append(error(RULE, position, f"{resource}: {message}", hint))

    def digest(self, *declared: object) -> str:
        """Return the digest of a resource's inputs."""
        return hashlib.blake2b(self.base + repr(declared).encode(), digest_size=16).hexdigest()

    def part(self, resource: Resource, inputs: str, *, protect: bool = False) -> Part:
        """Return what a file is to hold of a resource that somebody declared."""
        source = self.site.sources.get(resource, _NOWHERE)
        return Part(resource, source, inputs, protect)

    def settle(self, paths: Sequence[str], part: Part) -> bool:
        """Tell whether the same inputs were proved and written before; then the files are known."""
        found = [self.settled.get(path) for path in paths if path not in self.files]
        inputs = {part.resource: part.inputs}
        known = [item for item in found if item is not None and item.inputs == inputs]
        if len(known) < len(paths):
            return False
        for path, item in zip(paths, known, strict=True):
            self.files[path] = CompiledFile(path, b"", (part,), sha256=item.sha256, settled=True)
        return True

    def add(self, draft: Draft, part: Part) -> bool:
        """Render one file; tell whether it is there now. A broken template is one finding."""
        try:
            self._check(draft)
            rendering = self._render(draft)
        except DraftError as problem:
            for reason in problem.reasons:
                self.refuse(part.resource, reason, problem.hint)
            return False
        if rendering is None:
            return False
        content, spans, unknown = rendering
        placed = replace(part, span=(0, len(content)))
        sha256 = hashlib.sha256(content).hexdigest()
        self.files[draft.path] = CompiledFile(
            draft.path, content, (placed,), spans, unknown, sha256
        )
        return True

    def _check(self, draft: Draft) -> None:
        if draft.path in self.files:
            taken = self.files[draft.path].part.resource
            message = f"{draft.path} is written for {taken} already"
            raise DraftError([message], "declare it once")
        if not is_safe_path(draft.path):
            raise DraftError([f"{draft.path!r} is no path below the conf directory"], _PLAIN)
        reasons = [*_unsafe_values(draft)]
        if reasons:
            raise DraftError(reasons, _PLAIN)

    def _render(self, draft: Draft) -> Rendering | None:
        if self._programs is None:
            self._programs = Programs(self.site.templates)
        program = self._programs.get(draft.template)
        if program is None:
            return None
        try:
            rendering = program.run(draft)
        except TemplateError as problem:
            self._programs.drop(draft.template, problem.finding)
            return None
        if rendering is None:
            raise DraftError(
                [f"{program.file} does not give back the declared values as they are"],
                "let the template insert each value as it is",
            )
        return rendering


def digest_inputs(site: Site, salt: str) -> bytes:
    """Return the digest of all that every file's bytes follow from, but for what is declared.

    The compiler's own source is part of it: another compiler may write other bytes. `salt` differs
    with the key that the digest is to be tied to.
    """
    words = (
        source_digest(),
        site.domain,
        salt,
        repr((site.caller_id, site.caller_name, sorted(site.own_variables))),
        repr(sorted(site.templates.sources.items())),
    )
    return hashlib.blake2b("\x1f".join(words).encode("utf-8", "surrogatepass")).digest()


def _unsafe_values(draft: Draft) -> Iterator[str]:
    """Yield why values must not be written. None of them is shown: it may be a secret."""
    texts = texts_of(draft.values)
    plain = " ".join([text for text in texts if type(text) is str])
    # One look at all of them: most drafts hold nothing that is unsafe.
    if is_safe(plain) and not any(unsafe_reason(text) for text in texts if type(text) is not str):
        return
    for path, text in zip(paths_of(draft.values), texts, strict=True):
        if path in draft.hidden and text == UNKNOWN:
            continue
        why = unsafe_reason(text)
        if why:
            yield f"{'.'.join(map(str, path))}: {why}"
