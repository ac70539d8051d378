"""The dialplan: the extensions of a context, one folder or file for each context."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from fsgitops.homes.home import Address, Flat, Home, Located
from fsgitops.routing.fragment import CONTEXT, flatten_element, quote_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.whereabouts import Cause, Whereabouts

# `NAME`, `NAME/FIELD`, `NAME@ATTRIBUTE`; a name that is more than a word stands in quotes.
_HEAD: Final = re.compile(r'[^"/@]*(?:"(?:[^"]|"")*"(?: #[0-9]+)?)?')


def _folders(address: Address) -> tuple[str, ...]:
    places = address.places
    return (places.dialplan, places.inbound, places.contexts)


def _place(path: str, address: Address) -> str:
    return address.places.context_of(path)


def _locate(place: str, _address: Address) -> Located:
    return Located("context", place)


def _inside(context: Any) -> Iterator[tuple[str, Any]]:
    for extension in context.iterchildren("extension"):
        yield quote_name(extension.get("name", "")), extension


def _rest(context: Any) -> Flat:
    """A file may hold the context itself, and is then the whole of it."""
    return {f"{CONTEXT} {quote_name(context.get('name', ''))}": CONTEXT}


def _split(said: Flat) -> tuple[dict[str, Flat], Flat]:
    elements: dict[str, dict[str, str]] = {}
    rest: dict[str, str] = {}
    for key, value in said.items():
        found = _HEAD.match(key)
        head = found[0] if found else key
        if head == key and value == "extension":
            elements[head] = {}
        elements.get(head, rest)[key] = value
    return dict(elements), rest


def _why(found: Whereabouts, path: str, name: str, address: Address) -> Cause | None:
    context = address.places.context_of(path)
    return found.explain_extension(path, name, context, whole=address.places.is_context(path))


def _where(places: Whereabouts, name: str, place: str, _address: Address) -> str:
    return places.find_extension(name, place)


DIALPLAN: Final = Home(
    name="dialplan",
    paths=tuple(f"dialplan{'/*' * deep}.xml" for deep in range(1, 5)),
    place=_place,
    section="dialplan",
    element="extension",
    folders=_folders,
    locate=_locate,
    inside=_inside,
    rest=_rest,
    flatten=flatten_element,
    split=_split,
    missing="the context {place} of the switch does not hold it",
    still="deleted, but the loaded dialplan still has its extension",
    why=_why,
    where=_where,
    counted="dialplan file",
    qualified=True,
)
