"""The ways of calls as one graph."""

from __future__ import annotations

from call_world import make_world, ways_of

from fsgitops.routing.call.chart import Chart, Point

ENTRY = '<entry action="menu-exec-app" digits="1" param="transfer 1000 XML in"/>'
MENUS = f'<menus><menu name="main">{ENTRY}</menu></menus>'
CONFIGURATION = f'<configuration name="ivr.conf">{MENUS}</configuration>'


def extension(number: str, *actions: tuple[str, str]) -> str:
    inside = "".join(f'<action application="{name}" data="{data}"/>' for name, data in actions)
    asks = f'<condition field="destination_number" expression="^{number}$">'
    return f"<extension>{asks}{inside}</condition></extension>"


def rings(number: str) -> str:
    goes_on = ("set", "continue_on_fail=true")
    phone, box = f"user/{number}@127.0.0.1", f"default 127.0.0.1 {number}"
    return extension(number, goes_on, ("bridge", phone), ("voicemail", box))


def draw(
    plan: str, *numbers: str, told: tuple[str, ...] = (), wanted: tuple[Point, ...] = ()
) -> list[str]:
    """Return every edge as `source -> target: conditions`, of calls in the context `out`."""
    contexts = f'<context name="out">{plan}</context><context name="in">{rings("1000")}</context>'
    world = make_world(contexts, configuration=CONFIGURATION)
    inside = {Point("number", number, "in"): f"agent {number}" for number in told}
    chart = Chart(inside, lambda line: f"line {line}", lambda text: text.replace("secret", "***"))
    for number in numbers:
        for registered in (None, ()):
            for way in ways_of(world, number, "out", registered=registered):
                chart.add(Point("context", "out"), way)
    nodes, edges = chart.draw(wanted)
    names = {node.id: ",".join(node.numbers) or f"{node.kind} {node.name}" for node in nodes}
    return [f"{names[e.source]} -> {names[e.target]}: {' | '.join(e.when)}" for e in edges]


def test_a_number_leads_to_a_phone_and_from_there_where_nobody_answers() -> None:
    drawn = draw(extension("5", ("transfer", "1000 XML in")), "5")
    assert drawn == [
        "context out -> number 5: ",
        "number 5 -> phone 1000: ",
        "phone 1000 -> mailbox 1000: nobody answers | no phone is registered",
    ]


def test_a_phone_that_several_numbers_ring_stands_alone_and_conditions_name_it() -> None:
    direct = extension("6", ("bridge", "user/1000@127.0.0.1"), ("hangup", "USER_BUSY"))
    drawn = draw(extension("5", ("transfer", "1000 XML in")) + direct, "5", "6")
    assert "number 6 -> phone 1000: " in drawn
    assert "number 1000 -> phone 1000: " in drawn
    assert "number 6 -> end hangup with USER_BUSY: nobody answers: 1000" in drawn


def test_each_key_of_a_menu_is_a_condition_and_the_menu_a_node() -> None:
    drawn = draw(extension("5", ("ivr", "main")), "5")
    assert "number 5 -> menu main: " in drawn
    assert "menu main -> phone 1000: presses 1" in drawn


def test_numbers_of_which_the_same_is_true_are_one_node_unless_they_are_declared_inside() -> None:
    plan = "".join(extension(number, ("transfer", "1000 XML in")) for number in "567")
    assert draw(plan, "5", "6", "7")[:1] == ["context out -> 5,6,7: "]
    assert "number 1000" in draw(plan, "5", told=("1000",))[1].replace("phone", "number")


def test_what_is_wanted_is_shown_with_what_leads_there_and_where_it_leads_to() -> None:
    plan = extension("5", ("transfer", "1000 XML in")) + extension("6", ("echo", ""))
    drawn = draw(plan, "5", "6", wanted=(Point("number", "1000", "in"),))
    assert [line.partition(":")[0] for line in drawn] == [
        "context out -> number 5", "number 5 -> phone 1000", "phone 1000 -> mailbox 1000",
    ]  # fmt: skip


def test_a_secret_is_hidden_in_names_and_conditions() -> None:
    plan = extension("5", ("conference", "secret-room"))
    assert draw(plan, "5")[-1] == "number 5 -> conference ***-room: "


def test_phones_that_ring_in_turn_say_so() -> None:
    plan = extension("5", ("bridge", "user/1000@127.0.0.1|user/1001@127.0.0.1"))
    drawn = draw(plan, "5")
    assert "number 5 -> phone 1000: " in drawn
    assert any(line.startswith("number 5 -> phone 1001: those who ring first") for line in drawn)
