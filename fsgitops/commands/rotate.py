"""`fsgitops key rotate`: move agents from one project key to the next, group by group.

Which agents have moved is said in `fsgitops.yaml`, so that a pipeline and a person who have both
keys derive the same secrets.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.durable import replace_file
from fsgitops.errors import NotThereError, UsageError
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.agent.secrets import count_rotation
from fsgitops.live.roster import check_extension
from fsgitops.secret.key import NEXT_KEY_VARIABLE, write_key_file
from fsgitops.settings.shapes import SETTINGS_FILE, RotationSettings
from fsgitops.workspace.declare import declare_desired
from fsgitops.workspace.key_in_git import keep_from_git
from fsgitops.workspace.secrets import Moved, find_keys, next_key_file

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from fsgitops.secret.key import ProjectKey
    from fsgitops.workspace.open import Workspace
    from fsgitops.workspace.secrets import Keys

_BLOCK = re.compile(r"^key_rotation[ \t]*:.*(?:\n(?:[ \t].*)?)*", re.MULTILINE)


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
    desired = declare_desired(workspace).demand()
    settings = workspace.settings.key_rotation
    moved, total = count_rotation(desired.of(Agent), Moved(settings).has)
    return Rotation(find_keys(workspace), settings is not None, moved, total)


def start_rotation(workspace: Workspace) -> tuple[Path, ProjectKey]:
    """Make the next key, beside the project key.

    Raises SecretError when there is one already, UsageError when another one was announced.
    """
    path = next_key_file(workspace.settings, workspace.root)
    before = workspace.settings.key_rotation or RotationSettings()
    if before.next_key and not path.exists():
        raise UsageError(
            f"a rotation to the key {before.next_key} is under way: put that key at {path}, or set "
            f"{NEXT_KEY_VARIABLE}"
        )
    keep_from_git(path)
    key = write_key_file(path)
    write_rotation(workspace.root, before.model_copy(update={"next_key": key.id}))
    return path, key


def move_agents(
    workspace: Workspace, groups: tuple[str, ...], extensions: tuple[str, ...], *, everyone: bool
) -> RotationSettings:
    """Add agents to those whose secrets come from the next key, in `fsgitops.yaml`.

    Raises NotThereError for a group that nobody is in, or an agent that is not declared;
    UsageError for what is no extension.
    """
    agents = declare_desired(workspace).desired.of(Agent)
    known = {name for agent in agents for name in agent.groups}
    for group in sorted(set(groups) - known):
        raise NotThereError(
            f"no agent is in group {group}; the groups are: {', '.join(sorted(known))}"
        )
    declared = {agent.extension for agent in agents}
    for extension in sorted({check_extension(one) for one in extensions} - declared):
        raise NotThereError(f"no agent {extension} is declared")
    before = workspace.settings.key_rotation or RotationSettings()
    after = RotationSettings(
        next_key=before.next_key,
        everyone=before.everyone or everyone,
        groups=tuple(sorted({*before.groups, *groups})),
        extensions=tuple(sorted({*before.extensions, *extensions})),
    )
    write_rotation(workspace.root, after)
    return after


def write_rotation(root: Path, rotation: RotationSettings | None) -> None:
    """Say in `fsgitops.yaml` which agents have moved; None removes what it says.

    Everything else in the file stays as it is written. Raises UsageError when it is written in a
    way that this cannot be added to, or when it is saved by somebody else meanwhile.
    """
    path = root / SETTINGS_FILE
    before = path.read_bytes() if path.exists() else None
    text = "" if before is None else before.decode("utf-8").replace("\r\n", "\n")
    content = edit_rotation(text, rotation).encode("utf-8")
    try:
        replace_file(path, content, before=before)
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}; run it again") from None


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
    parts = [f'next_key: "{rotation.next_key}"'] if rotation.next_key else []
    parts += ["everyone: true"] if rotation.everyone else []
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
