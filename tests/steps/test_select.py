"""Which resources a person named."""

from __future__ import annotations

import builders
import pytest
from builders import desired, noun
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import UsageError
from fsgitops.kinds import BUILT_IN
from fsgitops.model.plan import Action, Change
from fsgitops.model.resource import Resource
from fsgitops.steps.select import (
    PathGlob,
    Selection,
    check_selection,
    find_dangling,
    select_changes,
)

AGENT = Resource("agent", "1020")
OTHER = Resource("agent", "1021")
ROUTE = Resource("did", "+19495431333")
DIALPLAN = Resource("dialplan", "agents")
TRANSFERS = Resource("dialplan", "transfers")
FILE = "desired/sales/west.yaml"


def change(action: Action, resource: Resource, file: str = FILE) -> Change:
    return builders.change(action, resource, source=f"{file}:3:5")


@pytest.mark.parametrize(
    "selector",
    ["agent:1020", "agent:10*", "agent:*", FILE, "desired/sales/*.yaml", "desired/**",
     "desired/**/*.yaml", "**/west.yaml", "./desired/sales/west.yaml", "agent:102?"],
)  # fmt: skip
def test_a_selector_that_means_the_agent_selects_it(selector):
    assert Selection(BUILT_IN, only=(selector,)).selects(AGENT, FILE)
    assert not Selection(BUILT_IN, exclude=(selector,)).selects(AGENT, FILE)


@pytest.mark.parametrize(
    "selector",
    ["agent:102", "did:1020", "did:*", "desired/*.yaml", "sales", "agent:", "desired/sales/*.yml",
     "desired/sales/west_yaml", "1020"],
)  # fmt: skip
def test_a_selector_that_means_something_else_does_not(selector):
    assert not Selection(BUILT_IN, only=(selector,)).selects(AGENT, FILE)
    assert Selection(BUILT_IN, exclude=(selector,)).selects(AGENT, FILE)


def test_a_kind_that_was_read_from_a_file_is_the_same_kind():
    read = Resource("".join(["ag", "ent"]), "1020")
    assert Selection(BUILT_IN, only=("agent:1020",)).selects(read, FILE)


def test_what_is_excluded_is_left_out_of_what_was_chosen():
    selection = Selection(BUILT_IN, ("agent:*",), ("agent:1020",))
    assert not selection.selects(AGENT, FILE)
    assert selection.selects(Resource("agent", "1021"), FILE)


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("agent:1002", "did you mean `agent:1020`?"),
        ("agnet:1020", "did you mean `agent:`?"),
        ("desired/sale/west.yaml", f"did you mean `{FILE}`?"),
        ("zzz", "the path of a YAML file"),
    ],
)
def test_a_selector_that_names_nothing_is_wrong_usage_with_a_suggestion(selector, hint):
    with pytest.raises(UsageError) as caught:
        check_selection(Selection(BUILT_IN, (selector,)), {AGENT: FILE})
    assert selector in str(caught.value)
    assert hint in str(caught.value)


def chosen(changes, *managed, only=(), exclude=()):
    return select_changes(changes, Selection(BUILT_IN, only, exclude), managed)


def test_the_dialplan_comes_along_with_the_first_agent():
    changes = [change(Action.CREATE, AGENT), change(Action.CREATE, DIALPLAN, "templates/x")]
    assert chosen(changes, only=("agent:1020",)) == (changes, {AGENT})


def test_the_dialplan_stays_while_an_agent_that_was_left_out_needs_it():
    changes = [
        change(Action.DELETE, AGENT), change(Action.DELETE, OTHER),
        change(Action.DELETE, DIALPLAN, "templates/x"),
    ]  # fmt: skip
    kept, left = chosen(changes, AGENT, OTHER, DIALPLAN, exclude=("agent:1021",))
    assert (kept, left) == (changes[:1], {OTHER})


def test_what_everything_needs_stays_while_anything_is_left():
    changes = [change(Action.DELETE, item) for item in (AGENT, ROUTE, DIALPLAN, TRANSFERS)]
    kept, _ = chosen(changes, AGENT, ROUTE, DIALPLAN, TRANSFERS, exclude=("did:*",))
    assert [item.resource for item in kept] == [AGENT, DIALPLAN]


def test_who_is_there_then_are_those_that_were_plus_and_minus():
    new = Resource("agent", "1030")
    changes = [change(Action.DELETE, AGENT), change(Action.CREATE, new)]
    assert chosen(changes, AGENT, ROUTE, OTHER, DIALPLAN)[1] == {ROUTE, OTHER, new}


def test_a_route_whose_agent_is_not_there_is_a_warning():
    declared = desired(noun("did", did_number=ROUTE.name, destination_extension="1020"))
    (warning,) = find_dangling(declared, {ROUTE, OTHER})
    assert warning == (
        "did:+19495431333 rings 1020, and agent:1020 is not there once this partial plan is applied"
    )
    assert find_dangling(declared, {ROUTE, AGENT}) == find_dangling(declared, {OTHER}) == []


def test_a_number_that_an_agent_shows_is_nothing_that_it_leads_to():
    shown = noun("agent", extension="1020", name="A", caller_id_number="+19495431333")
    assert find_dangling(desired(shown), {AGENT}) == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_selector_is_matched_or_not_and_never_an_error(selector, file):
    both = (
        Selection(BUILT_IN, (selector,)).selects(AGENT, file),
        Selection(BUILT_IN, (), (selector,)).selects(AGENT, file),
    )
    assert both in [(True, False), (False, True)]


def takes(glob: str, path: str) -> bool:
    """The rules, written down once more: slow, and plain."""
    if not glob:
        return not path
    if glob.startswith("**/"):
        return takes(glob[3:], path) or any(
            takes(glob[3:], path[at + 1 :]) for at, char in enumerate(path) if char == "/"
        )
    if glob.startswith("**"):
        return any(takes(glob[2:], path[at:]) for at in range(len(path) + 1))
    if glob[0] == "*":
        end = (path + "/").index("/")
        return any(takes(glob[1:], path[at:]) for at in range(end + 1))
    if not path:
        return False
    return (path[0] == glob[0] or (glob[0] == "?" and path[0] != "/")) and takes(glob[1:], path[1:])


@given(st.text("ab/*?", max_size=7), st.text("ab/", max_size=7))
def test_a_glob_of_paths_takes_what_its_rules_say(glob, path):
    if not glob.startswith("./"):
        assert PathGlob(glob).matches(path) == takes(glob, path)


def test_a_glob_with_many_stars_is_answered_at_once():
    glob = PathGlob("*a" * 30 + "b")
    assert not glob.matches("a" * 4000)
    assert len(glob.moves) < 100


def test_a_route_brings_the_context_for_transfers_along_and_no_dialplan_of_agents():
    changes = [change(Action.CREATE, item) for item in (ROUTE, DIALPLAN, TRANSFERS)]
    kept, _ = chosen(changes, only=("did:*",))
    assert [item.resource for item in kept] == [ROUTE, TRANSFERS]
