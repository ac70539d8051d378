"""Warn of numbers that the hand-written dialplan takes before fsgitops is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.plan import Action, Change
from fsgitops.model.resource import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _forms(number: str) -> tuple[str, ...]:
    from fsgitops.rules.phone import national_form

    national = national_form(number)
    return (number, number[1:], *([national] if national else ()))


def find_shadowed(conf_dir: Path, changes: Sequence[Change]) -> list[str]:
    """Return a warning for each created agent or DID that another extension certainly takes.

    Nothing can be declared about hand-written extensions, so this warns and stops nothing.
    """
    created = [change.resource for change in changes if change.action is Action.CREATE]
    agents = [(item.name,) for item in created if item.kind is Kind.AGENT]
    numbers = [_forms(item.name) for item in created if item.kind is Kind.DID_ROUTE]
    if not agents and not numbers:
        return []
    from fsgitops.routing.shadow import Dialplan

    dialplan = Dialplan(conf_dir)
    found = [
        f"agent {name} will not ring when dialled: the dialplan's own extension `{taker}` in "
        "context default takes the number first; choose another number, or change that extension"
        for name, taker in dialplan.find_shadows("default", agents).items()
    ]
    return found + [
        f"did {name} will not be routed: the dialplan's own extension `{taker}` in context public "
        "takes the number first; change that extension"
        for name, taker in dialplan.find_shadows("public", numbers).items()
    ]
