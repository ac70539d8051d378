"""A conf directory whose folders and contexts have other names, and an embedded switch on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project import Project

DOMAIN = "office.example"
PLACES = """\
    inbound_context: from-carriers
    places:
      directory: directory/office/phones
      groups: directory/office/groups
      dialplan: dialplan/office
      context: inside
      inbound: dialplan/carriers
      contexts: dialplan/whole
      prefix: 00_
"""
_MOVED = {
    "directory/default.xml": (
        ('"default/*.xml"', '"office/phones/*.xml"'),
        ('"fsgitops/*.xml"', '"office/groups/*.xml"'),
    ),
    "dialplan/default.xml": (
        ('name="default"', 'name="inside"'),
        ('"default/*.xml"', '"office/*.xml"'),
    ),
    "dialplan/public.xml": (
        ('name="public"', 'name="from-carriers"'),
        ('"public/*.xml"', '"carriers/*.xml"'),
    ),
    "sip_profiles/internal.xml": (('value="public"', 'value="from-carriers"'),),
    "sip_profiles/external.xml": (('value="public"', 'value="from-carriers"'),),
    "freeswitch.xml": (
        (
            '"dialplan/*.xml"/>',
            '"dialplan/*.xml"/>\n    <X-PRE-PROCESS cmd="include" data="dialplan/whole/*.xml"/>',
        ),
    ),
}


def write_office(conf: Path) -> None:
    """Write the sandbox's conf directory, with each folder and context by another name."""
    write_skeleton(conf, DOMAIN)
    for path, changes in _MOVED.items():
        file = conf / path
        text = file.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)
    for folder in ("directory/default", "dialplan/default", "dialplan/public"):
        (conf / folder).rmdir()


def run_office(
    project: Project, conf: Path, monkeypatch: pytest.MonkeyPatch, places: str = PLACES
) -> Iterator[Project]:
    """Yield the project with a target on such a directory, whose switch runs."""
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "office")
    monkeypatch.setenv("FSGITOPS_TARGET", "office")
    with EmbeddedSwitch(conf, "office") as switch:
        host, port = switch.address
        project.write(
            "fsgitops.yaml",
            "project: test\ndefault_region: US\ntargets:\n  office:\n"
            f"    conf_dir: {conf}\n    domain: {DOMAIN}\n    esl: {{host: {host}, port: {port}}}\n"
            f"    did_forms: [digits, national]\n{places}",
        )
        yield project
