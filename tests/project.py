"""A project in a temporary directory, driven through the command line as a user drives it."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fsgitops.cli import run
from fsgitops.live.connect import RUNNING_FILE

KEY = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="

SETTINGS = """\
project: test
default_region: US
targets:
  image: {conf_dir: conf, domain: pbx.example.com}
"""

AGENTS = """\
agents:
  - {extension: 1020, name: Alice, caller_id_number: +19495431333, voicemail: true}
  - {extension: 1021, name: Bob, webrtc: true}
"""

ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what was printed; what names its format must be as `fsgitops schema` says."""
        data = json.loads(self.out)
        if len(self.out) < CHECKED_BYTES:
            check_output(data)
        return data


CHECKED_BYTES = 200_000
"""A validator in Python takes minutes over the plans of ten thousand changes."""


def check_output(data: Any) -> None:
    """Hold an output to its schema, without a field more or less at any level."""
    if isinstance(data, dict) and str(data.get("format", "")).startswith("fsgitops-"):
        _validator(data["format"].removeprefix("fsgitops-")).validate(data)


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft7Validator

    from fsgitops.commands.schema import read_schema
    from fsgitops.expectation import READABLE

    return Draft7Validator(close_schema(read_schema(name, READABLE)))


def close_schema(schema: Any) -> Any:
    """Return a schema that takes no field which it does not name."""
    if isinstance(schema, list):
        return [close_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close_schema(inner) for name, inner in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed["additionalProperties"] = False
    return closed


@dataclass
class Project:
    """A root directory, and the command line in it."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def write(self, path: str, text: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def run(self, *words: str) -> Ran:
        self.capsys.readouterr()
        code = run(["-C", str(self.root), *words])
        said = self.capsys.readouterr()
        return Ran(code, said.out, said.err)

    def prepare(self, *words: str) -> None:
        """Run a command that no test is about, or copy what it made of the very same files before.

        It is run where a switch hears of it that goes on running.
        """
        outside = "FSGITOPS_ESL_PORT" in os.environ or (self.conf.parent / RUNNING_FILE).exists()
        before = _read_tree(self.root)
        environment = tuple(item for item in os.environ.items() if item[0] != "PYTEST_CURRENT_TEST")
        case = (words, environment, tuple(before.items()))
        made = None if outside else _PREPARED.get(case)
        if made is not None:
            _write_tree(self.root, before, made)
            return
        ran = self.run(*words)
        assert ran.code == 0, ran.err
        if not outside and sum(len(content) for _, content in before.values()) < KEPT_BYTES:
            _PREPARED[case] = _read_tree(self.root)

    @property
    def conf(self) -> Path:
        return self.root / ".fsgitops" / "sandbox" / "conf"

    def tree(self, conf: Path | None = None) -> dict[str, bytes]:
        top = conf or self.conf
        return {
            str(path.relative_to(top)): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file() and ".fsgitops" not in path.relative_to(top).parts
        }


Tree = dict[str, tuple[int, bytes]]
"""Mode and content of each file and folder; of a link, what it leads to."""
KEPT_BYTES = 500_000
_PREPARED: dict[tuple[Any, ...], Tree] = {}


def _read_tree(root: Path) -> Tree:
    """Read all below a folder, folders before what is in them."""
    found: Tree = {}
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        content = b""
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(root))] = mode, content
    return found


def _write_tree(root: Path, before: Tree, after: Tree) -> None:
    """Make what is below a folder, and was read before, what it was afterwards."""
    for name in reversed([name for name in before if name not in after]):
        path = root / name
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, (mode, content) in after.items():
        if before.get(name) == (mode, content):
            continue
        path = root / name
        if stat.S_ISLNK(mode):
            path.unlink(missing_ok=True)
            path.symlink_to(os.fsdecode(content))
        elif stat.S_ISDIR(mode):
            path.mkdir(exist_ok=True)
            path.chmod(stat.S_IMODE(mode))
        else:
            path.write_bytes(content)
            path.chmod(stat.S_IMODE(mode))
