"""Look-ups in a loaded tree, answered as FreeSWITCH answers them.

Follows `switch_xml_locate_user`, `switch_xml_merge_user`, `switch_xml_toxml_r` (`src/switch_xml.c`)
and `user_data` (`mod_commands`) of FreeSWITCH 1.11. Every look-up takes the first match in document
order: the first section and domain of that name, the first `<users>` of each group, and only then
what stands directly in the domain.

What is printed has no self-closing tags, two more spaces for each level on top of the white space
that is already there, and characters outside ASCII as references.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.routing.tree import Element, fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_KINDS = {"params": "param", "variables": "variable", "profile-variables": "variable"}


class Directory:
    """The directory section of one tree, indexed as it is asked for. Cheap to make."""

    def __init__(self, root: Element) -> None:
        self._section = root.find("section", "name", "directory")
        self._indexes: dict[tuple[int, str], dict[str, tuple[int, LocatedUser]]] = {}

    def domain(self, name: str) -> Element | None:
        """Return the first `<domain>` of that name."""
        return self._section.find("domain", "name", name) if self._section else None

    def user(self, name: str, domain: str, key: str = "id") -> LocatedUser | None:
        """Return the user that FreeSWITCH finds, by `id` (or number alias) or another attribute.

        A match by id counts even where the user is a pointer, and a user whose `type` is
        anything but `pointer` matches every name: so does FreeSWITCH see it.
        """
        home = self.domain(domain)
        if home is None:
            return None
        token = (id(home), fold(key))
        if token not in self._indexes:
            self._indexes[token] = _index_users(home, key)
        index = self._indexes[token]
        candidates = [index[at] for at in (f"={fold(name)}", "*") if at in index]
        return min(candidates, key=lambda item: item[0])[1] if candidates else None


def descend(parent: Element | None, *tags: str) -> list[Element]:
    """Return what stands at a path of tags, through the first of each; nothing below None."""
    for tag in tags[:-1]:
        parent = parent.child(tag) if parent else None
    return parent.all(tags[-1]) if parent else []


def walk_users(domain: Element) -> Iterator[tuple[Element, Element | None]]:
    """Yield the users of a domain that a look-up passes, in its order, and the group of each."""
    for group in descend(domain, "groups", "group"):
        for user in descend(group, "users", "user"):
            yield user, group
    for user in (domain.child("users") or domain).all("user"):
        yield user, None


def list_keys(user: Element, key: str = "id") -> Iterator[str]:
    """Yield `=name` for each name that finds a user, and `*` for one that any name finds."""
    attributes = user.attributes
    for attribute in ("id", "number-alias") if fold(key) == "id" else (key,):
        if attribute in attributes:
            yield f"={fold(attributes[attribute])}"
    if fold(attributes.get("type", "pointer")) != "pointer":
        yield "*"


def _index_users(domain: Element, key: str) -> dict[str, tuple[int, LocatedUser]]:
    """Map each key to the first user that it finds, and to its place in the order."""
    index: dict[str, tuple[int, LocatedUser]] = {}
    for number, (user, group) in enumerate(walk_users(domain)):
        for token in list_keys(user, key):
            index.setdefault(token, (number, LocatedUser(user, group, domain)))
    return index


class LocatedUser(NamedTuple):
    """A user together with the group and domain whose parameters and variables it inherits."""

    element: Element
    group: Element | None
    domain: Element

    def attribute(self, name: str) -> str:
        """Return an attribute of the merged user, or nothing."""
        if name == "domain-name" and self.domain.attributes.get("name"):
            return self.domain.attributes["name"]
        return self.element.attributes.get(name, "")

    def value(self, container: str, name: str) -> str | None:
        """Return a value of `params`, `variables` or `profile-variables`; None: there is none.

        Of several in the user itself the last counts; the group's and the domain's count only
        where the user has none of that name.
        """
        wanted = fold(name)
        own = _values(self.element, container).get(wanted)
        if own:
            return own[-1]
        for parent in (self.group, self.domain):
            if found := _values(parent, container).get(wanted):
                return found[0]
        return None


@lru_cache(maxsize=1024)
def _values(parent: Element | None, container: str) -> Mapping[str, Sequence[str]]:
    """Return the values by name of the first such container of a user, group or domain."""
    found: dict[str, list[str]] = {}
    for item in descend(parent, container, _KINDS[container]):
        attributes = item.attributes
        if "name" in attributes and "value" in attributes:
            found.setdefault(fold(attributes["name"]), []).append(attributes["value"])
    return found


def locate(
    root: Element, section: str, tag: str | None = None, attribute: str = "", value: str = ""
) -> Element | None:
    """Return what `xml_locate SECTION [TAG ATTRIBUTE VALUE]` prints; None: nothing found."""
    found = root.find("section", "name", section)
    if found is None or tag is None:
        return found
    return found.find(tag, attribute, value)


PIECE = 65536
"""Characters, about, of a piece of what is printed."""
_INDENT = "  "
# `&<>` and the line end, or all that is not ASCII; said by what they are not, as in tree.py.
_SPECIAL_TEXT = re.compile(r"[^\x00-\x0c\x0e-%'-;=?-\x7f]")
_SPECIAL_ATTRIBUTE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-!#-%'-;=?-\x7f]")
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#xA;",
    "\t": "&#x9;",
    "\r": "&#xD;",
}


def serialise(element: Element, depth: int = 0) -> bytes:
    """Return the element and all below it as the switch would print them, `depth` levels deep."""
    return b"".join(print_pieces(element, depth))


def print_pieces(element: Element, depth: int = 0) -> Iterator[bytes]:
    """Yield what `serialise` returns in pieces, so that nobody holds all of a directory."""
    out = _Output()
    for _ in _write(element, out, depth):
        if out.size >= PIECE:
            yield out.take()
    yield out.take()


def print_attribute(value: str) -> str:
    """Return an attribute's value as the switch prints it between its quotes."""
    return _escape(value, _SPECIAL_ATTRIBUTE)


class _Output:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0
        self.last = ""

    def add(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.size += len(text)
            self.last = text[-1]

    def take(self) -> bytes:
        taken = "".join(self.parts).encode("utf-8", "surrogateescape")
        self.parts.clear()
        self.size = 0
        return taken


def _write(element: Element, out: _Output, top: int) -> Iterator[None]:
    """Write depth first with a stack of our own: a hostile file may nest a million deep.

    Yields after each element, where a piece may end.
    """
    if _write_whole(element, out, top):
        return
    stack = [(element, 0, iter(element.children))]
    while stack:
        parent, start, children = stack.pop()
        child = next(children, None)
        depth = top + len(stack)
        if child is None:
            out.add(_escape(parent.text[start:], _SPECIAL_TEXT))
            _close(parent, out, depth)
            continue
        # A length of nothing means "all of it" to the original, so text is printed twice there.
        end = child.offset if child.offset > start else len(parent.text)
        out.add(_escape(parent.text[start:end], _SPECIAL_TEXT))
        stack.append((parent, child.offset, children))
        if not _write_whole(child, out, depth + 1):
            stack.append((child, 0, iter(child.children)))
        yield


def _write_whole(element: Element, out: _Output, depth: int) -> bool:
    """Write an element of which no more is to come; False: only its start, its children follow."""
    printed = element.printed(depth)
    if printed is not None:
        out.add("\n" + printed if out.last == ">" else printed)
        return True
    _open(element, out, depth)
    if element.children:
        return False
    out.add(_escape(element.text, _SPECIAL_TEXT))
    _close(element, out, depth)
    return True


def _open(element: Element, out: _Output, depth: int) -> None:
    if out.last == ">":
        out.add("\n")
    out.add(_INDENT * depth + f"<{element.name}")
    for name, value in element.attributes.items():
        out.add(f' {name}="{print_attribute(value)}"')
    out.add(">")


def _close(element: Element, out: _Output, depth: int) -> None:
    if out.last == "\n":
        out.add(_INDENT * depth)
    out.add(f"</{element.name}>\n")


def _escape(text: str, special: re.Pattern[str]) -> str:
    if special.search(text) is None:
        return text
    markup = text.find("<!")
    if markup < 0:
        return special.sub(_reference, text)
    return special.sub(_reference, text[:markup]) + text[markup:]


def _reference(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or ("" if "\ud800" <= char <= "\udfff" else f"&#x{ord(char):X};")
