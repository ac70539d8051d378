"""What the switch answers to `xml_locate`: the users and extensions that it holds in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.errors import SwitchProtocolError
from fsgitops.routing.fragment import CONTEXT, flatten_fragment, quote_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class LoadedContext:
    """One dialplan `<context>` as the switch holds it; empty where it holds none.

    Extensions go by the names that `flatten_fragment` gives them.
    """

    def __init__(self, answer: bytes | None) -> None:
        self._extensions: dict[str, Any] = {}
        self._name = ""
        if answer is not None:
            root = parse_answer(answer)
            self._name = f"{CONTEXT} {quote_name(root.get('name', ''))}"
            for extension in root.iterchildren("extension"):
                self._extensions.setdefault(quote_name(extension.get("name", "")), extension)

    def names(self) -> Iterator[str]:
        """Yield the names of all loaded extensions."""
        return iter(self._extensions)

    def holds(self, name: str) -> bool:
        """Tell whether an extension of this name is loaded."""
        return name in self._extensions

    def flatten(self, names: Iterable[str]) -> dict[str, str]:
        """Return the named extensions as `flatten_fragment` does; absent ones are left out.

        `context NAME` among the names stands for the context itself.
        """
        from lxml import etree

        flat: dict[str, str] = {}
        for name in names:
            if name == self._name:
                flat[name] = CONTEXT
            elif name in self._extensions:
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


def flatten_element(element: Any) -> dict[str, str]:
    """Return what `flatten_fragment` does of an element of an answer."""
    from lxml import etree

    return flatten_fragment(etree.tostring(element, with_tail=False))


def context_of(path: str) -> str | None:
    """Return the context that a dialplan file of ours is loaded into; None: it is no such file.

    `dialplan/NAME/FILE.xml` stands in the context NAME, `dialplan/NAME.xml` is one of its own.
    """
    parts = path.split("/")
    return parts[1].removesuffix(".xml") if parts[0] == "dialplan" and len(parts) > 1 else None
