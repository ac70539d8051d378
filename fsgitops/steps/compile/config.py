"""Compile the desired state into files.

Values reach a file only as escaped attribute values of a sandboxed template, and every file that is
not known to be right already is parsed again and proved (see routing/skeleton.py).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fsgitops.findings import Finding, Position, error, warning
from fsgitops.model.compiled import UNKNOWN, CompiledConfig, CompiledFile, Settled
from fsgitops.model.did_forms import ALL_FORMS
from fsgitops.model.directory_user import (
    expected_user,
    unsafe,
    unsafe_values,
    unsafe_variables,
)
from fsgitops.model.resource import Kind, Resource
from fsgitops.routing.proof import (
    neutral_user,
    neutral_words,
    prove_dialplan,
    prove_route,
    prove_transfers,
    prove_user,
)
from fsgitops.secret import a1_hash, keyed_digest
from fsgitops.steps.compile.finder import DerivedSecrets, SecretFinder
from fsgitops.steps.compile.forms import Taken, choose_forms
from fsgitops.steps.compile.job import Job, TemplateError
from fsgitops.steps.compile.source import source_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsgitops.model.desired import Agent, Desired, DidRoute
    from fsgitops.model.did_forms import DidForm
    from fsgitops.model.templates import Templates
    from fsgitops.routing.skeleton import Skeleton
    from fsgitops.secret import ProjectKey
    from fsgitops.steps.compile.program import Program

AGENT: Final = "agent.xml.j2"
DID_ROUTE: Final = "did_route.xml.j2"
AGENTS_DIALPLAN: Final = "agents_dialplan.xml.j2"
TRANSFER_DIALPLAN: Final = "transfer_dialplan.xml.j2"
ALL_TEMPLATES: Final = (AGENT, DID_ROUTE, AGENTS_DIALPLAN, TRANSFER_DIALPLAN)
DIALPLAN_PATH: Final = "dialplan/default/10_fsgitops_agents.xml"
TRANSFER_PATH: Final = "dialplan/fsgitops_transfer.xml"
SETTINGS_FILE: Final = "fsgitops.yaml"
RULE: Final = "compile"
DID_FORM: Final = "did-form"

_EXTENSION: Final = re.compile(r"[0-9]{4,6}", re.ASCII)
_DID: Final = re.compile(r"\+[0-9]{3,15}", re.ASCII)
_DOMAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_CONTEXT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", re.ASCII)
_USES_EXPRESSION: Final = re.compile(r"\{\{-?\s*expression\b")
_NOWHERE: Final = Position("desired")


def compile_config(
    desired: Desired,
    *,
    domain: str,
    templates: Templates,
    key: ProjectKey | None,
    default_caller_id: str | None = None,
    default_caller_name: str | None = None,
    settled: Mapping[str, Settled] | None = None,
    secrets: SecretFinder | None = None,
    did_forms: Sequence[DidForm] | None = None,
    default_region: str | None = None,
    inbound_context: str = "public",
) -> tuple[CompiledConfig, list[Finding]]:
    """Return every file that the desired state means, and what stands in the way of writing it.

    Args:
        desired: What is declared, validated and normalised. Disabled resources get no file.
        domain: The SIP domain of the target.
        templates: The templates by name; all of them must be there.
        key: The project key. None leaves derived secrets UNKNOWN.
        secrets: Gives each agent's secrets, UNKNOWN where None. Default: derived from `key`.
        default_caller_id: The number shown outside for agents that declare none.
        default_caller_name: The name shown outside for agents that declare none.
        did_forms: In which forms, beside E.164, the target's carriers deliver numbers. None: all of
            them, and a form that has another meaning is left out with a warning.
        default_region: The region of national numbers (two letters), which tells whose a national
            form is that DIDs of two countries share.
        inbound_context: The context that calls from outside begin in; DIDs are written to the
            folder of dialplan/ that has its name.
        settled: Path -> what an earlier apply proved and wrote there. The same inputs give the
            same bytes, so they are not rendered again: such a file has its hash and no content.
    """
    findings = _check_settings(domain, inbound_context, default_caller_id, default_caller_name)
    if findings:
        return CompiledConfig({}), findings
    finder = secrets or DerivedSecrets(key, domain)
    target = _Target(domain, key, finder, default_caller_id, default_caller_name, inbound_context)
    inputs = digest_inputs(templates, target)
    work = _Compilation(
        templates, desired.sources, settled or {}, target, inputs, desired.own_variables
    )
    for agent in desired.agents:
        if agent.enabled:
            _compile_agent(work, agent)
    routes = [route for route in desired.did_routes if route.enabled]
    enabled = [agent for agent in desired.agents if agent.enabled]
    taken = choose_forms(
        routes, enabled, ALL_FORMS if did_forms is None else did_forms, default_region
    )
    if routes and not _USES_EXPRESSION.search("".join(templates.sources.values())):
        work.tell_old_template()
    for route in routes:
        _compile_route(work, route, taken[route.did_number], declared=did_forms is not None)
    if any(file.resource.kind is Kind.AGENT for file in work.files.values()):
        _compile_dialplan(work, AGENTS_DIALPLAN, "agents", DIALPLAN_PATH, prove_dialplan)
    if work.files:
        _compile_dialplan(work, TRANSFER_DIALPLAN, "transfers", TRANSFER_PATH, prove_transfers)
    return work.result(), work.findings


def digest_inputs(templates: Templates, target: _Target) -> bytes:
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


@dataclass(frozen=True, slots=True)
class _Target:
    """What is the same for every resource of one target."""

    domain: str
    key: ProjectKey | None
    secrets: SecretFinder
    default_caller_id: str | None
    default_caller_name: str | None
    inbound_context: str = "public"


@dataclass(slots=True)
class _Compilation:
    """The files and findings gathered so far."""

    templates: Templates
    sources: Mapping[Resource, Position]
    settled: Mapping[str, Settled]
    target: _Target
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
        position = self.sources.get(resource, _NOWHERE)
        self.findings.append(error(RULE, position, f"{resource}: {message}", hint))

    def accept(self, resource: Resource, reasons: Sequence[str]) -> bool:
        """Refuse a resource for each reason; tell whether there was none."""
        for reason in reasons:
            self.refuse(resource, reason, "write it without what FreeSWITCH would act on")
        return not reasons

    def tell_rival(self, resource: Resource, taken: Taken, tell: Callable[..., Finding]) -> None:
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
        if known is None or known.inputs != inputs or path in self.files:
            return False
        source = self.sources.get(resource, _NOWHERE)
        self.files[path] = CompiledFile(
            path, b"", resource, source, inputs=inputs, sha256=known.sha256, settled=True
        )
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
            taken = self.files[path].resource
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
        generic = resource.kind is Kind.DIALPLAN
        source = Position(program.file) if generic else self.sources.get(resource, _NOWHERE)
        spans = _find_spans(content, secrets) if secrets else ()
        unknown = UNKNOWN in secrets
        sha256 = hashlib.sha256(content).hexdigest()
        self.files[path] = CompiledFile(
            path, content, resource, source, spans, unknown, inputs, sha256
        )
        return True


def _compile_agent(work: _Compilation, agent: Agent) -> None:
    extension, target = agent.extension, work.target
    resource = Resource(Kind.AGENT, extension)
    if not _EXTENSION.fullmatch(extension):
        work.refuse(
            resource, "an extension is 4 to 6 digits", "it names a file and a dialled number"
        )
        return
    if agent.variables and not work.accept(resource, unsafe_variables(agent, work.own_variables)):
        return
    path = f"directory/default/{extension}.xml"
    declared = {**agent.__dict__, "voicemail": agent.voicemail.__dict__}
    inputs = work.digest(AGENT, declared, target.secrets.mark(agent))
    if work.settle(path, resource, inputs):
        return
    sip_hash, voicemail_hash = _hashes(agent, target)
    user = expected_user(
        agent,
        sip_hash=sip_hash,
        voicemail_hash=voicemail_hash,
        default_caller_id=target.default_caller_id,
        default_caller_name=target.default_caller_name,
    )
    if not work.accept(resource, unsafe_values(agent, user)):
        return
    params, variables = user.params, user.variables
    job = Job(
        path=path,
        shape=(*params, "", *variables),
        values=[extension, *params.values(), *variables.values()],
        context={"user": user},
        neutral=lambda: {"user": neutral_user(user)},
        prove=lambda skeleton: prove_user(skeleton, user),
    )
    secrets = [params[name] for name in user.secret_params]
    work.add(AGENT, resource, job, inputs, secrets)


def _hashes(agent: Agent, target: _Target) -> tuple[str, str]:
    found = target.secrets.find(agent)
    hashes = [
        UNKNOWN if secret is None else a1_hash(agent.extension, target.domain, secret).reveal()
        for secret in (found.password, found.pin)
    ]
    return hashes[0], hashes[1]


def _compile_route(work: _Compilation, route: DidRoute, taken: Taken, *, declared: bool) -> None:
    resource = Resource(Kind.DID_ROUTE, route.did_number)
    if not _DID.fullmatch(route.did_number):
        work.refuse(resource, "a DID is + and 3 to 15 digits", "it names a file and an extension")
        return
    if not _EXTENSION.fullmatch(route.destination_extension):
        work.refuse(resource, "a destination extension is 4 to 6 digits", "it becomes dialplan")
        return
    digits, destination = route.did_number[1:], route.destination_extension
    if taken.rival:
        work.tell_rival(resource, taken, error if declared else warning)
    values = [digits, taken.expression, destination, work.target.domain]
    path = f"dialplan/{work.target.inbound_context}/inbound_{digits}.xml"
    inputs = work.digest(DID_ROUTE, values)
    if work.settle(path, resource, inputs):
        return
    job = Job(
        path=path,
        shape=(),
        values=values,
        context=_route_context(values),
        neutral=lambda: _route_context(neutral_words(4)),
        prove=prove_route,
    )
    work.add(DID_ROUTE, resource, job, inputs, ())


def _compile_dialplan(
    work: _Compilation, template: str, name: str, path: str, prove: Callable[[Skeleton], list[str]]
) -> None:
    """Compile a dialplan file that is the same for any set of agents and routes."""
    domain = work.target.domain
    resource, inputs = Resource(Kind.DIALPLAN, name), work.digest(template)
    if work.settle(path, resource, inputs):
        return
    job = Job(
        path=path,
        shape=(),
        values=[domain],
        context={"domain": domain},
        neutral=lambda: {"domain": neutral_words(1)[0]},
        prove=prove,
    )
    work.add(template, resource, job, inputs, ())


def _route_context(values: Sequence[str]) -> dict[str, Any]:
    digits, expression, destination, domain = values
    return {
        "digits": digits,
        "expression": expression,
        "destination": destination,
        "domain": domain,
    }


def _check_settings(domain: str, inbound: str, *outbound: str | None) -> list[Finding]:
    findings = []
    if not _CONTEXT.fullmatch(inbound):
        message = f"the inbound context {inbound!r} is not a plain word"
        findings.append(error(RULE, Position(SETTINGS_FILE), message, "it names a folder"))
    if not _DOMAIN.fullmatch(domain):
        message = f"the domain {domain!r} is not a host name or an IPv4 address"
        findings.append(
            error(RULE, Position(SETTINGS_FILE), message, "it becomes part of dialplan")
        )
    for value in outbound:
        why = unsafe(value) if value else None
        if why:
            message = f"the default caller ID {value!r} {why}"
            findings.append(error(RULE, Position(SETTINGS_FILE), message, "write a plain one"))
    return findings


def _find_spans(content: bytes, secrets: Sequence[str]) -> tuple[tuple[int, int], ...]:
    spans = set()
    for secret in secrets:
        word = secret.encode()
        start = content.find(word)
        while start >= 0:
            spans.add((start, start + len(word)))
            start = content.find(word, start + 1)
    return tuple(sorted(spans))
