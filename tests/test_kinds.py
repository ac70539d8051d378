"""Every kind is asked the same: a new one is tested by being in the table, with one example.

What a kind is asked about stands in tests/kinds/KIND/example.yaml (tests/kind_examples.py).
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft7Validator
from kind_examples import EXAMPLES, Example, is_secret, text_at
from kind_words import ROOMS, find_all
from leak_search import Search

from fsgitops.homes import home_of
from fsgitops.kinds import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project

every_kind = pytest.mark.parametrize("example", EXAMPLES, ids=list(BUILT_IN))


def declare(project: Project, text: str) -> None:
    for path in (project.root / "desired").iterdir():
        path.unlink()
    project.write("desired/example.yaml", text)


@pytest.fixture
def declared(project: Project, example: Example) -> Project:
    """The example declared, nothing applied yet."""
    declare(project, example.written(example.subject))
    return project


@pytest.fixture
def applied(declared: Project) -> Project:
    """The example applied to the embedded switch."""
    declared.prepare("apply", "--yes")
    return declared


def plan(project: Project, *words: str) -> dict[str, Any]:
    ran = project.run("plan", "--json", *words)
    made: dict[str, Any] = ran.json()
    return made


def changes_of(project: Project, resource: str) -> list[dict[str, Any]]:
    return [item for item in plan(project)["changes"] if item["resource"] == resource]


# What is written about a kind


@every_kind
def test_every_field_is_described_and_has_examples_that_are_of_its_shape(example: Example) -> None:
    assert list(example.schema) == list(example.kind.noun.model_fields)
    for name, field in example.schema.items():
        assert field["description"].endswith("."), name
        assert field["examples"] or is_secret(field), name
        assert all(Draft7Validator(field).is_valid(item) for item in field["examples"]), name


@every_kind
def test_every_example_of_a_field_is_taken(example: Example, project: Project) -> None:
    for name, field in example.schema.items():
        for item in field["examples"]:
            declare(project, example.written({**example.subject, name: item}))
            found = project.run("validate", "--json").json()["findings"]
            wrong = [
                finding
                for finding in found
                if finding["severity"] == "error" and "-destination" not in finding["rule"]
            ]
            assert wrong == [], (name, item)


@every_kind
def test_it_and_each_of_its_fields_are_explained(example: Example, project: Project) -> None:
    for word in (example.word, example.kind.section, *example.kind.aliases):
        ran = project.run("explain", word)
        assert ran.code == 0
        assert all(re.search(rf"^  {name}\b", ran.out, re.M) for name in example.schema)
    for name, field in example.schema.items():
        told = " ".join(project.run("explain", f"{example.word}.{name}").out.split())
        assert " ".join(field["description"].split()) in told


@every_kind
def test_it_declares_enabled_and_protect_at_places_of_its_own(example: Example) -> None:
    noun = example.kind.noun
    assert {"enabled", "protect"} <= set(noun.__annotations__)
    assert noun.model_fields["enabled"].default is True
    assert noun.model_fields["protect"].default is False


@every_kind
def test_fmt_writes_its_fields_in_the_order_of_the_class(
    example: Example, project: Project
) -> None:
    turned = dict(reversed(example.subject.items()))
    declare(project, example.written(turned))
    assert project.run("fmt").code == 0
    text = (project.root / "desired/example.yaml").read_text()
    order = list(yaml.safe_load(text)[example.kind.section][0])
    assert order == [name for name in example.kind.noun.model_fields if name in turned]
    assert project.run("fmt", "--check").code == 0


@every_kind
def test_a_golden_case_declares_it(example: Example) -> None:
    cases = (example.folder.parents[1] / "golden" / "compile").iterdir()
    assert [
        case
        for case in cases
        if json.loads((case / "desired.json").read_text()).get(example.kind.section)
        and (case / "expected").exists()
    ]


@every_kind
def test_its_example_has_a_text_in_every_place_that_takes_one(example: Example) -> None:
    places = example.places()
    assert places
    assert all(text_at(example.subject, place) for place in places)


# From nothing to applied, and back


@every_kind
def test_a_plan_creates_it_and_the_plan_after_the_apply_is_empty(
    example: Example, declared: Project
) -> None:
    (created,) = changes_of(declared, example.resource)
    assert created["action"] == "create"
    declared.prepare("apply", "--yes")
    assert (declared.conf / created["path"]).exists()
    assert plan(declared)["changes"] == []
    assert declared.run("drift").code == 0
    assert declared.run("status").code == 0


@every_kind
def test_every_field_that_is_declared_changes_something_or_is_for_people(
    example: Example, applied: Project
) -> None:
    """What may be declared and does nothing would be lost without a word."""
    fields = {name for name, field in example.schema.items() if not is_secret(field)}
    silent = {name for name in fields - {example.key} if not is_for_people(example.schema[name])}
    for base in (example.subject, example.least(example.subject)):
        declare(applied, example.written(base))
        assert applied.run("apply", "--yes", "--allow", "gateway-restart").code == 0
        for name in sorted(silent):
            declare(applied, example.written({**base, name: _other(example, base, name)}))
            if changes_of(applied, example.resource):
                silent.remove(name)
    assert silent == set()


def is_for_people(field: dict[str, Any]) -> bool:
    return re.match(r"For people|Where to write to the person", field["description"]) is not None


def _other(example: Example, base: dict[str, Any], name: str) -> Any:
    """Return another value for a field than the base has."""
    field = example.schema[name]
    value = base.get(name, field.get("default"))
    if "boolean" in json.dumps(field):
        return not value
    if isinstance(value, dict):
        return {entry: f"{text}1" for entry, text in value.items()}
    found = [item for item in field["examples"] if item != value]
    return found[0] if found else f"{value}1"


def _files(project: Project, example: Example) -> dict[str, bytes]:
    """Return the files that hold the subject, as they stand in the conf directory."""
    manifest = json.loads((project.conf / ".fsgitops/manifest.json").read_text())
    return {
        path: (project.conf / path).read_bytes()
        for path, entry in manifest["entries"].items()
        if example.resource in json.dumps(entry)
    }


@every_kind
def test_each_attribute_that_somebody_edits_is_drift(example: Example, applied: Project) -> None:
    for path, content in _files(applied, example).items():
        for edited in _edits(content):
            (applied.conf / path).write_bytes(edited)
            ran = applied.run("drift", "--offline", "--json")
            assert ran.code == 2
            assert path in {item["path"] for item in ran.json()["drift"]}
        (change,) = changes_of(applied, example.resource)
        assert change["drifted"]
        (applied.conf / path).write_bytes(content)
    assert applied.run("drift").code == 0


def _edits(content: bytes) -> Iterator[bytes]:
    """Yield a file once for each attribute in it, that attribute edited."""
    count = sum(len(item.attrib) for item in ET.fromstring(content).iter())
    for number in range(count):
        root = ET.fromstring(content)
        attributes = [(item, name) for item in root.iter() for name in item.attrib]
        item, name = attributes[number]
        item.set(name, "edited")
        yield ET.tostring(root)


@every_kind
def test_what_is_no_longer_declared_or_disabled_is_deleted_and_its_files_with_it(
    example: Example, applied: Project
) -> None:
    files = _files(applied, example)
    assert files
    for subject in ({**example.subject, "enabled": False}, None):
        declare(applied, example.written(subject))
        (deleted,) = changes_of(applied, example.resource)
        assert deleted["action"] == "delete"
    allowed = [word for name in ("empty", "calls", "gateway-restart") for word in ("--allow", name)]
    assert applied.run("apply", "--yes", *allowed).code == 0
    assert [path for path in files if (applied.conf / path).exists()] == []
    assert plan(applied)["changes"] == []


@every_kind
def test_what_is_protected_is_not_deleted(example: Example, project: Project) -> None:
    declare(project, example.written({**example.subject, "protect": True}))
    project.prepare("apply", "--yes")
    declare(project, example.written(None))
    ran = project.run("apply", "--yes", "--allow", "empty")
    assert ran.code != 0
    assert f"{example.resource} is protected, but is no longer declared" in ran.out + ran.err


@every_kind
def test_another_name_for_the_same_is_a_rename(example: Example, applied: Project) -> None:
    kept = {name: example.subject[name] for name in ("user", "also") if name in example.subject}
    renamed = {**example.named(1), **kept}
    declare(applied, example.written(renamed))
    (deleted,) = changes_of(applied, example.resource)
    assert deleted["renamed_to"].endswith(str(renamed[example.key]))


# Secrets


@every_kind
def test_no_secret_of_it_is_shown_anywhere(
    example: Example, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files differ where its secrets do: what stands there is searched for as well."""
    subject, plain = _with_secrets(example, monkeypatch, "Zq+{}/first=")
    declare(project, example.written(subject))
    printed = [project.run("apply", "--yes")]
    before = _files(project, example)
    printed += [project.run(*words) for words in _looks()]
    subject, more = _with_secrets(example, monkeypatch, "Zq+{}/second=")
    printed += [project.run(*words) for words in _looks()]
    allowed = ("--allow", "registration", "--allow", "gateway-restart")
    printed.append(project.run("apply", "--yes", "--json", *allowed))
    printed += [project.run(*words) for words in _looks()]
    hidden = _differences(before, _files(project, example))
    assert bool(plain) == bool(hidden)
    if not plain:
        return
    search = Search({text: text for text in (*plain, *more, *hidden)})
    for ran in printed:
        assert search.find("printed", (ran.out + ran.err).encode()) == []


def _looks() -> Iterator[tuple[str, ...]]:
    for form in ("text", "json", "markdown", "html", "github", "gitlab", "sarif", "junit"):
        yield ("plan", "--format", form, "--full")
    for words in (("drift",), ("show", "1"), ("diff", "HEAD"), ("export-state",), ("status",)):
        yield words
        yield (*words, "--json")


def _with_secrets(
    example: Example, monkeypatch: pytest.MonkeyPatch, mark: str
) -> tuple[dict[str, Any], list[str]]:
    """Return the subject with a source for each of its secrets, and the secrets."""
    subject, plain = example.subject, []
    for place in _secret_places(example.schema, ()):
        inner = subject
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = {"env": f"SECRET_{len(plain)}"}
        number = f"{len(plain)}"
        text = str(472913 + len(mark)) + number if "pin" in place else mark.format(number)
        monkeypatch.setenv(f"SECRET_{len(plain)}", text)
        plain.append(text)
    return subject, plain


def _secret_places(fields: dict[str, Any], place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, field in fields.items():
        if is_secret(field):
            yield (*place, name)
        for inner in (field, *field.get("oneOf", ()), *field.get("anyOf", ())):
            if "properties" in inner and not is_secret(field):
                yield from _secret_places(inner["properties"], (*place, name))


def _differences(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    found = []
    for path, content in before.items():
        pairs = zip(ET.fromstring(content).iter(), ET.fromstring(after[path]).iter(), strict=True)
        for one, other in pairs:
            for name in one.attrib:
                if one.get(name) != other.get(name):
                    found += [one.attrib[name], other.attrib[name]]
    return found


# The cut


@every_kind
def test_its_files_are_at_homes_that_are_known(example: Example, applied: Project) -> None:
    assert all(home_of(path) for path in _files(applied, example))


TOLD = {
    "homes/directory.py: 'a deleted agent'",
    "homes/directory.py: 'an agent with a former password'",
    "homes/directory.py: 'an agent with a former user'",
    "routing/numbers/entered.py: 'agents'",
    "routing/numbers/noticed.py: 'agent'",
    "routing/numbers/noticed.py: 'agents'",
    "steps/load/events.py: 'Begin with a key, such as `agents:`, and indent what belongs to it.'",
    "steps/render_text.py: 'plans stop at it while agents are declared'",
}
"""What people are told in plans and messages of version 1, and elements of mod_callcenter."""


def test_no_step_home_plan_routing_or_transaction_names_a_kind() -> None:
    """All that is true of a kind stands in its room, so that the next one is a folder."""
    named = {f"{site.place}: {site.text}" for site in find_all(*ROOMS)}
    assert named == TOLD
