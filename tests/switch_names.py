"""Gathers the names of variables that FreeSWITCH's source reads: see docs/variables.md.

`python tests/switch_names.py SOURCE` writes `fsgitops/model/switch_names.txt` anew.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.model.switch_names import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable

READS = re.compile(
    r"\b\w*(?:get_variable|var_true|var_false|get_header|variable_dup|etVariable|get_hold_music"
    r"|get_var)\w*\s*\(([^;{]{0,300})"
)
DEFINED = re.compile(r'#\s*define\s+(\w+)\s+"([A-Za-z_][\w:-]*)"')
QUOTED = re.compile(r'"([A-Za-z_][\w:-]*)"')
EXPANDED = re.compile(r"\$\{([A-Za-z_]\w*)\}|getVariable\(\s*[\"'](\w+)[\"']")
CODE = {".c", ".cpp", ".h", ".inc"}
TEXT = {".xml", ".lua", ".js", ".pl", ".py", ".tpl"}
TARGET = Path(__file__).parents[1] / "fsgitops" / "model" / "switch_names.txt"


def gather(source: Path) -> set[str]:
    """Return every name that some line may read, in small letters, families left out.

    A word with `_` counts wherever it is quoted: tables of names are read in loops.
    """
    names: set[str] = set()
    code = [path.read_text(errors="replace") for path in _files(source / "src", CODE)]
    defined = {name: value for text in code for name, value in DEFINED.findall(text)}
    for text in code:
        for arguments in READS.findall(text):
            names.update(QUOTED.findall(arguments))
            names.update(defined[word] for word in re.findall(r"\w+", arguments) if word in defined)
        names.update(word for word in QUOTED.findall(text) if "_" in word)
    for path in _files(source, TEXT):
        for pair in EXPANDED.findall(path.read_text(errors="replace")):
            names.update(pair)
    return {name.lower() for name in names if _counts(name.lower())}


def _counts(name: str) -> bool:
    family, underscore, _ = name.partition("_")
    return bool(re.fullmatch(r"[a-z]\w*", name)) and not (underscore and family in FAMILIES)


def _files(root: Path, kinds: set[str]) -> Iterable[Path]:
    kept = (path for path in sorted(root.rglob("*")) if path.suffix in kinds)
    return (path for path in kept if path.is_file() and not {"test", "tests"} & set(path.parts))


def write(names: set[str]) -> None:
    """Put the names into the file that holds them."""
    TARGET.write_text(textwrap.fill(" ".join(sorted(names)), 99) + "\n")


if __name__ == "__main__":
    write(gather(Path(sys.argv[1])))
