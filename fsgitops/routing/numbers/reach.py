"""Whether any number that can be dialled reaches something: proved, or the shortest that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsgitops.model.trace import Fate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fsgitops.model.trace import End
    from fsgitops.routing.numbers.explore import Share


class Reached(NamedTuple):
    """The shortest number that reaches something, and how it ends; what stands in the way of proof.

    Without `number` and `unknown`, it is proved that no number does.
    """

    number: str = ""
    end: End | None = None
    assumed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Tell whether it is certain that no number reaches it."""
        return not self.number and not self.unknown


def find_reached(shares: Iterable[Share], kinds: Collection[str] = ("gateway",)) -> Reached:
    """Tell whether a number reaches a goal of some kinds (`Goal.kind`), on any way.

    `shares` are all classes of the numbers that are meant (`Explorer.explore`).
    """
    found = Reached()
    unknown: dict[str, None] = {}
    for share in shares:
        unknown.update(dict.fromkeys(_list_unknown(share)))
        for way in share.plain:
            if not any(goal.kind in kinds for goal in way.end.goals):
                continue
            if not found.number or _rank(share.example) < _rank(found.number):
                found = Reached(share.example, way.end, way.assumed)
            break
    return found._replace(unknown=tuple(unknown))


def _rank(number: str) -> tuple[int, str]:
    return len(number), number


def _list_unknown(share: Share) -> Iterator[str]:
    yield from (f"{share.example}: {why}" for why in share.why if not share.settled)
    if not share.complete:
        yield f"{share.example} may take more ways than are followed"
    yield from (
        f"{share.example}: {way.end.told}" for way in share.plain if way.end.fate is Fate.UNKNOWN
    )
