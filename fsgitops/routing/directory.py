"""Look-ups in a loaded tree, answered as FreeSWITCH answers them.

Follows `switch_xml_locate_user`, `switch_xml_merge_user` (`src/switch_xml.c`) and `user_data`
(`mod_commands`) of FreeSWITCH 1.11. Every look-up takes the first match in document order:
the first section and domain of that name, the first `<users>` of each group, and only then what
stands directly in the domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.routing.tree import Element, fold

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {"params": "param", "variables": "variable", "profile-variables": "variable"}


class Directory:
    """The directory section of one tree, indexed as it is asked for. Cheap to make."""

    def __init__(self, root: Element) -> None:
        self._section = root.find("section", "name", "directory")
        self._indexes: dict[tuple[int, str], dict[str, tuple[int, Element]]] = {}

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
        groups = home.child("groups")
        for group in groups.all("group") if groups else ():
            users = group.child("users")
            found = self._find(users, name, key) if users else None
            if found is not None:
                return LocatedUser(found, group, home)
        found = self._find(home.child("users") or home, name, key)
        return None if found is None else LocatedUser(found, None, home)

    def _find(self, container: Element, name: str, key: str) -> Element | None:
        token = (id(container), fold(key))
        index = self._indexes.get(token)
        if index is None:
            index = self._indexes[token] = _index_users(container, key)
        candidates = [index[at] for at in (f"={fold(name)}", "*") if at in index]
        return min(candidates, key=lambda item: item[0])[1] if candidates else None


def _index_users(container: Element, key: str) -> dict[str, tuple[int, Element]]:
    """Map `=name` to the first user so called, and `*` to the first that matches any name."""
    index: dict[str, tuple[int, Element]] = {}
    keys = ("id", "number-alias") if fold(key) == "id" else (key,)
    for number, user in enumerate(container.children):
        if user.name != "user":
            continue
        for attribute in keys:
            if attribute in user.attributes:
                index.setdefault(f"={fold(user.attributes[attribute])}", (number, user))
        if fold(user.attributes.get("type", "pointer")) != "pointer":
            index.setdefault("*", (number, user))
    return index


class LocatedUser:
    """A user together with the group and domain whose parameters and variables it inherits."""

    __slots__ = ("domain", "element", "group")

    def __init__(self, element: Element, group: Element | None, domain: Element) -> None:
        self.element = element
        self.group = group
        self.domain = domain

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
        own = [value for key, value in _values(self.element, container) if fold(key) == wanted]
        if own:
            return own[-1]
        for parent in (self.group, self.domain):
            for key, value in _values(parent, container):
                if fold(key) == wanted:
                    return value
        return None


def _values(parent: Element | None, container: str) -> Iterator[tuple[str, str]]:
    """Yield the named values of the first such container of a user, group or domain."""
    holder = parent.child(container) if parent is not None else None
    for item in holder.all(_KINDS[container]) if holder else ():
        attributes = item.attributes
        if "name" in attributes and "value" in attributes:
            yield attributes["name"], attributes["value"]


def find_extension(context: Element, name: str) -> Element | None:
    """Return the first extension of that name in a context."""
    return context.find("extension", "name", name)


def locate(
    root: Element, section: str, tag: str | None = None, attribute: str = "", value: str = ""
) -> Element | None:
    """Return what `xml_locate SECTION [TAG ATTRIBUTE VALUE]` prints; None: nothing found."""
    found = root.find("section", "name", section)
    if found is None or tag is None:
        return found
    return found.find(tag, attribute, value)
