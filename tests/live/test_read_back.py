"""What the read-back of an apply finds, and how it says why: on a switch that a test controls."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from controlled_switch import AGENT, SETTINGS
from misbehaving_esl import Say, answer, swallow

from fsgitops.live import explain_mismatch
from fsgitops.live.switch_user import Person
from fsgitops.steps.read_templates import packaged_templates

if TYPE_CHECKING:
    from pathlib import Path

    from controlled_switch import Runner
    from project import Project

HELD = '<variable name="own_word" value="$${domain} one"/>'


def warn_only(project: Project) -> None:
    """Let the plan go on with what no call will reach, so that the read-back has to tell it."""
    project.write(
        "fsgitops.yaml", SETTINGS + "rules: {unread-folder: warning, lost-call: warning}\n"
    )


def flushes(command: str, _count: int) -> bool:
    return command == "xml_flush_cache"


def edit_template(project: Project, name: str, before: str, after: str) -> None:
    path = project.root / f"templates/{name}.xml.j2"
    text = (path if path.exists() else packaged_templates() / path.name).read_text()
    assert before in text
    project.write(f"templates/{path.name}", text.replace(before, after))


def test_a_variable_that_was_removed_and_is_still_held_is_a_mismatch(
    run: Runner, project: Project
) -> None:
    project.write("desired/agents.yaml", AGENT.format(more=", groups: [sales]"))
    assert run().code == 0
    project.write("desired/agents.yaml", AGENT.format(more=""))
    ran = run(mischief=swallow)
    assert (ran.code, "Read back" in ran.out) == (5, False)
    assert "variable callgroup: not declared, and the switch holds 'sales'" in ran.err
    assert "it holds what it loaded before" in ran.err


def test_a_constant_of_an_own_template_is_read_back(run: Runner, project: Project) -> None:
    edit_template(project, "agent", "<variables>", f"<variables>\n{HELD}")
    assert run().code == 0
    edit_template(project, "agent", "one", "two")
    ran = run(mischief=swallow)
    assert ran.code == 5
    assert (
        "variable own_word: declared 'pbx.example.com two', "
        "the switch holds 'pbx.example.com one'" in ran.err
    )


def test_a_constant_that_left_an_own_template_is_missed_when_it_is_still_held(
    run: Runner, project: Project
) -> None:
    edit_template(project, "agent", "<variables>", f"<variables>\n{HELD}")
    assert run().code == 0
    edit_template(project, "agent", HELD, "")
    ran = run(mischief=swallow)
    assert (ran.code, "variable own_word: not declared" in ran.err) == (5, True)


def test_an_action_that_left_a_route_is_missed_when_it_is_still_held(
    run: Runner, project: Project
) -> None:
    action = '<action application="set" data="own=1"/>'
    transfer = '<action application="transfer"'
    edit_template(project, "did_route", transfer, f"{action}{transfer}")
    assert run().code == 0
    edit_template(project, "did_route", action, "")
    ran = run(mischief=swallow)
    assert (ran.code, "did:+19495431333" in ran.err) == (5, True)


def test_an_extension_that_left_a_template_is_missed_when_it_is_still_held(
    run: Runner, project: Project
) -> None:
    own = '<extension name="own">\n<condition field="destination_number" expression="^77$">'
    own += '\n<action application="answer"/>\n</condition>\n</extension>\n'
    edit_template(project, "agents_dialplan", "</include>\n", f"{own}</include>\n")
    assert run().code == 0
    edit_template(project, "agents_dialplan", own, "")
    ran = run(mischief=swallow)
    assert ran.code == 5
    assert "dialplan:agents: own: not declared, and the switch holds it" in ran.err
    assert run().code == 0


def test_a_secret_that_is_held_and_not_declared_is_not_shown(run: Runner, project: Project) -> None:
    secret = '<param name="vm-password" value="73195"/>'
    edit_template(project, "agent", "<params>", f"<params>\n{secret}")
    assert run().code == 0
    edit_template(project, "agent", secret, "")
    ran = run(mischief=swallow)
    assert (ran.code, "vm-password: not declared, and the switch holds it" in ran.err) == (5, True)
    assert "73195" not in ran.err


def test_what_a_user_inherits_of_its_domain_is_no_difference(run: Runner, conf: Path) -> None:
    path = conf / "directory/default.xml"
    text = path.read_text().replace("<variables>", '<variables>\n<variable name="more" value="1"/>')
    path.write_text(text)
    assert run().code == 0


def test_the_deleted_extension_of_the_agents_is_looked_for_too(
    run: Runner, project: Project
) -> None:
    project.write("desired/agents.yaml", AGENT.format(more=""))
    (project.root / "desired/routes.yaml").unlink()
    assert run().code == 0
    (project.root / "desired/agents.yaml").write_text("agents: []\n")
    ran = run("apply", "--yes", "--allow", "empty", mischief=swallow)
    assert ran.code == 5
    assert "dialplan:agents: deleted, but the loaded dialplan still has its extension" in ran.err


def test_status_tells_what_is_held_and_not_declared(run: Runner, project: Project) -> None:
    project.write("desired/agents.yaml", AGENT.format(more=", groups: [sales]"))
    assert run().code == 0
    project.write("desired/agents.yaml", AGENT.format(more=""))
    ran = run("status", "--json")
    (agent,) = ran.json()["agents"]
    assert (agent["memory"], agent["differences"]) == ("differs", ["variable callgroup"])


def test_cached_users_are_flushed_between_the_reload_and_the_read_back(run: Runner) -> None:
    assert "xml_flush_cache" in run("plan").out
    assert run().code == 0
    asked = [command.split(" ")[0] for command in run.commands]
    after = asked[asked.index("reloadxml") :]
    assert after[:3] == ["reloadxml", "xml_flush_cache", "xml_locate"]


def test_a_cached_user_is_looked_up_anew(run: Runner, project: Project) -> None:
    edit_template(project, "agent", '{{ user.id }}"', '{{ user.id }}" cacheable="true"')
    with run.switch() as switch:
        assert run.on(switch, "apply", "--yes").code == 0
        project.write("desired/agents.yaml", AGENT.format(more=", password_version: 2"))
        ran = run.on(switch, "apply", "--yes")
        assert (ran.code, " as written" in ran.out) == (0, True), ran.err
        switch.mischief = lambda *item: answer("+OK cleared 1 entry\n") if flushes(*item) else None
        project.write("desired/agents.yaml", AGENT.format(more=", password_version: 3"))
        ran = run.on(switch, "apply", "--yes")
    assert (ran.code, "the switch does not find the declared" in ran.err) == (5, True)


def test_a_plan_without_agents_flushes_nothing(run: Runner, project: Project) -> None:
    assert run().code == 0
    (project.root / "desired/routes.yaml").unlink()
    assert "xml_flush_cache" not in run("plan").out
    assert run().code == 0
    assert "xml_flush_cache" not in run.commands


def test_a_cache_that_is_not_flushed_is_an_error(run: Runner) -> None:
    refusal = answer("-ERR xml_flush_cache Command not found!\n")
    ran = run(mischief=lambda command, _: refusal if command == "xml_flush_cache" else None)
    assert (ran.code, "xml_flush_cache" in ran.err) == (6, True)


def test_a_deleted_user_that_is_still_cached_is_not_deleted(run: Runner, project: Project) -> None:
    assert run().code == 0
    project.write("desired/agents.yaml", "agents: []\n")
    (project.root / "desired/routes.yaml").unlink()
    cached = answer("0123456789abcdef0123456789abcdef")
    ran = run(
        "apply", "--yes", "--allow", "empty",
        mischief=lambda command, _: cached if command.startswith("user_data") else None,
    )  # fmt: skip
    assert (ran.code, "deleted, but the switch still finds credentials" in ran.err) == (5, True)


def test_a_folder_that_nothing_includes_is_named_with_the_line_that_is_missing(
    run: Runner, conf: Path, project: Project
) -> None:
    path = conf / "directory/default.xml"
    line = '<X-PRE-PROCESS cmd="include" data="default/*.xml"/>'
    path.write_text(path.read_text().replace(line, ""))
    warn_only(project)
    ran = run()
    assert ran.code == 5
    assert "agent:1020: the switch does not hold this user: nothing includes" in ran.err
    assert "directory/default/*.xml" in ran.err
    assert line in ran.err


def test_a_file_that_the_user_of_the_switch_may_not_read_is_named(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch sees no file, as with 0640 and another group; the test's own user may read it."""
    monkeypatch.setattr(
        explain_mismatch, "find_switch_user", lambda _: Person(54321, frozenset({54321}))
    )
    empty = answer('<domain name="pbx.example.com"></domain>')
    ran = run(mischief=lambda command, _: empty if command.startswith("xml_locate dir") else None)
    assert ran.code == 5
    assert "FreeSWITCH runs as uid 54321 and may not read" in ran.err
    assert "chgrp" in ran.err


def test_a_domain_that_the_switch_does_not_hold_is_told_with_those_that_it_has(
    run: Runner, project: Project, conf: Path
) -> None:
    """`global_getvar domain` answers the target's own, and the directory has another one.

    Its name is made of what only the switch knows, so that no plan finds it out before.
    """
    path = conf / "directory/default.xml"
    path.write_text(path.read_text().replace("$${domain}", "$${switchname}", 1))
    ran = run()
    assert ran.code == 5
    assert "the switch holds no domain pbx.example.com: its directory has fsgitops-san" in ran.err
    assert "its own is" not in ran.err
    assert "`domain` to that" not in ran.err


def test_a_folder_that_belongs_to_another_domain_is_told(run: Runner, conf: Path) -> None:
    path = conf / "directory/default.xml"
    text = path.read_text().replace("$${domain}", "$${switchname}", 1)
    own = '  <domain name="pbx.example.com"></domain>\n</include>'
    path.write_text(text.replace("</include>", own))
    ran = run()
    assert ran.code == 5
    assert "its file belongs to the domain fsgitops-sandbox" in ran.err


def test_a_route_in_another_context_is_told(run: Runner, conf: Path, project: Project) -> None:
    path = conf / "dialplan/public.xml"
    path.write_text(path.read_text().replace('context name="public"', 'context name="inbound"'))
    warn_only(project)
    ran = run()
    assert ran.code == 5
    assert "its file is included in the context inbound, and not in public" in ran.err


def test_another_user_of_the_number_that_only_the_switch_knows_of_is_no_other_cause(
    run: Runner,
) -> None:
    other = answer("0123456789abcdef0123456789abcdef")
    ran = run(mischief=lambda command, _: other if command.startswith("user_data") else None)
    assert ran.code == 5
    assert "the switch does not find the declared credentials: by the files on disk" in ran.err


def test_a_conf_directory_that_cannot_be_merged_explains_nothing(run: Runner, conf: Path) -> None:
    def unplug(command: str, _count: int) -> Say | None:
        if command.startswith("xml_locate"):
            shutil.move(conf / "freeswitch.xml", conf / "elsewhere.xml")
            return answer("can't find anything\n")
        return None

    ran = run(mischief=unplug)
    assert (ran.code, "Traceback" in ran.err) == (6, False), os.linesep + ran.err
