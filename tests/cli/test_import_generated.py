"""Whatever a conf directory says of its users: taken over, they and the calls to them stay."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import quoteattr

import pytest
from handmade_trees import DOMAIN, STOCK, included
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project import KEY, Project
from test_import import TARGET, handmade
from test_import_routes import number, outcome

from fsgitops.routing.call.load import load_disk
from fsgitops.routing.directory import Directory, descend, serialise, walk_users

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fsgitops.routing.directory import LocatedUser

WORDS = st.sampled_from(
    ["Alice", "Bob: Sales", "Zoë O'Hara", "a & b <c>", '"Q"', "$${hold_music}", ""]
)
NUMBERS = st.sampled_from(["1001", "+19495431333", "9495431333", "$${outbound_caller_id}", "x"])
VARIABLES: dict[str, st.SearchStrategy[str]] = {
    "toll_allow": st.sampled_from(["domestic,international,local", "local", "", "a, b"]),
    "accountcode": st.sampled_from(["1001", "example.com", "two words"]),
    "user_context": st.sampled_from(["default", "public"]),
    "effective_caller_id_name": WORDS,
    "effective_caller_id_number": NUMBERS,
    "outbound_caller_id_name": WORDS,
    "outbound_caller_id_number": NUMBERS,
    "callgroup": st.sampled_from(["sales", "sales,support", "a b"]),
    "hold_music": st.sampled_from(["$${hold_music}", "local_stream://moh", "/etc/passwd"]),
    "department": WORDS,
    "site_floor": WORDS,
    "default_gateway": st.just("carrier"),
    "record_stereo": st.sampled_from(["true", "false"]),
}
PARAMS: dict[str, st.SearchStrategy[str]] = {
    "password": st.sampled_from(["pw-one", "$${default_password}", """p&<w>"x'""", "1234"]),
    "a1-hash": st.sampled_from(["0123456789abcdef" * 2, "zz"]),
    "vm-password": st.sampled_from(["739182", "1001", "abc"]),
    "vm-enabled": st.sampled_from(["true", "false", "no"]),
    "vm-mailto": st.sampled_from(["alice@example.com", "no address"]),
    "vm-attach-file": st.sampled_from(["true", "false"]),
    "auth-acl": st.sampled_from(["office", "192.0.2.0/24"]),
    "dial-string": st.just("${sofia_contact(*/${dialed_user}@${dialed_domain})}"),
    "vm-convert-cmd": st.just("sox"),
}
USUAL = {
    "vm-email-all-messages": "false",
    "vm-attach-file": "false",
    "vm-keep-local-after-email": "true",
}
"""What FreeSWITCH takes where nothing is said (deliver_vm in mod_voicemail.c)."""
MARKERS = ("fsgitops_", "vm-enabled")
PLAIN = {"password": "a1-hash", "vm-password": "vm-a1-hash"}


class Tree(NamedTuple):
    """Users by their ids, each in the file of a number, and the expressions of public numbers."""

    users: tuple[tuple[str, int, dict[str, str], dict[str, str]], ...]
    dids: tuple[str, ...]


def some(of: Mapping[str, st.SearchStrategy[str]]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({}, optional=dict(of))


TREES = st.builds(
    Tree,
    st.lists(
        st.tuples(
            st.sampled_from(["1001", "1002", "1003", "101", "reception"]),
            st.integers(0, 2),
            some(PARAMS),
            some(VARIABLES),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda item: item[0],
    ).map(tuple),
    st.lists(
        st.sampled_from([r"^\+?1?(9495431333)$", r"^(9495431334|9495431335)$", r"^(949543.*)$"]),
        max_size=2,
        unique=True,
    ).map(tuple),
)


def write(project: Project, tree: Tree) -> Path:
    (project.root / "desired").mkdir(parents=True)
    files: dict[str, list[str]] = {}
    for name, file, params, variables in tree.users:
        alias = ' number-alias="1009"' if name == "reception" else ""
        lines = [f'  <user id="{name}"{alias}>', "    <params>"]
        lines += [f"<param name={quoteattr(n)} value={quoteattr(v)}/>" for n, v in params.items()]
        lines += ["    </params>", "    <variables>"]
        said = ((quoteattr(name), quoteattr(value)) for name, value in variables.items())
        lines += [f"<variable name={name} value={value}/>" for name, value in said]
        lines += ["    </variables>", "  </user>", ""]
        files.setdefault(f"directory/default/u{file}.xml", []).append("\n".join(lines))
    first = tree.users[0][0].replace("reception", "1009")
    for at, expression in enumerate(tree.dids):
        actions = ("set domain_name=$${domain}", f"transfer {first} XML default")
        text = number(expression, *actions, name=f"did{at}")
        files.setdefault("dialplan/public/10_numbers.xml", []).append(text)
    return handmade(project, {**STOCK, **{path: included("".join(t)) for path, t in files.items()}})


def everything(user: LocatedUser) -> dict[str, str]:
    """What FreeSWITCH acts on: all values of a user, its group and its domain, by name."""
    found = {}
    for box, tag in (("params", "param"), ("variables", "variable")):
        for parent in (user.element, user.group, user.domain):
            for item in descend(parent, box, tag):
                name = item.attributes["name"].lower()
                found[f"{tag} {name}"] = user.value(box, name) or ""
    return found


def read_users(conf: Path) -> dict[str, LocatedUser]:
    root = load_disk(conf, DOMAIN).root
    directory = Directory(root)
    home = directory.domain(DOMAIN)
    assert home is not None
    names = {user.attributes.get("id", "") for user, _ in walk_users(home)}
    found = {name: directory.user(name, DOMAIN) for name in names}
    return {name: user for name, user in found.items() if user is not None}


def differences(
    name: str, before: dict[str, str], after: dict[str, str], told: set[str]
) -> list[str]:
    """What is not as it was, and was not told."""
    wrong = []
    for key in sorted({*before, *after}):
        tag, _, bare = key.partition(" ")
        usual = USUAL.get(bare, "")
        now, then = (values.get(key, "") or usual for values in (before, after))
        if now == then or bare.startswith(MARKERS) or f"{bare}={then}" in told:
            continue
        if bare in ("toll_allow", "callgroup") and split(now) == split(then):
            continue
        hashed = PLAIN.get(bare)
        if hashed and not then:
            text = f"{name}:{DOMAIN}:{now}"
            made = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            held = before.get(f"{tag} {hashed}") or made
            if after.get(f"{tag} {hashed}") == held or "pin" in told:
                continue
        if bare in PLAIN.values() and (not now or "pin" in told):
            continue
        if bare.startswith("vm-") and after.get("param vm-enabled") == "false":
            continue  # nobody opens a mailbox that is not there; its PIN stands in the YAML
        wrong.append(f"{key}: {now!r} -> {then!r}")
    return wrong


def split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def check(project: Project, tree: Tree) -> None:
    conf = write(project, tree)
    before = read_users(conf)
    values = {name: everything(user) for name, user in before.items()}
    numbers = ["+19495431333", "9495431335", "1001"]
    ends = [outcome(project, each) for each in numbers]
    found = project.run("import", "--json", *TARGET).json()
    if not found["imported"]:
        return
    assert project.run("validate", *TARGET).code == 0
    assert project.run("fmt", "--check").code == 0
    for words in (
        ("adopt", ".", "--split", "--yes"),
        ("apply", "--yes", "--no-reload", "--allow", "updates"),
    ):
        ran = project.run(*words, *TARGET)
        assert ran.code == 0, ran.err
    assert "No changes to files" in project.run("plan", *TARGET).out
    after = read_users(conf)
    assert after.keys() == before.keys()
    told = {item["resource"]: set(item["changes"]) for item in found["imported"]}
    for pin in found["new_pins"]:
        told[f"agent:{pin['agent']}"].add("pin")
    for name, user in before.items():
        resource = f"agent:{user.element.attributes.get('number-alias', name)}"
        if resource in told:
            assert differences(name, values[name], everything(after[name]), told[resource]) == []
        else:
            assert serialise(after[name].element) == serialise(user.element)
    moved = ("transfer=", "no destination_number=")
    if not any(change.startswith(moved) for item in told.values() for change in item):
        assert [outcome(project, each) for each in numbers] == ends


@pytest.fixture
def examples(sweeps: bool) -> int:
    return 200 if sweeps else 4


def test_users_and_calls_stay_what_they_are(
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    examples: int,
) -> None:
    monkeypatch.setenv("FSGITOPS_KEY", KEY)

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(TREES)
    def each(tree: Tree) -> None:
        check(Project(tmp_path_factory.mktemp("tree"), capsys), tree)

    each()
