"""What the preprocessor brings into the switch's memory is shown nowhere, unless it is harmless."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from project import SETTINGS, Project
from switchboard import serve
from test_webhook import Hook, running

from fsgitops.routing.veil import Veil
from fsgitops.switch.client import Switch

if TYPE_CHECKING:
    pass


ALICE = "directory/default/1020.xml"
WORD = "Tr0ub4dor-and-3"
LOGIN = "crm-robot-77"


@pytest.fixture
def applied(project: Project) -> Project:
    project.prepare("apply", "--yes")
    lines = (("trunk_password", WORD), ("crm_login", LOGIN), ("default_country", "Ruritania"))
    sets = "".join(f'<X-PRE-PROCESS cmd="set" data="{n}={v}"/>\n' for n, v in lines)
    file = project.conf / "vars.xml"
    file.write_text(file.read_text().replace("<include>", f"<include>\n{sets}"))
    return project


def say(project: Project, value: str) -> None:
    """Have Alice's file say this as her caller's name."""
    file = project.conf / ALICE
    before, _, rest = file.read_text().partition('name="effective_caller_id_name" value="')
    file.write_text(
        f'{before}name="effective_caller_id_name" value="{value}{rest[rest.index(chr(34)) :]}'
    )


def told(project: Project) -> str:
    return "".join(
        ran.out + ran.err for ran in (project.run("drift"), project.run("drift", "--json"))
    )


@pytest.mark.parametrize("name", ["trunk_password", "crm_login"])
def test_drift_shows_where_a_value_comes_from_and_not_the_value(
    applied: Project, name: str
) -> None:
    say(applied, f"x $${{{name}}}")
    text = told(applied)
    assert f"$${{{name}}}" in text
    assert "(secret)" in text
    assert WORD not in text
    assert LOGIN not in text


def test_what_is_known_to_be_harmless_is_shown(applied: Project) -> None:
    say(applied, "$${default_country}")
    assert '"Ruritania" in the switch' in told(applied)


def test_a_password_is_known_by_its_value_once_no_file_names_it_any_more(applied: Project) -> None:
    say(applied, "to $${trunk_password}!")
    with serve(applied):
        say(applied, "Alice")
        text = told(applied)
    assert '"to (secret)!" in the switch' in text
    assert WORD not in text


def test_neither_a_failed_apply_nor_its_record_nor_a_webhook_tells_it(
    applied: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    locate = Switch.locate_into

    def hold_another_value(switch: Switch, sink: Any, *what: str, **named: float) -> bool:
        held: list[bytes] = []
        found = locate(switch, held.append, *what, **named)
        sink(b"".join(held).replace(b'"Anna"', f'"{WORD}"'.encode()))
        return found

    monkeypatch.setattr(Switch, "locate_into", hold_another_value)
    agents = applied.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "Anna"))
    with running(Hook()) as hook:
        monkeypatch.setenv("HOOK_URL", hook.url)
        applied.write(
            "fsgitops.yaml", f"{SETTINGS}notify: {{url: {{env: HOOK_URL}}, format: json}}\n"
        )
        ran = applied.run("apply", "--yes", "--notify")
        sent = json.dumps(hook.bodies)
    assert ran.code == 5
    assert "effective_caller_id_name: declared 'Anna', the switch holds '(secret)'" in ran.err
    shown = applied.run("show", "2").out + applied.run("history", "--json").out
    kept = "".join(
        path.read_text(errors="replace") for path in (applied.conf / ".fsgitops").rglob("*.json")
    )
    assert WORD not in ran.out + ran.err + sent + shown + kept


def test_a_line_of_the_preprocessor_is_shown_without_what_it_sets(applied: Project) -> None:
    file = applied.conf / ALICE
    line = f'<X-PRE-PROCESS cmd="set" data="anything={WORD}"/>'
    file.write_text(file.read_text().replace("<include>", f"<include>\n  {line}", 1))
    for words in (("plan",), ("plan", "--json"), ("drift",), ("drift", "--offline")):
        ran = applied.run(*words)
        assert "secret" in ran.out + ran.err, words
        assert WORD not in ran.out + ran.err, words


def test_a_password_within_a_value_is_no_attribute_to_show(applied: Project) -> None:
    say(applied, f"{{sip_auth_password={WORD}}}")
    for words in (("plan",), ("plan", "--json"), ("drift", "--json")):
        ran = applied.run(*words)
        assert WORD not in ran.out + ran.err, words


TAKER = """\
<extension name="$${trunk_password}">
  <condition field="destination_number" expression="^(.*)$">
    <action application="hangup" data="$${trunk_password}"/>
  </condition>
</extension>
"""
RIVAL = '<include>\n<user id="1022"/>\n</include>\n'
FORMATS = ("text", "json", "markdown", "html", "github", "sarif", "junit")


def say_everywhere(project: Project) -> None:
    """Have the preprocessor bring a password into every name that a plan tells of."""
    project.write("desired/more.yaml", "agents:\n  - {extension: 1022, name: New, context: gone}\n")
    for place in ("dialplan/public/00.xml", "dialplan/default/00.xml"):
        (project.conf / place).write_text(TAKER)
    (project.conf / "dialplan/other.xml").write_text('<context name="$${trunk_password}"/>\n')
    (project.conf / "directory/default/0.xml").write_text(RIVAL)
    for path, old in (
        ("sip_profiles/external.xml", '"public"'), ("sip_profiles/internal.xml", '"public"'),
        ("sip_profiles/external.xml", 'profile name="external"'),
        ("directory/default.xml", '<group name="default"'),
    ):  # fmt: skip
        file = project.conf / path
        new = f'{old.partition(chr(34))[0]}"$${{trunk_password}}"'
        file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize("name", FORMATS)
def test_a_plan_tells_what_stands_in_the_way_without_what_the_preprocessor_brought_in(
    applied: Project, name: str
) -> None:
    say_everywhere(applied)
    ran = applied.run("plan", "--format", name)
    assert WORD not in ran.out + ran.err
    shown = ["taken-number", "unknown-context"]
    if name in ("text", "json", "html"):  # these have the warnings, too
        shown += ["unused-context", "user-declared-twice"]
    assert [rule for rule in shown if rule not in ran.out + ran.err] == []
    assert "secret" in ran.out


def test_nor_does_a_plan_tell_it_that_is_saved_or_refused(applied: Project) -> None:
    say_everywhere(applied)
    saved = applied.root / "plan.json"
    assert applied.run("plan", "--out", str(saved)).code == 0
    ran = applied.run("apply", "--yes")
    assert ran.code == 4
    assert WORD not in ran.out + ran.err + saved.read_text()


@pytest.mark.parametrize("name", ["gw_pwd", "PSW", "esl-pw", "vm_pins", "trunk.jwt", "api_key"])
def test_a_secret_is_known_by_the_short_words_for_it_too(name: str) -> None:
    assert Veil({name: WORD, "pwm_mode": LOGIN}).hide(f"{WORD} {LOGIN}") == f"(secret) {LOGIN}"
