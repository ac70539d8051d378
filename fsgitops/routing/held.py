"""What a switch holds of one file, beside what that file says: compared in both directions.

The file is the expectation, the constants of an own template included: what it says and the switch
does not hold is a difference, and so is what the switch holds and the file does not say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.routing.fragment import flatten_fragment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DIRECTIVE = "X-PRE-PROCESS "
_BRINGS_NOTHING = ("set", "exec-set", "stun-set", "env-set")
_GLOBAL = re.compile(r"\$\$\{([^{}]*)\}")


class Said(NamedTuple):
    """What one file says, as `flatten_fragment` names it, without its preprocessor lines.

    Not `whole` where a line of it brings in other text: what that says is not in the file.
    """

    values: Mapping[str, str]
    whole: bool


def read_said(content: bytes) -> Said:
    """Return what a file says. Raises FragmentError when it is not XML."""
    return said_of(flatten_fragment(content))


def said_of(flat: Mapping[str, str]) -> Said:
    """Return the same of a file that is flattened already."""
    directives = [name for name in flat if name.startswith(DIRECTIVE)]
    if not directives:
        return Said(flat, whole=True)
    whole = all(flat[name].partition(" ")[0].lower() in _BRINGS_NOTHING for name in directives)
    return Said(
        {name: value for name, value in flat.items() if not name.startswith(DIRECTIVE)}, whole
    )


def find_differences(
    said: Said, held: Mapping[str, str], expand: Callable[[str], str]
) -> Iterable[tuple[str, str | None, str | None]]:
    """Yield each name that differs, what the file says of it, expanded, and what is held of it.

    None is nothing. In the order of the file, and then what the switch holds beside it.
    """
    for name, value in said.values.items():
        wanted = expand(value)
        if held.get(name) != wanted:
            yield name, wanted, held.get(name)
    if said.whole:
        for name, value in held.items():
            if name not in said.values:
                yield name, None, value


class Globals:
    """What `$${name}` stands for on a switch, asked for once each."""

    def __init__(self, ask: Callable[[str], str | None]) -> None:
        self._ask = ask
        self._known: dict[str, str] = {}

    def expand(self, value: str) -> str:
        """Return a value as the preprocessor of that switch leaves it."""
        return _GLOBAL.sub(self._value, value) if "$${" in value else value

    def _value(self, match: re.Match[str]) -> str:
        name = match[1]
        if name not in self._known:
            self._known[name] = self._ask(name) or ""
        return self._known[name]
