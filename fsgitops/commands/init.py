"""`fsgitops init`: a new repository that works, and what its pipelines install."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from fsgitops import __version__
from fsgitops.commands.schema import read_schema
from fsgitops.durable import create_file, replace_file
from fsgitops.errors import UsageError
from fsgitops.expectation import READABLE
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.read_templates import packaged_templates
from fsgitops.visible import make_visible, to_json

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from fsgitops.routing.surroundings import Surroundings

SCHEMA_FILE = "schema/desired.schema.json"
SETTINGS_SCHEMA_FILE = "schema/settings.schema.json"


GITLAB_PIPELINES = "docs/ci/gitlab.yml"
OWN_WORKFLOWS = frozenset({"ci.yml", "release.yml"})
"""They test and release fsgitops itself: no part of a user's project."""

PIN_FILE = "fsgitops.txt"
RUN_LOCK = "requirements-run.lock"
PIN_HEAD = """\
# What the pipelines install, as pip reads it. The variable FSGITOPS_INSTALL names something else.
# What it needs is in requirements.txt, with hashes; take both from the same release.
"""
SCRIPT_FOLDERS = {"github": ".github/scripts", "gitlab": ".gitlab/scripts"}


NOTHING_YET = b"""\
# yaml-language-server: $schema=../schema/desired.schema.json
# Nothing is declared yet. `fsgitops import` declares what the conf directory has.
agents: []
"""
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Begun:
    """The paths that were written and those left as they were, and what the user must know."""

    written: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[str, ...]


def run_init(
    root: Path,
    *,
    templates: bool,
    pipelines: str,
    install: str | None,
    rewrite: bool,
    conf_dir: Path | None = None,
) -> Begun:
    """Write the example project below `root`; files that exist are left as they are.

    With `conf_dir`, its settings are those that this conf directory tells, and it declares
    nothing yet. Raises FsgitopsError or OSError where the directory cannot be read.

    `templates` copies the templates too, for projects that edit them; `pipelines` is `github`,
    `gitlab` or `none`. `install` is what the pipelines install (see `read_pin`); None for what
    this program was installed from. With `rewrite`, what an existing project installs becomes
    that. Raises UsageError when nothing is left to write, or `install` has no pipelines.
    """
    pin = find_pin() if install is None else read_pin(install)
    if rewrite and pipelines not in SCRIPT_FOLDERS:
        raise UsageError("--install says what the pipelines install: give --ci github or gitlab")
    folder = SCRIPT_FOLDERS.get(pipelines)
    pinned = pin.files(folder) if folder else {}
    files = dict(_files(pinned, templates=templates, pipelines=pipelines))
    found = _look_around(conf_dir) if conf_dir else None
    if conf_dir and found:
        files = {path: text for path, text in files.items() if not path.startswith("desired/")}
        name = root.resolve().name
        files[SETTINGS_FILE] = describe_target(conf_dir.resolve(), found, name).encode()
        files["desired/agents.yaml"] = NOTHING_YET
    written, left = _write(root, files, pinned if rewrite else ())
    notes = list(_find_above(root))[:1]
    notes += [f"to be done by hand: {need}" for need in found.needs] if found else []
    if f"{folder}/{PIN_FILE}" in written:
        notes += [f"{folder}/{PIN_FILE}: the pipelines install {pin.requirement}"]
        notes += [pin.note] if pin.note else []
    return Begun(tuple(written), tuple(left), tuple(notes))


def _find_above(root: Path) -> Iterator[str]:
    for above in root.resolve().parents:
        if os.path.lexists(above / SETTINGS_FILE):
            yield f"{above} is a project too; in {root} and below it, this one counts"


def _write(
    root: Path, files: Mapping[str, bytes], rewritten: Container[str]
) -> tuple[list[str], list[str]]:
    """Return the paths that were written, and those left. Raises UsageError where none is."""
    written: list[str] = []
    left: list[str] = []
    root.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        place = root / path
        if path in rewritten and place.is_file():
            replace_file(place, content)
        elif os.path.lexists(place):
            left.append(path)
            continue
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            create_file(place, content)
        written.append(path)
    if not written:
        raise UsageError(f"{root}: every file of the example exists here; nothing was written")
    return written, left


def _look_around(conf_dir: Path) -> Surroundings:
    from fsgitops.routing.surroundings import find_surroundings

    return find_surroundings(conf_dir)


def describe_target(conf_dir: Path, found: Surroundings, project: str) -> str:
    """Return settings with a target `prod` as a conf directory tells it, and why it is so."""
    sections: dict[str, list[tuple[str, str, str]]] = {"": [], "places": [], "esl": []}
    for name, value, reason in found.told:
        section, _, key = name.rpartition(".")
        sections[section].append((key, value, reason))
    if not found.value("domain"):
        why = next((need for need in found.needs if need.startswith("`domain`")), "")
        sections[""].insert(0, ("# domain", "pbx.example.com", why or "set the domain"))
    named = project if _PROJECT.fullmatch(project) else "pbx"
    lines = [
        "# yaml-language-server: $schema=schema/settings.schema.json",
        f"project: {json.dumps(named)}",
        "targets:",
        "  prod:",
        f"    conf_dir: {to_json(str(conf_dir))}",
    ]
    port = found.value("esl.port") or "8021"
    sections["esl"] = [
        ("host", "127.0.0.1", "on FreeSWITCH's own machine"),
        ("port", port, "`listen-port` of event_socket.conf, 8021 where it says none"),
        ("password", "{env: FSGITOPS_ESL_PASSWORD}", "never the password itself"),
    ]
    for section, items in sections.items():
        indent = "      " if section else "    "
        lines += [f"    {section}:"] if section and items else []
        for key, value, reason in items:
            text = value if section == "esl" else json.dumps(value)
            lines += [f"{indent}# {make_visible(reason)}", f"{indent}{key}: {text}"]
    return "\n".join(lines) + "\n"


def schema_text(name: str = "desired") -> str:
    """Return a JSON Schema (`fsgitops schema NAME`), as editors read it."""
    return to_json(read_schema(name, READABLE), indent=2) + "\n"


def _files(
    pinned: Mapping[str, bytes], *, templates: bool, pipelines: str
) -> Iterator[tuple[str, bytes]]:
    package = Path(str(resources.files("fsgitops")))
    example = package / "example"
    project = example if (example / SETTINGS_FILE).exists() else package.parent
    yield SETTINGS_FILE, (project / SETTINGS_FILE).read_bytes()
    for declared in sorted((project / "desired").rglob("*.yaml")):
        yield str(declared.relative_to(project)), declared.read_bytes()
    yield SCHEMA_FILE, schema_text().encode()
    yield SETTINGS_SCHEMA_FILE, schema_text("settings").encode()
    yield ".gitignore", (example / "gitignore").read_bytes()
    for path, place in _pipeline_files(example, project, pipelines):
        yield path, place.read_bytes()
    if folder := SCRIPT_FOLDERS.get(pipelines):
        lock = example / RUN_LOCK if project == example else project / RUN_LOCK
        yield f"{folder}/requirements.txt", lock.read_bytes()
    yield from pinned.items()
    if templates:
        for template in sorted(packaged_templates().glob("*.j2")):
            yield f"templates/{template.name}", template.read_bytes()


def _pipeline_files(example: Path, project: Path, pipelines: str) -> Iterator[tuple[str, Path]]:
    packaged = project == example
    ours = example if packaged else project / ".github"
    scripts = sorted((ours / "scripts").glob("*.*"))
    if pipelines == "github":
        for path in sorted((ours / "workflows").glob("*.*")):
            if path.name not in OWN_WORKFLOWS:
                yield f".github/workflows/{path.name}", path
        for path in scripts:
            yield f".github/scripts/{path.name}", path
    if pipelines == "gitlab":
        gitlab = example / "gitlab" if packaged else project / ".gitlab"
        yield ".gitlab-ci.yml", gitlab / "gitlab.yml" if packaged else project / GITLAB_PIPELINES
        shared = (path for path in scripts if path.suffix == ".sh")
        for path in (*shared, *sorted((gitlab / "scripts").glob("*.*"))):
            yield f".gitlab/scripts/{path.name}", path


_SHA256 = r"sha256=[0-9a-f]{64}"
_ADDRESS = r"https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~%+/-]+"
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?")
_ARCHIVE = re.compile(rf"{_ADDRESS}(\.whl|\.tar\.gz)#{_SHA256}")
_COMMIT = re.compile(rf"git\+{_ADDRESS}@[0-9a-f]{{40}}")
_WHEEL_NAME = re.compile(r"fsgitops-[0-9A-Za-z.]+-py3-none-any\.whl")

EXPECTED = (
    "a version (`0.1.0`), the address of a wheel or source archive with its hash "
    "(`https://…/fsgitops-0.1.0-py3-none-any.whl#sha256=…`), a repository with a commit "
    "(`git+https://…@…`, 40 digits), or the path of a wheel"
)


@dataclass(frozen=True, slots=True)
class Pin:
    """What the pipelines install, as one line of a pip requirements file.

    `wheel` is the name and content of a wheel that goes into the project, None where pip fetches
    one; the requirement then begins with `{folder}/`. `note` says what stands in the way.
    """

    requirement: str
    wheel: tuple[str, bytes] | None = None
    note: str = ""

    def files(self, folder: str) -> dict[str, bytes]:
        """Return the files for pipelines whose scripts are in `folder` of the project."""
        line = f"{folder}/{self.requirement}" if self.wheel else self.requirement
        wheel = {f"{folder}/{self.wheel[0]}": self.wheel[1]} if self.wheel else {}
        return {f"{folder}/{PIN_FILE}": f"{PIN_HEAD}{line}\n".encode(), **wheel}


def read_pin(text: str) -> Pin:
    """Return what `--install` asks for. Raises UsageError for anything not tied down."""
    if _VERSION.fullmatch(text):
        return Pin(f"fsgitops=={text}")
    if _ARCHIVE.fullmatch(text) or _COMMIT.fullmatch(text):
        return Pin(f"fsgitops @ {text}")
    path = Path(text)
    if text.endswith(".whl") and "://" not in text:
        if not path.is_file():
            raise UsageError(f"{text}: there is no such wheel")
        return _pin_wheel(path)
    raise UsageError(f"--install `{text}`: expected {EXPECTED}")


def find_pin() -> Pin:
    """Return what this very program was installed from.

    pip leaves that in `direct_url.json` (PEP 610) unless it came from an index by its version. A
    folder, a file that is gone, or an address that is not tied down becomes the version, with a
    note.
    """
    said = _direct_url()
    if said is None:
        return Pin(f"fsgitops=={__version__}")
    url = str(said.get("url", ""))
    archive, repository = said.get("archive_info"), said.get("vcs_info")
    if isinstance(repository, dict):
        address = f"git+{url}@{repository.get('commit_id', '')}"
        if _COMMIT.fullmatch(address):
            return Pin(f"fsgitops @ {address}")
    if isinstance(archive, dict):
        digest = _digest(archive)
        if _ARCHIVE.fullmatch(f"{url}#sha256={digest}"):
            return Pin(f"fsgitops @ {url}#sha256={digest}")
        if url.startswith("file://"):
            return _pin_local_file(Path(unquote(urlsplit(url).path)), digest)
    if url.startswith("file://"):
        return _unpinned("from a folder of this machine")
    return _unpinned("from an address without a hash or a commit, or one that needs a login")


def _pin_local_file(path: Path, digest: str) -> Pin:
    try:
        pin = _pin_wheel(path)
    except (OSError, UsageError):
        return _unpinned("from a file that is gone by now, or that is no wheel")
    if digest and not pin.requirement.endswith(digest):
        return _unpinned("from a wheel that has changed since")
    return pin


def _pin_wheel(path: Path) -> Pin:
    if not _WHEEL_NAME.fullmatch(path.name):
        raise UsageError(f"{path}: expected a wheel of fsgitops (`fsgitops-…-py3-none-any.whl`)")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Pin(f"{path.name} --hash=sha256:{digest}", (path.name, data))


def _unpinned(where: str) -> Pin:
    note = (
        f"This fsgitops was installed {where}. Pipelines cannot install that.\n"
        f"Check that `pip install fsgitops=={__version__}` works for them, or begin again with "
        "`fsgitops init --install` and what they can install."
    )
    return Pin(f"fsgitops=={__version__}", note=note)


def _direct_url() -> dict[str, object] | None:
    try:
        text = metadata.distribution("fsgitops").read_text("direct_url.json")
        said = json.loads(text) if text else None
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def _digest(archive: dict[str, object]) -> str:
    """Return the SHA-256 of an archive, in either form that PEP 610 has; empty without one."""
    hashes = archive.get("hashes")
    if isinstance(hashes, dict) and isinstance(hashes.get("sha256"), str):
        return str(hashes["sha256"])
    name, _, value = str(archive.get("hash", "")).partition("=")
    return value if name == "sha256" else ""
