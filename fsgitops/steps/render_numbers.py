"""The dialling plan of contexts as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.model.wording import Line
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsgitops.model.numbers import ContextNumbers, Ending, NumberClass, Numbers

HEAD: Final = ("NUMBERS", "WHERE IT ENDS", "EXTENSION")
_ORIGINS: Final = {
    "plan": "the files as the plan leaves them",
    "disk": "the files",
    "live": "the switch's memory",
}
_OUTSIDE: Final = "callers from outside"
_PLAIN: Final = frozenset("0123456789+*#x[")


class Table(NamedTuple):
    """The rows of one context, with what stands above and below them."""

    title: Line
    rows: Sequence[Sequence[str]]
    below: Sequence[Line]


def render_tables(numbers: Numbers) -> Iterator[Table]:
    """Yield a table for each context."""
    at = numbers.at.replace("T", " ")[:16]
    when = f", {at}" if at else ""
    for context in numbers.contexts:
        who = numbers.user or (_OUTSIDE if context.caller == "outside" else context.caller)
        title = f"Context {context.context}, dialled by {who}{when}, by {_ORIGINS[numbers.source]}"
        rows = [row for item in context.classes for row in _draw(item)]
        yield Table(Line(make_visible(title), "title"), rows, list(_conclude(context)))


def _draw(item: NumberClass) -> Iterator[Sequence[str]]:
    taker = f"{item.extension} ({item.place})" if item.place else item.extension
    first, *others = item.ends
    shown = item.numbers if _shows_example(item) else f"{item.numbers}, as {item.example}"
    told = first.end.told
    if item.unknown:
        told = f"{item.example} alone: {told}"
    yield shown, told, taker or "-"
    for other in others:
        yield "", f"or {_tell_way(other, first)}", ""
    if not item.complete:
        yield "", "or ways that are not followed", ""
    for why in item.unknown:
        yield "", f"not known of all at once: {why}", ""
    if item.tried:
        which = "all others" if item.count == item.tried + 1 else f"{item.tried} of the others"
        yield "", f"{which} were tried: they end likewise", ""


def _shows_example(item: NumberClass) -> bool:
    """Tell whether a reader sees from the numbers which ones they are."""
    return item.numbers[:1] in _PLAIN


def _tell_way(ending: Ending, first: Ending) -> str:
    """Return where a way ends, and what tells it from the first one."""
    own = {f"{ending.end.told}, and the call is answered", *first.assumed}
    told = f"{first.end.told}, and "
    apart = [text.removeprefix(told) for text in ending.assumed if text not in own]
    return f"{ending.end.told} ({'; '.join(apart)})" if apart else ending.end.told


def _conclude(context: ContextNumbers) -> Iterator[Line]:
    if context.caller != "outside":
        return
    if context.gateway == "yes":
        told = f"A caller from outside can make a gateway dial, as with {context.shortest}."
        yield Line(make_visible(told), "delete")
    elif context.gateway == "no":
        yield Line("No number that is dialled here from outside leads to a gateway.", "create")
    else:
        yield Line(
            "Whether a number that is dialled here from outside makes a gateway dial is not known: "
            "see the classes of which not all is known.",
            "update",
        )
