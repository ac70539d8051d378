"""A project whose agents' secrets stand in every place where one may stand."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from real_sops import require_sops, write_sops_file

from fsgitops.secret.age import encrypt, write_identity
from fsgitops.secret.value import Secret

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from project import Project

KINDS = ("derived", "env", "file", "sops", "age", "command", "plaintext")
EXTENSIONS = dict(zip(KINDS, (str(2100 + number) for number in range(len(KINDS))), strict=True))
NAMED = KINDS[1:]

# As pip starts programs where the path of Python has a blank: a shell first, then Python itself.
FAKE_VAULT = """\
#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import os, sys
assert sys.stdin.read() == "" and "FSGITOPS_KEY" not in os.environ
print(open(sys.argv[1]).read())
"""


@dataclass(frozen=True)
class Planted:
    """The secrets that stand in the project: kind -> password, kind -> PIN."""

    passwords: dict[str, str]
    pins: dict[str, str]


def plant_secrets(
    project: Project, monkeypatch: pytest.MonkeyPatch, mark: str = "Pw+{kind}/= 7ü"
) -> Planted:
    """Write a project with one agent for each kind of source; `mark` shapes the passwords."""
    passwords = {kind: mark.format(kind=kind) for kind in NAMED}
    pins = {kind: str(739_182 + 1001 * number) for number, kind in enumerate(NAMED)}
    place = project.root / "outside"
    place.mkdir(parents=True, exist_ok=True)
    agents = ["agents:", "  - {extension: 2100, name: derived, voicemail: true}"]
    recipient = write_identity(project.root / ".fsgitops" / "age-identity")
    values: dict[str, dict[str, str]] = {}
    for kind in NAMED:
        values[kind] = {"password": passwords[kind], "pin": pins[kind]}
        sources = {
            field: _plant(place, monkeypatch, kind, field, values[kind][field], recipient)
            for field in ("password", "pin")
        }
        agents += [
            f"  - extension: {EXTENSIONS[kind]}",
            f"    name: {kind}",
            f"    groups: [{kind}]",
            f"    password: {json.dumps(sources['password'])}",
            f"    voicemail: {{pin: {json.dumps(sources['pin'])}}}",
        ]
    write_sops_file(place / "all.enc.json", json.dumps({"agents": [values["sops"]]}), monkeypatch)
    _program(place / "sops", f'#!/bin/sh\nexec "{require_sops()}" "$@"\n')
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    _program(place / "vault", FAKE_VAULT)
    project.write("desired/agents.yaml", "\n".join(agents) + "\n")
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)
    settings = (project.root / "fsgitops.yaml").read_text()
    project.write(
        "fsgitops.yaml",
        f"{settings}secrets: {{allow_commands: true, age_recipients: [{recipient}]}}\n",
    )
    return Planted(passwords, pins)


def _plant(
    place: Path, monkeypatch: pytest.MonkeyPatch, kind: str, field: str, value: str, recipient: str
) -> object:
    path = place / f"{kind}-{field}"
    if kind == "env":
        monkeypatch.setenv(f"SECRET_{field.upper()}", value)
        return {"env": f"SECRET_{field.upper()}"}
    if kind == "sops":
        return {"sops": "outside/all.enc.json", "key": f"agents.0.{field}"}
    if kind == "age":
        return {"age": encrypt(Secret(value), [recipient])}
    if kind == "plaintext":
        return {"plaintext": True, "value": value}
    path.write_text(value)
    path.chmod(0o600)
    if kind == "file":
        return {"file": f"outside/{path.name}"}
    return {"command": ["vault", str(path)]}


def _program(path: Path, text: str) -> None:
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)
