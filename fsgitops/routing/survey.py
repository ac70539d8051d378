"""One look at a whole conf directory: what is read where, and which calls come there."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fsgitops.places import USUAL_PLACES, Places
from fsgitops.routing.glob import Ours
from fsgitops.routing.merged import SourceLine
from fsgitops.routing.places import (
    Reading,
    acts_inline,
    find_readings,
    is_served_elsewhere,
    list_contexts,
)
from fsgitops.routing.preprocess import MergeError, load_merged
from fsgitops.routing.tree import XmlSyntaxError, fold, parse
from fsgitops.routing.veil import Veil
from fsgitops.routing.whereabouts import Whereabouts, list_domain_globals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from fsgitops.routing.merged import MergedConfig
    from fsgitops.routing.tree import Element
    from fsgitops.routing.whereabouts import UserPlace

LAST = sys.maxsize
_SECTIONS = {"sip_profiles": "configuration"}
"""The section that a folder is read in, where that has another name."""
SHOWN_DOMAINS = 5


def survey_conf(
    conf_dir: Path, ours: Iterable[str], domain: str, places: Places = USUAL_PLACES
) -> Survey:
    """Look at a conf directory. `ours` are the paths of fsgitops, which are not read.

    `domain` is the target's; "" where any domain will do. `places` are where its files lie.

    Raises FsgitopsError where it cannot be read, or FreeSWITCH would refuse it.
    """
    paths = frozenset(ours)
    mine = Ours(paths)
    merged = load_merged(conf_dir, ours=mine)
    try:
        root = parse(merged.text)
    except XmlSyntaxError as error:
        place = merged.source_of_merged_line(error.line)
        where = f"{place}: " if place else ""
        raise MergeError(f"{where}{Veil(merged.variables).hide(error.reason)}") from None
    list_globals = partial(list_domain_globals, conf_dir, merged, paths)
    return Survey(list_globals, merged, root, mine, domain, places)


@dataclass
class Survey:
    """What one look found. Nothing in it is asked of a switch.

    What it tells names elements as FreeSWITCH holds them, with what the preprocessor brought in:
    nothing of it is shown but through `veil`.
    """

    list_globals: Callable[[], list[str]]
    merged: MergedConfig
    root: Element
    ours: Ours
    domain: str
    places: Places

    def __post_init__(self) -> None:
        self.veil = Veil(self.merged.variables)
        self.users = Whereabouts(self.merged, self.root)
        self.readings = find_readings(self.root)
        self._contexts = list_contexts(self.root)
        self._problems: dict[tuple[str, tuple[int, ...]], tuple[str, str] | None] = {}

    def is_same(self, other: Survey) -> bool:
        """Tell whether another look found the same text, of the same files, and ours in it."""
        ours, theirs = self.ours, other.ours
        return (
            self.merged.text == other.merged.text
            and self.merged.files == other.merged.files
            and self.merged.variables == other.merged.variables
            and self.merged.skipped == other.merged.skipped
            and self.merged.doubts == other.merged.doubts
            and (ours.runs, ours.places, ours.lines) == (theirs.runs, theirs.places, theirs.lines)
        )

    def is_sure(self, section: str, *, values: bool = True, above: int | None = None) -> bool:
        """Tell whether the files alone say what is in a section of the configuration.

        They do not where a module answers for it, nor where the switch executes a line in it, or,
        with `values`, gives a line a value that only it knows. With `above`, a line of the merged
        text, only what comes before it counts: what is read later takes nothing from it.
        """
        if is_served_elsewhere(self.root, section):
            return False
        doubts = [line for line, doubt in self.merged.doubts if values or doubt.what == "exec"]
        sections = self.root.all("section")
        for at, item in enumerate(sections):
            end = sections[at + 1].line if at + 1 < len(sections) else None
            until = min(end or LAST, LAST if above is None else above + 1)
            if item.attributes.get("name") == section and any(
                item.line <= line < until for line in doubts
            ):
                return False
        return True

    def has_context(self, name: str) -> bool:
        """Tell whether a call in this context finds a dialplan; `global` serves every name."""
        return fold(name) in self._contexts or "global" in self._contexts

    def contexts(self) -> list[str]:
        """Return the names of the contexts."""
        return [item.attributes.get("name", "") for item in self._contexts.values()]

    def extensions(self, context: str) -> Iterator[tuple[Element, SourceLine]]:
        """Yield the extensions of a context that FreeSWITCH reads, and where each is written."""
        found = self._contexts.get(fold(context))
        for extension in found.all("extension") if found is not None else ():
            place = self.merged.source_of_merged_line(extension.line)
            if place is not None:
                yield extension, SourceLine(os.path.normpath(place.file), place.line)

    def problem_of(self, path: str) -> tuple[str, str] | None:
        """Return why FreeSWITCH does not read a file as it is meant, and what to do; or None."""
        token = path.rpartition("/")[0], tuple(self.ours.runs.get(path, ()))
        if token not in self._problems:
            self._problems[token] = self._find_problem(*token)
        return self._problems[token]

    def _find_problem(self, folder: str, runs: tuple[int, ...]) -> tuple[str, str] | None:
        section = folder.partition("/")[0]
        context = folder.partition("/")[2]
        if section == "dialplan":
            whole = self.places.is_context(f"{folder}/")
            context = "" if whole else self.places.context_of(f"{folder}/")
        if section == "directory" and (lacking := self._lacks_domain()):
            return lacking
        file, into = self._find_into(folder, context)
        beside = os.path.relpath(folder, os.path.dirname(file) or ".")  # noqa: PTH120
        include = f'<X-PRE-PROCESS cmd="include" data="{beside}/*.xml"/>'
        if not runs:
            return (
                f"will not be loaded: nothing includes {folder}/*.xml",
                f"put {include} into {into}",
            )
        problems = [self._misplaced(run, folder, context) for run in runs]
        if not all(problems):
            return None
        place = self.ours.places[runs[0]]
        told = f"will not be found: {place} includes {folder}/*.xml"
        return f"{told} {problems[0]}", f"let {include} stand in {into}"

    def _find_into(self, folder: str, context: str) -> tuple[str, str]:
        """Return the file that has to include a folder, and where in it."""
        if folder.startswith("directory"):
            inside = "groups" if folder == self.places.groups else "users"
            file = self.users.domain_file(self.domain)
            return file, f"<{inside}> of the domain in {file}"
        if folder.startswith("sip_profiles"):
            return f"{folder}.xml", f"<gateways> of the profile `{context}` in {folder}.xml"
        if not context:
            return "freeswitch.xml", "the dialplan section of freeswitch.xml"
        file = self.users.context_file(context)
        beside = "" if self.tell_context(context) else ", which the dialplan does not have"
        return file, f"the context `{context}` in {file}{beside}"

    def _lacks_domain(self) -> tuple[str, str] | None:
        """Return that the directory has no such domain, and what to do; None where it may."""
        names = self.users.domains()
        known = {fold(name) for name in names}
        if not self.domain or "" in known or fold(self.domain) in known or self.list_globals():
            return None
        shown = ", ".join(names[:SHOWN_DOMAINS]) or "none"
        return (
            f"will not be found: the directory has no domain {self.domain}; it has: {shown}",
            "set the target's `domain` to the one phones register with",
        )

    def _misplaced(self, run: int, folder: str, context: str) -> str:
        section = folder.partition("/")[0]
        reading = self.readings.get(run)
        wanted = _SECTIONS.get(section, section)
        if reading is None or reading.section != wanted:
            return f"outside of the section `{wanted}`"
        if reading.dead:
            return f"where nothing is looked up: {reading.dead}"
        inside = reading.around[-1]
        if section in _SECTIONS:
            profile = reading.inner("profile")
            found = profile.attributes.get("name", "") if profile else None
            if found is None or inside.name != "gateways":
                return "outside of the <gateways> of a profile"
            return "" if found == context else f"in the profile `{found}`, and not in `{context}`"
        if section == "dialplan":
            if not context:
                return "" if inside.name == "section" else f"in a <{inside.name}>"
            found = inside.attributes.get("name", "") if inside.name == "context" else None
            if found is None:
                return "outside of a <context>"
            same = fold(found) == fold(context)
            return "" if same else f"in the context `{found}`, and not in `{context}`"
        return self._misplaced_users(reading, grouped=folder == self.places.groups)

    def _misplaced_users(self, reading: Reading, *, grouped: bool) -> str:
        inside = reading.around[-1]
        domain = reading.inner("domain")
        where = ("groups",) if grouped else ("users", "domain")
        if domain is None or inside.name not in where:
            return f"outside of the <{where[0]}> of a domain"
        name = domain.attributes.get("name", "")
        # The stock domain is the machine's address, which files alone do not tell.
        same = not name or not self.domain or fold(name) == fold(self.domain)
        if same or self.list_globals():
            return ""
        return f"in the domain `{name}`, and the target's domain is {self.domain}"

    def comes_before(self, place: UserPlace, path: str) -> bool:
        """Tell whether a user stands before a file of ours, there or not; False: it is not read."""
        runs = self.ours.runs.get(path, [])
        return bool(runs) and place.at < self.ours.lines[runs[0]]

    def tell_context(self, name: str) -> str:
        """Return where a context stands; "" where there is none of this name."""
        found = self._contexts.get(fold(name))
        return self._tell_line(found.line) if found is not None else ""

    def find_inline(self, path: str) -> list[Element]:
        """Return the extensions behind a file of ours that act while FreeSWITCH still searches."""
        runs = self.ours.runs.get(path)
        if not runs or self.problem_of(path):
            return []
        behind, line = self.readings[runs[0]].around[-1], self.ours.lines[runs[0]]
        return [
            child for child in behind.all("extension") if child.line > line and acts_inline(child)
        ]

    def tell_extension(self, extension: Element) -> str:
        """Return an extension's name and place."""
        name = extension.attributes.get("name", "(no name)")
        return f"`{name}` ({self._tell_line(extension.line)})"

    def _tell_line(self, number: int) -> str:
        place = self.merged.source_of_merged_line(number)
        return str(place) if place else "?"
