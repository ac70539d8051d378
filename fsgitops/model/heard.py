"""Where the calls to each number ended when something was last applied.

Kept beside the manifest, as the hand-written files of then are gone once somebody edits them. It
holds what plans print, and no secret.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

HEARD_VERSION: Final = 1
Ways: TypeAlias = "tuple[tuple[str, str], ...]"
"""Each way of a call, the likeliest first: what it takes for granted, and where it ends."""


class Heard(NamedTuple):
    """Where calls to a number end.

    `context` is where they begin, "" where that is told by what calls from outside come in by.
    `ways` are those at one time of day; `whenever`, those at any, where that matters. `needs` are
    the users (`user:1020`) and the numbers (`number:…`) that this follows from.
    """

    number: str
    context: str
    ways: Ways
    whenever: Ways = ()
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hearings:
    """What is known of the calls to resources, and what it was found out from.

    `by_hand` is a keyed digest of the configuration without the files of fsgitops, `managed` the
    one of these. Other rules of evaluation (`rules`) may find something else.
    """

    by_hand: str
    managed: str
    rules: str
    calls: Mapping[Resource, Heard] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the bytes of its file: JSON, each end of calls once."""
        ends: dict[tuple[Ways, Ways], int] = {}
        calls = {
            str(resource): [
                heard.number,
                heard.context,
                ends.setdefault((heard.ways, heard.whenever), len(ends)),
                sorted(heard.needs),
            ]
            for resource, heard in sorted(self.calls.items())
        }
        data = {
            "version": HEARD_VERSION,
            "by_hand": self.by_hand,
            "managed": self.managed,
            "rules": self.rules,
            "ends": list(ends),
            "calls": calls,
        }
        return json.dumps(data, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> Hearings | None:
        """Return what `encode` wrote; None for anything else, as of another release."""
        try:
            read = json.loads(data)
            if read["version"] != HEARD_VERSION:
                return None
            ends = [(_read_ways(ways), _read_ways(whenever)) for ways, whenever in read["ends"]]
            calls = {
                Resource.parse(name): Heard(str(number), str(context), *ends[end])._replace(
                    needs=frozenset(map(str, needs))
                )
                for name, (number, context, end, needs) in read["calls"].items()
            }
            return cls(str(read["by_hand"]), str(read["managed"]), str(read["rules"]), calls)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            return None


def _read_ways(data: Any) -> Ways:
    return tuple((str(case), str(end)) for case, end in data)
