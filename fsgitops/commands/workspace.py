"""What every command starts from: the project's root, its settings, and one target."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fsgitops.commands.check_settings import check_settings
from fsgitops.errors import DesiredInvalidError
from fsgitops.findings import Finding, Position, has_errors, sort_findings
from fsgitops.settings import (
    SETTINGS_FILE,
    Environment,
    Settings,
    Target,
    build_settings,
    read_environment,
    select_target,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fsgitops.commands.secrets import SecretBook
    from fsgitops.model.compiled import CompiledConfig, Settled
    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document
    from fsgitops.model.templates import Templates
    from fsgitops.secret import ProjectKey


@dataclass(frozen=True, slots=True)
class Workspace:
    """A project directory with its settings, and the target that a command works on."""

    root: Path
    settings: Settings
    environment: Environment
    target: Target
    document: Document | None = None
    """The settings file, for the places that findings about it name."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The desired state with every finding about it, errors and warnings, in file order."""

    desired: Desired
    findings: tuple[Finding, ...] = ()
    silenced: frozenset[tuple[str, int, str]] = frozenset()
    """The (file, line, rule) that comments silence, of the rules that a plan judges."""


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


def open_workspace(root: Path, target: str | None = None) -> Workspace:
    """Read the settings below `root`, all of them optional, and pick a target.

    Raises DesiredInvalidError for a malformed `fsgitops.yaml`, UsageError for an unknown target.
    """
    from fsgitops.steps.load import load_document

    environment = read_environment()
    document: Document | None = None
    if (root / SETTINGS_FILE).exists():
        document, findings = load_document(root, SETTINGS_FILE)
        if findings or document is None:
            raise DesiredInvalidError(findings)
    data: Any = (document.data if document else None) or {}
    locate = document.position if document else _nowhere
    settings = build_settings(data, locate, environment)
    chosen = select_target(settings, target, root, environment)
    return Workspace(root, settings, environment, chosen, document)


def _nowhere(_path: tuple[str | int, ...], *, key: bool = False) -> Position:  # noqa: ARG001
    return Position(SETTINGS_FILE)


def declare_desired(workspace: Workspace) -> Declared:
    """Load, resolve and check everything that is declared. Findings are returned, not raised."""
    from fsgitops.commands.lint import find_plan_silences, judge_desired
    from fsgitops.steps.load import load_documents
    from fsgitops.steps.resolve import resolve_desired

    settings = workspace.settings
    documents, findings = load_documents(workspace.root, settings.desired)
    complete = not has_errors(findings)
    desired, problems = resolve_desired(
        documents,
        defaults=settings.defaults.model_dump(),
        default_region=settings.default_region,
        settings=workspace.document,
        own_variables=settings.variables.allow,
    )
    findings = findings + problems
    findings += check_settings(workspace.root, settings, workspace.document)[1]
    findings += judge_desired(workspace, desired, documents, complete=complete)
    silenced = find_plan_silences(documents)
    return Declared(desired, tuple(sort_findings(findings)), silenced)


def compile_declared(
    workspace: Workspace,
    declared: Declared,
    settled: Mapping[str, Settled] | None = None,
    *,
    fetch: bool = True,
) -> Compilation:
    """Compile a desired state without errors. Raises DesiredInvalidError with every finding.

    `settled` maps paths to what an earlier apply proved and wrote there. With `fetch`
    unset, no secret is fetched from where it stands: what it would be is not known.
    """
    from fsgitops.commands.secrets import open_book
    from fsgitops.steps.compile import compile_config
    from fsgitops.steps.protect import mark_protected

    if has_errors(list(declared.findings)):
        raise DesiredInvalidError(list(declared.findings))
    caller_id, _ = check_settings(workspace.root, workspace.settings, workspace.document)
    book = open_book(workspace, declared.desired, fetch=fetch)
    compiled, findings = compile_config(
        declared.desired,
        domain=workspace.target.domain,
        templates=_load_templates(workspace),
        key=book.key,
        default_caller_id=caller_id,
        default_caller_name=workspace.settings.default_caller_name,
        settled=settled,
        secrets=book,
        did_forms=workspace.target.did_forms,
        inbound_context=workspace.target.inbound_context,
        default_region=workspace.settings.default_region,
    )
    everything = sort_findings([*declared.findings, *findings, *book.findings])
    if has_errors(everything):
        raise DesiredInvalidError(everything)
    return Compilation(
        replace(declared, findings=tuple(everything)),
        _name_keys(mark_protected(compiled, declared.desired), book),
        book.key,
        tuple(book.unavailable),
        tuple(book.explain_rotation(declared.desired)),
    )


def _name_keys(compiled: CompiledConfig, book: SecretBook) -> CompiledConfig:
    upcoming = book.keys.upcoming
    return replace(compiled, keys=book.keys_in_use(), upcoming_key=upcoming.id if upcoming else "")


def _load_templates(workspace: Workspace) -> Templates:
    from fsgitops.steps.read_templates import read_templates

    templates, problems = read_templates(workspace.root / workspace.settings.templates)
    if has_errors(problems):
        raise DesiredInvalidError(problems)
    return templates


def find_key(workspace: Workspace) -> ProjectKey | None:
    """Return the project key, or None where there is none. Raises SecretError for a bad one."""
    from fsgitops.secret import load_key

    return load_key(os.environ, workspace.root / workspace.settings.key_file)
