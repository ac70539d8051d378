"""Numbers of one class fare alike, and every number is in one class."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest
from call_world import NOW, make_world
from made_dialplans import Maker

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.numbers.explore import Explorer, Share
from fsgitops.routing.pattern import search_bytes

CALL = Call("", "default", "12025550123")
SOME = ["".join(text) for size in (1, 2, 3) for text in product("019", repeat=size)]
SOME += ["1000", "1001", "1002", "+19495431333", "9*98", "abc", "ABCD", "made", "*", "00#"]


def _explore(extensions: str, *contexts: str) -> tuple[Explorer, list[Share]]:
    text = f'<context name="default">{extensions}</context>{"".join(contexts)}'
    explorer = Explorer(make_world(text), Clock(NOW, {}))
    return explorer, list(explorer.explore(CALL))


def _extension(name: str, expression: str, *actions: str) -> str:
    inside = "".join(
        f'<action application="{word}" data="{data}"/>'
        for word, _, data in (action.partition(" ") for action in actions or ("answer",))
    )
    return (
        f'<extension name="{name}"><condition field="destination_number" '
        f'expression="{expression}">{inside}</condition></extension>'
    )


def _told(explorer: Explorer, shares: list[Share], number: str) -> list[str]:
    found = [item for item in shares if explorer.store.holds(item.numbers, number.encode())]
    assert len(found) == 1
    return [way.end.told for way in found[0].ways]


@pytest.mark.parametrize(
    "seed", [*range(12), *(pytest.param(n, marks=pytest.mark.sweep) for n in range(12, 400))]
)
def test_each_number_is_in_one_class_and_goes_the_way_of_its_class(seed: int) -> None:
    world = make_world(Maker(seed).context("default"))
    explorer = Explorer(world, Clock(NOW, {}))
    store = explorer.store
    shares = list(explorer.explore(CALL))
    for number in SOME:
        (share,) = [item for item in shares if store.holds(item.numbers, number.encode())]
        (alone,) = explorer.explore(CALL, store.texts([number.encode()]))
        ways, complete = evaluate(world, replace(CALL, number=number), Clock(NOW, {}))
        if complete and alone.complete:
            assert {way.end.told for way in alone.plain} == {way.end.told for way in ways}
        if not share.why:
            assert alone.ways == share.ways
            assert alone.extension is share.extension


_PARTS = ("1", "2", "[2-9]", r"\d", r"\d+", "9?", "(1|23)", ".*", r"\*", r"\d{2,3}", "0*", "7$|5")


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.sweep) for n in range(2, 30))]
)
def test_all_numbers_of_up_to_five_digits_are_taken_by_the_extension_that_matches_first(
    seed: int,
) -> None:
    choose = random.Random(seed)
    expressions = [
        "^" + "".join(choose.choices(_PARTS, k=choose.randint(1, 4))) + choose.choice(("", "$"))
        for _ in range(12)
    ]
    explorer, shares = _explore(
        "".join(_extension(str(at), text) for at, text in enumerate(expressions))
    )
    digits = explorer.searches.matching(r"^\d{1,5}\z")
    taken: dict[bytes, str] = {}
    for share in shares:
        name = share.extension.attributes["name"] if share.extension else ""
        for number in explorer.store.walk(explorer.store.both(share.numbers, digits)):
            assert taken.setdefault(number, name) is name
    assert len(taken) == 111_110
    for number, name in taken.items():
        first = next(
            (
                str(at)
                for at, text in enumerate(expressions)
                if search_bytes(number, text.encode()) is not None
            ),
            "",
        )
        assert first == name, number


def test_an_end_is_told_in_terms_of_the_number() -> None:
    explorer, shares = _explore(
        _extension("out", r"^9(\d{3,})$", "transfer $1 XML inside")
        + _extension("own", r"^(10\d\d)$", "bridge user/$1@127.0.0.1"),
        '<context name="inside">'
        + _extension("gone", r"^55\d+$", "hangup USER_BUSY")
        + _extension("away", r"^(.*)$", "bridge sofia/external/$1@example.com")
        + "</context>",
    )
    away = "dials sofia/external/<the number dialled without its first character>@example.com"
    assert _told(explorer, shares, "9123")[0] == away
    assert _told(explorer, shares, "955123") == ["hangup with USER_BUSY"]
    assert _told(explorer, shares, "1001")[0] == "rings the number dialled"
    assert "SUBSCRIBER_ABSENT" in _told(explorer, shares, "1002")[0]


def _find(explorer: Explorer, shares: list[Share], number: str) -> Share:
    (found,) = [item for item in shares if explorer.store.holds(item.numbers, number.encode())]
    return found


def test_what_is_not_regular_is_said_of_the_numbers_that_it_may_concern() -> None:
    explorer, shares = _explore(_extension("odd", "^(?!911)9", "answer"), _extension("all", "^8"))
    unclear = _find(explorer, shares, "95")
    assert unclear.why == ("it looks ahead (?!",)
    assert unclear.tried
    assert not _find(explorer, shares, "85").why


def test_samples_that_fare_otherwise_are_classes_of_their_own() -> None:
    for expression, other in (
        (r"^(?!911)\d+$", "911"), (r"^(\d)\d*\1$", "1001"), (r"^\d{2,9}(?<!55)$", "55"),
        (r"^\d*+5?$", "0"), (r"^(?=00)\d+$", "00"),
    ):  # fmt: skip
        explorer, shares = _explore(_extension("odd", expression, "answer"))
        found = {share.ways[0].end.told for share in shares}
        assert len(found) == 2, expression
        assert _find(explorer, shares, other).example, expression


def test_few_numbers_are_evaluated_one_by_one() -> None:
    explorer, shares = _explore(_extension("odd", r"^((?!6000)60\d{2})$", "transfer $1 XML gone"))
    assert not any(share.why for share in shares)
    assert _find(explorer, shares, "6000").extension is None
    assert explorer.store.count(_find(explorer, shares, "6001").numbers) == 99


def test_few_numbers_of_which_each_ends_otherwise_are_told_to_be_tried() -> None:
    explorer, shares = _explore(
        _extension("odd", "^5[0-9]$", "bridge sofia/external/${strepoch(${destination_number})}")
    )
    found = _find(explorer, shares, "55")
    assert (found.settled, found.tried, bool(found.why)) == (True, 9, True)


def test_a_number_that_is_compared_by_a_function_is_not_told_of_for_all() -> None:
    condition = (
        '<extension name="odd"><condition field="${cond(${destination_number} == 5 ? yes : no)}" '
        'expression="^yes$"><action application="answer"/></condition></extension>'
    )
    _, shares = _explore(condition)
    assert any("cond is asked about it" in why for share in shares for why in share.why)


def test_what_is_not_known_of_a_class_is_not_known_of_those_that_are_split_from_it() -> None:
    explorer, shares = _explore(
        '<extension name="set" continue="true"><condition field="destination_number" '
        'expression="^(?!1)"><action application="set" data="one=1"/></condition></extension>'
        + _extension("odd", "9$", "answer")
    )
    for number in ("19999", "29999", "12222", "22222"):
        (share,) = [s for s in shares if explorer.store.holds(s.numbers, number.encode())]
        assert share.why, number


def test_a_cause_that_is_made_from_the_number_is_that_of_the_number() -> None:
    explorer, _ = _explore(_extension("hang", r"^9(\d+)$", "hangup $1"))
    (share,) = explorer.explore(CALL, explorer.store.texts([b"998"]))
    assert [way.end.cause for way in share.plain] == ["WRONG_MESSAGE"]
