from __future__ import annotations

import ast
from pathlib import Path

import pytest
from compiling import AGENT, PATH, agent, compiled, settle, with_templates

import fsgitops
from fsgitops.secret.key import ProjectKey
from fsgitops.steps.compile.compilation import DECIDING

PACKAGE = Path(fsgitops.__file__).parent
BESIDE = {
    "__init__.py", "durable.py", "errors.py", "findings.py", "visible.py", "schema_parts.py",
    "homes/__init__.py", "homes/pieces.py", "secret/source.py", "secret/value.py",
    "routing/lines.py",
}  # fmt: skip
"""What deciding modules import, and no byte of a file follows from: messages, paths, schemas."""


def test_what_an_apply_proved_and_wrote_is_not_rendered_again():
    first, _ = compiled(agent(), agent(extension="1021"))
    second, findings = compiled(agent(), agent(extension="1021"), settled=settle(first))
    assert findings == []
    assert [file.settled for file in second.files.values()] == [True] * 4
    assert [file.sha256 for file in second.files.values()] == [
        file.sha256 for file in first.files.values()
    ]


def test_what_changed_since_is_rendered_as_if_nothing_had_been_settled():
    first, _ = compiled(agent(), agent(extension="1021"))
    changed = (agent(name="Anna"), agent(extension="1021"))
    second, _ = compiled(*changed, settled=settle(first))
    assert second.files[PATH] == compiled(*changed)[0].files[PATH]


@pytest.mark.parametrize("name", DECIDING)
def test_every_source_that_decides_on_the_output_is_part_of_the_digest(name):
    assert (PACKAGE / name).exists()


def find_imported(source: Path) -> set[str]:
    """Return the modules of the program that one imports when it runs, as paths below it."""
    tree = ast.parse(source.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fsgitops"):
            names |= {node.module, *(f"{node.module}.{item.name}" for item in node.names)}
    places = (PACKAGE.joinpath(*name.split(".")[1:]) for name in names)
    files = (file for place in places for file in (place.with_suffix(".py"), place / "__init__.py"))
    return {str(file.relative_to(PACKAGE)) for file in files if file.is_file()}


def test_what_a_deciding_module_is_made_of_decides_as_well():
    named = [PACKAGE / name for name in DECIDING]
    sources = [file for place in named for file in ([place], place.rglob("*.py"))[place.is_dir()]]
    # What an import reads by hand becomes YAML, and decides on no file that is compiled.
    writing = [file for file in sources if file.name != "imports.py"]
    imported = set().union(*map(find_imported, writing))
    assert imported - {str(file.relative_to(PACKAGE)) for file in sources} == BESIDE


def test_another_key_settles_nothing():
    first, _ = compiled(agent())
    other = ProjectKey(bytes(range(7, 39)))
    second, _ = compiled(agent(), key=other, settled=settle(first))
    assert not second.files[PATH].settled


def test_another_template_settles_nothing():
    first, _ = compiled(agent())
    text = AGENT.replace("<params>", '<params>\n      <param name="sip-force-expires" value="60"/>')
    second, _ = compiled(agent(), templates=with_templates(agent=text), settled=settle(first))
    assert b"sip-force-expires" in second.files[PATH].content


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Bob"}, {"variables": {"site_x": "y"}}, {"webrtc": True}, {"password_version": 2},
        {"voicemail": {}}, {"groups": ("a",)},
    ],
)  # fmt: skip
def test_the_digest_of_the_inputs_follows_every_declared_value(changed):
    assert (
        compiled(agent())[0].files[PATH].part.inputs
        != compiled(agent(**changed))[0].files[PATH].part.inputs
    )


@pytest.mark.parametrize(
    "changed",
    [{"key": None}, {"domain": "b.example"}, {"caller_id": "+1"},
     {"templates": with_templates(agent=AGENT + "\n")}],
)  # fmt: skip
def test_the_digest_of_the_inputs_follows_everything_else_too(changed):
    first, second = compiled(agent())[0], compiled(agent(), **changed)[0]
    assert first.files[PATH].part.inputs != second.files[PATH].part.inputs


# Reading the templates
