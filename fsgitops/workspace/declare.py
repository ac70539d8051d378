"""What a project declares, with everything that is to say about it, and compiled for its target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.errors import DesiredInvalidError
from fsgitops.expectation import Expected, set_apart
from fsgitops.findings import Finding, Position, error, has_errors, quote_value, sort_findings
from fsgitops.model.kind import Site
from fsgitops.model.variables import judge_own_name
from fsgitops.phone import NumberError, is_region, normalise_number
from fsgitops.rules.table import DIALPLAN_RULES, PLAN_RULES, all_rules
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.check import check_desired
from fsgitops.steps.load import each_document
from fsgitops.steps.load.plain import find_literals
from fsgitops.steps.resolve import resolve_desired
from fsgitops.steps.silence import find_silenced, silence_findings
from fsgitops.workspace.policy import collect_policy
from fsgitops.workspace.secrets import explain_rotation, open_book

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document
    from fsgitops.model.draft import Templates
    from fsgitops.model.live import ManifestEntry
    from fsgitops.secret.key import ProjectKey
    from fsgitops.secret.source import Source
    from fsgitops.secret.value import Secret
    from fsgitops.settings.shapes import Settings
    from fsgitops.workspace.open import Workspace
    from fsgitops.workspace.trees import Trees


@dataclass(frozen=True, slots=True)
class Declared:
    """The desired state with every finding about it, errors and warnings, in file order."""

    desired: Desired
    findings: tuple[Finding, ...] = ()
    silenced: frozenset[tuple[str, int, str]] = frozenset()
    """The (file, line, rule) that comments silence, of the rules that a plan judges."""
    caller_id: str | None = None
    """The settings' default caller ID, in E.164 unless it is an extension."""
    expected: Expected = field(default_factory=Expected)
    """What calls are expected to do."""

    def demand(self) -> Desired:
        """Return the desired state. Raises DesiredInvalidError where a finding is an error."""
        if has_errors(self.findings):
            raise DesiredInvalidError(self.findings)
        return self.desired


def declare_desired(workspace: Workspace, trees: Trees | None = None) -> Declared:
    """Load, resolve and check everything that is declared. Findings are returned, not raised.

    With `trees`, a file that was parsed in an earlier run is not parsed again.
    """
    settings = workspace.settings
    documents: list[Document] = []
    findings: list[Finding] = []
    desired, problems = resolve_desired(
        _read_documents(workspace, documents, findings, trees),
        workspace.readable,
        defaults=settings.defaults,
        default_region=settings.default_region,
        settings=workspace.document,
        own_variables=settings.variables.allow,
        lengths=settings.extensions.lengths,
    )
    desired = replace(desired, sharded=workspace.target.layout == "sharded")
    complete = not has_errors(findings)
    findings += problems
    caller_id, problems = _check_settings(workspace)
    findings += problems
    findings += _judge(workspace, desired, documents, complete=complete)
    if trees and not has_errors(findings):
        trees.keep()
    # Those of a plan's rules are for the plan, which looks at the conf directory.
    by_plan = {rule.name: rule for rule in (*PLAN_RULES, *DIALPLAN_RULES)}
    silenced = find_silenced(documents, by_plan, find_literals)
    desired, expected = set_apart(desired, workspace.readable)
    return Declared(desired, tuple(sort_findings(findings)), silenced, caller_id, expected)


def _read_documents(
    workspace: Workspace,
    documents: list[Document],
    findings: list[Finding],
    trees: Trees | None,
) -> Iterator[Document]:
    """Yield each document, and keep of it what findings about its places need."""
    for document in each_document(workspace.root, workspace.settings.desired, findings, trees):
        yield document
        documents.append(document.without_tree())


def _judge(
    workspace: Workspace, desired: Desired, documents: Sequence[Document], *, complete: bool
) -> list[Finding]:
    """Return what all rules find, built-in and own, without what comments silence."""
    settings, kinds = workspace.settings, workspace.readable
    policy, findings = collect_policy(workspace)
    findings += check_desired(
        desired,
        documents,
        settings.rules,
        kinds,
        complete=complete,
        settings=workspace.document,
        policy=policy,
    )
    rules = {rule.name: rule for rule in (*all_rules(kinds), *policy)}
    return silence_findings(findings, documents, rules, find_literals, complete=complete)


def _check_settings(workspace: Workspace) -> tuple[str | None, list[Finding]]:
    """Return the default caller ID in E.164 (or None), and what is wrong with the settings."""
    settings, document = workspace.settings, workspace.document
    findings: list[Finding] = []
    region, number = settings.default_region, settings.default_caller_id
    if region is not None and not is_region(region):
        place = _place(document, "default_region")
        message = f"found {region!r}, expected a country's two capital letters, such as US"
        findings.append(error("settings", place, f"`default_region`: {message}"))
        region = None
    if number is not None and not settings.extensions.lengths.hold(number):
        try:
            number = normalise_number(number, region)
        except NumberError as problem:
            place = _place(document, "default_caller_id")
            message = f"`default_caller_id`: {quote_value(number)} {problem}"
            findings.append(error("settings", place, message, problem.hint))
    findings += _check_own_variables(settings, document)
    if document.has(("templates",)) and not (workspace.root / settings.templates).is_dir():
        message = f"`templates`: there is no folder {quote_value(settings.templates)}"
        hint = "`fsgitops init --templates` makes one; without the setting the packaged ones serve"
        findings.append(error("settings", _place(document, "templates"), message, hint))
    return number, findings


def _check_own_variables(settings: Settings, document: Document) -> list[Finding]:
    findings = []
    for index, name in enumerate(settings.variables.allow):
        refusal = judge_own_name(name)
        if refusal is not None:
            place = document.position(("variables", "allow", index))
            message = f"`variables.allow`: {quote_value(name)}: {refusal.message}"
            findings.append(error("settings", place, message, refusal.hint))
    return findings


def _place(document: Document, field: str) -> Position:
    """Return where the file says it; the environment has no place of its own."""
    if not document.has((field,)):
        return Position(f"{SETTINGS_FILE} (or the environment)")
    return document.position((field,))


@dataclass(frozen=True, slots=True)
class Compilation:
    """The desired state, compiled for one target; `key` is None where none is at hand."""

    declared: Declared
    compiled: CompiledConfig
    key: ProjectKey | None = field(repr=False)
    unavailable: tuple[str, ...] = ()
    """Why secrets are not at hand: each makes an apply impossible."""
    notes: tuple[str, ...] = ()
    """Which agents' secrets are derived from which key, while a rotation is under way."""
    fetched: Mapping[Source, Secret] = field(default_factory=dict, repr=False)
    """The secrets that stand elsewhere than in the files that are declared."""


def compile_declared(
    workspace: Workspace,
    declared: Declared,
    settled: Mapping[str, ManifestEntry] | None = None,
    *,
    fetch: bool = True,
) -> Compilation:
    """Compile a desired state without errors. Raises DesiredInvalidError with every finding.

    `settled` maps paths to what an earlier apply proved and wrote there. With `fetch`
    unset, no secret is fetched from where it stands: what it would be is not known.
    """
    from fsgitops.steps.compile import compile_config

    desired = declared.demand()
    book = open_book(workspace, desired, fetch=fetch)
    compiled, findings = compile_config(
        workspace.kinds, desired, _make_site(workspace, declared), book, settled
    )
    everything = sort_findings([*declared.findings, *findings, *book.findings])
    if has_errors(everything):
        raise DesiredInvalidError(everything)
    upcoming = book.keys.upcoming.id if book.keys.upcoming else ""
    return Compilation(
        replace(declared, findings=tuple(everything)),
        replace(compiled, keys=frozenset(book.used), upcoming_key=upcoming),
        book.key,
        tuple(book.unavailable),
        tuple(explain_rotation(workspace, book, desired)),
        book.fetched,
    )


def _make_site(workspace: Workspace, declared: Declared) -> Site:
    return Site(
        domain=workspace.target.domain,
        places=workspace.target.places,
        sharded=declared.desired.sharded,
        lengths=declared.desired.lengths,
        caller_id=declared.caller_id,
        caller_name=workspace.settings.default_caller_name,
        did_forms=workspace.target.did_forms,
        did_prefixes=workspace.target.did_prefixes,
        default_region=workspace.settings.default_region,
        templates=_load_templates(workspace),
    )


def _load_templates(workspace: Workspace) -> Templates:
    from fsgitops.steps.read_templates import read_templates

    folder = workspace.settings.templates
    templates, problems = read_templates(workspace.root / folder, folder)
    if has_errors(problems):
        raise DesiredInvalidError(problems)
    return templates
