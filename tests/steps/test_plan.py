"""Comparing what is compiled with what is live."""

from __future__ import annotations

import hashlib

import pytest
from builders import compiled_config, compiled_file
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.homes.home import Address
from fsgitops.homes.reload import plan_reloads
from fsgitops.model.compiled import UNKNOWN, CompiledConfig
from fsgitops.model.live import FileKind, LiveConfig, LiveFile, Manifest, ManifestEntry, Record
from fsgitops.model.plan import Action, Plan, ReloadStep, is_secret_attribute
from fsgitops.model.plan_json import plan_from_json, plan_to_json, seal_plan
from fsgitops.model.resource import Resource
from fsgitops.steps.plan import PlanContext, compare_config

CONTEXT = PlanContext(Plan("p", "prod", "/conf", "d.example"))


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest(data: bytes) -> str:
    return hashlib.sha256(b"key" + data).hexdigest()


def user(extension: str, name: str = "Ada", secret: str = "a" * 32) -> bytes:
    return (
        f'<include>\n  <user id="{extension}">\n    <params>\n'
        f'      <param name="a1-hash" value="{secret}"/>\n    </params>\n    <variables>\n'
        f'      <variable name="effective_caller_id_name" value="{name}"/>\n'
        "    </variables>\n  </user>\n</include>\n"
    ).encode()


def path_of(extension: str) -> str:
    return f"directory/default/{extension}.xml"


def compile_users(contents: dict[str, bytes], unknown: bool = False) -> CompiledConfig:
    files = []
    for extension, content in contents.items():
        start = content.find(UNKNOWN.encode())
        spans = ((start, start + len(UNKNOWN)),) if unknown else ()
        files.append(
            compiled_file(
                path_of(extension), content, f"agent:{extension}",
                secret_spans=spans, unknown=unknown,
            )
        )  # fmt: skip
    return compiled_config(*files)


def live(
    disk: dict[str, bytes], written: dict[str, bytes] | None = None, wanted: tuple[str, ...] = ()
) -> LiveConfig:
    owned = disk if written is None else written
    entries = {
        path_of(extension): ManifestEntry(sha(content), (Record(Resource("agent", extension)),))
        for extension, content in owned.items()
    }
    files = {path_of(name): LiveFile(FileKind.MISSING) for name in {*owned, *wanted}}
    files |= {
        path_of(extension): LiveFile(FileKind.REGULAR, sha(content), content)
        for extension, content in disk.items()
    }
    return LiveConfig(Manifest(entries), files)


def plan(compiled: CompiledConfig, found: LiveConfig):
    return compare_config(compiled, found, CONTEXT, digest)


def reloads(made: Plan) -> tuple[ReloadStep, ...]:
    return plan_reloads(made.changes, Address(made.domain, "internal"))


def test_equal_sides_make_an_empty_plan():
    made = plan(compile_users({"1020": user("1020")}), live({"1020": user("1020")}))
    assert (made.changes, reloads(made), made.unchanged) == ((), (), 1)


def test_a_file_to_create_update_and_delete_are_each_one_change():
    compiled = compile_users({"1020": user("1020", "Eve"), "1021": user("1021")})
    found = live({"1020": user("1020"), "1022": user("1022")}, wanted=("1021",))
    assert [(change.action, change.resource.name) for change in plan(compiled, found).changes] == [
        (Action.UPDATE, "1020"), (Action.CREATE, "1021"), (Action.DELETE, "1022"),
    ]  # fmt: skip


def test_an_update_names_only_the_attributes_that_differ():
    made = plan(compile_users({"1020": user("1020", "Eve")}), live({"1020": user("1020")}))
    [attribute] = made.changes[0].attributes
    assert (attribute.name, attribute.before, attribute.after) == (
        "variable effective_caller_id_name", "Ada", "Eve",
    )  # fmt: skip


def test_a_secret_attribute_holds_neither_value():
    compiled = compile_users({"1020": user("1020", secret="b" * 32)})
    [attribute] = plan(compiled, live({"1020": user("1020")})).changes[0].attributes
    assert (attribute.before, attribute.after, attribute.secret) == ("(secret)", "(secret)", True)


@pytest.mark.parametrize(
    "name",
    ["param a1-hash", "param vm-a1-hash", "param password", "param vm-password",
     "variable my_secret", "user 2/param password",
     'variable "a token"', "param reverse-auth-pass"],
)  # fmt: skip
def test_a_name_that_speaks_of_a_secret_is_masked(name):
    assert is_secret_attribute(name)


@pytest.mark.parametrize("name", ["variable toll_allow", "param vm-enabled", "user"])
def test_other_names_are_not_masked(name):
    assert not is_secret_attribute(name)


def test_a_file_edited_by_somebody_else_is_drift():
    edited = user("1020", "Mallory")
    made = plan(
        compile_users({"1020": user("1020")}), live({"1020": edited}, {"1020": user("1020")})
    )
    assert (made.changes[0].action, made.changes[0].drifted) == (Action.UPDATE, True)


def test_a_file_changed_only_by_us_is_no_drift():
    made = plan(compile_users({"1020": user("1020", "Eve")}), live({"1020": user("1020")}))
    assert not made.changes[0].drifted


def test_a_file_deleted_by_somebody_else_is_created_as_drift():
    made = plan(compile_users({"1020": user("1020")}), live({}, {"1020": user("1020")}))
    assert (made.changes[0].action, made.changes[0].drifted) == (Action.CREATE, True)


def test_a_file_that_is_no_longer_xml_is_an_update_that_says_so():
    broken = b"<include>\n<user id=\n"
    made = plan(
        compile_users({"1020": user("1020")}), live({"1020": broken}, {"1020": user("1020")})
    )
    assert any("not readable" in (item.before or "") for item in made.changes[0].attributes)


@pytest.mark.parametrize("kind", [kind for kind in FileKind if kind is not FileKind.MISSING])
def test_whatever_is_not_a_file_of_ours_stops_the_plan(kind):
    found = live({}, {}, wanted=("1020",))
    found = LiveConfig(found.manifest, {path_of("1020"): LiveFile(kind, "x", b"")})
    made = plan(compile_users({"1020": user("1020")}), found)
    assert (len(made.hazards), made.changes) == (1, ())


def test_a_link_in_place_of_a_file_to_delete_stops_the_plan():
    owned = live({}, {"1020": user("1020")})
    found = LiveConfig(owned.manifest, {path_of("1020"): LiveFile(FileKind.SYMLINK)})
    assert len(plan(compile_users({}), found).hazards) == 1


def test_an_unknown_secret_alone_is_no_change():
    compiled = compile_users({"1020": user("1020", secret=UNKNOWN)}, unknown=True)
    assert plan(compiled, live({"1020": user("1020")})).changes == ()


def test_around_an_unknown_secret_a_change_is_seen():
    compiled = compile_users({"1020": user("1020", "Eve", secret=UNKNOWN)}, unknown=True)
    assert len(plan(compiled, live({"1020": user("1020")})).changes) == 1


def test_a_reload_comes_before_the_registrations_that_it_orphans():
    made = plan(compile_users({}), live({"1020": user("1020")}))
    assert [step.command for step in reloads(made)] == [
        "reloadxml", "xml_flush_cache", "sofia profile internal flush_inbound_reg 1020@d.example",
        "verto noperm SESSION methods verto",
    ]  # fmt: skip


def test_every_reload_step_has_its_reason():
    made = plan(compile_users({}), live({"1020": user("1020")}))
    assert all(step.because for step in reloads(made))


def test_digests_of_files_are_keyed():
    made = plan(compile_users({"1020": user("1020", "Eve")}), live({"1020": user("1020")}))
    bare = {sha(user("1020")), sha(user("1020", "Eve"))}
    assert not bare & {made.changes[0].before_digest, made.changes[0].after_digest}


def test_another_live_side_has_another_digest():
    compiled = compile_users({"1020": user("1020")})
    first = plan(compiled, live({"1020": user("1020")}))
    second = plan(compiled, live({"1020": user("1020", "Eve")}))
    assert first.live_digest != second.live_digest


contents = st.dictionaries(
    st.sampled_from(["1020", "1021", "1022", "1023"]),
    st.sampled_from(["Ada", "Eve", "Bob & <Co>".replace("&", "&amp;").replace("<", "&lt;")]),
)


@given(wanted=contents, written=contents, disk=contents)
def test_a_plan_survives_being_saved(wanted, written, disk):
    disk = {name: value for name, value in disk.items() if name in written or name not in wanted}
    made = plan(
        compile_users({name: user(name, text) for name, text in wanted.items()}),
        live(
            {name: user(name, text) for name, text in disk.items() if name in written},
            {name: user(name, text) for name, text in written.items()},
            tuple(wanted),
        ),
    )
    assert plan_from_json(plan_to_json(made)) == seal_plan(made)


@given(wanted=contents, written=contents)
def test_a_plan_touches_exactly_what_differs(wanted, written):
    made = plan(
        compile_users({name: user(name, text) for name, text in wanted.items()}),
        live({name: user(name, text) for name, text in written.items()}, wanted=tuple(wanted)),
    )
    differing = {name for name in {*wanted, *written} if wanted.get(name) != written.get(name)}
    assert {change.resource.name for change in made.changes} == differing


@pytest.mark.parametrize(
    "data", [None, [], {}, {"format": "fsgitops-plan", "version": 99}, {"format": 1}]
)
def test_what_is_not_a_saved_plan_is_refused(data):
    with pytest.raises(ValueError, match="plan"):
        plan_from_json(data)
