"""The files and findings of one compilation, gathered as each resource is compiled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Finding, Position, error, warning
from fsgitops.model.compiled import UNKNOWN, CompiledConfig, CompiledFile, Part, Settled
from fsgitops.secret import keyed_digest
from fsgitops.steps.compile.job import Job, TemplateError
from fsgitops.steps.compile.source import source_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsgitops.model.desired import Desired
    from fsgitops.model.resource import Resource
    from fsgitops.model.templates import Templates
    from fsgitops.secret import ProjectKey
    from fsgitops.steps.compile.finder import SecretFinder
    from fsgitops.steps.compile.forms import Taken
    from fsgitops.steps.compile.program import Program

AGENT: Final = "agent.xml.j2"
DID_ROUTE: Final = "did_route.xml.j2"
AGENTS_DIALPLAN: Final = "agents_dialplan.xml.j2"
TRANSFER_DIALPLAN: Final = "transfer_dialplan.xml.j2"
ALL_TEMPLATES: Final = (AGENT, DID_ROUTE, AGENTS_DIALPLAN, TRANSFER_DIALPLAN)
RULE: Final = "compile"
DID_FORM: Final = "did-form"

_NOWHERE: Final = Position("desired")


@dataclass(frozen=True, slots=True)
class Target:
    """What is the same for every resource of one target."""

    domain: str
    key: ProjectKey | None
    secrets: SecretFinder
    default_caller_id: str | None
    default_caller_name: str | None
    inbound_context: str = "public"


@dataclass(slots=True)
class Compilation:
    """The files and findings gathered so far."""

    templates: Templates
    sources: Mapping[Resource, Position]
    settled: Mapping[str, Settled]
    target: Target
    base: bytes
    own_variables: frozenset[str]
    programs: dict[str, Program] | None = None
    files: dict[str, CompiledFile] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def result(self) -> CompiledConfig:
        """Return all that was compiled, sorted by path."""
        return CompiledConfig(dict(sorted(self.files.items())))

    def refuse(self, resource: Resource, message: str, hint: str) -> None:
        """Add an error at the place where the resource is declared."""
        position = self.sources.get(resource, _NOWHERE)
        self.findings.append(error(RULE, position, f"{resource}: {message}", hint))

    def accept(self, resource: Resource, reasons: Sequence[str]) -> bool:
        """Refuse a resource for each reason; tell whether there was none."""
        for reason in reasons:
            self.refuse(resource, reason, "write it without what FreeSWITCH would act on")
        return not reasons

    def tell_rival(self, resource: Resource, taken: Taken, tell: Callable[..., Finding]) -> None:
        """Add, as `tell` makes it, that a form of a number is left out for another number."""
        position = self.sources.get(resource, _NOWHERE)
        message = (
            f"{resource}: a call to {taken.left_out} is not routed: the national form of this "
            f"number is {taken.rival} as well"
        )
        hint = (
            "Let the carrier deliver the number in E.164. Set `did_forms: [digits]` for the target "
            "if it does."
        )
        self.findings.append(tell(DID_FORM, position, message, hint))

    def tell_old_template(self) -> None:
        """Add a warning that the project's own template knows no national forms."""
        message = "the template takes no number in its national form"
        hint = 'Write expression="{{ expression }}" in its condition on destination_number.'
        place = Position(self.templates.file(DID_ROUTE))
        self.findings.append(warning(DID_FORM, place, message, hint))

    def digest(self, *declared: object) -> str:
        """Return the digest of a resource's inputs."""
        return hashlib.blake2b(self.base + repr(declared).encode(), digest_size=16).hexdigest()

    def settle(self, path: str, resource: Resource, inputs: str) -> bool:
        """Tell whether the same inputs were proved and written before; then the file is known."""
        known = self.settled.get(path)
        if known is None or known.inputs != {resource: inputs} or path in self.files:
            return False
        part = Part(resource, self.sources.get(resource, _NOWHERE), inputs)
        self.files[path] = CompiledFile(path, b"", (part,), sha256=known.sha256, settled=True)
        return True

    def program(self, template: str) -> Program | None:
        """Return a template's program; they are loaded when the first is asked for."""
        if self.programs is None:
            from fsgitops.steps.compile.program import load_programs

            self.programs, findings = load_programs(self.templates, ALL_TEMPLATES)
            self.findings += findings
            self.broken.update(ALL_TEMPLATES if findings else ())
        return None if template in self.broken else self.programs[template]

    def add(
        self, template: str, resource: Resource, job: Job, inputs: str, secrets: Sequence[str]
    ) -> bool:
        """Render one file; tell whether it is there now. A broken template is one finding."""
        path = job.path
        if path in self.files:
            taken = self.files[path].part.resource
            self.refuse(resource, f"{path} is written for {taken} already", "declare it once")
            return False
        program = self.program(template)
        if program is None:
            return False
        try:
            content = program.run(job)
        except TemplateError as problem:
            self.broken.add(template)
            self.findings.append(problem.finding)
            return False
        if content is None:
            self.refuse(
                resource,
                f"{program.file} does not give back the declared values as they are",
                "let the template insert each value as it is",
            )
            return False
        generic = resource.kind == "dialplan"
        source = Position(program.file) if generic else self.sources.get(resource, _NOWHERE)
        spans = _find_spans(content, secrets) if secrets else ()
        unknown = UNKNOWN in secrets
        sha256 = hashlib.sha256(content).hexdigest()
        part = Part(resource, source, inputs, span=(0, len(content)))
        self.files[path] = CompiledFile(path, content, (part,), spans, unknown, sha256)
        return True


def begin_compilation(
    desired: Desired, templates: Templates, target: Target, settled: Mapping[str, Settled]
) -> Compilation:
    """Return a compilation in which nothing is compiled yet.

    `settled` maps paths to what an earlier apply proved and wrote there. The same inputs give the
    same bytes, so they are not rendered again: such a file has its hash and no content.
    """
    inputs = digest_inputs(templates, target)
    return Compilation(templates, desired.sources, settled, target, inputs, desired.own_variables)


def digest_inputs(templates: Templates, target: Target) -> bytes:
    """Return the digest of all that every file's bytes follow from, but for what is declared.

    The compiler's own source is part of it: another compiler may write other bytes.
    """
    key = keyed_digest(target.key, b"inputs") or ""
    outbound = (target.default_caller_id, target.default_caller_name)
    words = (
        source_digest(),
        target.domain,
        key,
        repr(outbound),
        repr(sorted(templates.sources.items())),
    )
    return hashlib.blake2b("\x1f".join(words).encode("utf-8", "surrogatepass")).digest()


def _find_spans(content: bytes, secrets: Sequence[str]) -> tuple[tuple[int, int], ...]:
    spans = set()
    for secret in secrets:
        word = secret.encode()
        start = content.find(word)
        while start >= 0:
            spans.add((start, start + len(word)))
            start = content.find(word, start + 1)
    return tuple(sorted(spans))
