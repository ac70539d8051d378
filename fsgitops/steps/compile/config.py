"""Compile the desired state into files.

Values reach a file only as escaped attribute values of a sandboxed template, and every file that is
not known to be right already is parsed again and proved (see routing/skeleton.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from fsgitops.findings import Finding, Position, error, warning
from fsgitops.model.compiled import UNKNOWN, CompiledConfig, Settled
from fsgitops.model.did_forms import ALL_FORMS
from fsgitops.model.directory_user import (
    expected_user,
    unsafe,
    unsafe_values,
    unsafe_variables,
)
from fsgitops.model.resource import Resource
from fsgitops.phone import is_extension
from fsgitops.routing.proof import (
    neutral_user,
    neutral_words,
    prove_dialplan,
    prove_route,
    prove_transfers,
    prove_user,
)
from fsgitops.secret import a1_hash
from fsgitops.steps.compile.compilation import (
    AGENT,
    AGENTS_DIALPLAN,
    DID_ROUTE,
    RULE,
    TRANSFER_DIALPLAN,
    Compilation,
    Target,
    begin_compilation,
)
from fsgitops.steps.compile.finder import DerivedSecrets, SecretFinder
from fsgitops.steps.compile.forms import Taken, choose_forms
from fsgitops.steps.compile.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsgitops.model.desired import Agent, Desired, DidRoute
    from fsgitops.model.did_forms import DidForm
    from fsgitops.model.templates import Templates
    from fsgitops.routing.skeleton import Skeleton
    from fsgitops.secret import ProjectKey

DIALPLAN_PATH: Final = "dialplan/default/10_fsgitops_agents.xml"
TRANSFER_PATH: Final = "dialplan/fsgitops_transfer.xml"
SETTINGS_FILE: Final = "fsgitops.yaml"

_DID: Final = re.compile(r"\+[0-9]{3,15}", re.ASCII)
_DOMAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_CONTEXT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", re.ASCII)
_USES_EXPRESSION: Final = re.compile(r"\{\{-?\s*expression\b")


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
        did_forms: The forms beside E.164 that the carriers deliver, see `_compile_routes`.
        default_region: Whose a national form is that DIDs of two countries share.
        inbound_context: Calls from outside begin in it; DIDs go to its folder of dialplan/.
        settled: Path -> what an earlier apply proved and wrote there; the same inputs give it back.
    """
    findings = _check_settings(domain, inbound_context, default_caller_id, default_caller_name)
    if findings:
        return CompiledConfig({}), findings
    finder = secrets or DerivedSecrets(key, domain)
    target = Target(domain, key, finder, default_caller_id, default_caller_name, inbound_context)
    work = begin_compilation(desired, templates, target, settled or {})
    _compile_agents(work, desired)
    _compile_routes(work, desired, did_forms, default_region)
    _compile_dialplans(work)
    return work.result(), work.findings


def _compile_agents(work: Compilation, desired: Desired) -> None:
    for agent in desired.agents:
        if agent.enabled:
            _compile_agent(work, agent)


def _compile_agent(work: Compilation, agent: Agent) -> None:
    extension, target = agent.extension, work.target
    resource = Resource("agent", extension)
    if not is_extension(extension):
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


def _hashes(agent: Agent, target: Target) -> tuple[str, str]:
    found = target.secrets.find(agent)
    hashes = [
        UNKNOWN if secret is None else a1_hash(agent.extension, target.domain, secret).reveal()
        for secret in (found.password, found.pin)
    ]
    return hashes[0], hashes[1]


def _compile_routes(
    work: Compilation,
    desired: Desired,
    did_forms: Sequence[DidForm] | None,
    default_region: str | None,
) -> None:
    """Compile the DID routes, each for the forms in which the carriers deliver its number.

    `did_forms` are those beside E.164. None: all of them, and a form that has another meaning is
    left out with a warning. `default_region` (two letters) tells whose a national form is that
    DIDs of two countries share.
    """
    routes = [route for route in desired.did_routes if route.enabled]
    agents = [agent for agent in desired.agents if agent.enabled]
    forms = ALL_FORMS if did_forms is None else did_forms
    taken = choose_forms(routes, agents, forms, default_region)
    if routes and not _USES_EXPRESSION.search("".join(work.templates.sources.values())):
        work.tell_old_template()
    for route in routes:
        _compile_route(work, route, taken[route.did_number], declared=did_forms is not None)


def _compile_route(work: Compilation, route: DidRoute, taken: Taken, *, declared: bool) -> None:
    resource = Resource("did", route.did_number)
    if not _DID.fullmatch(route.did_number):
        work.refuse(resource, "a DID is + and 3 to 15 digits", "it names a file and an extension")
        return
    if not is_extension(route.destination_extension):
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


def _compile_dialplans(work: Compilation) -> None:
    if any(file.part.resource.kind == "agent" for file in work.files.values()):
        _compile_dialplan(work, AGENTS_DIALPLAN, "agents", DIALPLAN_PATH, prove_dialplan)
    if work.files:
        _compile_dialplan(work, TRANSFER_DIALPLAN, "transfers", TRANSFER_PATH, prove_transfers)


def _compile_dialplan(
    work: Compilation, template: str, name: str, path: str, prove: Callable[[Skeleton], list[str]]
) -> None:
    """Compile a dialplan file that is the same for any set of agents and routes."""
    domain = work.target.domain
    resource, inputs = Resource("dialplan", name), work.digest(template)
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
