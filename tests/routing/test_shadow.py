"""Numbers that hand-written extensions take first."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import Project

from fsgitops.routing.shadow import Dialplan
from fsgitops.sandbox.skeleton import write_skeleton


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_skeleton(tmp_path / "conf", "d.example")
    return tmp_path / "conf"


def taken(conf: Path, *forms: str) -> dict[str, str]:
    return Dialplan(conf).find_shadows("default", [forms])


def write(conf: Path, inner: str, attributes: str = "") -> None:
    text = f'<include>\n<extension name="stock"{attributes}>\n{inner}\n</extension>\n</include>\n'
    (conf / "dialplan/default/00_stock.xml").write_text(text)


def condition(expression: str, field: str = "destination_number", data: str = "x") -> str:
    return (
        f'<condition field="{field}" expression="{expression}">'
        f'<action application="conference" data="{data}"/></condition>'
    )


def test_a_number_that_an_extension_takes_is_shadowed(conf: Path) -> None:
    write(conf, condition("^30[0-9]{2}$"))
    assert taken(conf, "3001") == {"3001": "stock"}


def test_another_number_is_not(conf: Path) -> None:
    write(conf, condition("^30[0-9]{2}$"))
    assert taken(conf, "4001") == {}


def test_any_form_of_a_number_counts(conf: Path) -> None:
    write(conf, condition("^1949"))
    assert taken(conf, "+1949", "1949") == {"+1949": "stock"}


def test_an_extension_that_rings_a_user_is_no_shadow(conf: Path) -> None:
    write(conf, condition("^30[0-9]{2}$", data="user/$1@d"))
    assert taken(conf, "3001") == {}


def test_an_extension_that_asks_for_something_else_too_is_not_certain(conf: Path) -> None:
    write(conf, condition("^30[0-9]{2}$") + condition("^x$", field="caller_id_number"))
    assert taken(conf, "3001") == {}


def test_an_extension_that_goes_on_takes_nothing(conf: Path) -> None:
    write(conf, condition("."), ' continue="true"')
    assert taken(conf, "3001") == {}


def test_a_conf_directory_that_does_not_load_takes_nothing(tmp_path: Path) -> None:
    assert Dialplan(tmp_path).find_shadows("default", [("3001",)]) == {}


def test_the_stock_dialplan_takes_its_conferences_and_leaves_1020(shared: Path) -> None:
    dialplan = Dialplan(shared / "freeswitch-conf" / "vanilla")
    numbers = [(number,) for number in ("1001", "1020", "2000", "3001", "4000", "5000", "7777")]
    assert set(dialplan.find_shadows("default", numbers)) == {"2000", "3001", "4000", "5000"}


def test_a_plan_warns_of_a_created_agent_that_will_not_ring(project: Project) -> None:
    project.run("plan")
    write(project.conf, condition("^102[0-9]$"))
    out = project.run("plan").out
    assert "warning: agent 1020 will not ring when dialled" in out
    assert "`stock`" in out
