"""What a YAML file was parsed into is known by its bytes, and is what parsing it would give."""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING

import pytest
from project import KEY, Project

from fsgitops.secret.key import ProjectKey
from fsgitops.steps import load as loading
from fsgitops.steps.load import load_document
from fsgitops.workspace.cache import Cache
from fsgitops.workspace.trees import ROOM, Trees

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.model.document import Document

TEXTS = (
    "agents:\n  - {extension: 1020, name: Ann}\n  - extension: '1021'\n    name: |\n      Bö\n",
    "a: &x [1, ~, null, '']\nb: *x\nc: {<<: {d: 1}, e: 0x10}\nagents: []\n",
    "\ufeffdid_routes:\n- did_number: +19495431333 # it\n",
    "",
    "{}",
    "deep: " + "[" * 20 + "]" * 20 + "\n",
)


def open_trees(tmp_path: Path) -> Trees:
    key = ProjectKey(base64.b64decode(KEY))
    environ = {"XDG_CACHE_HOME": str(tmp_path / "xdg")}
    return Trees(Cache(tmp_path, key, environ, "trees", ROOM))


def load(tmp_path: Path, trees: Trees | None = None, path: str = "a.yaml") -> Document:
    document, findings = load_document(tmp_path, path, trees)
    assert findings == []
    assert document is not None
    return document


@pytest.mark.parametrize("text", TEXTS)
def test_a_file_that_is_known_is_what_it_is_when_it_is_parsed(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text)
    trees = open_trees(tmp_path)
    load(tmp_path, trees)
    trees.keep()
    parsed = {name: load(tmp_path, path=name) for name in ("a.yaml", "b.yaml")}
    with monkeypatch.context() as without:
        without.delattr(loading, "parse_file")
        known = {name: load(tmp_path, open_trees(tmp_path), name) for name in parsed}
    assert known == parsed
    for name, document in known.items():
        for path in ((), ("agents", 0, "name"), ("c", "e"), ("did_routes", 0, "did_number")):
            assert document.position(path) == parsed[name].position(path)
            assert document.has(path) == parsed[name].has(path)


def test_other_bytes_are_parsed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TEXTS[0])
    trees = open_trees(tmp_path)
    load(tmp_path, trees)
    trees.keep()
    (tmp_path / "a.yaml").write_text(TEXTS[0].replace("Ann", "Bob"))
    assert load(tmp_path, open_trees(tmp_path)).data["agents"][0]["name"] == "Bob"


def keep_one(text: str, root: Path) -> None:
    """Load a project of one file, and keep what may be kept."""
    (root / "a.yaml").write_text(text)
    trees = open_trees(root)
    load(root, trees)
    trees.keep()


@pytest.mark.parametrize(
    "text",
    [
        "agents:\n- {extension: 1020, password: {plaintext: true, value: Geheim}}\n",
        'agents:\n- {extension: 1020, password: {"\\x70laintext": true, value: Geheim}}\n',
        "agents:\n- {extension: 1020, variables: {site_api_token: Geheim}}\n",
        "agents:\n- {extension: 1020, variables: {site_pin: ok, account_pin: 773311}}\n",
        "agents:\n- {extension: 1020, variables: {site_x: 'a_password=Geheim'}}\n",
        "agents:\n- {extension: 1020, variables: {site_x: 0123456789abcdef0123456789ABCDEF}}\n",
        "pagings:\n- {params: [{name: site-x, value: 1}, {name: auth-key, value: Geheim}]}\n",
        "pagings:\n- {tokens: [one, two]}\n",
        "x-own: {site_Pa\u017f\u017fword: Geheim}\n",
        "x-own: {site_TO\u212aen: Geheim}\n",
        "x-own: {a/param: Geheim}\n",
        "x-own: {sip-PASS: Geheim}\n",
        'x-own: {"site_\\x61uth-key": Geheim}\n',
        'x-own: {site_x: "0123456789abcdef\\\n  0123456789ABCDEF"}\n',
        "x-own: {name: Auth-Key, value: Geheim}\n",
    ],
)
def test_a_file_with_a_secret_in_it_is_parsed_each_time(text: str, tmp_path: Path) -> None:
    keep_one(text, tmp_path)
    assert not (tmp_path / "xdg").exists()


@pytest.mark.parametrize(
    "text",
    [
        "agents:\n- {extension: 1020, password_version: 2, voicemail: {pin: {env: P}}}\n",
        "agents:\n- {extension: 1020, password: {env: AGENT_PASSWORD}, variables: {site_x: a=b}}\n",
        "menus:\n- {name: main, options: {1: sales, 2: Secret Garden}, none: }\n",
    ],
)
def test_a_file_that_only_names_secrets_is_kept(text: str, tmp_path: Path) -> None:
    keep_one(text, tmp_path)
    assert len(list((tmp_path / "xdg").glob("fsgitops/*/trees/*"))) == 1


@pytest.fixture
def cached(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the project's trees are kept."""
    monkeypatch.delenv("FSGITOPS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.root.parent / "xdg"))
    return project.root.parent / "xdg"


def test_a_plan_parses_the_file_that_has_changed_and_no_other(
    project: Project, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.run("plan")
    assert len(list(cached.glob("fsgitops/*/trees/*"))) == 2
    parsed: list[str] = []
    parse = loading.parse_file

    def note(path: str, data: bytes) -> object:
        parsed.append(path)
        return parse(path, data)

    monkeypatch.setattr(loading, "parse_file", note)
    assert project.run("plan") == first
    assert parsed == ["fsgitops.yaml"]
    routes = project.root / "desired/routes.yaml"
    routes.write_text(routes.read_text().replace("1020", "1021"))
    changed = project.run("plan")
    assert parsed == ["fsgitops.yaml"] * 2 + ["desired/routes.yaml"]
    assert changed == project.run("plan", "--no-cache")
    assert changed != first


@pytest.mark.parametrize("words", [("plan", "--no-cache"), ("apply", "--yes"), ("validate",)])
def test_nothing_is_kept_where_that_is_not_wanted(
    words: tuple[str, ...], project: Project, cached: Path
) -> None:
    assert project.run(*words).code == 0
    assert not cached.exists()


def test_nothing_is_kept_of_what_has_an_error(project: Project, cached: Path) -> None:
    project.write("desired/more.yaml", "agents:\n- {extension: 1040, name: D, password: Geheim}\n")
    assert project.run("plan").code == 3
    assert not cached.exists()


def test_a_tree_that_is_torn_is_parsed_anew(project: Project, cached: Path) -> None:
    first = project.run("plan")
    for path in cached.glob("fsgitops/*/trees/*"):
        content = bytearray(path.read_bytes())
        content[random.Random(1).randrange(len(content))] ^= 255
        path.write_bytes(content)
    assert project.run("plan") == first
