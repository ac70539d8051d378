"""The doctor's checks of gateways: who may read their passwords, and which of ours are up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fsgitops.diagnosis import Check, bad, good, warn
from fsgitops.errors import FsgitopsError
from fsgitops.homes.gateways import GATEWAYS
from fsgitops.routing.directory import descend
from fsgitops.routing.places import find_gateways
from fsgitops.steps.read_live import read_manifest
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsgitops.routing.merged import MergedConfig
    from fsgitops.routing.tree import Element
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch

SHOWN = 3


def check_trunk_files(conf_dir: Path, root: Element, merged: MergedConfig) -> Iterator[Check]:
    """Yield whether everybody may read the password of a gateway, whoever wrote its file.

    FreeSWITCH knows no hash of it.
    """
    files = {
        os.path.normpath(place.file)
        for gateway in _list_gateways(root)
        if _has_password(gateway)
        if (place := merged.source_of_merged_line(gateway.line))
    }
    wide = [file for file in sorted(files) if _is_wide(conf_dir / file)]
    if wide:
        told = f"every user of this machine may read {count_noun(len(wide), 'file')} with the"
        told += f" password of a gateway, such as {wide[0]}"
        yield bad("gateway-files", told, f"chmod o-rwx {conf_dir / wide[0]}, and so on")
    elif files:
        told = f"{count_noun(len(files), 'file')} with passwords of gateways; no other user may"
        yield good("gateway-files", f"{told} read any")


def _list_gateways(root: Element) -> Iterator[Element]:
    yield from find_gateways(root.find("section", "name", "directory"))
    section = root.find("section", "name", "configuration")
    sofia = section.find("configuration", "name", "sofia.conf") if section else None
    for profile in descend(sofia, "profiles", "profile"):
        yield from descend(profile, "gateways", "gateway")


def _has_password(gateway: Element) -> bool:
    params = [*gateway.all("param"), *descend(gateway, "params", "param")]
    found = (item.attributes for item in params)
    return any(item.get("name") == "password" and item.get("value") for item in found)


def _is_wide(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o007)
    except OSError:
        return False


def check_trunks(target: Target, switch: Switch) -> Iterator[Check]:
    """Yield which applied gateways do not run, are down, or are not registered."""
    try:
        entries = read_manifest(target.state_dir).entries
    except FsgitopsError:
        return
    ours = [path for path in entries if GATEWAYS.has(path)]
    if not ours:
        return
    running = {one.name: one for one in switch.gateways()}
    wrong: list[str] = []
    for name in sorted(record.resource.name for path in ours for record in entries[path].records):
        one = running.get(name)
        if one is None:
            wrong.append(f"{name} does not run")
        elif one.status != "UP" or one.registered is False:
            wrong.append(f"{name} is {one.status.lower()} ({one.state})")
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        yield warn(
            "gateways",
            f"no call goes over these gateways: {', '.join(wrong[:SHOWN])}{more}",
            "see the switch's log, whether the provider can be reached, and what it answers",
        )
    else:
        yield good("gateways", f"{count_noun(len(ours), 'applied gateway')} up")
