"""What a conf directory tells of where to write: which folders it includes, and in which contexts.

The includes that FreeSWITCH follows are looked at, where in the tree each stands, in which context
calls begin, and who comes first in a folder. Nothing is asked of a switch.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.places import USUAL_PLACES, Places
from fsgitops.routing.directory import descend, walk_users
from fsgitops.routing.foremost import Asked, choose_prefix, find_rivals
from fsgitops.routing.places import find_doors, main_doors
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.survey import Survey, survey_conf
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsgitops.routing.places import Door, Reading
    from fsgitops.routing.tree import Element

USER_FILE: Final = "20000.xml"
GROUP_FILE: Final = "users_20000.xml"
DIALLED_FILE: Final = "10_fsgitops.xml"
NUMBER_FILE: Final = "inbound_12025550123.xml"
CONTEXT_FILE: Final = "fsgitops_transfer.xml"
_FILES: Final = (USER_FILE, GROUP_FILE, DIALLED_FILE, NUMBER_FILE, CONTEXT_FILE)
"""Names such as our files have: an include that takes none of them is no place for us."""
_FOLDER: Final = re.compile(r"(?:directory|dialplan)(?:/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}){0,3}")
_CONTEXT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PROFILE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{1,4}", re.ASCII)
_LAST_PORT: Final = 65535
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
SHOWN: Final = 4
_NOT_DIALLED: Final = frozenset(("features", "skinny-patterns"))
"""Contexts of the stock configuration that no phone's calls begin in."""


class Told(NamedTuple):
    """A setting of a target as a conf directory tells it, and why."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a conf directory tells of a target's settings, and what it lacks.

    `told` are `domain`, `profile`, `inbound_context` and those of `places`, as far as something
    tells them; `needs` are what somebody has to do by hand, with the reason.
    """

    told: tuple[Told, ...]
    places: Places
    needs: tuple[str, ...] = ()

    def value(self, name: str) -> str:
        """Return the value of a setting, "" where nothing tells it."""
        return next((item.value for item in self.told if item.name == name), "")


def find_surroundings(conf_dir: Path) -> Surroundings:
    """Return what a conf directory tells. Raises FsgitopsError, or OSError where unreadable."""
    return _Finder(conf_dir).find()


@dataclass(frozen=True)
class _Spot:
    """A folder that is included, and where: `line` is that of the merged text."""

    folder: str
    reading: Reading
    where: str
    file: str


@dataclass
class _Finder:
    conf_dir: Path
    told: list[Told] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: {USUAL_PLACES.contexts})
    """Folders that are chosen for something already."""

    @cached_property
    def folders(self) -> list[str]:
        """The folders of our sections that an include goes through, each once, in order."""
        base = str(self.conf_dir)
        found: dict[str, None] = {}
        for pattern in load_merged(self.conf_dir).asked:
            folder = os.path.relpath(os.path.dirname(pattern), base)  # noqa: PTH120
            if _FOLDER.fullmatch(folder):
                found[folder] = None
        return list(found)

    @cached_property
    def survey(self) -> Survey:
        """The tree with marks where our files would be read, whatever folder they lie in."""
        ours = [f"{folder}/{name}" for folder in self.folders for name in _FILES]
        return survey_conf(self.conf_dir, ours, "")

    @cached_property
    def spots(self) -> list[_Spot]:
        survey, found = self.survey, list[_Spot]()
        for folder in self.folders:
            for name in _FILES:
                path = f"{folder}/{name}"
                for run in survey.ours.runs.get(path, ()):
                    reading = survey.readings.get(run)
                    if reading and not reading.dead:
                        found.append(_Spot(folder, reading, str(survey.ours.places[run]), name))
        return found

    def find(self) -> Surroundings:
        domain = self.find_domain()
        name = domain.attributes.get("name", "") if domain else ""
        doors = find_doors(self.survey.root, name)
        self.find_profile(doors)
        context = self.find_context(domain, doors)
        inbound = self.find_inbound(doors, context)
        places = Places(
            directory=self.choose("directory", USER_FILE, domain, "users", "domain"),
            groups=self.choose("groups", GROUP_FILE, domain, "groups"),
            dialplan=self.choose_dialplan("dialplan", DIALLED_FILE, context),
            context=context,
            inbound=self.choose_dialplan("inbound", NUMBER_FILE, inbound),
            inbound_context=inbound,
            contexts=self.choose_contexts(),
        )
        places = places._replace(prefix=self.find_prefix(places, name))
        told = {item.name: item.value for item in self.told}
        self.find_needs(places, told.get("domain", ""))
        self.find_socket()
        hide = self.survey.veil.hide
        hidden = (item._replace(reason=hide(item.reason)) for item in self.told)
        return Surroundings(tuple(hidden), places, tuple(map(hide, self.needs)))

    def tell(self, name: str, value: str, reason: str) -> str:
        self.told.append(Told(name, value, reason))
        return value

    def find_domain(self) -> Element | None:
        """Return the domain with the most users; the first of those with as many."""
        section = self.survey.root.find("section", "name", "directory")
        domains = [item for item in descend(section, "domain") if self.is_first(section, item)]
        if not domains:
            self.needs.append("the directory has no domain: nobody can register")
            return None
        named = [item for item in domains if _DOMAIN.fullmatch(item.attributes.get("name", ""))]
        counted = [(sum(1 for _ in _walk(item)), item) for item in named or domains]
        count, chosen = max(counted, key=lambda pair: pair[0])
        name = chosen.attributes.get("name", "")
        place = self.survey.users.domain_file(name)
        unknown = self.survey.list_globals()
        if unknown or not _DOMAIN.fullmatch(name):
            from_switch = ", ".join(f"$${{{item}}}" for item in unknown[:SHOWN]) or "another form"
            self.needs.append(
                f"`domain`: its name in {place} has {from_switch}: ask the switch, `global_getvar "
                "domain` (or `xml_locate directory`), and set it"
            )
            return chosen
        others = [item.attributes.get("name", "") for item in domains if item is not chosen]
        beside = f"; beside it: {', '.join(others[:SHOWN])}" if others else ""
        self.tell("domain", name, f"the domain of {place}, with {count:,} users{beside}")
        return chosen

    @staticmethod
    def is_first(section: Element | None, domain: Element) -> bool:
        name = domain.attributes.get("name", "")
        return section is not None and section.find("domain", "name", name) is domain

    def find_profile(self, doors: list[Door]) -> None:
        """Tell the profile that agents register with, where it is not the stock one."""
        names = [door.name.removeprefix("profile ") for door in doors if door.of_profile]
        if "internal" in names or not names:
            return
        closed = [
            door.name.removeprefix("profile ")
            for door in doors
            if door.of_profile and not door.open
        ]
        usable = [name for name in closed if _PROFILE.fullmatch(name)]
        if usable:
            self.tell("profile", usable[0], "its callers have to log in")
        elif closed:
            letters = "letters, digits, _ and -"
            self.needs.append(f"`profile`: {closed[0]} has more in its name than {letters}")

    def find_context(self, domain: Element | None, doors: list[Door]) -> str:
        """Return where agents dial: where the users of the domain do."""
        users = list(_walk(domain)) if domain else []
        dialled = Counter(_read_context(user, group, domain) for user, group in users)
        dialled.pop("", None)
        known = [item.name for item in self.contexts() if item.name in dialled]
        if known:
            name = max(known, key=lambda item: dialled[item])
            reason = f"`user_context` of {dialled[name]:,} of {len(users):,} users"
            return self.tell("places.context", name, reason)
        entries = {fold(door.context) for door in main_doors(doors)} | _NOT_DIALLED
        inside = [item for item in self.contexts() if fold(item.name) not in entries]
        if not inside:
            self.needs.append("no context is there in which phones could be dialled: add one")
            return USUAL_PLACES.context
        groups = {item.attributes.get("name", "") for item in descend(domain, "groups", "group")}
        chosen = min(
            inside,
            key=lambda item: (
                item.name != USUAL_PLACES.context, item.name not in groups, not item.included
            ),
        )  # fmt: skip
        reason = f"no user says one, and no call from outside begins there ({chosen.where})"
        return self.tell("places.context", chosen.name, reason)

    def contexts(self) -> Iterator[_Context]:
        included = {
            fold(spot.reading.around[-1].attributes.get("name", ""))
            for spot in self.spots
            if spot.reading.around[-1].name == "context"
        }
        for name in self.survey.contexts():
            if _is_usable(name):
                where = self.survey.tell_context(name)
                yield _Context(name, where, fold(name) in included)

    def find_inbound(self, doors: list[Door], context: str) -> str:
        """Return where calls from outside begin: where most doors that need no login lead."""
        entries = [door for door in main_doors(doors) if _is_usable(door.context)]
        known = {fold(item.name): item.name for item in self.contexts()}
        free = [door for door in entries if fold(door.context) not in (fold(context), "features")]
        led = [door for door in free if fold(door.context) in known] or free
        if led:
            door = led[0]
            name = known.get(fold(door.context), door.context)
            others = sorted({item.context for item in led} - {door.context})
            beside = f"; others lead to {', '.join(others[:SHOWN])}" if others else ""
            return self.tell("inbound_context", name, f"{door.name} leads calls there{beside}")
        if entries:
            self.needs.append(
                f"{entries[0].name} leads calls from outside to the context `{context}`, where "
                "phones dial: give it a context of its own, for whoever calls could dial out"
            )
        usual = USUAL_PLACES.inbound_context
        taken = (fold(context), *_NOT_DIALLED)
        free_names = [item.name for item in self.contexts() if fold(item.name) not in taken]
        if usual in free_names or (not free_names and fold(context) != usual):
            return usual
        name = next(iter(free_names), "from-outside")
        return self.tell("inbound_context", name, "no profile or gateway leads calls to a context")

    def choose(self, setting: str, file: str, domain: Element | None, *inside: str) -> str:
        """Return the folder of users: the usual one if it is there, else where most users are."""
        usual = str(getattr(USUAL_PLACES, setting))
        spots = [
            spot for spot in self.spots
            if spot.file == file and spot.folder.startswith("directory")
            and spot.reading.section == "directory" and spot.reading.around[-1].name in inside
            and spot.reading.inner("domain") is domain
        ]  # fmt: skip
        taken = self.taken | {USUAL_PLACES.directory, USUAL_PLACES.groups} - {usual}
        spots = [spot for spot in spots if spot.folder not in taken]
        if not spots:
            return usual
        chosen = next((spot for spot in spots if spot.folder == usual), None) or max(
            spots, key=lambda spot: len(spot.reading.around[-1].children)
        )
        group = chosen.reading.inner("group")
        of = f" of the group {group.attributes.get('name', '')}" if group else " of the domain"
        others = sorted({spot.folder for spot in spots} - {chosen.folder})
        beside = f"; beside it: {', '.join(others[:SHOWN])}" if others else ""
        self.taken.add(chosen.folder)
        where = f"included in <{chosen.reading.around[-1].name}>{of} ({chosen.where}){beside}"
        return self.tell(f"places.{setting}", chosen.folder, where)

    def choose_dialplan(self, setting: str, file: str, context: str) -> str:
        """Return the folder that is included in a context, the one that has its name first."""
        named = f"dialplan/{context}"
        spots = {
            spot.folder: spot for spot in self.spots
            if spot.file == file and spot.folder.startswith("dialplan")
            and spot.reading.around[-1].name == "context" and spot.folder not in self.taken
            and fold(spot.reading.around[-1].attributes.get("name", "")) == fold(context)
        }  # fmt: skip
        if not spots:
            usual = str(getattr(USUAL_PLACES, setting))
            reason = f"named after the context {context}; no line includes it yet"
            named += "_calls" if named in self.taken else ""
            self.taken.add(named)
            return usual if named == usual else self.tell(f"places.{setting}", named, reason)
        chosen = spots.get(named) or next(iter(spots.values()))
        others = sorted(spots.keys() - {chosen.folder})
        beside = f"; beside it: {', '.join(others[:SHOWN])}" if others else ""
        reason = f"included in the context {context} ({chosen.where}){beside}"
        self.taken.add(chosen.folder)
        return self.tell(f"places.{setting}", chosen.folder, reason)

    def choose_contexts(self) -> str:
        """Return the folder that is included beside the contexts."""
        spots = {
            spot.folder: spot for spot in self.spots
            if spot.file == CONTEXT_FILE and spot.folder.startswith("dialplan")
            and spot.reading.section == "dialplan" and spot.reading.around[-1].name == "section"
            and spot.folder not in self.taken - {USUAL_PLACES.contexts}
        }  # fmt: skip
        if not spots:
            return USUAL_PLACES.contexts
        chosen = spots.get(USUAL_PLACES.contexts) or next(iter(spots.values()))
        reason = f"included in the dialplan section ({chosen.where})"
        return self.tell("places.contexts", chosen.folder, reason)

    def find_prefix(self, places: Places, domain: str) -> str:
        """Return what sorts our files before one of their folder that takes every call."""
        asked = (
            Asked(places.context, places.dialplan, DIALLED_FILE),
            Asked(places.inbound_context, places.inbound, "inbound_", outside=True),
        )
        rivals = list(find_rivals(self.conf_dir, domain, asked))
        if not rivals:
            return ""
        why = f"{rivals[0].file} takes every call ({rivals[0].extension})"
        if prefix := choose_prefix(rivals):
            return self.tell("places.prefix", prefix, f"{why}, and is read before")
        self.needs.append(f"{why} before any file of fsgitops: rename it")
        return ""

    def find_socket(self) -> None:
        """Tell the port of the event socket."""
        section = self.survey.root.find("section", "name", "configuration")
        socket = section.find("configuration", "name", "event_socket.conf") if section else None
        for item in descend(socket, "settings", "param"):
            port = item.attributes.get("value", "")
            named = item.attributes.get("name") == "listen-port"
            if named and _PORT.fullmatch(port) and int(port) <= _LAST_PORT:
                self.tell("esl.port", port, "`listen-port` of event_socket.conf")

    def find_needs(self, places: Places, domain: str) -> None:
        """Note which lines are missing, as a plan would tell it."""
        paths = {
            "places.directory": f"{places.directory}/{USER_FILE}",
            "places.dialplan": f"{places.dialplan}/{places.prefix}{DIALLED_FILE}",
            "places.inbound": f"{places.inbound}/{places.prefix}{NUMBER_FILE}",
            "places.contexts": f"{places.contexts}/{CONTEXT_FILE}",
        }
        survey = survey_conf(self.conf_dir, paths.values(), domain, places)
        for name, path in paths.items():
            if problem := survey.problem_of(path):
                self.needs.append(f"`{name}`: a file there {problem[0]}; {problem[1]}")


class _Context(NamedTuple):
    name: str
    where: str
    included: bool


def _is_usable(context: str) -> bool:
    """Tell whether the settings of a target may name a context."""
    ours = context.startswith("fsgitops") or context == "global"
    return _CONTEXT.fullmatch(context) is not None and not ours


def _walk(domain: Element) -> Iterator[tuple[Element, Element | None]]:
    """Yield the users of a domain that are no pointers, and the group of each."""
    for user, group in walk_users(domain):
        if fold(user.attributes.get("type", "")) != "pointer":
            yield user, group


def _read_context(user: Element, group: Element | None, domain: Element | None) -> str:
    """Return the `user_context` of a user: its own, or that of its group or domain."""
    for element in (user, group, domain):
        for variable in descend(element, "variables", "variable"):
            if variable.attributes.get("name") == "user_context":
                return variable.attributes.get("value", "")
    return ""
