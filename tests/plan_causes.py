"""Projects of which a plan is remembered, and all that it follows from, changed in one way each."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from own_kinds import SCHEMA, write_paging
from secret_sources import plant_secrets

from fsgitops.planning import remembered
from fsgitops.transaction.places import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from project import Project

WARNED = """\
agents:
  - {extension: 1030, name: Carol, caller_id_number: +19495431333}
"""
POLICY = """\
rules:
  - name: has-mail
    kind: agent
    severity: warning
    require: {email: {matches: '@'}}
    message: nobody can write to this agent
"""


def write_plain(project: Project, _: pytest.MonkeyPatch) -> None:
    project.write("fsgitops.yaml", "project: test\ndefault_region: US\n")


def write_warned(project: Project, _: pytest.MonkeyPatch) -> None:
    """Findings, warnings of the plan, an own rule, and files that are not ours."""
    project.write("desired/more.yaml", WARNED)
    project.write("policy/rules.yaml", POLICY)
    project.run("plan")
    shutil.copy(project.conf / "freeswitch.xml", project.conf / "directory/default/other.xml")
    project.write(
        ".fsgitops/sandbox/conf/dialplan/default/00_first.xml",
        '<include><extension name="first"><condition field="destination_number" '
        'expression="^1020$"><action application="answer"/></condition></extension></include>\n',
    )


def write_sharded(project: Project, _: pytest.MonkeyPatch) -> None:
    project.write("fsgitops.yaml", "project: test\ndefault_region: US\nlayout: sharded\n")


def write_own_kind(project: Project, _: pytest.MonkeyPatch) -> None:
    write_paging(project)


def write_sources(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_secrets(project, monkeypatch)


PROJECTS = (write_plain, write_warned, write_sharded, write_own_kind, write_sources)


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Write into a file as it stands, and set its times back: size, inode and mtime are as before.

    Only ctime, which the system keeps, tells.
    """
    before, text = path.stat(), path.read_text()
    assert change(text) != text
    assert len(change(text)) == len(text)
    path.write_text(change(text))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_ino, after.st_mtime_ns) == (
        before.st_size, before.st_ino, before.st_mtime_ns,
    )  # fmt: skip


def live_agent(project: Project) -> Path:
    return project.conf / "directory/default/1020.xml"


def change_yaml(project: Project) -> None:
    rewrite(project.root / "desired/agents.yaml", lambda text: text.replace("Alice", "Ellen"))


def comment_yaml(project: Project) -> None:
    rewrite(
        project.root / "desired/agents.yaml",
        lambda text: text.replace("agents:", "agents :", 1).replace("  -", " -", 1),
    )


def add_yaml(project: Project) -> None:
    project.write("desired/more.yml", WARNED)


def remove_yaml(project: Project) -> None:
    (project.root / "desired/routes.yaml").unlink()


def rename_yaml(project: Project) -> None:
    (project.root / "desired/routes.yaml").rename(project.root / "desired/other.yaml")


def link_yaml(project: Project) -> None:
    (project.root / "more.yaml").write_text(WARNED)
    (project.root / "desired/link.yaml").symlink_to("../more.yaml")


def break_yaml(project: Project) -> None:
    project.write("desired/broken.yaml", "agents: [")


def change_settings(project: Project) -> None:
    rewrite(project.root / "fsgitops.yaml", lambda text: text.replace("test", "tent"))


def comment_settings(project: Project) -> None:
    path = project.root / "fsgitops.yaml"
    path.write_text("# Lines have other numbers now.\n" + path.read_text())


def change_default(project: Project) -> None:
    path = project.root / "fsgitops.yaml"
    path.write_text(path.read_text() + "defaults: {agents: {groups: [all]}}\n")


def change_layout(project: Project) -> None:
    path = project.root / "fsgitops.yaml"
    path.write_text(path.read_text() + "layout: sharded\n")


def change_template(project: Project) -> None:
    source = remembered.read_templates(None)[0].sources["agent.xml.j2"]
    project.write("templates/agent.xml.j2", source.replace("</user>", "<!-- ours --></user>"))


def remove_manifest(project: Project) -> None:
    (project.conf / ".fsgitops/manifest.json").unlink()


def change_manifest(project: Project) -> None:
    path = project.conf / ".fsgitops/manifest.json"
    data = json.loads(path.read_text())
    data["owner"]["project"] = "else"
    path.write_text(json.dumps(data))


def edit_live(project: Project) -> None:
    rewrite(live_agent(project), lambda text: text.replace("Alice", "Ellen"))


def replace_live(project: Project) -> None:
    path = live_agent(project)
    aside = path.with_suffix(".aside")
    aside.write_text(path.read_text().replace("Alice", "Ellen"))
    aside.replace(path)


def remove_live(project: Project) -> None:
    live_agent(project).unlink()


def link_live(project: Project) -> None:
    path = live_agent(project)
    shutil.move(path, project.root / "moved.xml")
    path.symlink_to(project.root / "moved.xml")


def link_live_hard(project: Project) -> None:
    os.link(live_agent(project), project.root / "second.xml")


def link_live_folder(project: Project) -> None:
    folder = project.conf / "directory/default"
    shutil.move(folder, project.root / "moved")
    folder.symlink_to(project.root / "moved")


def expose_live(project: Project) -> None:
    live_agent(project).chmod(0o644)


def add_hand_written(project: Project) -> None:
    """Another extension takes the number first."""
    place = project.conf / "dialplan/default/00_first.xml"
    place.write_text(
        '<include><extension name="first"><condition field="destination_number" '
        'expression="^1020$"><action application="answer"/></condition></extension></include>\n'
    )


def edit_hand_written(project: Project) -> None:
    rewrite(
        project.conf / "dialplan/default.xml",
        lambda text: text.replace('name="default"', 'name="defauld"'),
    )


def add_unmanaged(project: Project) -> None:
    (project.conf / "directory/default/other.xml").write_text("<include>\n</include>\n")


def begin_apply(project: Project) -> None:
    """Another process has begun to apply."""
    (project.conf / ".fsgitops" / FOLDER).mkdir()


def add_policy(project: Project) -> None:
    project.write("policy/rules.yaml", POLICY)


def change_own_kind(project: Project) -> None:
    schema = {**SCHEMA, "required": ["name", "extension"]}
    project.write("kinds/paging_group.json", json.dumps(schema))


CHANGES = (
    change_yaml, comment_yaml, add_yaml, remove_yaml, rename_yaml, link_yaml, change_settings,
    comment_settings,
    change_default, change_layout, change_template, remove_manifest, change_manifest, edit_live,
    replace_live, remove_live, link_live, link_live_hard, link_live_folder, expose_live,
    add_hand_written, edit_hand_written, add_unmanaged, begin_apply, add_policy,
)  # fmt: skip
