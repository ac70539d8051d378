"""What moved, came or went in the list of an extension's actions."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.fragment import flatten_fragment
from fsgitops.routing.ordered import find_moves

OLD = ["set a=1", "hash x", "bridge user/1020", "hangup"]


def extension(actions: list[str]) -> bytes:
    lines = [
        f'<action application="{app}" data="{data}"/>'
        for app, _, data in (action.partition(" ") for action in actions)
    ]
    condition = f'<condition field="destination_number">{"".join(lines)}</condition>'
    return f'<include>\n<extension name="in">{condition}</extension>\n</include>\n'.encode()


def moves(old: list[str], new: list[str]) -> list[str]:
    before, after = flatten_fragment(extension(old)), flatten_fragment(extension(new))
    names = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    return list(find_moves(before, after, names))


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ([OLD[0], "log x", *OLD[1:]], ["in/action 2 log is new"]),
        ([OLD[0], *OLD[2:]], ["in/action 2 hash is gone"]),
        ([OLD[1], OLD[0], *OLD[2:]], ["in/action 1 set moved to place 2",
                                      "in/action 2 hash moved to place 1"]),
        ([OLD[3], *OLD[:3]], ["in/action 4 hangup moved to place 1"]),
        (["log x", *OLD[:3], "log y"], ["in/action 1 log is new"]),
        ([], [f"in/action {at} {what.split()[0]} is gone" for at, what in enumerate(OLD, 1)]),
    ],
)  # fmt: skip
def test_an_action_that_moved_came_or_went_is_told_with_its_place(new, told):
    assert moves(OLD, new) == told


def test_other_data_at_the_same_place_is_no_move():
    assert moves(OLD, ["set a=2", "hash y", *OLD[2:]]) == []


def test_no_data_is_told():
    assert not any("1020" in text for text in moves(OLD, [OLD[2], *OLD[:2]]))


@given(st.lists(st.sampled_from(OLD), max_size=6), st.lists(st.sampled_from(OLD), max_size=6))
def test_what_is_told_takes_one_list_to_the_length_of_the_other(old, new):
    told = moves(old, new)
    come = sum(text.endswith("is new") for text in told)
    gone = sum(text.endswith("is gone") for text in told)
    assert come - gone == len(new) - len(old)
    assert (
        bool(told)
        or [a.split()[0] for a in old] == [a.split()[0] for a in new]
        or len(old) == len(new)
    )


@pytest.mark.parametrize(("new", "loaded"), [(["set a=2", *OLD[1:]], False), (OLD[1:], True)])
def test_deepdiff_is_loaded_only_where_a_list_differs(new, loaded):
    code = (
        "import sys; from fsgitops.routing.fragment import flatten_fragment as flatten;"
        "from fsgitops.routing.ordered import find_moves;"
        f"old, new = flatten({extension(OLD)!r}), flatten({extension(new)!r});"
        "find_moves(old, new, [k for k in {*old, *new} if old.get(k) != new.get(k)]);"
        "print('deepdiff' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(loaded)
