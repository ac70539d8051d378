"""No secret leaves: known ones are planted, every byte that is written is searched for them."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
import subprocess
import sys
import traceback
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from leak_search import ESL_PASSWORD, MARK, Search, all_secrets
from planted_leaks import PLANTED_LEAKS
from secret_sources import EXTENSIONS, Planted, plant_secrets

import fsgitops
from fsgitops.cli import COMMANDS, cli
from fsgitops.secret.key import new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from project import Project

PACKAGE = Path(fsgitops.__file__).parent
# What fsgitops was given secrets in, and never writes to.
GIVEN = ("desired/", "outside/", ".fsgitops/key", ".fsgitops/age-identity")


@pytest.fixture
def planted(project: Project, monkeypatch: pytest.MonkeyPatch) -> Planted:
    found = plant_secrets(project, monkeypatch, MARK)
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", ESL_PASSWORD)
    monkeypatch.setenv("FSGITOPS_ESL_PORT", "1")
    (project.root / "conf").mkdir()
    return found


def run_everything(project: Project) -> Iterator[tuple[str, bytes]]:
    """Run every command in every format, and yield what each printed."""
    plan = str(project.root / "saved-plan.json")
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        for words in commands(project, plan):
            ran = project.run(*words)
            yield " ".join(words), (ran.out + ran.err).encode()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    yield "logs at debug level", log.getvalue().encode()


def formats_of(name: str) -> Sequence[str]:
    """Return what a command's `--format` offers, where it has one."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    for option in found.params:
        if option.name == "format" or "--format" in option.opts:
            return tuple(getattr(option.type, "choices", ()))
    return ()


def commands(project: Project, plan: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of one command after the other, from the first plan to broken YAML."""
    yield from before_an_apply()
    yield from applies(project, plan)
    yield from what_is_live(project)
    yield from moves_of_keys(project)
    yield from broken_secrets(project, plan)


def before_an_apply() -> Iterator[tuple[str, ...]]:
    for form in ((), ("--json",)):
        yield ("validate", *form)
        yield ("plan", *form)
        yield ("plan", "--target", "image", *form)
        yield ("doctor", *form)
        yield ("doctor", "--target", "image", *form)
        yield ("key", "status", *form)
        for kind in EXTENSIONS.values():
            yield ("credentials", kind, *form)
    for form in ("js", "linphone", "json", "text"):
        yield ("credentials", "2100", "--format", form)
    for name in ("plan", "validate", "apply"):
        for form in formats_of(name):
            yield (name, "--format", form)


def applies(project: Project, plan: str) -> Iterator[tuple[str, ...]]:
    agents = project.root / "desired" / "agents.yaml"
    given = agents.read_text()
    yield ("plan", "--out", plan)
    yield ("apply", plan, "--json")
    yield ("apply", "--yes")
    agents.write_text(given.replace("name: derived", "name: derived, password_version: 2"))
    yield ("plan", "--json")
    yield ("apply", "--yes", "--json")
    agents.write_text(given)
    drifted = project.conf / "directory/default/2101.xml"
    if drifted.exists():
        drifted.write_bytes(drifted.read_bytes().replace(b"a1-hash", b"password"))
    yield ("plan",)
    yield ("plan", "--json")
    yield ("apply", "--yes")
    yield ("apply", "--yes", "--target", "image")
    yield ("apply", "--yes", "--target", "image", "--no-reload")


def what_is_live(project: Project) -> Iterator[tuple[str, ...]]:
    state = str(project.root / "state.json")
    yield ("export-state", "--out", state)
    for form in ((), ("--json",)):
        yield ("plan", "--against", state, *form)
        yield ("lint", *form)
        yield ("lint", "--dialplan", *form)
        yield ("fmt", "--check", *form)
        yield ("diff", "HEAD", *form)
        yield ("drift", *form)
        yield ("layout", "sharded", *form)
        yield ("list", *form)
        yield ("get", "agent", "1020", *form)
        yield ("trace", "+19495431333", *form)
        yield ("test", "--coverage", *form)
        yield ("trace", "1020", "--as", "1021", "--verbose", *form)
        yield ("graph", "--all", *form)
        yield ("numbers", *form)
        yield ("history", *form)
        yield ("show", "1", *form)
        yield ("show", "2", *form)
        yield ("rollback", "1", "--yes", "--allow", "updates", *form)
    for form in ((), ("--json",)):
        yield ("status", *form)
        yield ("registrations", *form)
        yield ("calls", *form)
        yield ("dial", "2100", "+18005551234", *form)
        yield ("hangup", "u", *form)
        yield ("transfer", "u", "2100", *form)
        yield ("kick", "2100", *form)
        yield ("token", "list", *form)


def moves_of_keys(project: Project) -> Iterator[tuple[str, ...]]:
    yield ("release", "agent:2100")
    yield ("plan", "--json")
    yield ("adopt", "directory/default/2100.xml", "--yes")
    yield ("import", "--dry-run")
    yield ("import", "--out", "desired/more", "--json")
    yield ("export", "--csv")
    yield ("export", "agents", "--csv", "--output", str(project.root / "agents.csv"))
    yield ("import", "--csv", str(project.root / "agents.csv"), "--out", "desired/table", "--json")
    yield ("compile", "--out", str(project.root / "conf" / "image"))
    yield ("key", "rotate", "--start", "--groups", "env")
    yield ("plan",)
    yield ("key", "rotate", "--everyone")
    yield ("key", "rotate", "--finish")
    yield ("key", "new", "--file", str(project.root / ".fsgitops" / "key-too"))
    yield ("secret", "keygen")


def broken_secrets(project: Project, plan: str) -> Iterator[tuple[str, ...]]:
    agents = project.root / "desired" / "agents.yaml"
    given = agents.read_text()
    agents.write_text(given.replace('{"plaintext": true, "value":', '{"plaintext": 1, "value":'))
    yield ("validate", "--json")
    agents.write_text(given.replace('{"plaintext": true, "value":', '{"value":'))
    yield ("validate",)
    agents.write_text(re.sub(r'\{"plaintext": true, "value": ("[^"]*")\}', r"\1", given))
    yield ("validate",)
    yield ("plan", "--json")
    yield from (("validate",), ("lint",), ("export-state",), ("export-state", "--json"))
    agents.write_text(given)
    for form in ((), ("--json",)):
        yield ("lint", *form)
        yield ("diff", plan, *form)
        yield ("explain", "agent:2100", *form)
        yield ("export-state", *form)
    yield ("schema",)
    yield ("fmt", "--diff")
    yield ("fmt",)
    agents.write_text(given)


# A roll-back needs the bytes that stood there, so a revision keeps them, as protected as there.
_PROTECTED = r"(\.fsgitops/sandbox/)?conf/((?!\.fsgitops/)|\.fsgitops/revisions/[0-9]+/before/)"


def written_files(root: Path) -> Iterator[tuple[str, bytes, bool]]:
    """Yield every file that fsgitops wrote, and whether it is in a conf directory."""
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not name.startswith(GIVEN):
            inside = re.match(_PROTECTED, name) is not None
            yield name, path.read_bytes(), inside


def find_leaks(project: Project, planted: Planted) -> Iterator[str]:
    """Run everything, and yield every place where a secret was found."""
    plain, hashes = all_secrets(planted)
    anywhere, conf_dir = Search({**plain, **hashes}), Search(plain)
    for where, data in run_everything(project):
        yield from anywhere.find(where, data)
    for name, data, inside in written_files(project.root):
        yield from (conf_dir if inside else anywhere).find(name, data)


def test_no_command_writes_a_secret_anywhere(project: Project, planted: Planted) -> None:
    assert list(find_leaks(project, planted)) == []


def test_every_command_is_searched(project: Project, planted: Planted) -> None:
    ran = {words[0] for words in _names(project)}
    # The first three know no secret of a project; what `api` answers has tests of its own.
    elsewhere = {"completion", "explain", "init", "sandbox", "schema", "api"}
    assert set(COMMANDS) - elsewhere - ran == set()


def _names(project: Project) -> Iterator[tuple[str, ...]]:
    project.prepare("apply", "--yes")
    yield from commands(project, "plan.json")


def test_the_hashes_stand_in_the_conf_directory_so_the_search_is_able_to_find(
    project: Project, planted: Planted
) -> None:
    project.run("apply", "--yes")
    _, hashes = all_secrets(planted)
    found = [
        hit
        for name, data, inside in written_files(project.root)
        if inside
        for hit in Search(hashes).find(name, data)
    ]
    assert len(found) == 2 * len(EXTENSIONS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.sweep if name in ("log", "file") else ())
        for name in PLANTED_LEAKS
    ],
)
def test_a_leak_that_is_planted_on_purpose_is_found(
    project: Project, planted: Planted, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plant, found = PLANTED_LEAKS[name]
    plant(monkeypatch)
    assert next(find_leaks(project, planted), None) == found


ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "plain": lambda data: data.decode(),
    "base64": lambda data: base64.b64encode(data).decode(),
    "urlsafe base64": lambda data: base64.urlsafe_b64encode(data).decode(),
    "hex": lambda data: data.hex(),
    "HEX": lambda data: data.hex().upper(),
    "url": lambda data: urllib.parse.quote(data),
    "form": lambda data: urllib.parse.quote_plus(data),
    "json": lambda data: json.dumps(data.decode()),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_search_finds_a_secret_however_it_is_spelled(planted: Planted, name: str) -> None:
    plain, _ = all_secrets(planted)
    search = Search(plain)
    for kind, secret in planted.passwords.items():
        told = ENCODINGS[name](b"x" + secret.encode() + b"yz")
        assert search.find(kind, told.encode())


def test_reveal_shows_the_secrets_on_stdout_alone_and_logs_only_that_it_did(
    project: Project, planted: Planted
) -> None:
    plain, hashes = all_secrets(planted)
    for kind, extension in EXTENSIONS.items():
        ran = project.run("credentials", extension, "--reveal", "--json")
        assert Search(plain).find(kind, json.dumps(ran.json(), ensure_ascii=False).encode())
        assert Search({**plain, **hashes}).find("stderr", ran.err.encode()) == []
    log = project.root / ".fsgitops" / "audit.jsonl"
    assert len(log.read_text().splitlines()) == len(EXTENSIONS)
    assert Search({**plain, **hashes}).find("audit log", log.read_bytes()) == []


def test_a_traceback_shows_no_secret_not_even_with_local_values(
    project: Project, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsgitops.workspace import secrets

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(secrets, "identify_source", fail)
    with pytest.raises(RuntimeError) as caught:
        project.run("plan")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in shown.stack if Path(frame.filename).is_relative_to(PACKAGE)]
    told = "".join(traceback.StackSummary.from_list(frames).format())
    plain, _ = all_secrets(planted)
    assert Search(plain).find("traceback", told.encode()) == []
    assert "secret = ***" in told


def test_a_process_that_dies_shows_no_secret(project: Project, planted: Planted) -> None:
    code = (
        "import sys, fsgitops.steps.plan as plan\n"
        "plan.compare_config = None\n"
        "from fsgitops.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, "-C", str(project.root), "plan"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    plain, hashes = all_secrets(planted)
    assert done.returncode == 1
    assert b"Traceback" in done.stderr
    assert Search({**plain, **hashes}).find("stderr", done.stdout + done.stderr) == []


def test_the_next_key_is_never_printed(
    project: Project, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    upcoming = new_key()
    monkeypatch.setenv("FSGITOPS_KEY_NEXT", upcoming)
    project.run("key", "rotate", "--start", "--everyone")
    stored = (project.root / ".fsgitops" / "key.next").read_text().strip()
    search = Search({"next key": upcoming, "stored key": stored})
    for words in (("plan",), ("plan", "--json"), ("key", "status"), ("doctor", "--json")):
        ran = project.run(*words)
        assert search.find(" ".join(words), (ran.out + ran.err).encode()) == []
