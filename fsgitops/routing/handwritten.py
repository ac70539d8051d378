"""What people wrote into a conf directory by hand: each element with its place and its comments."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.findings import Position
from fsgitops.routing.call.load import is_unknown
from fsgitops.routing.directory import LocatedUser, descend, walk_users
from fsgitops.routing.lines import expand_text
from fsgitops.routing.tree import Element, fold
from fsgitops.routing.veil import Veil, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fsgitops.routing.merged import MergedConfig

_LIMIT: Final = 16 * 1024 * 1024
_LONGEST: Final = 400
"""Characters of a line of a comment that are taken."""
_GLOBAL: Final = re.compile(r'value="(\$\$\{[A-Za-z_][A-Za-z0-9_.-]{0,63}\})"')
_NAMED: Final = re.compile(r"\$\$\{([^}]{1,64})\}")
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIVE: Final = re.compile(r"fsgitops\s{0,9}:", re.IGNORECASE)


class Home(NamedTuple):
    """What users inherit from who stand in a folder of ours."""

    group: Element | None
    domain: Element | None

    def value(self, box: str, name: str) -> str | None:
        """Return a value of `params` or `variables` that they inherit."""
        nobody = Element("user", {}, 0, 0)
        return LocatedUser(nobody, self.group, self.domain or nobody).value(box, name)


class Handwritten:
    """The elements of a conf directory, as FreeSWITCH reads them, and as they are written.

    `starts` is the context of those who have none of their own. `find_home` tells where the files
    of a folder are read: the group and the domain. `lost` are the comments that are not taken, as
    they may hold a secret: the place of each element.
    """

    def __init__(
        self,
        conf_dir: Path,
        merged: MergedConfig,
        root: Element,
        starts: str,
        find_home: Callable[[str], Home | None],
    ) -> None:
        self._conf_dir = conf_dir
        self._merged = merged
        self.root = root
        self.starts = starts
        self._find_home = find_home
        self._veil = Veil(merged.variables)
        self._variables = {name.lower(): value for name, value in merged.variables.items()}
        self.lost: list[Position] = []
        self._read: tuple[str, list[str]] = ("", [])

    def place(self, element: Element) -> Position:
        """Return where an element begins: its file, below the conf directory, and line."""
        found = self._merged.source_of_merged_line(element.line)
        if found is None:
            return Position("freeswitch.xml")
        return Position(os.path.normpath(found.file), found.line)

    def home_of(self, path: str) -> Home | None:
        """Return where a file of ours is read, None where nothing includes it."""
        return self._find_home(path.rpartition("/")[0])

    def hide(self, text: str) -> str:
        """Return a text without what the preprocessor brought in that may be a secret."""
        return self._veil.hide(text)

    def expand(self, text: str) -> str:
        """Return a text with the preprocessor's variables in it."""
        return expand_text(text, lambda name: self._variables.get(name.lower(), ""))

    def written_global(self, element: Element) -> str | None:
        """Return the `$${name}` that an element's value is as a whole; None: it is none."""
        place = self.place(element)
        lines = self._lines(place.file)
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        found = _GLOBAL.findall(line)
        name = element.attributes.get("name", "")
        alone = line.count("<" + element.name) == 1 and f'"{name}"' in line
        return str(found[0]) if alone and len(found) == 1 else None

    def takes_secret(self, element: Element) -> bool:
        """Tell whether an element's value comes from a `$${name}` that may hold a secret."""
        value, place = element.attributes.get("value", ""), self.place(element)
        if self.hide(value) == value:
            return False
        line = "".join(self._lines(place.file)[place.line - 1 : place.line])
        return any(is_secret_name(name) for name in _NAMED.findall(line))

    def find_domain(self, domain: str) -> Element | None:
        """Return the domain of a name, or the first whose name only the switch knows."""
        section = self.root.find("section", "name", "directory")
        found = section.find("domain", "name", domain) if section else None
        if found is not None:
            return found
        others = descend(section, "domain")
        return next((one for one in others if is_unknown(one.attributes.get("name", ""))), None)

    def users(self, domain: str) -> Iterator[LocatedUser]:
        """Yield the users of a domain in the order of a look-up; pointers hold nothing."""
        item = self.find_domain(domain)
        for user, group in walk_users(item) if item else ():
            if fold(user.attributes.get("type", "")) != "pointer":
                yield LocatedUser(user, group, item or user)

    def other_domains(self, domain: str) -> Iterator[tuple[str, Element, int]]:
        """Yield the directory's other domains, and how many users each has."""
        for item in descend(self.root.find("section", "name", "directory"), "domain"):
            name = item.attributes.get("name", "")
            if item is self.find_domain(domain):
                continue
            many = sum(
                fold(user.attributes.get("type", "")) != "pointer" for user, _ in walk_users(item)
            )
            if many:
                yield name, item, many

    def extensions(self, context: str) -> list[Element]:
        """Return the extensions of a context, in the order of the search."""
        section = self.root.find("section", "name", "dialplan")
        found = section.find("context", "name", context) if section else None
        return found.all("extension") if found else []

    def calls_group(self, name: str) -> bool:
        """Tell whether anything here may call the users of a group by its name."""
        text = self._merged.text
        return any(f"{way}{name}@".encode() in text for way in ("group_call(", "group/", "group:"))

    def comments(self, element: Element) -> tuple[str, ...]:
        """Return the lines of the comments right above an element, beside it, and in it.

        Markup that is commented out is no comment, and one that may hold a secret is not taken.
        """
        place = self.place(element)
        lines = self._lines(place.file)
        at = place.line - 1
        if at >= len(lines) or f"<{element.name}" not in lines[at]:
            return ()
        start = lines[at].index(f"<{element.name}")
        found = [*self._above(lines, at, start), *self._inside(lines, at, start, element.name)]
        kept: list[str] = []
        for text in found:
            if "<" in text:
                continue
            if any(is_secret_name(word) for word in re.findall(r"[\w-]{1,64}", text)):
                self.lost.append(place)
                continue
            for line in text.split("\n"):
                told = _UNPRINTED.sub(" ", line).strip(" *#-")
                if told and not _DIRECTIVE.search(told):
                    kept.append(told[:_LONGEST])
        return tuple(kept)

    @staticmethod
    def _above(lines: list[str], at: int, start: int) -> list[str]:
        """Return the comments that end right above, up to a line that is blank or says more."""
        found: list[str] = []
        text, row = lines[at][:start].rstrip(), at
        while True:
            if not text and row and row > at - 60:
                row -= 1
                text = lines[row].rstrip()
                if not text.endswith("-->"):
                    return found
                continue
            if not text.endswith("-->"):
                return found
            while "<!--" not in text and row and row > at - 60:
                row -= 1
                text = f"{lines[row]}\n{text}"
            before, opened, inner = text.rpartition("<!--")
            if not opened or before.rpartition("\n")[2].strip():
                return found
            found.insert(0, inner.removesuffix("-->"))
            text = ""

    @staticmethod
    def _inside(lines: list[str], at: int, start: int, name: str) -> list[str]:
        """Return the comments between the start of an element and the end of its last line."""
        closing, parts = f"</{name}>", [lines[at][start:]]
        for row in range(at, min(at + 2000, len(lines))):
            if row > at:
                parts.append(lines[row])
            if closing in parts[-1]:
                break
        else:
            parts = parts[:1]  # it has no end of its own: `<user id="1000"/>`
        head, _, tail = "\n".join(parts).rpartition(closing)
        found = [item.partition("-->")[0] for item in head.split("<!--")[1:]]
        after = tail.strip()
        if after.startswith("<!--") and after.find("-->") == len(after) - 3:
            found.append(after[4:-3])
        return found

    def _lines(self, file: str) -> list[str]:
        if file != self._read[0]:
            with (self._conf_dir / file).open("rb") as stream:
                text = stream.read(_LIMIT).decode("utf-8", "replace")
            self._read = file, text.replace("\r\n", "\n").split("\n")
        return self._read[1]
