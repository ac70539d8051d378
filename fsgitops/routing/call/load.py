"""The world that a call is evaluated in, from the files of a conf directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.world import CORE_GLOBALS, World, mark_of
from fsgitops.routing.glob import Ours, Overlay
from fsgitops.routing.places import find_doors, is_served_elsewhere
from fsgitops.routing.preprocess import MergeError, load_merged
from fsgitops.routing.records import PlacedRecords
from fsgitops.routing.tree import Element, XmlSyntaxError, fold, parse
from fsgitops.routing.veil import Veil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from fsgitops.routing.merged import MergedConfig
    from fsgitops.routing.places import Door
    from fsgitops.routing.records import Records

_SECTIONS: Final = ("dialplan", "directory")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A conf directory as FreeSWITCH reads it, and why the switch may hold something else."""

    world: World
    merged: MergedConfig
    root: Element
    veil: Veil
    doubts: tuple[str, ...]

    def place(self, line: int) -> str:
        """Return where a line of the merged text was written; "" where that cannot be told."""
        found = self.merged.source_of_merged_line(line) if line else None
        return str(found) if found else ""

    def doors(self, domain: str) -> list[Door]:
        """Return where calls come in."""
        return find_doors(self.root, domain)


def load_disk(
    conf_dir: Path,
    domain: str,
    *,
    ours: Iterable[str] = (),
    overlay: Mapping[str, bytes | None] | None = None,
) -> Loaded:
    """Read a conf directory. `domain` is the target's, whatever address the files take it from.

    `ours` are the paths of fsgitops, relative to the directory; the users and extensions in them
    are only read as far as somebody asks. `overlay` maps paths to what will stand there, or to None
    where nothing will: so the files are read as a plan leaves them.

    Raises MergeError where it cannot be read, or FreeSWITCH would refuse it.
    """
    marks = {name: mark_of(name) for name in CORE_GLOBALS if name != "conf_dir"}
    mine = frozenset(ours).union(overlay or ())
    if source := _find_source(load_merged(conf_dir, marks, ours=Ours(mine)), domain):
        marks[source] = domain
    files, records = Overlay(overlay or {}), PlacedRecords(mine)
    merged = load_merged(conf_dir, marks, overlay=files, take_out=records.take_out)
    root = records.parse(merged.text)
    if root is None:
        merged = load_merged(conf_dir, marks, overlay=files)
        root = _parse(merged)
    unknown = {name: f"only the switch knows ${{{name}}}" for name in merged.unknown}
    section = root.find("section", "name", "dialplan")
    names = [item.attributes.get("name", "") for item in section.all("context")] if section else []
    world = World(_finder(root, domain), merged.variables, unknown, contexts=names)
    doubts = tuple(_find_doubts(merged, root, records))
    return Loaded(world, merged, root, Veil(merged.variables), doubts)


def _parse(merged: MergedConfig) -> Element:
    try:
        return parse(merged.text)
    except XmlSyntaxError as error:
        place = merged.source_of_merged_line(error.line)
        where = f"{place}: " if place else ""
        raise MergeError(f"{where}{Veil(merged.variables).hide(error.reason)}") from None


def _find_source(merged: MergedConfig, domain: str) -> str:
    """Return the global that a domain's name is taken from, where ours is not named otherwise."""
    try:
        section = parse(merged.text).find("section", "name", "directory")
    except XmlSyntaxError:
        return ""
    if section is None or section.find("domain", "name", domain) is not None:
        return ""
    names = {item.attributes.get("name", "") for item in section.all("domain")}
    return next((name for name in CORE_GLOBALS if mark_of(name) in names), "")


def _finder(root: Element, domain: str) -> Callable[[str, str, str], Element | None]:
    """Return what looks elements up. A domain that only the switch can name may be the target's."""

    def locate(section: str, tag: str, name: str) -> Element | None:
        found = root.find("section", "name", section)
        named = found.find(tag, "name", name) if found else None
        if found is None or named is not None or (tag, fold(name)) != ("domain", fold(domain)):
            return named
        domains = found.all(tag)
        return next((one for one in domains if is_unknown(one.attributes.get("name", ""))), None)

    return locate


def is_unknown(name: str) -> bool:
    """Tell whether only the switch knows a name: it is empty in the files, or has a mark in it."""
    return not name or "%{" in name


def _find_doubts(merged: MergedConfig, root: Element, records: Records) -> list[str]:
    found = [
        f"a module may answer for the {section} in place of the files"
        for section in _SECTIONS
        if is_served_elsewhere(root, section)
    ]
    found += [
        f"{doubt.where}: {doubt.what} makes lines that only the switch knows"
        for _, doubt in merged.doubts
    ]
    start = merged.text.find(b'<section name="dialplan"')
    end = merged.text.find(b"</section>", start)
    text = merged.text[start:end].decode("utf-8", "replace") if start >= 0 else ""
    values = (item for item in records.values("extension") if b"%{" in item)
    texts = (text, *(item.decode("utf-8", "replace") for item in values))
    names = [name for name in CORE_GLOBALS if any(mark_of(name) in item for item in texts)]
    if names:
        told = ", ".join(f"$${{{name}}}" for name in names)
        found.append(f"the dialplan uses {told}, which only the switch knows")
    return found
