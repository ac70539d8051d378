"""`fsgitops numbers`: the whole dialling plan, a class of numbers at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project import AGENTS

if TYPE_CHECKING:
    from project import Project

EXTRA = "dialplan/public/00_extra.xml"


def _extension(name: str, conditions: str) -> str:
    return f'<include>\n  <extension name="{name}">\n{conditions}\n  </extension>\n</include>\n'


def _dialled(expression: str, application: str, data: str = "") -> str:
    return (
        f'<condition field="destination_number" expression="{expression}">'
        f'<action application="{application}" data="{data}"/></condition>'
    )


def _context(project: Project, name: str, *words: str) -> dict[str, Any]:
    found = project.run("numbers", name, *words, "--json").json()
    (context,) = found["contexts"]
    assert isinstance(context, dict)
    return context


def _rows(project: Project, name: str, *words: str) -> dict[str, list[str]]:
    return {
        item["numbers"]: [ending["end"]["told"] for ending in item["ends"]]
        for item in _context(project, name, *words)["classes"]
    }


def test_all_that_calls_come_in_by_is_shown_as_tables(applied: Project) -> None:
    shown = applied.run("numbers").out
    assert "Context public, dialled by callers from outside, by the files as the plan" in shown
    assert "9495431333, 19495431333, +19495431333  rings 1020" in shown
    assert "inbound_19495431333 (dialplan/public/inbound_19495431333.xml:2)" in shown
    assert "Context default, dialled by agents" in shown
    assert "No number that is dialled here from outside leads to a gateway." in shown


def test_agents_whose_numbers_fare_alike_are_one_class(applied: Project) -> None:
    applied.write("desired/agents.yaml", AGENTS.replace("webrtc", "voicemail"))
    rows = _rows(applied, "default")
    assert rows["1020, 1021"] == [
        "rings the number dialled", "leaves a message for the number dialled",
    ]  # fmt: skip
    assert list(rows)[-1] == "any other number"


def test_what_an_earlier_extension_takes_is_left_out_of_the_next(applied: Project) -> None:
    lines = [_dialled(r"^20[0-4]\d$", "hangup", "USER_BUSY"), _dialled(r"^2\d{3}$", "echo")]
    text = "</extension><extension name='second'>".join(lines)
    (applied.conf / EXTRA).write_text(_extension("first", text))
    rows = _rows(applied, "public")
    assert rows["2000-2049"] == ["hangup with USER_BUSY"]
    assert rows["2050-2999"] == ["hears itself"]


def test_the_time_is_both_unless_it_is_said(applied: Project) -> None:
    hours = (
        '<condition field="destination_number" expression="^5$"/>'
        '<condition wday="mon-fri"><action application="echo"/>'
        '<anti-action application="hangup" data="NO_ANSWER"/></condition>'
    )
    (applied.conf / EXTRA).write_text(_extension("hours", hours))
    assert sorted(_rows(applied, "public")["5"]) == ["hangup with NO_ANSWER", "hears itself"]
    assert _rows(applied, "public", "--at", "2026-12-24T18:00")["5"] == ["hears itself"]
    assert _rows(applied, "public", "--at", "2026-12-26T18:00")["5"] == ["hangup with NO_ANSWER"]


def test_the_shortest_number_with_which_a_stranger_makes_a_gateway_dial_is_told(
    applied: Project,
) -> None:
    (applied.conf / "sip_profiles/external/carrier.xml").write_text(
        '<include>\n  <gateway name="carrier">\n  </gateway>\n</include>\n'
    )
    inside = _dialled(r"^7(\d{4,})$", "transfer", "$1 XML way_out")
    (applied.conf / EXTRA).write_text(_extension("door", inside))
    away = _dialled(r"^00(\d+)$", "bridge", "sofia/gateway/carrier/$1")
    (applied.conf / "dialplan/way_out.xml").write_text(
        f'<include>\n<context name="way_out">\n<extension name="away">{away}</extension>\n'
        "</context>\n</include>\n"
    )
    context = _context(applied, "public")
    assert (context["gateway"], context["shortest"]) == ("yes", "70000")
    assert "make a gateway dial, as with 70000." in applied.run("numbers", "public").out


def test_what_cannot_be_said_of_all_numbers_is_said_so(applied: Project) -> None:
    (applied.conf / EXTRA).write_text(_extension("odd", _dialled("^(?!9)5", "echo")))
    context = _context(applied, "public")
    assert context["gateway"] == "unknown"
    assert any("looks ahead" in why for item in context["classes"] for why in item["unknown"])
    shown = applied.run("numbers", "public").out
    assert "not known of all at once: it looks ahead (?!" in shown
    assert "of the others were tried: they end likewise" in shown
    assert "makes a gateway dial is not known" in shown


def test_what_differs_between_agents_is_open_unless_one_is_named(applied: Project) -> None:
    text = (
        '<condition field="destination_number" expression="^77$"/>'
        '<condition field="${user_name}" expression="^1020$"><action application="echo"/>'
        "</condition>"
    )
    (applied.conf / "dialplan/default/00_mine.xml").write_text(_extension("mine", text))
    assert len(_rows(applied, "default")["77"]) == 2
    found = applied.run("numbers", "--as", "1020", "--json").json()["contexts"][0]["classes"]
    assert [item["ends"][0]["end"]["told"] for item in found if item["numbers"] == "77"] == [
        "hears itself"
    ]


def test_the_switchs_memory_is_read_with_live(applied: Project) -> None:
    rows = _rows(applied, "public", "--live")
    assert rows["9495431333, 19495431333, +19495431333"][0] == "rings 1020"


def test_a_context_that_is_not_there_is_named(applied: Project) -> None:
    done = applied.run("numbers", "nowhere")
    assert done.code == 1
    assert "the dialplan has no context nowhere" in done.err
