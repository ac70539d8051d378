"""What the switch answers to `xml_locate`: the users and extensions that it holds in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.errors import SwitchProtocolError
from fsgitops.routing.fragment import flatten_fragment, quote_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class LoadedContext:
    """One dialplan `<context>` as the switch holds it; empty where it holds none.

    Extensions go by the names that `flatten_fragment` gives them.
    """

    def __init__(self, answer: bytes | None) -> None:
        self._extensions: dict[str, Any] = {}
        if answer is not None:
            for extension in parse_answer(answer).iterchildren("extension"):
                self._extensions.setdefault(quote_name(extension.get("name", "")), extension)

    def names(self) -> Iterator[str]:
        """Yield the names of all loaded extensions."""
        return iter(self._extensions)

    def holds(self, name: str) -> bool:
        """Tell whether an extension of this name is loaded."""
        return name in self._extensions

    def flatten(self, names: Iterable[str]) -> dict[str, str]:
        """Return the named extensions as `flatten_fragment` does; absent ones are left out."""
        from lxml import etree

        flat: dict[str, str] = {}
        for name in names:
            if name in self._extensions:
                flat |= flatten_fragment(etree.tostring(self._extensions[name], with_tail=False))
        return flat


@dataclass(frozen=True, slots=True)
class Memory:
    """What the switch holds: users by id, contexts by name, and what `$${name}` stands for."""

    users: Mapping[str, Mapping[str, str]]
    contexts: Mapping[str, LoadedContext]
    expand: Callable[[str], str]


def find_users(domain: Any) -> Iterator[Any]:
    """Yield the users of a `<domain>` that a look-up passes, in the order in which it does."""
    for groups in domain.iterchildren("groups"):
        for group in groups.iterchildren("group"):
            users = group.find("users")
            if users is not None:
                yield from users.iterchildren("user")
    for users in domain.iterchildren("users"):
        yield from users.iterchildren("user")
    yield from domain.iterchildren("user")


def parse_answer(answer: bytes) -> Any:
    """Return the root element of an `xml_locate` answer. Raises SwitchProtocolError."""
    from lxml import etree

    if b"<!DOCTYPE" in answer:
        raise SwitchProtocolError("the switch's xml_locate answer declares a document type")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, recover=False
    )
    try:
        return etree.fromstring(answer, parser)
    except etree.XMLSyntaxError as problem:
        raise SwitchProtocolError(f"the switch's xml_locate answer is not XML: {problem}") from None
