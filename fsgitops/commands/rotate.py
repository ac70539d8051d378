"""`fsgitops key rotate`: move agents from one project key to the next, group by group.

Which agents have moved is said in `fsgitops.yaml`, so that a pipeline and a person who have both
keys derive the same secrets.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.commands.secrets import count_rotation, find_keys, next_key_file
from fsgitops.commands.workspace import declare_desired
from fsgitops.errors import DesiredInvalidError, UsageError
from fsgitops.findings import has_errors
from fsgitops.secret import KEY_VARIABLE, NEXT_KEY_VARIABLE, load_key, write_key_file
from fsgitops.secret.private_file import write_private_file
from fsgitops.settings import SETTINGS_FILE, RotationSettings

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from fsgitops.commands.secrets import Keys
    from fsgitops.commands.workspace import Workspace
    from fsgitops.secret import ProjectKey

PREVIOUS_SUFFIX = ".previous"
_BLOCK = re.compile(r"^key_rotation[ \t]*:.*\n?(?:(?:[ \t]+.*|[ \t]*)\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far a rotation is: how many agents have moved, in all ("") and by group."""

    keys: Keys
    under_way: bool
    moved: Counter[str]
    total: Counter[str]

    @property
    def complete(self) -> bool:
        """Tell whether every agent with derived secrets has moved."""
        return self.moved[""] == self.total[""]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        current, upcoming = self.keys.current, self.keys.upcoming
        return {
            "format": "fsgitops-keys",
            "version": 1,
            "current_key": current.id if current else None,
            "next_key": upcoming.id if upcoming else None,
            "rotation_under_way": self.under_way,
            "agents": self.total[""],
            "agents_moved": self.moved[""],
            "groups": {
                name: {"agents": self.total[name], "moved": self.moved[name]}
                for name in sorted(set(self.total) - {""})
            },
        }


def read_rotation(workspace: Workspace) -> Rotation:
    """Return which keys are at hand, and which agents' secrets come from which."""
    declared = declare_desired(workspace)
    if has_errors(list(declared.findings)):
        raise DesiredInvalidError(list(declared.findings))
    settings = workspace.settings.key_rotation
    moved, total = count_rotation(declared.desired, settings)
    return Rotation(find_keys(workspace), settings is not None, moved, total)


def start_rotation(workspace: Workspace) -> tuple[Path, ProjectKey]:
    """Make the next key, beside the project key. Raises SecretError when there is one already."""
    path = next_key_file(workspace.settings, workspace.root)
    key = write_key_file(path)
    if workspace.settings.key_rotation is None:
        write_rotation(workspace.root, RotationSettings())
    return path, key


def move_agents(
    workspace: Workspace, groups: tuple[str, ...], extensions: tuple[str, ...], *, everyone: bool
) -> RotationSettings:
    """Add agents to those whose secrets come from the next key, in `fsgitops.yaml`.

    Raises UsageError for a group that nobody is in, or an agent that is not declared.
    """
    agents = declare_desired(workspace).desired.agents
    known = {name for agent in agents for name in agent.groups}
    for group in sorted(set(groups) - known):
        raise UsageError(
            f"no agent is in group {group}; the groups are: {', '.join(sorted(known))}"
        )
    for extension in sorted(set(extensions) - {agent.extension for agent in agents}):
        raise UsageError(f"no agent {extension} is declared")
    before = workspace.settings.key_rotation or RotationSettings()
    after = RotationSettings(
        everyone=before.everyone or everyone,
        groups=tuple(sorted({*before.groups, *groups})),
        extensions=tuple(sorted({*before.extensions, *extensions})),
    )
    write_rotation(workspace.root, after)
    return after


def finish_rotation(workspace: Workspace) -> list[str]:
    """Make the next key the project key; return what was done.

    Raises UsageError when agents have not moved, no rotation is under way, the next key is not at
    hand, or a variable holds the former one: every password would fall back to what that gives.
    """
    if workspace.settings.key_rotation is None:
        raise UsageError("no key rotation is under way: `fsgitops key rotate --start` begins one")
    rotation = read_rotation(workspace)
    if not rotation.complete:
        left = rotation.total[""] - rotation.moved[""]
        raise UsageError(
            f"{left} of {rotation.total['']} agents still have secrets of the current key; move "
            "them with `fsgitops key rotate --groups …` or `--everyone`, and apply"
        )
    _require_next_key(workspace, rotation)
    _require_no_former_variable(rotation)
    done = _replace_key_file(workspace, rotation.keys.upcoming)
    write_rotation(workspace.root, None)
    done.append(
        f"removed `key_rotation` from {SETTINGS_FILE}: before that is merged, put the next key "
        f"into {KEY_VARIABLE} of every pipeline, then remove {NEXT_KEY_VARIABLE}"
    )
    return done


def _require_next_key(workspace: Workspace, rotation: Rotation) -> None:
    upcoming = rotation.keys.upcoming
    path = next_key_file(workspace.settings, workspace.root)
    if upcoming is None and _previous_key_file(workspace).exists():
        return  # An interrupted --finish has made it the project key already.
    if upcoming is None:
        raise UsageError(
            f"the next key is not at hand: set {NEXT_KEY_VARIABLE}, or put its file at {path}"
        )
    stored = load_key({}, path)  # A variable would hide the file.
    if stored is not None and stored.id != upcoming.id:
        raise UsageError(
            f"{NEXT_KEY_VARIABLE} (key {upcoming.id}), which the passwords come from, is not the "
            f"key in {path} (key {stored.id}): remove the wrong one"
        )


def _require_no_former_variable(rotation: Rotation) -> None:
    current, upcoming = rotation.keys.current, rotation.keys.upcoming
    if not os.environ.get(KEY_VARIABLE, "").strip() or current is None or upcoming is None:
        return
    if current.id != upcoming.id:
        raise UsageError(
            f"{KEY_VARIABLE} still holds the former key (key {current.id}), and wins over a file: "
            f"put the next key (key {upcoming.id}) there first, here and in every pipeline. "
            "While everybody has moved, that changes no password"
        )


def _replace_key_file(workspace: Workspace, key: ProjectKey | None) -> list[str]:
    upcoming = next_key_file(workspace.settings, workspace.root)
    current = workspace.root / workspace.settings.key_file
    if not upcoming.exists():
        stored = load_key({}, current)
        if key is None or stored is None or stored.id == key.id:
            return []
        # The former key stands in the file, and the next one only in a variable.
        write_private_file(upcoming, os.environ[NEXT_KEY_VARIABLE].strip() + "\n", "key file")
    previous = _previous_key_file(workspace)
    done = []
    if current.exists():
        if previous.exists():
            raise UsageError(f"{previous}: there is a file already; move it to a safe place")
        current.rename(previous)
        done.append(f"kept the former key as {previous}: destroy it once nothing needs it")
    upcoming.rename(current)
    return [*done, f"made {upcoming.name} the project key, {current}"]


def _previous_key_file(workspace: Workspace) -> Path:
    return workspace.root / f"{workspace.settings.key_file}{PREVIOUS_SUFFIX}"


def write_rotation(root: Path, rotation: RotationSettings | None) -> None:
    """Say in `fsgitops.yaml` which agents have moved; None removes what it says.

    Everything else in the file stays as it is written. Raises UsageError when it is written in a
    way that this cannot be added to.
    """
    path = root / SETTINGS_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    changed = edit_rotation(text, rotation)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(changed, encoding="utf-8")
    if path.exists():
        temporary.chmod(path.stat().st_mode & 0o777)
    os.replace(temporary, path)  # noqa: PTH105 - atomic, over an existing file


def edit_rotation(text: str, rotation: RotationSettings | None) -> str:
    """Return the text of `fsgitops.yaml` with another `key_rotation`, checked by reading it."""
    line = "" if rotation is None else f"key_rotation: {_flow(rotation)}\n"
    changed, found = _BLOCK.subn(lambda _: line, text, count=1)
    if not found and line:
        changed = f"{text.rstrip()}\n\n{line}" if text.strip() else line
    wanted = {name: value for name, value in _parse(text).items() if name != "key_rotation"}
    read = _parse(changed)
    declared = read.pop("key_rotation", None)
    if read != wanted or (declared is None) != (rotation is None):
        raise UsageError(
            f"{SETTINGS_FILE}: cannot be changed safely; write `{line.strip()}` into it by hand"
        )
    return changed


def _flow(rotation: RotationSettings) -> str:
    parts = ["everyone: true"] if rotation.everyone else []
    for name in ("groups", "extensions"):
        words = getattr(rotation, name)
        if words:
            parts.append(f"{name}: {json.dumps(list(words), ensure_ascii=False)}")
    return "{" + ", ".join(parts) + "}"


def _parse(text: str) -> dict[str, Any]:
    from fsgitops.steps.load.events import parse_document

    document, findings = parse_document(SETTINGS_FILE, text.encode())
    if findings or document is None:
        return {"(unreadable)": text}
    return dict(document.data or {})
