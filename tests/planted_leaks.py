"""Leaks that somebody could build in, each in a way of its own."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from fsgitops.secret.value import Secret


def leak_by_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Secret that shows itself, in a note about what is missing."""
    from fsgitops.workspace.secrets import SecretBook

    before = SecretBook.reveal

    def reveal(self: SecretBook, resource: Any, wishes: Any) -> Any:
        found = before(self, resource, wishes)
        self.unavailable[f"{resource} {found['password']}"] = None
        return found

    monkeypatch.setattr(Secret, "__repr__", lambda self: self.reveal())
    monkeypatch.setattr(Secret, "__format__", lambda self, spec: self.reveal())
    monkeypatch.setattr(SecretBook, "reveal", reveal)


def leak_by_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line in a debug log."""
    from fsgitops.secret import fetch

    before = fetch.check_secret

    def check(value: str, where: str) -> Secret:
        logging.getLogger("fsgitops").debug("fetched %s", value)
        return before(value, where)

    monkeypatch.setattr(fetch, "check_secret", check)


def leak_by_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash in a plan: nothing that is compared passes for a secret."""
    from fsgitops.model import plan

    monkeypatch.setattr(plan, "is_secret", lambda *_: False)


def leak_by_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the middle of a saved plan."""
    from fsgitops.commands import plan

    before = plan.save_plan

    def save(made: Any, path: Path) -> None:
        before(made, path)
        path.write_text(path.read_text() + f"x{os.environ['SECRET_PASSWORD']}yz")

    monkeypatch.setattr(plan, "save_plan", save)


PLANTED_LEAKS = {
    "repr": (leak_by_repr, "plan: age password"),
    "log": (leak_by_log, "logs at debug level: env PIN"),
    "plan": (leak_by_plan, "plan: hash of the derived PIN (sandbox.example)"),
    "file": (leak_by_file, "saved-plan.json: env password"),
}
