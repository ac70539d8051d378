"""Which home a file has, and how what it says is taken apart by elements."""

from __future__ import annotations

import pytest

from fsgitops.errors import FsgitopsError
from fsgitops.homes import home_of
from fsgitops.homes.dialplan import DIALPLAN
from fsgitops.homes.directory import DIRECTORY
from fsgitops.homes.home import Address
from fsgitops.places import Places
from fsgitops.routing.fragment import flatten_fragment

USERS = b"""<include>
<user id="1020"><params><param name="a1-hash" value="a"/></params></user>
<user id="1021" type="x"><variables><variable name="n" value="b"/></variables></user>
</include>
"""
EXTENSIONS = b"""<include>
<extension name="inbound_1"><condition field="f" expression="e">
<action application="a" data="extension"/></condition></extension>
<extension name="two words" continue="true"><condition/></extension>
</include>
"""


@pytest.mark.parametrize(
    ("path", "home", "place"),
    [
        ("directory/default/1020.xml", DIRECTORY, "directory/default"),
        ("directory/acme.test/office/1020.xml", DIRECTORY, "directory/acme.test/office"),
        ("dialplan/public/inbound_1.xml", DIALPLAN, "public"),
        ("dialplan/office/ours/10_fsgitops_agents.xml", DIALPLAN, "office"),
        ("dialplan/ours/inbound_1.xml", DIALPLAN, "carriers"),
        ("dialplan/fsgitops_transfers.xml", DIALPLAN, "fsgitops_transfers"),
        ("directory/default.xml", DIRECTORY, "directory"),
        ("dialplan/whole/fsgitops_transfers.xml", DIALPLAN, "fsgitops_transfers"),
    ],
)
def test_a_file_is_found_a_home_by_its_path_and_its_place_by_the_settings(
    path, home, place
) -> None:
    places = Places(
        dialplan="dialplan/office/ours", context="office", inbound="dialplan/ours",
        inbound_context="carriers", contexts="dialplan/whole",
    )  # fmt: skip
    if path.startswith("dialplan/public/"):
        places = Places()
    assert home_of(path) is home
    assert home.place(path, Address("d.example", "internal", places)) == place


@pytest.mark.parametrize(
    "path", ["vars.xml", "directory.xml", "dialplan/a/b/c/d/e.xml", "dialplan/a/../../vars.txt"]
)
def test_no_file_of_ours_goes_elsewhere(path: str) -> None:
    with pytest.raises(FsgitopsError, match="no place"):
        home_of(path)


def test_each_user_of_a_file_says_what_it_would_say_alone() -> None:
    elements, rest = DIRECTORY.split(flatten_fragment(USERS))
    assert elements == {
        "1020": {"user": "1020", "param a1-hash": "a"},
        "1021": {"user": "1021", "user@type": "x", "variable n": "b"},
    }
    assert not rest


def test_a_second_user_of_one_name_is_an_element_of_its_own() -> None:
    twice = USERS.replace(b"1021", b"1020")
    assert list(DIRECTORY.split(flatten_fragment(twice))[0]) == ["1020", "1020 #2"]


def test_each_extension_of_a_file_says_what_it_would_say_alone() -> None:
    elements, rest = DIALPLAN.split(flatten_fragment(EXTENSIONS))
    assert elements == {
        "inbound_1": {
            "inbound_1": "extension",
            "inbound_1/f": "e",
            "inbound_1/action 1 a": "extension",
        },
        '"two words"': {
            '"two words"': "extension",
            '"two words"@continue': "true",
            '"two words"/always': "",
        },
    }
    assert not rest


def test_the_context_that_a_file_holds_is_no_extension_of_it() -> None:
    said = flatten_fragment(b'<context name="own"><extension name="a"/></context>')
    assert DIALPLAN.split(said) == ({"a": {"a": "extension"}}, {"context own": "context"})
