"""A small conf directory for the sandbox, in the layout of the stock FreeSWITCH one."""

from __future__ import annotations

import re
from pathlib import Path

from fsgitops.errors import UsageError

DEFAULT_DOMAIN = "sandbox.example"
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
_SKELETON = Path(__file__).parent / "conf"
_FOLDERS = ("directory/default", "dialplan/default", "dialplan/public", "sip_profiles/external")


def write_skeleton(conf_dir: Path, domain: str = DEFAULT_DOMAIN) -> None:
    """Write the conf directory, with no user and no route in it yet.

    Raises:
        UsageError: `domain` is not a host name or address, or a file is already there.
    """
    if not _DOMAIN.fullmatch(domain):
        raise UsageError(f"`{domain}` is no domain: expected a host name or an IP address")
    files = sorted(_SKELETON.rglob("*.xml"))
    targets = [conf_dir / file.relative_to(_SKELETON) for file in files]
    if there := next((target for target in targets if target.exists()), None):
        raise UsageError(f"{there} is already there; choose an empty directory")
    for folder in _FOLDERS:
        (conf_dir / folder).mkdir(parents=True, exist_ok=True)
    for file, target in zip(files, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8")
        target.write_text(text.replace(f"domain={DEFAULT_DOMAIN}", f"domain={domain}"), "utf-8")
