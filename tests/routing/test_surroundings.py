"""A conf directory tells which folders it includes, in which contexts, and what it lacks."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_site import DOMAIN, write_office

from fsgitops.commands.init import describe_target
from fsgitops.places import USUAL_PLACES, Places
from fsgitops.routing.surroundings import Surroundings, find_surroundings
from fsgitops.routing.survey import survey_conf
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.settings import build_settings
from fsgitops.settings.target import Environment, select_target
from fsgitops.steps.load import load_document

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.settings.target import Target

OFFICE = Places(
    "directory/office/phones", "directory/office/groups", "dialplan/office", "inside",
    "dialplan/carriers", "from-carriers", "dialplan",
)  # fmt: skip


def reason(found: Surroundings, name: str) -> str:
    return next(item.reason for item in found.told if item.name == name)


def edit(conf: Path, path: str, old: str, new: str) -> None:
    text = (conf / path).read_text()
    assert old in text
    (conf / path).write_text(text.replace(old, new))


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_skeleton(tmp_path / "conf", DOMAIN)
    return tmp_path / "conf"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    write_office(tmp_path / "conf")
    return tmp_path / "conf"


@pytest.mark.parametrize("name", ["vanilla", "insideout"])
def test_the_stock_trees_have_the_usual_places(shared: Path, tmp_path: Path, name: str) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(shared / "freeswitch-conf" / name, conf)
    if name == "insideout":  # it has no root: FreeSWITCH takes it no more
        text = (conf / "freeswitch.xml").read_text().replace("<include>", "<document>", 1)
        (conf / "freeswitch.xml").write_text(text.replace("</include>\n", "</document>\n", 1))
    found = find_surroundings(conf)
    assert found.places == USUAL_PLACES
    assert found.value("domain") == ""
    assert [need for need in found.needs if not need.startswith("`domain`: its name in")] == []


def test_the_minimal_tree_lacks_a_directory_and_has_a_catch_all_first(shared: Path) -> None:
    found = find_surroundings(shared / "freeswitch-conf" / "minimal")
    assert found.needs[0] == "the directory has no domain: nobody can register"
    assert found.places.prefix == "00_"
    assert "dialplan/public/00_stub.xml takes every call" in reason(found, "places.prefix")


def test_other_folders_and_contexts_are_found_with_the_reason(office: Path) -> None:
    found = find_surroundings(office)
    assert found.places == OFFICE
    assert found.value("domain") == DOMAIN
    assert found.needs == ()
    said = reason(found, "places.directory")
    assert said == "included in <users> of the group default (directory/default.xml:12)"
    assert reason(found, "inbound_context") == "profile external leads calls there"


def test_where_most_users_dial_is_the_context_of_the_agents(conf: Path) -> None:
    (conf / "dialplan/office.xml").write_text('<context name="office"/>')
    text = '<variables><variable name="user_context" value="{}"/></variables>'
    for number, context in enumerate(("office", "office", "default")):
        user = f'<user id="{number}">{text.format(context)}</user>'
        (conf / f"directory/default/{number}.xml").write_text(user)
    found = find_surroundings(conf)
    assert found.places.context == "office"
    assert reason(found, "places.context") == "`user_context` of 2 of 3 users"
    (need,) = found.needs
    assert 'put <X-PRE-PROCESS cmd="include" data="office/*.xml"/> into the context' in need


def test_the_domain_with_the_most_users_is_the_targets(conf: Path) -> None:
    users = "".join(f'<user id="{number}"/>' for number in range(3))
    (conf / "directory/acme.xml").write_text(
        f'<domain name="acme.test">\n<users>{users}\n'
        '<X-PRE-PROCESS cmd="include" data="acme/*.xml"/>\n</users></domain>'
    )
    found = find_surroundings(conf)
    assert (found.value("domain"), found.places.directory) == ("acme.test", "directory/acme")
    assert f"beside it: {DOMAIN}" in reason(found, "domain")


def test_a_domain_that_only_the_switch_can_name_is_left_to_people(conf: Path) -> None:
    edit(conf, "vars.xml", f"domain={DOMAIN}", "domain=$${local_ip_v4}")
    found = find_surroundings(conf)
    assert found.value("domain") == ""
    assert "has $${local_ip_v4}: ask the switch" in found.needs[0]


def test_a_tree_where_strangers_come_in_where_agents_dial_is_told(conf: Path) -> None:
    for name in ("internal", "external"):
        edit(conf, f"sip_profiles/{name}.xml", 'value="public"', 'value="default"')
    user = '<user id="1"><variables><variable name="user_context" value="default"/></variables>'
    (conf / "directory/default/1.xml").write_text(f"{user}</user>")
    found = find_surroundings(conf)
    assert found.places.inbound_context == "public"
    assert "where phones dial: give it a context of its own" in found.needs[0]


@pytest.mark.parametrize(
    ("name", "prefix"), [("00_ivr.xml", "00_"), ("000.xml", "0-"), ("zz.xml", "")]
)
def test_a_prefix_sorts_our_files_before_what_takes_every_call(
    conf: Path, name: str, prefix: str
) -> None:
    (conf / f"dialplan/public/{name}").write_text(
        '<extension name="all"><condition field="destination_number" expression=".*">'
        '<action application="hangup"/></condition></extension>'
    )
    found = find_surroundings(conf)
    assert found.places.prefix == prefix
    assert found.needs == ()


_NAMES = st.one_of(
    st.sampled_from(["default", "public", "office", "acme.test", "features", "global", "no", "1"]),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="/\\$*?["),
        min_size=1, max_size=12,
    ),
)  # fmt: skip
_TREES = st.fixed_dictionaries({
    "domains": st.lists(
        st.tuples(_NAMES, _NAMES, st.sampled_from(["users", "groups", "domain", "nowhere"])),
        max_size=3,
    ),
    "contexts": st.lists(st.tuples(_NAMES, _NAMES, st.booleans()), max_size=3),
    "doors": st.lists(_NAMES, max_size=2),
    "users": st.lists(_NAMES, max_size=3),
})  # fmt: skip


def write_tree(conf: Path, tree: dict[str, list]) -> None:
    """Write a conf directory in three files, as images have it."""

    def include(folder: str) -> str:
        return f'<X-PRE-PROCESS cmd="include" data={quoteattr(folder + "/*.xml")}/>\n'

    domains = []
    for name, folder, inside in tree["domains"]:
        line, users = include(f"directory/{folder}"), ""
        for number, context in enumerate(tree["users"]):
            said = f'<variable name="user_context" value={quoteattr(context)}/>'
            users += f'<user id="{number}"><variables>{said}</variables></user>\n'
        users = f"<users>\n{line if inside == 'users' else ''}{users}</users>\n"
        group = f"<group name={quoteattr(folder)}>\n{users}</group>\n"
        groups = f"<groups>\n{group}{line if inside == 'groups' else ''}</groups>\n"
        beside = line if inside == "domain" else ""
        domains.append(f"<domain name={quoteattr(name)}>\n{groups}{beside}</domain>\n")
    contexts = [
        f"<context name={quoteattr(name)}>\n{include(f'dialplan/{folder}') if there else ''}"
        "</context>\n"
        for name, folder, there in tree["contexts"]
    ]
    profiles = [
        f'<profile name="p{number}"><settings>'
        f'<param name="context" value={quoteattr(name)}/></settings></profile>\n'
        for number, name in enumerate(tree["doors"])
    ]
    sections = {
        "configuration": '<configuration name="sofia.conf"><profiles>\n'
        + "".join(profiles)
        + "</profiles></configuration>\n",
        "dialplan": "".join(contexts) + include("dialplan"),
        "directory": "".join(domains),
    }
    body = "".join(
        f'<section name="{name}">\n{text}</section>\n' for name, text in sections.items()
    )
    conf.mkdir(exist_ok=True)
    (conf / "freeswitch.xml").write_text(f"<document>\n{body}</document>\n", encoding="utf-8")


def read_target(root: Path, found: Surroundings) -> Target:
    text = describe_target(root / "conf", found, "tree").replace("# domain:", "domain:")
    (root / "fsgitops.yaml").write_text(text, encoding="utf-8")
    document, findings = load_document(root, "fsgitops.yaml")
    assert document is not None, findings
    environment = Environment.model_construct()
    said = build_settings(document.data, document.position, environment, ())
    return select_target(said, "prod", root, environment)


def test_a_profile_that_settings_cannot_name_is_told_and_not_written(
    office: Path, tmp_path: Path
) -> None:
    edit(office, "sip_profiles/internal.xml", 'name="internal"', 'name="in.side"')
    found = find_surroundings(office)
    assert "`profile`: in.side has more in its name than letters, digits, _ and -" in found.needs
    assert read_target(tmp_path, found).profile == "internal"


@pytest.mark.parametrize(("port", "read"), [("65535", 65535), ("99999", 8021)])
def test_a_port_that_no_socket_has_is_not_written(
    office: Path, tmp_path: Path, port: str, read: int
) -> None:
    socket = (
        '<configuration name="event_socket.conf"><settings>'
        f'<param name="listen-port" value="{port}"/></settings></configuration>'
    )
    section = '<section name="configuration" description="Modules and their settings">'
    edit(office, "freeswitch.xml", section, section + socket)
    assert read_target(tmp_path, find_surroundings(office)).esl.port == read


@given(_TREES)
@settings(max_examples=60, deadline=None)
def test_of_any_tree_the_settings_are_valid_and_what_is_not_told_as_lacking_is_read(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, list]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    write_tree(root / "conf", tree)
    found = find_surroundings(root / "conf")
    target = read_target(root, found)
    assert target.places == found.places._replace(groups=target.places.groups)
    paths = {
        "places.directory": f"{target.places.directory}/20000.xml",
        "places.dialplan": f"{target.places.dialplan}/{target.places.prefix}10_fsgitops_agents.xml",
        "places.inbound": f"{target.places.inbound}/{target.places.prefix}inbound_1.xml",
        "places.contexts": f"{target.places.contexts}/fsgitops_transfer.xml",
    }
    survey = survey_conf(root / "conf", paths.values(), found.value("domain"), target.places)
    misread = {name for name, path in paths.items() if survey.problem_of(path)}
    assert misread == {need.split("`")[1] for need in found.needs if need.startswith("`places.")}
