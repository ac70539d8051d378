"""Where the users and extensions of a conf directory stand, in the order of a look-up.

The files on disk are read as FreeSWITCH reads them (preprocess.py, tree.py, directory.py), and each
element keeps the file and line that it was written at. So it can be told why a look-up finds
something else than what a file of ours says.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.routing.directory import descend, list_keys, walk_users
from fsgitops.routing.glob import Ours
from fsgitops.routing.merged import SourceLine
from fsgitops.routing.places import find_gateways as list_gateways
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import Element, XmlSyntaxError, fold, parse
from fsgitops.routing.veil import Veil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fsgitops.routing.merged import MergedConfig


@dataclass(frozen=True, slots=True)
class UserPlace:
    """One `<user>`: where it was written, and where it stands.

    A `pointer` holds nothing, and nobody can register as it (sofia_reg_parse_auth). `searched` is
    False where no look-up goes (docs/freeswitch.md, "Directory"). `group` is "" for a user that
    stands in no group; `at` is the line of the merged text.
    """

    file: str
    line: int
    domain: str
    group: str
    pointer: bool
    searched: bool
    at: int

    def __str__(self) -> str:
        kind = "pointer" if self.pointer else "user"
        where = f" of group {self.group}" if self.group else ""
        return f"{self.file}:{self.line} (a {kind}{where})"


_NOWHERE = SourceLine("", 0)


class Cause(NamedTuple):
    """Why a look-up does not find what a file says, and what to do about it."""

    cause: str
    remedy: str


class _User(NamedTuple):
    element: Element
    domain: str
    group: str
    searched: bool


class Whereabouts:
    """The places of all users and extensions of one merged configuration.

    `root` is its tree, where it is parsed already; where it cannot be, nothing is known of it.
    What the preprocessor brought into names is shown as far as it is no secret (veil.py).
    """

    def __init__(self, merged: MergedConfig, root: Element | None = None) -> None:
        self._merged = merged
        self._text = merged.text
        self._root = root
        self._veil = Veil(merged.variables)

    def domains(self) -> list[str]:
        """Return the names of the directory's domains, in order."""
        found = descend(self._directory, "domain")
        return list(dict.fromkeys(item.attributes.get("name", "") for item in found))

    def domain_file(self, name: str) -> str:
        """Return the file in which a domain begins; of none of this name, the first one's."""
        found = list(descend(self._directory, "domain"))
        same = [item for item in found if fold(item.attributes.get("name", "")) == fold(name)]
        return self._source((same or found)[0]).file if found else "directory/default.xml"

    def context_file(self, name: str) -> str:
        """Return the file in which a context begins; where there is none, the usual one."""
        found = self._context(name)
        return self._source(found).file if found else f"dialplan/{name}.xml"

    def users(self, name: str) -> list[UserPlace]:
        """Return every user that a look-up of this name could take, those searched in order.

        By its id or its number alias; and a `type` that is not `pointer` matches any name
        (switch_xml_find_child_multi).
        """
        index = self._index
        numbers = sorted({*index.get(f"={fold(name)}", ()), *index.get("*", ())})
        return [self._place(self._users[number]) for number in numbers]

    def find_user(self, name: str, domain: str) -> UserPlace | None:
        """Return the user that a look-up in the domain finds."""
        found = (
            place
            for place in self.users(name)
            if place.searched and fold(place.domain) == fold(domain)
        )
        return next(found, None)

    def find_orphans(self) -> list[UserPlace]:
        """Return the pointers that a look-up ends at, as no user of that number comes first."""
        found: list[UserPlace] = []
        seen: set[tuple[str, str]] = set()
        for user in self._users:
            name = fold(user.element.attributes.get("id", ""))
            key = (fold(user.domain), name)
            if not user.searched or key in seen:
                continue
            seen.add(key)
            if _is_pointer(user.element.attributes.get("type", "")):
                found.append(self._place(user))
        return found

    def explain_user(
        self, path: str, name: str, domain: str, *, grouped: bool = False
    ) -> Cause | None:
        """Return why a look-up in the domain does not find what this file says of the user.

        A file of users that are `grouped` holds a group.
        """
        inside = "groups" if grouped else "users"
        file = self.domain_file(domain)
        cause = self._explain_file(path, file, f"the <{inside}> of the domain in {file}")
        if cause is not None:
            return cause
        ours = [place for place in self.users(name) if place.file == path]
        if not ours:
            return self._hidden(path) if self._directory else None
        there = [place for place in ours if fold(place.domain) == fold(domain)]
        if not there:
            return Cause(
                f"its file belongs to the domain {self._show(ours[0].domain)}, and the target's is "
                f"{domain}",
                f"set the target's `domain` to {self._show(ours[0].domain)}, or include the folder "
                f"in {domain}",
            )
        if not any(place.searched for place in there):
            return Cause(
                f"{path} is included where FreeSWITCH does not look: it searches the first "
                "<groups> of a domain, and the first <users> of each group",
                "move the include there",
            )
        found = self.find_user(name, domain)
        if found is None or found.file == path:
            return None
        return Cause(f"{found} comes first", "remove that one, or choose another extension")

    def explain_extension(
        self, path: str, name: str, context: str, *, whole: bool = False
    ) -> Cause | None:
        """Return why the context does not hold the extension that this file says.

        A `whole` file holds the context itself.
        """
        file = "freeswitch.xml" if whole else self.context_file(context)
        into = '<section name="dialplan">' if whole else f"the context `{context}`"
        cause = self._explain_file(path, file, f"{into} in {file}")
        if cause is not None:
            return cause
        places = [item for item in self._extensions(name) if self._source(item[1]).file == path]
        if not places:
            return self._hidden(path) if self._dialplan else None
        home = self._context(context)
        if not any(place[0] is home for place in places):
            there = places[0][0].attributes.get("name", "")
            if fold(there) == fold(context) and home is not None:
                return Cause(
                    f"its file is included in a second <context> of that name, which FreeSWITCH "
                    f"never looks at; the first is at {self._source(home)}",
                    "rename that one" if whole else "move the include there",
                )
            return Cause(
                f"its file is included in the context {self._show(there)}, and not in {context}",
                f"include {path.rpartition('/')[0]}/*.xml in the context {context}",
            )
        found = home.find("extension", "name", name) if home else None
        source = self._source(found) if found else _NOWHERE
        if found is None or source.file == path:
            return None
        return Cause(f"{source} declares an extension of that name first", "rename that one")

    def find_extension(self, name: str, context: str) -> str:
        """Return the file and line of the first extension of that name in a context, or ""."""
        home = self._context(context)
        found = home.find("extension", "name", name) if home else None
        return str(self._source(found)) if found else ""

    def find_gateways(self, name: str) -> list[str]:
        """Return where gateways of that name are declared, by profiles and by directory users.

        Letters of either case make two names (parse_gateways in sofia.c).
        """
        profiles = self._profiles.values()
        found = [item for item in profiles for item in descend(item, "gateways", "gateway")]
        found += list_gateways(self._directory)
        same = (item for item in found if item.attributes.get("name") == name)
        return [str(self._source(item)) for item in same]

    def explain_gateway(self, path: str, name: str, profile: str) -> Cause | None:
        """Return why the profile does not hold the gateway that this file says."""
        file = f"{path.rpartition('/')[0]}.xml"
        into = f"the <gateways> of the profile {profile} in {file}"
        cause = self._explain_file(path, file, into)
        if cause is not None:
            return cause
        places = self.find_gateways(name)
        if not any(place.startswith(f"{path}:") for place in places):
            return self._hidden(path) if self._profiles else None
        if not places[0].startswith(f"{path}:"):
            return Cause(f"{places[0]} declares a gateway of that name first", "rename that one")
        there = self._profiles.get(profile)
        inside = descend(there, "gateways", "gateway") if there else []
        if any(item.attributes.get("name") == name for item in inside):
            return None
        return Cause(
            f"its file is not included in the profile {profile}", f"include its folder in {into}"
        )

    def _explain_file(self, path: str, file: str, where: str) -> Cause | None:
        folder = path.rpartition("/")[0]
        if path in self._files:
            return None
        for skipped in self._merged.skipped:
            if os.path.normpath(skipped.what) == path:
                return Cause(f"{path} cannot be read ({skipped.reason})", "correct that")
        name = os.path.relpath(folder, os.path.dirname(file) or ".")  # noqa: PTH120
        return Cause(
            f"nothing includes {folder}/*.xml",
            f'put <X-PRE-PROCESS cmd="include" data="{name}/*.xml"/> on a line of its own into '
            f"{where}",
        )

    @staticmethod
    def _hidden(path: str) -> Cause:
        return Cause(
            f"{path} is included outside of where FreeSWITCH looks for it",
            "move the include, out of a comment perhaps",
        )

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(map(os.path.normpath, self._merged.files))

    @cached_property
    def _directory(self) -> Element | None:
        return self._section("directory")

    @cached_property
    def _dialplan(self) -> Element | None:
        return self._section("dialplan")

    @cached_property
    def _profiles(self) -> dict[str, Element]:
        """The SIP profiles by name; of several of one name, the first."""
        section = self._section("configuration")
        sofia = section.find("configuration", "name", "sofia.conf") if section else None
        found: dict[str, Element] = {}
        for profile in descend(sofia, "profiles", "profile"):
            found.setdefault(profile.attributes.get("name", ""), profile)
        return found

    def _section(self, name: str) -> Element | None:
        if self._root is not None:
            return self._root.find("section", "name", name)
        return _parse_section(self._text, name)

    @cached_property
    def _users(self) -> list[_User]:
        found: list[_User] = []
        first: dict[str, Element] = {}
        for domain in descend(self._directory, "domain"):
            name = domain.attributes.get("name", "")
            is_first = first.setdefault(fold(name), domain) is domain
            found += (
                _User(user, name, group, searched and is_first)
                for user, group, searched in _walk(domain)
            )
        return found

    @cached_property
    def _index(self) -> dict[str, list[int]]:
        """`=name` -> the users of that id or alias; `*` -> those that match any name."""
        index: dict[str, list[int]] = {}
        for number, user in enumerate(self._users):
            for key in list_keys(user.element):
                index.setdefault(key, []).append(number)
        return index

    def _place(self, user: _User) -> UserPlace:
        file, line = self._source(user.element)
        pointer = _is_pointer(user.element.attributes.get("type", ""))
        return UserPlace(
            file,
            line,
            user.domain,
            self._show(user.group),
            pointer,
            user.searched,
            user.element.line,
        )

    def _show(self, text: str) -> str:
        return self._veil.hide(text)

    def _context(self, name: str) -> Element | None:
        return self._dialplan.find("context", "name", name) if self._dialplan else None

    def _extensions(self, name: str) -> Iterator[tuple[Element, Element]]:
        for context in descend(self._dialplan, "context"):
            for extension in context.all("extension"):
                if fold(extension.attributes.get("name", "")) == fold(name):
                    yield context, extension

    def _source(self, element: Element) -> SourceLine:
        found = self._merged.source_of_merged_line(element.line)
        return SourceLine(os.path.normpath(found.file), found.line) if found else _NOWHERE


def list_domain_globals(
    conf_dir: Path, merged: MergedConfig, ours: Iterable[str] = ()
) -> list[str]:
    """Return the globals that only the switch knows and names of the directory's domains hold.

    `merged` is that conf directory's; it is merged once more, with a mark for each such global and
    without opening the files `ours`. Raises MergeError.
    """
    marks = {name: f"fsgitops-knows-not-{at}-" for at, name in enumerate(sorted(merged.unknown))}
    if not marks:
        return []
    names = Whereabouts(load_merged(conf_dir, marks, ours=Ours(ours))).domains()
    return [name for name, mark in marks.items() if any(mark in domain for domain in names)]


def _is_pointer(kind: str) -> bool:
    return fold(kind) == "pointer"


def _cut(text: bytes, name: str) -> bytes:
    """Return one section's text, from the line that it begins on; all of it where it is not seen.

    Parsing 10,000 users beside what is looked for takes half a second.
    """
    start = text.find(b'<section name="' + name.encode() + b'"')
    end = text.find(b"</section>", start)
    return text[start : end + len(b"</section>")] if 0 <= start < end else text


def _parse_section(text: bytes, name: str) -> Element | None:
    """Return the first section of that name, its lines numbered as in the text."""
    part = _cut(text, name)
    if part is not text:
        above = text.count(b"\n", 0, text.find(part))
        part = b"<document>" + b"\n" * above + part + b"</document>"
    try:
        return parse(part).find("section", "name", name)
    except XmlSyntaxError:
        return None


def _walk(domain: Element) -> Iterator[tuple[Element, str, bool]]:
    """Yield the users of a domain, the group of each, and whether a look-up goes there.

    Those that are searched come in the order of the look-up (switch_xml_locate_user).
    """
    seen: set[int] = set()
    for user, group in walk_users(domain):
        seen.add(id(user))
        yield user, group.attributes.get("name", "") if group else "", True
    stack = [(domain, "")]
    while stack:
        parent, group_name = stack.pop()
        for child in parent.children:
            if child.name == "user" and id(child) not in seen:
                yield child, group_name, False
            elif child.name in ("groups", "group", "users"):
                named = child.attributes.get("name", "") if child.name == "group" else group_name
                stack.append((child, named))
