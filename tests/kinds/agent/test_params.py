"""Parameters of agents: harmless ones reach the directory user, what opens a hole is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.model.params import LISTED, judge_param

if TYPE_CHECKING:
    from project import Project

HOLES = {
    "allow-empty-password": "without a password",
    "Allow-Empty-Password": "without a password",
    "vm-convert-cmd": "command of a shell",
    "vm-operator-extension": "`inline`",
    "vm-storage-dir": "is a path",
    "jsonrpc-allowed-fsapi": "run commands",
    "dial-var-api_hangup_hook": "any variable",
    "verto-dialplan": "`inline`",
    "a1-hash": "is reserved",
    "vm-enabled": "is reserved",
    "x-unheard-of": "not on the list",
}


def declare(project: Project, *params: str, more: str = "") -> None:
    lines = "".join(f"      {line}\n" for line in params)
    text = f"agents:\n  - extension: 1020\n    name: Ana\n{more}    params:\n{lines}"
    project.write("desired/agents.yaml", text)
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)


def test_what_is_declared_stands_in_the_user_and_in_the_switch(project: Project) -> None:
    declare(
        project, "max-registrations-per-extension: 2", "VM-Keep-Local-After-Email: false",
        more="    cacheable: true\n    voicemail: {email: a@example.com}\n",
    )  # fmt: skip
    project.prepare("apply", "--yes")
    text = (project.conf / "directory/default/1020.xml").read_text()
    assert '<user id="1020" cacheable="true">' in text
    assert '<param name="max-registrations-per-extension" value="2"/>' in text
    assert text.lower().count("vm-keep-local-after-email") == 1
    assert '"vm-keep-local-after-email" value="false"' in text
    assert project.run("drift").code == 0
    assert "No changes" in project.run("plan").out


@pytest.mark.parametrize("name", HOLES)
def test_what_runs_opens_a_hole_or_has_a_field_is_refused_with_the_reason(
    project: Project, name: str
) -> None:
    declare(project, f"{name}: 'true'")
    ran = project.run("validate")
    assert (ran.code, f"agents.yaml:5:7: error: the parameter `{name}`" in ran.err) == (3, True)
    assert HOLES[name] in ran.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dial-string", "sofia/gateway/carrier/+18005551234"),
        ("dial-string", "loopback/911/default"), ("dial-string", "sofia/internal/a@b,user/1021@d"),
        ("dial-string", "{x=y}sofia/internal/a@b"), ("dial-string", "sofia/Gateway::x/a@b"),
        ("vm-mailfrom", "-oX@example.com"), ("vm-notify-mailto", "a@b.c;id"),
        ("auth-acl", "a b"), ("user-agent-filter", "(a+)+$"), ("vm-message-ext", "wav;id"),
        ("max-registrations-per-extension", "-1"), ("jsonrpc-allowed-methods", "verto,jsapi"),
    ],
)  # fmt: skip
def test_a_value_of_another_shape_is_refused_at_its_place(
    project: Project, name: str, value: str
) -> None:
    declare(project, f"{name}: {value!r}")
    ran = project.run("validate")
    assert ran.code == 3
    assert f"the value of `{name}` is not" in ran.err


def test_a_misspelt_parameter_is_found_with_the_right_name(project: Project) -> None:
    declare(project, "max-registration-per-extension: 1")
    assert "Did you mean `max-registrations-per-extension`?" in project.run("validate").err


def test_names_that_differ_in_case_only_are_one(project: Project) -> None:
    declare(project, "vm-cc: 1021@d.example", "VM-CC: 1022@d.example")
    ran = project.run("validate")
    assert (ran.code, "takes the parameters `vm-cc` and `VM-CC` for one" in ran.err) == (3, True)


@given(st.sampled_from(sorted(LISTED)), st.text(max_size=40))
def test_no_value_that_passes_holds_what_freeswitch_acts_on(name: str, value: str) -> None:
    if judge_param(name, value) is None:
        assert not set(value) & set("'\"`${}[]<>|,;\\\n\r\t\0&")
        assert "::" not in value or name == "auth-acl"
