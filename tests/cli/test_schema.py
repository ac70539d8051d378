"""Promises of `schema` and `explain`: valid schemas, whose own examples obey them."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft7Validator, ValidationError
from project import Project, check_output
from switchboard import DOMAIN, running_switch

from fsgitops.commands.explain import explain, list_names
from fsgitops.commands.init import schema_text
from fsgitops.commands.schema import SCHEMAS, read_schema
from fsgitops.commands.validate import list_built_in
from fsgitops.expectation import READABLE
from fsgitops.model.live import FileKind
from fsgitops.settings.shapes import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def examples(schema: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield every example in a schema with the schema that it stands in."""
    if isinstance(schema, dict):
        if isinstance(schema.get("examples"), list):
            for item in schema["examples"]:
                yield path, schema, item
        for name, inner in schema.items():
            yield from examples(inner, f"{path}/{name}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    Draft7Validator.check_schema(read_schema(name, READABLE))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_example_obeys_its_own_schema(name: str) -> None:
    found = list(examples(read_schema(name, READABLE)))
    assert found
    for path, schema, item in found:
        assert Draft7Validator(schema).is_valid(item), (path, item)


def fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field at every depth of a schema."""
    if isinstance(schema, list):
        for inner in schema:
            yield from fields(inner, path)
    if not isinstance(schema, dict):
        return
    for name, inner in schema.items():
        if name == "properties" and isinstance(inner, dict):
            for field, shape in inner.items():
                yield f"{path}.{field}", shape
                yield from fields(shape, f"{path}.{field}")
        elif name not in ("examples", "default", "required"):
            yield from fields(inner, path)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_of_a_schema_has_a_description_and_a_shape(name: str) -> None:
    found = [
        item
        for item in fields(read_schema(name, READABLE))
        if item[0] not in (".format", ".version")
    ]
    assert found
    shapes = {"type", "anyOf", "oneOf", "enum", "const"}
    assert not [path for path, shape in found if not shape.get("description")]
    assert not [path for path, shape in found if not shapes.intersection(shape)]


@pytest.mark.parametrize("name", ["desired", "settings"])
def test_every_pattern_is_said_in_words(name: str) -> None:
    found = [item for item in fields(read_schema(name, READABLE)) if "pattern" in item[1]]
    assert found
    assert not [path for path, shape in found if not shape.get("patternErrorMessage")]


@pytest.mark.parametrize(
    "path",
    ["agent.email", "agent.extension", "settings.default_region", "settings.targets.prod.domain"],
)
def test_explain_shows_no_regular_expression(project: Project, path: str) -> None:
    out = project.run("explain", path).out
    assert "must be:" in out
    assert "^" not in out


def test_what_is_wrong_with_a_desired_field_is_said_in_words(project: Project) -> None:
    wrong = ["^", "", " ", -1, 10**20, 1.5, [], {}, [[]], {"a": 1}, True, "a b", "x" * 2000]
    required = {
        "agents": {"extension": 1020, "name": "Alice"},
        "did_routes": {"did_number": "+19495431333", "destination_extension": 1020},
    }
    declared = {
        section: [
            {**required[section], name: value}
            for name in read_schema("desired", READABLE)["properties"][section]["items"][
                "properties"
            ]
            for value in wrong
        ]
        for section in required
    }
    project.write("desired/agents.yaml", yaml.safe_dump(declared))
    project.write("desired/routes.yaml", "")
    found = project.run("validate", "--json").json()["findings"]
    told = {f"{item['message']} {item['hint']}" for item in found}
    assert len(told) > 40
    for text in told:
        assert not re.search(r"Input should|matches|\[A-Z|\[0-9|pattern", text), text


def test_the_example_files_obey_the_schemas() -> None:
    desired = Draft7Validator(read_schema("desired", READABLE))
    for path in sorted((CHECKOUT / "desired").glob("*.yaml")):
        desired.validate(yaml.safe_load(path.read_text()))
    settings = Draft7Validator(read_schema("settings", READABLE))
    settings.validate(yaml.safe_load((CHECKOUT / "fsgitops.yaml").read_text()))


@pytest.mark.parametrize(
    "settings", [{"nothing": 1}, {"targets": {"a": {}}}, {"rules": {"x": "loud"}}]
)
def test_settings_that_would_be_refused_break_the_schema(settings: Any) -> None:
    assert not Draft7Validator(read_schema("settings", READABLE)).is_valid(settings)


def test_every_setting_can_be_explained() -> None:
    assert all(explain(f"settings.{name}") for name in Settings.model_fields)


@pytest.mark.parametrize("name", ["desired", "settings"])
def test_the_schema_in_this_checkout_is_the_one_that_is_printed(
    name: str, project: Project
) -> None:
    shipped = (CHECKOUT / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(name) == project.run("schema", name).out


def test_the_example_files_name_their_schema() -> None:
    files = [CHECKOUT / "fsgitops.yaml", *sorted((CHECKOUT / "desired").glob("*.yaml"))]
    for path in files:
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.partition("=")[2]).is_file()


def test_the_schema_of_a_plan_is_complete() -> None:
    fields = read_schema("plan", READABLE)["properties"]
    assert set(fields) >= {
        "partial", "only", "exclude", "left_out", "kick_rotated", "unloaded", "needs", "activity",
    }  # fmt: skip
    assert "rename" in fields["summary"]["properties"]
    change = fields["changes"]["items"]["properties"]
    assert set(change) >= {"dangers", "renamed_from", "renamed_to"}


def test_a_plan_with_everything_in_it_is_as_its_schema_says(project: Project) -> None:
    project.run("apply", "--yes", "--no-reload")
    assert project.run("plan", "--json").json()["unloaded"]
    with running_switch(project) as switch:
        switch.add_registration("1021", DOMAIN)
        project.write(
            "desired/agents.yaml",
            "agents:\n- {extension: 1020, name: Al}\n"
            "- {extension: 1031, name: Bob, webrtc: true}\n",
        )
        project.write("fsgitops.yaml", "allow: []\n")
        plan = project.run("plan", "--live", "--json", "--only", "agent:*").json()
    assert plan["partial"]
    assert plan["needs"]
    assert plan["activity"]
    assert any(change["attributes"] for change in plan["changes"])
    assert any(change["renamed_from"] for change in plan["changes"])


def test_an_output_that_says_more_or_less_than_its_schema_is_found(project: Project) -> None:
    plan = project.run("plan", "--json").json()
    with pytest.raises(ValidationError):
        check_output({**plan, "summary": {**plan["summary"], "more": 1}})
    with pytest.raises(ValidationError):
        check_output({name: value for name, value in plan.items() if name != "needs"})


def test_every_output_is_as_its_schema_says(project: Project) -> None:
    project.write("desired/routes.yaml", ROUTES)
    seen = {json_of(project, words)["format"] for words in BEFORE}
    with running_switch(project) as switch:
        switch.add_registration("1020", DOMAIN)
        switch.add_registration("1021", DOMAIN)
        seen |= {json_of(project, words)["format"] for words in LIVE}
        switch.add_registration("1021", DOMAIN)  # it was kicked
        for words, more in ((("transfer",), ("1021",)), (("hangup",), ())):
            leg = json_of(project, LIVE[2])["uuid"]
            seen.add(json_of(project, (*words, leg, *more))["format"])
    seen.add(json_of(project, ("plan", "--target", "nowhere"))["format"])
    seen.add("fsgitops-notice")  # tests/live/test_notify.py holds that one to its schema
    seen.add(json_of(project, ("release", "agent:1020"))["format"])
    seen.add(json_of(project, ("import", "--dry-run"))["format"])
    seen.add(json_of(project, ("adopt", "directory/default/1020.xml", "--yes"))["format"])
    assert seen == {f"fsgitops-{name}" for name in SCHEMAS} - {
        "fsgitops-desired", "fsgitops-settings",
    }  # fmt: skip


def test_every_documented_format_has_a_schema() -> None:
    text = (CHECKOUT / "docs" / "json.md").read_text(encoding="utf-8")
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    documented = {name for line in heads for name in re.findall(r"`fsgitops-([a-z]+)`", line)}
    assert documented == set(SCHEMAS) - {"desired", "settings"}


BEFORE = (
    ("validate",),
    ("lint",),
    ("lint", "--rules"),
    ("fmt", "--check"),
    ("plan",),
    ("apply", "--yes"),
    ("history",),
    ("show", "1"),
    ("drift",),
    ("doctor",),
    ("key", "status"),
    ("layout",),
    ("list",),
    ("get", "agent", "1020"),
    ("token", "new", "--name", "x", "--scope", "read"),
    ("token", "list"),
    ("credentials", "1020"),
    ("export-state",),
    ("trace", "+19495431333"),
    ("graph", "1020"),
    ("numbers",),
    ("test", "--coverage"),
)
LIVE = (
    ("status",),
    ("registrations",),
    ("dial", "1020", "+18005551234"),
    ("calls",),
    ("kick", "1021"),
)
ROUTES = """\
did_routes:
- {did_number: +19495431333, destination_extension: 1020}
"""


def json_of(project: Project, words: tuple[str, ...]) -> Any:
    """Run a command with `--json`; its output is held to its schema (tests/project.py)."""
    asked = () if words[0] == "export-state" else ("--json",)
    return project.run(*words, *asked).json()


def test_explain_tells_a_field(project: Project) -> None:
    ran = project.run("explain", "agent.caller_id_number")
    assert ran.out.splitlines()[0] == "agent.caller_id_number  text"
    assert "The number that called parties see. Default: the extension." in ran.out
    assert "for example: +19495431333 | 1020" in ran.out


def test_explain_lists_the_fields_of_a_kind(project: Project) -> None:
    out = project.run("explain", "did").out
    assert "did_number *" in out
    assert "(* required)" in out


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("agents", "agent  mapping"),
        ("did_routes", "did  mapping"),
        ("routes.did_number", "did.did_number  text, required"),
        ("Users.Name", "agent.name  text, required"),
        ("caller-id-number", "agent.caller_id_number  text"),
        ("voicemail.pin", "agent.voicemail.pin  mapping"),
        ("default_region", "settings.default_region  text"),
        ("settings.target.prod.domain", "settings.targets.prod.domain  text, required"),
        ("targets.prod.esl.port", "settings.targets.prod.esl.port  number"),
        ("plans", "plan  mapping"),
        ("status.summary", "status.summary  mapping, required"),
        ("unknown-destination", "unknown-destination  rule, error"),
        ("duplicate-did", "duplicate-did  rule, error (fixed)"),
        ("many-agents", "many-agents  rule, off"),
        ("house-rule", "house-rule  rule, warning"),
        ("caller_id_not_owned", "caller-id-not-owned  rule, warning"),
        ("many_agents", "many-agents  rule, off"),
        ("house_rule", "house-rule  rule, warning"),
        ("agents.caller-id-number", "agent.caller_id_number  text"),
        ("did-routes", "did  mapping"),
        ("settings.default-region", "settings.default_region  text"),
        ("settings.rules.weak-pin", "settings.rules.weak-pin  word"),
        ("settings.targets.my-prod.conf-dir", "settings.targets.my-prod.conf_dir  text, required"),
    ],
)
def test_explain_takes_plurals_aliases_lone_fields_and_rules(
    project: Project, path: str, first: str
) -> None:
    project.write("fsgitops.yaml", "rules: {many-agents: off}\n")
    project.write(
        "policy/house.yaml",
        "rules:\n- {name: house-rule, kind: agent, require: {email: {exists: true}},"
        " severity: warning, message: mail}\n",
    )
    ran = project.run("explain", path)
    assert ran.out.splitlines()[:1] == [first], ran.err


def test_a_field_of_several_kinds_is_explained_for_each(project: Project) -> None:
    out = project.run("explain", "enabled").out
    assert "agent.enabled  true or false" in out
    assert "did.enabled  true or false" in out


def test_explain_needs_no_project_that_is_in_order(project: Project) -> None:
    project.write("fsgitops.yaml", "nothing: [\n")
    assert "rule, error" in project.run("explain", "unknown-destination").out
    assert project.run("explain", "agent.name").code == 0


def test_everything_that_completion_offers_can_be_explained() -> None:
    names = list_names(READABLE)
    assert {"agent.voicemail.pin", "settings.targets", "did.enabled", "applied"} <= set(names)
    assert all(explain(name) for name in names)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("callr_id_number", "did you mean 'caller_id_number'?"),
        ("unknown-destinatio", "did you mean 'unknown-destination'?"),
        ("agent.nam", "did you mean 'name'?"),
        ("nothing", f"say one of {', '.join(READABLE)}, settings, plan"),
        ("agent.name.x", "known: none"),
    ],
)
def test_explain_knows_what_does_not_exist(project: Project, path: str, hint: str) -> None:
    ran = project.run("explain", path)
    assert ran.code == 64
    assert hint in ran.err


def test_a_setting_of_a_target_is_found_below_any_name() -> None:
    assert "ESL" not in "".join(explain("settings.targets.prod.esl.port"))
    assert "for example: 8021" in "\n".join(explain("settings.targets.prod.esl.port"))


def test_the_schema_is_json(project: Project) -> None:
    title = json.loads(project.run("schema").out)["title"]
    assert title.startswith("fsgitops: agents")
    assert all(f"{kind.told}s" in title for kind in READABLE.values())


PRINTERS = {"error", "warning", "Finding", "Hazard", "refuse"}
"""What makes a finding or a hazard: the first word among its arguments is its name."""


def printed_names() -> set[str]:
    """Return what is printed in brackets: as the source and the golden findings have it."""
    names = {f"hazard-{kind.name.lower().replace('_', '-')}" for kind in FileKind}
    names -= {"hazard-regular", "hazard-missing"}
    for path in (CHECKOUT / "fsgitops").rglob("*.py"):
        source = path.read_text("utf-8")
        names.update(re.findall(r"\[([a-z]+-[a-z-]+)\];", source))
        names.update(re.findall(r'^_?RULE(?:: Final)? = "([a-z-]+)"', source, re.MULTILINE))
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in PRINTERS:
                words = [ast.unparse(word).strip("'\"") for word in call.args[:2]]
                names.update(word for word in words if re.fullmatch("[a-z]+(-[a-z]+)+", word))
    for path in (CHECKOUT / "tests/golden/findings").rglob("*.txt"):
        names.update(re.findall(r" \[([a-z-]+)\]$", path.read_text("utf-8"), re.MULTILINE))
    return names


def test_explain_knows_every_name_that_is_printed_in_brackets() -> None:
    found = printed_names()
    assert {"foreign-file", "user-declared-twice", "invalid-number", "unknown-field"} <= found
    for name in sorted(found):
        told = explain(name, rules=list_built_in)
        assert len(" ".join(told)) > len(name) + 20, name
    assert explain("[foreign-file]") == explain("foreign-file")
