"""Where users and extensions stand, and why a look-up finds something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.whereabouts import Whereabouts
from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "d.example"
USER = "directory/default/1020.xml"
ROUTE = "dialplan/public/inbound_1.xml"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_skeleton(tmp_path, DOMAIN)
    (tmp_path / USER).write_text('<include>\n<user id="1020"/>\n</include>\n')
    (tmp_path / ROUTE).write_text('<include>\n<extension name="inbound_1"/>\n</include>\n')
    return tmp_path


def edit(conf: Path, name: str, before: str, after: str) -> None:
    path = conf / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def explain_user(conf: Path) -> str:
    found = Whereabouts(load_merged(conf)).explain_user(USER, "1020", DOMAIN)
    return found.cause if found else ""


def explain_route(conf: Path) -> str:
    found = Whereabouts(load_merged(conf)).explain_extension(ROUTE, "inbound_1", "public")
    return found.cause if found else ""


def test_where_all_is_well_nothing_is_to_be_explained(conf: Path) -> None:
    assert (explain_user(conf), explain_route(conf)) == ("", "")


def test_a_file_that_nothing_includes(conf: Path) -> None:
    edit(conf, "directory/default.xml", 'data="default/*.xml"', 'data="team/*.xml"')
    edit(conf, "dialplan/public.xml", 'data="public/*.xml"', 'data="team/*.xml"')
    assert explain_user(conf) == "nothing includes directory/default/*.xml"
    assert explain_route(conf) == "nothing includes dialplan/public/*.xml"


def test_a_file_that_cannot_be_read_is_not_one_that_nothing_includes(conf: Path) -> None:
    (conf / USER).unlink()
    (conf / USER).symlink_to("nowhere.xml")
    assert explain_user(conf) == f"{USER} cannot be read (No such file or directory)"


def test_the_second_list_of_users_of_a_group_is_never_searched(conf: Path) -> None:
    edit(conf, "directory/default.xml", "<users>", "<users></users>\n<users>")
    assert "included where FreeSWITCH does not look" in explain_user(conf)


def test_a_file_in_another_domain(conf: Path) -> None:
    edit(conf, "directory/default.xml", "$${domain}", "other.example")
    assert explain_user(conf) == (
        "its file belongs to the domain other.example, and the target's is d.example"
    )


def test_an_include_outside_of_every_element_that_counts(conf: Path) -> None:
    edit(conf, "directory/default.xml", "<users>", "<people>")
    edit(conf, "directory/default.xml", "</users>", "</people>")
    assert "outside of where FreeSWITCH looks" in explain_user(conf)


@pytest.mark.parametrize("name", ["0.xml", "1019.xml"])
def test_another_user_that_comes_first_is_named_with_its_line(conf: Path, name: str) -> None:
    path = f"directory/default/{name}"
    (conf / path).write_text('<include>\n\n<user id="1020"/>\n</include>\n')
    assert explain_user(conf) == f"{path}:3 (a user of group default) comes first"


def test_another_user_that_comes_later_explains_nothing(conf: Path) -> None:
    (conf / "directory/default/z.xml").write_text('<include>\n<user id="1020"/>\n</include>\n')
    assert explain_user(conf) == ""


def test_a_route_in_another_context(conf: Path) -> None:
    edit(conf, "dialplan/public.xml", 'context name="public"', 'context name="inbound"')
    assert explain_route(conf) == "its file is included in the context inbound, and not in public"


def test_a_route_in_a_second_context_of_that_name(conf: Path) -> None:
    (conf / "dialplan/00.xml").write_text('<include>\n<context name="public"/>\n</include>\n')
    assert explain_route(conf).endswith("never looks at; the first is at dialplan/00.xml:2")


def test_a_file_with_a_context_of_its_own_belongs_into_the_dialplan_section(conf: Path) -> None:
    path = "dialplan/own.xml"
    (conf / path).write_text(
        '<include>\n<context name="own">\n<extension name="x"/>\n</context>\n</include>\n'
    )

    def explain() -> str:
        found = Whereabouts(load_merged(conf)).explain_extension(path, "x", "own", whole=True)
        return f"{found.cause}; {found.remedy}" if found else ""

    assert explain() == ""
    (conf / "dialplan/00.xml").write_text('<include>\n<context name="own"/>\n</include>\n')
    assert explain().endswith("the first is at dialplan/00.xml:2; rename that one")
    edit(conf, "freeswitch.xml", 'data="dialplan/*.xml"', 'data="dialplan/[dp]*.xml"')
    assert explain().startswith("nothing includes dialplan/*.xml; put <X-PRE-PROCESS")
    assert explain().endswith('<section name="dialplan"> in freeswitch.xml')


def test_another_extension_of_that_name_first(conf: Path) -> None:
    (conf / "dialplan/public/00.xml").write_text(
        '<include>\n<extension name="inbound_1"/>\n</include>\n'
    )
    assert explain_route(conf) == (
        "dialplan/public/00.xml:2 declares an extension of that name first"
    )


def test_the_domains_of_the_directory_and_no_others(conf: Path) -> None:
    (conf / "autoload_configs/x.xml").write_text(
        '<include>\n<configuration name="x"><domain name="y"/></configuration>\n</include>\n'
    )
    assert Whereabouts(load_merged(conf)).domains() == [DOMAIN]


def test_what_the_preprocessor_brings_into_a_name_is_not_shown(conf: Path) -> None:
    edit(
        conf,
        "vars.xml",
        "<include>",
        '<include>\n<X-PRE-PROCESS cmd="set" data="sip_password=Tr0ub4dor"/>',
    )
    edit(conf, "directory/default.xml", '<group name="default">', '<group name="$${sip_password}">')
    edit(
        conf, "dialplan/public.xml", '<context name="public">', '<context name="$${sip_password}">'
    )
    (place,) = Whereabouts(load_merged(conf)).users("1020")
    assert place.group == "(secret)"
    assert explain_route(conf) == (
        "its file is included in the context (secret), and not in public"
    )


@given(st.text(alphabet="<>/\"' =abuserdomingp&;!-\n", max_size=60))
def test_no_directory_raises_anything(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    conf = tmp_path_factory.mktemp("conf")
    write_skeleton(conf, DOMAIN)
    (conf / "directory/default/x.xml").write_text(text)
    places = Whereabouts(load_merged(conf))
    assert isinstance(places.domains(), list)
    places.explain_user("directory/default/x.xml", "1020", DOMAIN)
    places.explain_extension("directory/default/x.xml", "1020", "public")
