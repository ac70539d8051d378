"""What the embedded switch holds in memory: the loaded tree, registrations, gateways."""

from __future__ import annotations

import math
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.routing.directory import Directory, descend, locate, print_pieces
from fsgitops.routing.preprocess import MergeError, load_merged
from fsgitops.routing.records import Records
from fsgitops.routing.tree import Element, XmlSyntaxError, fold, parse
from fsgitops.sandbox.leg import HOST_NAME
from fsgitops.sandbox.trunks import Trunk, Trunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from fsgitops.routing.call.world import World
    from fsgitops.routing.directory import LocatedUser
    from fsgitops.sandbox.acl import Lists
    from fsgitops.sandbox.leg import Leg

SUCCESS = "Success"
NO_ROOT = "Cannot Open log directory or XML Root!"
OWN_GATEWAY = Trunk(
    "external", "sandbox", {"username": "sandbox", "proxy": "127.0.0.1", "register": "false"}
)
"""A gateway of the simulation's own, for its calls outside: no file declares it."""
EXPIRES_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Registration:
    """A phone that is registered; `expires` is in seconds since 1970 UTC."""

    user: str
    domain: str
    contact: str
    profile: str = "internal"
    network_ip: str = "127.0.0.1"
    network_port: int = 5070
    agent: str = "sandbox phone"
    call_id: str = ""
    expires: int = 0

    @property
    def address(self) -> str:
        """`user@domain`, the address of record."""
        return f"{self.user}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Profile:
    """A SIP profile that is configured: its address and the names it also answers to."""

    name: str
    url: str
    aliases: tuple[str, ...] = ()


@dataclass(slots=True)
class Loaded:
    """One loaded tree with its look-ups; replaced as a whole by the next good reload."""

    root: Element
    records: Records = field(default_factory=Records)
    directory: Directory = field(init=False)
    world: World | None = None
    """What calls are evaluated in, made for the first one."""

    def __post_init__(self) -> None:
        self.directory = Directory(self.root)


class Printing:
    """What `xml_locate` prints of an element. It is made while it is sent, and held nowhere."""

    def __init__(self, element: Element) -> None:
        self._element = element

    def __iter__(self) -> Iterator[bytes]:
        return print_pieces(self._element)

    def __str__(self) -> str:
        return b"".join(self).decode("utf-8", "surrogateescape")

    def size(self) -> int:
        """Return its length in bytes."""
        return sum(map(len, self))


class SwitchMemory:
    """Everything that the embedded switch knows. Safe to use from several threads."""

    def __init__(self, conf_dir: Path) -> None:
        self.conf_dir = conf_dir
        self.lock = threading.RLock()
        self.core_uuid = str(uuid.uuid4())
        self.started = time.monotonic()
        self.variables: dict[str, str] = {
            "hostname": HOST_NAME,
            "local_ip_v4": "127.0.0.1",
            "local_mask_v4": "255.0.0.0",
            "local_ip_v6": "::1",
            "conf_dir": str(conf_dir),
            "core_uuid": self.core_uuid,
            "switchname": HOST_NAME,
        }
        self.loaded = Loaded(Element("document", {}, 0, 1))
        self.lists: Lists = {}
        self.registrations: list[Registration] = []
        self.legs: list[Leg] = []
        self.refusals: dict[str, str] = {}
        self.trunks = Trunks(self._tell_trunk)
        self.announce: Callable[[str, Mapping[str, str], str | None], None] | None = None
        self._cache: dict[tuple[str, str, str], tuple[LocatedUser, float]] = {}

    def tell(self, event: str, leg: Leg, **more: str) -> None:
        """Announce an event of a leg to whoever listens; `more` has headers, `_` for `-`."""
        if self.announce is not None:
            facts = {name.replace("_", "-"): value for name, value in more.items()}
            self.announce(event, leg.event_headers() | facts, None)

    def _tell_trunk(self, subclass: str, trunk: Trunk) -> None:
        if self.announce is not None:
            names = {"Gateway": trunk.name, "profile-name": trunk.profile}
            self.announce("CUSTOM", {"Event-Subclass": subclass, **names}, None)

    def reload(self) -> str:
        """Load the conf directory. Return `Success`, or what is wrong; then the old tree stays.

        As in FreeSWITCH, variables that were set on the way stay set in either case.
        """
        with self.lock:
            before, records = self.variables, Records(self.loaded.records)
            try:
                merged = load_merged(self.conf_dir, before, take_out=records.take_out)
                root = records.parse(merged.text)
                if root is None:
                    merged = load_merged(self.conf_dir, before)
            except MergeError:
                return NO_ROOT
            self.variables = dict(merged.variables)
            if not merged.text:
                return NO_ROOT
            try:
                self.loaded = Loaded(root, records) if root else Loaded(parse(merged.text))
            except XmlSyntaxError as error:
                return str(error)
            return SUCCESS

    def find_user(self, key: str, name: str, domain: str) -> LocatedUser | None:
        """Return a user as a look-up finds it: one that is cached outlives a reload.

        A `cacheable` that is a number is for how many milliseconds; any other word, for ever
        (switch_xml_locate_user_merged).
        """
        with self.lock:
            kept = self._cache.get((key, name, domain))
            if kept is not None and kept[1] >= time.monotonic():
                return kept[0]
            found = self.loaded.directory.user(name, domain, key)
            cacheable = found.attribute("cacheable") if found else ""
            if found and cacheable:
                seconds = int(cacheable) / 1000 if cacheable.isdecimal() else math.inf
                self._cache[key, name, domain] = (found, time.monotonic() + seconds)
            return found

    def flush_cache(self) -> int:
        """Forget the cached users; return how many there were."""
        with self.lock:
            count = len(self._cache)
            self._cache.clear()
            return count

    def variable(self, name: str) -> str:
        """Return a global variable, or nothing. Names are matched without regard to case."""
        found = self.variables.get(name)
        if found is not None:
            return found
        wanted = fold(name)
        return next((value for key, value in self.variables.items() if fold(key) == wanted), "")

    def locate(self, *path: str) -> Printing | None:
        """Return the XML that `xml_locate` prints; None: there is nothing there."""
        root = self.loaded.root
        found = root if path == ("root",) else locate(root, *path)
        return None if found is None else Printing(found)

    def profiles(self) -> dict[str, Profile]:
        """Return the SIP profiles that are configured, or the two usual ones if none is."""
        found: dict[str, Profile] = {}
        domains = self.domain_names()
        for element in self._profile_elements():
            name = element.attributes.get("name", "")
            address = _setting(element, "sip-ip") or "127.0.0.1"
            port = _setting(element, "sip-port") or "5060"
            found.setdefault(
                name, Profile(name, f"sip:mod_sofia@{address}:{port}", _aliases(element, domains))
            )
        if not found:
            found = {
                "external": Profile("external", "sip:mod_sofia@127.0.0.1:5080"),
                "internal": Profile("internal", "sip:mod_sofia@127.0.0.1:5060", domains),
            }
        return dict(sorted(found.items()))

    def find_profile(self, name: str) -> Profile | None:
        """Return the profile of that name or alias."""
        profiles = self.profiles()
        return profiles.get(name) or next(
            (item for item in profiles.values() if name in item.aliases), None
        )

    def start_gateways(self) -> None:
        """Start every configured gateway that does not run; leave the others as they are."""
        with self.lock:
            for profile in self._profile_elements():
                for gateway in descend(profile, "gateways", "gateway"):
                    self.trunks.add(profile.attributes.get("name", ""), gateway)

    def usable_gateways(self) -> list[Trunk]:
        """Return the gateways that calls can be placed by, those of the files and our own."""
        return [*self.trunks.running(), OWN_GATEWAY]

    def stop_gateway(self, name: str) -> bool:
        """Stop the gateway of that name, or all for `_all_`. False: there is none."""
        with self.lock:
            return self.trunks.kill(name)

    def list_gateways(self) -> list[Trunk]:
        """Return the gateways of every profile, and those that are about to go."""
        with self.lock:
            return [*self.trunks.listed(), OWN_GATEWAY]

    def expire(self, profile: str, whom: str | None) -> None:
        """End registrations of a profile: all, one call ID, `user@domain`, or `@domain`."""
        with self.lock:
            self.registrations = [
                item
                for item in self.registrations
                if item.profile != profile or not _is_meant(item, whom)
            ]

    def domain_names(self) -> tuple[str, ...]:
        """Return the names of the directory's domains, in order."""
        section = self.loaded.root.find("section", "name", "directory")
        domains = descend(section, "domain")
        return tuple(dict.fromkeys(item.attributes.get("name", "") for item in domains))

    def modules(self) -> tuple[str, ...]:
        """Return the modules that the configuration loads."""
        loads = descend(self._configuration("modules.conf"), "modules", "load")
        return tuple(item.attributes.get("module", "") for item in loads)

    def _profile_elements(self) -> list[Element]:
        return descend(self._configuration("sofia.conf"), "profiles", "profile")

    def _configuration(self, name: str) -> Element | None:
        section = self.loaded.root.find("section", "name", "configuration")
        return section.find("configuration", "name", name) if section else None


def _setting(element: Element, name: str) -> str:
    """Return a `<param>` of a profile's settings."""
    holder = element.child("settings") or element
    found = holder.find("param", "name", name)
    return found.attributes.get("value", "") if found else ""


def _aliases(profile: Element, domains: tuple[str, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for item in descend(profile, "domains", "domain"):
        if item.attributes.get("alias") == "true":
            name = item.attributes.get("name", "")
            names.extend(domains if name == "all" else (name,))
    aliases = descend(profile, "aliases", "alias")
    names.extend(item.attributes.get("name", "") for item in aliases)
    return tuple(dict.fromkeys(names))


def _is_meant(registration: Registration, whom: str | None) -> bool:
    if whom is None or registration.call_id == whom:
        return True
    user, at, domain = whom.partition("@")
    if not at:
        return registration.domain == whom
    return registration.domain == domain and user in ("", registration.user)
