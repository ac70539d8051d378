"""All rules over a dialplan, and their levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.routing.analysis.contexts import find_dead, find_missing, find_unentered
from fsgitops.routing.analysis.covered import find_shadowed
from fsgitops.routing.analysis.expressions import find_invalid
from fsgitops.routing.analysis.legs import find_open_gateways, find_open_legs, find_open_profiles
from fsgitops.routing.analysis.listening import find_listening
from fsgitops.routing.analysis.loops import find_loops
from fsgitops.routing.analysis.texts import find_slow, find_written
from fsgitops.routing.analysis.toll import find_toll_fraud
from fsgitops.routing.analysis.users import find_confined, find_unrung

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.routing.analysis.found import Found
    from fsgitops.routing.analysis.outline import Outline

_RULES: Final[tuple[Callable[[Outline], Iterator[Found]], ...]] = (
    find_missing, find_unentered, find_dead, find_invalid, find_open_gateways, find_open_profiles,
    find_open_legs, find_listening, find_unrung, find_confined, find_slow, find_written,
    find_shadowed, find_toll_fraud, find_loops,
)  # fmt: skip


def analyse(outline: Outline) -> list[Found]:
    """Return all that the rules find, what stands first in the dialplan first."""
    found = [item for rule in _RULES for item in rule(outline)]
    return sorted(found, key=lambda item: (item.inside is None, item.line, item.rule))
