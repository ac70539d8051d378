"""The homes, in the order in which they are loaded, and which of them a file is of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from fsgitops.errors import FsgitopsError
from fsgitops.homes.dialplan import DIALPLAN
from fsgitops.homes.directory import DIRECTORY
from fsgitops.homes.gateways import GATEWAYS

if TYPE_CHECKING:
    from fsgitops.homes.home import Home

HOMES: Final[tuple[Home, ...]] = (DIRECTORY, DIALPLAN, GATEWAYS)


@lru_cache(maxsize=4096)
def home_of(path: str) -> Home:
    """Return the home of a file. Raises FsgitopsError where there is none."""
    for home in HOMES:
        if home.has(path):
            return home
    raise FsgitopsError(
        f"{path}: this is no place for a file of fsgitops; if a later release wrote it, use that "
        "one, or `fsgitops release` the file"
    )
