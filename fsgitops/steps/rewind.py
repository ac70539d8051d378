"""Turn recorded revisions back into a compiled configuration: what stood before them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fsgitops.findings import Position
from fsgitops.model.compiled import CompiledConfig, CompiledFile, DirectoryUser
from fsgitops.model.live import LiveConfig, ManifestEntry
from fsgitops.model.plan import is_secret_attribute
from fsgitops.model.resource import Kind
from fsgitops.routing.fragment import FragmentError, flatten_fragment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.plan import Plan

_PARAM = "param "
_VARIABLE = "variable "
_ROUTE = re.compile(r"dialplan/public/(inbound_\d+)\.xml")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What stood at one path: its bytes (None for nothing), and whose it was (None: nobody's)."""

    path: str
    content: bytes | None
    entry: ManifestEntry | None


def rewind_config(earlier: Iterable[Earlier]) -> CompiledConfig:
    """Return the earlier files as if they had been compiled. Paths with nothing are left out."""
    files: dict[str, CompiledFile] = {}
    users: dict[str, DirectoryUser] = {}
    routes: dict[str, str] = {}
    for item in earlier:
        if item.content is None or item.entry is None:
            continue
        resource = item.entry.resource
        digest = hashlib.sha256(item.content).hexdigest()
        files[item.path] = CompiledFile(
            item.path,
            item.content,
            resource,
            _position(item.entry.source),
            inputs=_inputs(item.entry, digest),
            sha256=digest,
            protect=item.entry.protect,
        )
        if resource.kind is Kind.AGENT:
            users[resource.name] = _read_user(item.content, resource.name)
        elif match := _ROUTE.fullmatch(item.path):
            routes[match.group(1)] = ""
    return CompiledConfig(files, users, routes)


def narrow_live(live: LiveConfig, paths: Iterable[str]) -> LiveConfig:
    """Return only what concerns these paths: a plan made from it leaves all others alone."""
    wanted = set(paths)
    entries = {path: entry for path, entry in live.manifest.entries.items() if path in wanted}
    files = {path: file for path, file in live.files.items() if path in wanted}
    return LiveConfig(replace(live.manifest, entries=entries), files, live.unmanaged)


def keep_rest(plan: Plan, live: LiveConfig) -> Plan:
    """Return the plan with the managed files that it leaves alone counted as unchanged."""
    touched = {change.path for change in plan.changes} | {item.path for item in plan.hazards}
    return replace(plan, unchanged=len(set(live.manifest.entries).difference(touched)))


def _inputs(entry: ManifestEntry, digest: str) -> str:
    """The digest of the inputs is only true of the bytes that were compiled from them."""
    return entry.inputs if entry.sha256 == digest else ""


def _position(source: str) -> Position:
    file, *place = source.rsplit(":", 2)
    if len(place) == 2 and all(part.isdecimal() for part in place):
        return Position(file, int(place[0]), int(place[1]))
    return Position(source)


def _read_user(content: bytes, extension: str) -> DirectoryUser:
    """Return the user that the switch must hold once this file is loaded."""
    try:
        flat: Mapping[str, str] = flatten_fragment(content)
    except FragmentError:
        flat = {}
    params = _strip(flat, _PARAM)
    secret = frozenset(name for name in params if is_secret_attribute(_PARAM + name))
    return DirectoryUser(flat.get("user", extension), params, _strip(flat, _VARIABLE), secret)


def _strip(flat: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): value
        for name, value in flat.items()
        if name.startswith(prefix) and not name.startswith(prefix + '"')
    }
