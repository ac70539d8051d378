"""What a project declares, compiled for its target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.errors import DesiredInvalidError
from fsgitops.findings import has_errors, sort_findings
from fsgitops.model.kind import Site
from fsgitops.workspace.secrets import explain_rotation, open_book

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.draft import Templates
    from fsgitops.model.live import ManifestEntry
    from fsgitops.secret.key import ProjectKey
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace
    from fsgitops.workspace.secrets import SecretBook


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
    site = Site(
        domain=workspace.target.domain,
        inbound_context=workspace.target.inbound_context,
        caller_id=declared.caller_id,
        caller_name=workspace.settings.default_caller_name,
        did_forms=workspace.target.did_forms,
        default_region=workspace.settings.default_region,
        templates=_load_templates(workspace),
    )
    compiled, findings = compile_config(workspace.kinds, desired, site, book, settled)
    everything = sort_findings([*declared.findings, *findings, *book.findings])
    if has_errors(everything):
        raise DesiredInvalidError(everything)
    return Compilation(
        replace(declared, findings=tuple(everything)),
        _name_keys(compiled, book),
        book.key,
        tuple(book.unavailable),
        tuple(explain_rotation(workspace, book, desired)),
    )


def _name_keys(compiled: CompiledConfig, book: SecretBook) -> CompiledConfig:
    upcoming = book.keys.upcoming
    return replace(
        compiled, keys=frozenset(book.used), upcoming_key=upcoming.id if upcoming else ""
    )


def _load_templates(workspace: Workspace) -> Templates:
    from fsgitops.steps.read_templates import read_templates

    templates, problems = read_templates(workspace.root / workspace.settings.templates)
    if has_errors(problems):
        raise DesiredInvalidError(problems)
    return templates
