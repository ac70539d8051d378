"""The secrets of what is imported: encrypted, in the environment, hashed, or derived anew."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from fsgitops.durable import create_file, ignore_folder
from fsgitops.errors import SecretError, UsageError
from fsgitops.secret.key import a1_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fsgitops.model.imports import Brought, Known
    from fsgitops.workspace.open import Workspace

Hiding: TypeAlias = Literal["age", "env", "derive", "a1"]
PASSWORD = "password"  # noqa: S105 - the name of a field
ENV_FILE = "imported.env"
_UNNAMED = re.compile(r"[^A-Za-z0-9_]")
"""What the name of an environment variable cannot hold."""


@dataclass(slots=True)
class Hidden:
    """Turns secrets into what YAML says of them.

    `lines` are what the environment has to hold, `recipients` who can decrypt: as long as nobody is
    named, variables stand for what will be encrypted.
    """

    how: Hiding
    domain: str
    recipients: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()
    lines: list[str] = field(default_factory=list, repr=False)

    def describe(self, item: Brought) -> dict[str, object]:
        """Return the sources of an item's secrets, by the dotted names of fields."""
        odd = next((name for name, known in item.secrets.items() if not known.login), "")
        if odd and self.how in ("a1", "derive"):
            raise UsageError(
                f"--secrets {self.how}: `{odd}` of a {item.kind} can be neither made nor hashed: "
                "somebody else gave it; choose age or env"
            )
        if self.how == "derive":
            return {}
        return {name: self._describe(item, name, known) for name, known in item.secrets.items()}

    def _describe(self, item: Brought, name: str, known: Known) -> object:
        shared = name == PASSWORD and item.name in self.shared
        secret, hashed, login = known
        if not hashed and (shared or self.how == "a1"):
            user = str(item.values.get("user") or item.name)
            secret, hashed = a1_hash(user, self.domain, secret), True
        if self.how == "a1":
            return {"a1": secret.reveal()}
        source: object
        if self.how == "env" or not self.recipients:
            variable = f"FSGITOPS_{'SIP' if name == PASSWORD else 'PIN'}_{item.name}"
            if not login:
                variable = f"FSGITOPS_{item.kind}_{item.name}_{name}"
                variable = _UNNAMED.sub(lambda found: f"_{ord(found[0]):X}_", variable)
            self.lines.append(f"{variable}={shlex.quote(secret.reveal())}\n")
            source = {"env": variable}
        else:
            from fsgitops.secret.age import encrypt

            source = {"age": encrypt(secret, self.recipients)}
        return {"a1": source} if hashed else source


def _is_text(known: Known | None) -> bool:
    return known is not None and known.login and not known.hashed


def find_shared(items: Iterable[Brought]) -> frozenset[str]:
    """Return the names of those whose password somebody else has as well."""
    known = {
        item.name: item.secrets[PASSWORD].secret.reveal()
        for item in items
        if _is_text(item.secrets.get(PASSWORD))
    }
    many = Counter(known.values())
    return frozenset(name for name, text in known.items() if many[text] > 1)


def find_recipients(workspace: Workspace) -> tuple[tuple[str, ...], str]:
    """Return who can decrypt, and the line that the settings need for it.

    Where nobody is named, an identity is made beside the project key. Raises SecretError.
    """
    from fsgitops.secret.age import write_identity

    said = workspace.settings.secrets
    if said.age_recipients:
        return said.age_recipients, ""
    if "secrets" in workspace.document.data:
        raise UsageError(
            "fsgitops.yaml: `secrets` names no age_recipients: make an identity with "
            "`fsgitops secret keygen`, and add `age_recipients: [age1…]`; or choose another "
            "--secrets"
        )
    path = workspace.root / said.age_identity
    if path.parent.name == ".fsgitops":
        ignore_folder(path.parent)
    recipient = write_identity(path)
    return (recipient,), f"secrets: {{age_recipients: [{recipient}]}}\n"


def write_environment(workspace: Workspace, lines: Iterable[str]) -> Path:
    """Write what the environment has to hold to a file that git does not see, mode 0600.

    Raises SecretError where there is one already.
    """
    folder = workspace.root / ".fsgitops"
    path = folder / ENV_FILE
    try:
        ignore_folder(folder)
        create_file(path, "".join(lines).encode(), mode=0o600)
    except FileExistsError:
        raise SecretError(
            f"{path}: it holds the secrets of an earlier import; keep them elsewhere and remove it"
        ) from None
    except OSError as problem:
        raise SecretError(f"{path}: {os.strerror(problem.errno or 0)}") from None
    return path


def with_secrets(values: Mapping[str, object], sources: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of an item with what is said of its secrets, at their dotted names."""
    made = dict(values)
    for name, source in sources.items():
        top, _, below = name.partition(".")
        inner = made.get(top)
        inner = inner if isinstance(inner, dict) else {}
        made[top] = {**inner, below: source} if below else source
    return made
