"""A kind of a project's own, the paging group of docs/own-kinds.md, for the tests of such kinds."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.own import OwnKind, faults_of, own_kind
from fsgitops.model.kind import Kind, Kinds
from fsgitops.model.own_noun import read_noun
from fsgitops.steps.load import load_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from project import Project

    from fsgitops.findings import Finding
    from fsgitops.model.own_noun import OwnNoun

SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "paging group",
    "description": "Phones that are called at once, and answer by themselves.",
    "required": ["name", "extension", "members"],
    "properties": {
        "name": {"type": "string", "x-key": True, "description": "Its name."},
        "extension": {"type": "string", "pattern": "^[0-9]{4,6}$"},
        "members": {"type": "array", "items": {"type": "string", "x-ref": ["agent"]}},
        "greeting": {"type": "string", "maxLength": 60},
        "mode": {"type": "string", "enum": ["one-way", "two-way"], "default": "one-way"},
        "beep": {"type": "boolean"},
        "timeout": {"type": "integer", "minimum": 5, "maximum": 60, "default": 20},
        "pin": {"type": "string", "x-secret": True},
        "hours": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["days"],
                "properties": {"days": {"type": "string"}, "note": {"type": "string"}},
            },
        },
    },
}
FILES = {"dialplan/default/30_paging_{name}.xml": "paging_group.xml.j2"}
DECLARED = OwnKind("paging_group", "paging_groups", FILES, "paging_{name}", "extension")
PATH = "dialplan/default/30_paging_warehouse.xml"
TEMPLATE = """\
<include>
  <extension name="paging_group_{{ name }}">
    <condition field="destination_number" expression="^({{ extension }}|{{ reach }})$">
{% if beep %}
      <action application="playback" data="tone_stream://%(200,0,800)"/>
{% endif %}
      <action application="set" data="call_timeout={{ timeout }}"/>
      <action application="set" data="paging_password={{ pin }}"/>
{% if greeting is defined %}
      <action application="set" data="effective_caller_id_name={{ greeting }}"/>
{% endif %}
{% for time in hours %}
      <action application="log" data="INFO {{ time.days }} {{ time.note|default("") }}"/>
{% endfor %}
{% for member in members %}
      <action application="conference_set_auto_outcall" data="user/{{ member }}@{{ domain }}"/>
{% endfor %}
{% set flags = "+flags{mute}" if mode == "one-way" else "" %}
      <action application="conference" data="page_{{ name }}@default{{ flags }}"/>
    </condition>
  </extension>
</include>
"""
DESIRED = """\
paging_groups:
  - name: warehouse
    extension: 7001
    members: [1020, 1021]
"""
SETTINGS = """\
kinds:
  - word: paging_group
    section: paging_groups
    schema: kinds/paging_group.json
    files: {"dialplan/default/30_paging_{name}.xml": paging_group.xml.j2}
    reach: paging_{name}
    dialled: extension
"""


def read(
    folder: Path, schema: Any, word: str = "paging_group"
) -> tuple[OwnNoun | None, list[Finding]]:
    """Return what becomes of a schema in a file `kind.json`, or of its text."""
    text = schema if isinstance(schema, str) else json.dumps(schema, indent=2)
    (folder / "kind.json").write_text(text)
    document, findings = load_document(folder, "kind.json")
    if document is None or findings:
        return None, findings
    return read_noun(word, document, (*BUILT_IN, word))


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return the schema with one change."""
    schema = copy.deepcopy(SCHEMA)
    change(schema)
    return schema


def kind_of(folder: Path, schema: Any = SCHEMA, declared: OwnKind = DECLARED) -> Kind[Any]:
    """Return the kind that a schema and its settings describe."""
    own, findings = read(folder, schema, declared.word)
    assert findings == []
    assert own is not None
    assert list(faults_of(declared, own)) == []
    return own_kind(declared, own)


def kinds_with(kind: Kind[Any]) -> Kinds:
    """Return the built-in kinds, and another one."""
    return Kinds((*BUILT_IN.values(), kind))


def write_paging(project: Project) -> None:
    """Declare the kind and one paging group in a project with the agents 1020 and 1021."""
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + SETTINGS)
    project.write("kinds/paging_group.json", json.dumps(SCHEMA, indent=2))
    project.write("templates/paging_group.xml.j2", TEMPLATE)
    project.write("desired/paging.yaml", DESIRED)
