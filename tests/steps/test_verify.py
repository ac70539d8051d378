"""What a switch holds of changed files, of one element or several, against what they say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import builders
import pytest
from scripted_esl import connect_switch

from fsgitops.homes.compare import Memory
from fsgitops.homes.home import Address
from fsgitops.kinds import BUILT_IN
from fsgitops.model.live import FileKind, LiveConfig, LiveFile, Manifest, ManifestEntry, Record
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.steps.drift import Applied, find_drift
from fsgitops.steps.verify import Expected, Proof, verify_switch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsgitops.model.drift import DriftItem
    from fsgitops.model.resource import Resource
    from fsgitops.switch.client import Switch

DOMAIN = "d.example"
ADDRESS = Address(DOMAIN, "internal")
USERS = "directory/default/group.xml"
OTHER_USERS = "directory/default/other.xml"
ROUTES = "dialplan/public/routes.xml"


def users(**hashes: str) -> bytes:
    """Return a file of users, each with its hash: `users(u1020="a")`."""
    inside = "".join(
        f'<user id="{name[1:]}"><params><param name="a1-hash" value="{value}"/></params></user>\n'
        for name, value in hashes.items()
    )
    return f"<include>\n{inside}</include>\n".encode()


def routes(**targets: str) -> bytes:
    """Return a file of extensions, each with what it transfers to: `routes(inbound_1="1020")`."""
    inside = "".join(
        f'<extension name="{name}"><condition field="destination_number" expression="^x$">'
        f'<action application="transfer" data="{target}"/></condition></extension>\n'
        for name, target in targets.items()
    )
    return f"<include>\n{inside}</include>\n".encode()


class Site:
    """A conf directory, and a switch that has loaded what stood in it when it was started."""

    def __init__(self, conf: Path, switch: Switch) -> None:
        self.conf, self.switch = conf, switch

    def hold(self, **files: bytes) -> None:
        """Have the switch hold these files, by the constants of this module."""
        for name, content in files.items():
            (self.conf / globals()[name]).write_bytes(content)
        assert self.switch.run("reloadxml", "reload").ok

    def verify(
        self,
        *changes: tuple[str, str, str],
        written: dict[str, bytes],
        before: dict[str, bytes] | None = None,
        owners: dict[str, Resource] | None = None,
        drifted: bool = False,
    ) -> Proof:
        expected = Expected(written, before or {}, lambda _: owners or {})
        made = [
            builders.change(action, name, path=path, drifted=drifted)
            for action, name, path in changes
        ]
        return verify_switch(self.switch, expected, made, ADDRESS)

    def drift(self, name: str, path: str, content: bytes) -> list[DriftItem]:
        sha = hashlib.sha256(content).hexdigest()
        entry = ManifestEntry(sha, (Record(builders.resource(name)),))
        live = LiveConfig(Manifest({path: entry}), {path: LiveFile(FileKind.REGULAR, sha, content)})
        memory = Memory(self.switch, ADDRESS)
        return find_drift(live, Applied(), memory, lambda _: False, BUILT_IN, ADDRESS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    conf = tmp_path / "conf"
    write_skeleton(conf, DOMAIN)
    for path in (USERS, ROUTES):
        (conf / path).parent.mkdir(parents=True, exist_ok=True)
    with EmbeddedSwitch(conf, "word") as running, connect_switch(*running.address, "word") as one:
        yield Site(conf, one)


def told(proof: Proof) -> list[tuple[str, str]]:
    return [(item.subject, item.message) for item in proof.mismatches]


def test_a_file_of_several_users_is_proved_whole(site: Site) -> None:
    site.hold(USERS=users(u1020="a", u1021="b"))
    proof = site.verify(
        ("update", "agent:1020", USERS), written={USERS: users(u1020="a", u1021="b")}
    )
    assert (proof.mismatches, proof.held.proved) == ((), {"agent": 1})


def test_a_file_of_several_extensions_is_proved_whole(site: Site) -> None:
    site.hold(ROUTES=routes(inbound_1="1", inbound_2="2"))
    written = {ROUTES: routes(inbound_1="1", inbound_2="2")}
    proof = site.verify(("create", "did:+1", ROUTES), written=written)
    assert (proof.mismatches, proof.held.proved) == ((), {"dialplan file": 1})


def test_each_user_of_a_file_is_told_by_its_name(site: Site) -> None:
    site.hold(USERS=users(u1020="a", u1021="b"))
    changes = (("update", "agent:1020", USERS), ("create", "agent:1021", USERS))
    proof = site.verify(*changes, written={USERS: users(u1020="a", u1021="c")})
    assert told(proof) == [
        (
            "agent:1021",
            "1021: param a1-hash: the switch holds another value than was declared",
        )
    ]
    assert proof.held.proved == {"agent": 1}


def test_each_extension_of_a_file_is_told_as_its_owners(site: Site) -> None:
    site.hold(ROUTES=routes(inbound_1="1", inbound_2="2"))
    proof = site.verify(
        ("update", "did:+1", ROUTES),
        written={ROUTES: routes(inbound_1="1", inbound_2="3")},
        owners={"inbound_2": builders.resource("did:+2")},
    )
    assert told(proof) == [
        ("did:+2", "inbound_2/action 1 transfer: declared '3', the switch holds '2'")
    ]


@pytest.mark.parametrize(
    ("path", "held", "written", "message"),
    [
        (USERS, users(u1020="a"), users(u1020="a", u1021="b"), "1021: the switch does not hold"),
        (
            ROUTES,
            routes(inbound_1="1"),
            routes(inbound_1="1", inbound_2="2"),
            "inbound_2: the context public of the switch does not hold it",
        ),
    ],
)
def test_one_element_of_a_file_that_is_not_held_is_missed(
    site: Site, path: str, held: bytes, written: bytes, message: str
) -> None:
    site.hold(**{"USERS" if path == USERS else "ROUTES": held})
    ((_, said),) = told(site.verify(("update", "agent:1021", path), written={path: written}))
    assert message in said


@pytest.mark.parametrize(
    ("name", "path", "before", "written", "left"),
    [
        ("USERS", USERS, users(u1020="a", u1021="b"), users(u1020="a"), "1021"),
        (
            "ROUTES",
            ROUTES,
            routes(inbound_1="1", inbound_2="2"),
            routes(inbound_1="1"),
            "inbound_2",
        ),
    ],
)
def test_an_element_that_left_its_file_must_not_be_held(
    site: Site, name: str, path: str, before: bytes, written: bytes, left: str
) -> None:
    site.hold(**{name: before})
    proof = site.verify(
        ("update", "agent:1020", path), written={path: written}, before={path: before}
    )
    assert f"{left}: not declared, and the switch holds it" in [item for _, item in told(proof)]


def test_a_user_that_moved_to_another_file_has_not_left(site: Site) -> None:
    site.hold(USERS=users(u1020="a"), OTHER_USERS=users(u1021="b"))
    proof = site.verify(
        ("update", "agent:1020", USERS),
        ("update", "agent:1021", OTHER_USERS),
        written={USERS: users(u1020="a"), OTHER_USERS: users(u1021="b")},
        before={USERS: users(u1020="a", u1021="b")},
    )
    assert proof.mismatches == ()


def test_all_users_of_a_deleted_file_have_to_be_gone(site: Site) -> None:
    site.hold(USERS=users(u1020="a", u1021="b"))
    changes = (("delete", "agent:1020", USERS), ("delete", "agent:1021", USERS))
    before = {USERS: users(u1020="a", u1021="b")}
    proof = site.verify(*changes, written={}, before=before)
    still = "deleted, but the switch still holds the user"
    assert told(proof) == [("agent:1020", still), ("agent:1021", still)]
    (site.conf / USERS).unlink()
    site.hold()
    assert site.verify(*changes, written={}, before=before).held.gone == {"agent": 2}


def test_drift_tells_the_users_of_a_file_apart(site: Site) -> None:
    site.hold(USERS=users(u1020="a", u1021="b"))
    assert site.drift("agent:1020", USERS, users(u1020="a", u1021="b")) == []
    (item,) = site.drift("agent:1020", USERS, users(u1020="a", u1021="c", u1022="d"))
    names = [attribute.name for attribute in item.attributes]
    assert names == ["1021/param a1-hash", "1022/param a1-hash", "1022/user"]


def test_drift_tells_the_extensions_of_a_file_apart(site: Site) -> None:
    site.hold(ROUTES=routes(inbound_1="1", inbound_2="2"))
    assert site.drift("did:+1", ROUTES, routes(inbound_1="1", inbound_2="2")) == []
    (item,) = site.drift("did:+1", ROUTES, routes(inbound_1="1", inbound_2="3"))
    assert [attribute.name for attribute in item.attributes] == ["inbound_2/action 1 transfer"]


@pytest.mark.parametrize(
    ("name", "path", "held", "resource"),
    [
        ("USERS", "directory/default/1020.xml", users(u1020="a"), "agent:1020"),
        ("ROUTES", "dialplan/public/inbound_1.xml", routes(inbound_1="1"), "did:+1"),
    ],
)
def test_drift_knows_what_is_held_of_a_file_that_was_emptied(
    site: Site, name: str, path: str, held: bytes, resource: str
) -> None:
    site.hold(**{name: held})
    (item,) = site.drift(resource, path, b"<include>\n</include>\n")
    assert "the switch holds other values" in item.message
    assert item.attributes


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_user_that_somebody_wrote_into_our_file_may_stand_elsewhere(
    site: Site, action: str
) -> None:
    path = "directory/default/1020.xml"
    site.hold(OTHER_USERS=users(u1021="b"), USERS=users(u1020="a") if action == "update" else b"")
    proof = site.verify(
        (action, "agent:1020", path),
        written={path: users(u1020="a")} if action == "update" else {},
        before={path: users(u1020="x", u1021="b")},
        drifted=True,
    )
    assert proof.mismatches == ()


def test_a_deleted_user_that_somebody_took_out_of_our_file_must_be_gone(site: Site) -> None:
    site.hold(USERS=users(u1020="a"))
    path = "directory/default/1020.xml"
    changes = ("delete", "agent:1020", path)
    proof = site.verify(changes, written={}, before={path: users(u1021="b")}, drifted=True)
    assert told(proof) == [("agent:1020", "deleted, but the switch still holds the user")]
