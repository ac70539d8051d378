"""A project in a temporary directory, driven through the command line as a user drives it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fsgitops.cli import run

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
