"""What a switch knows when a call comes in: contexts, users, zones, gateways, modules."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from fsgitops.routing.call.contents import read_conditions
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.extensions import Contents
from fsgitops.routing.call.words import to_raw
from fsgitops.routing.directory import Directory, LocatedUser, descend
from fsgitops.routing.places import MODULES, find_doors, find_gateways
from fsgitops.routing.tree import Element, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fsgitops.routing.call.contents import Condition
    from fsgitops.routing.places import Door

CORE_GLOBALS: Final = (
    "hostname", "local_ip_v4", "local_mask_v4", "local_ip_v6", "base_dir", "recordings_dir",
    "sound_prefix", "sounds_dir", "conf_dir", "log_dir", "run_dir", "db_dir", "mod_dir",
    "htdocs_dir", "script_dir", "temp_dir", "grammar_dir", "fonts_dir", "images_dir", "certs_dir",
    "storage_dir", "cache_dir", "data_dir", "localstate_dir", "core_uuid", "switch_serial",
    "spawn_instead_of_system", "rtp_retain_crypto_keys",
)  # fmt: skip
"""Global variables that the core sets when it starts."""
ENDPOINTS: Final = frozenset((
    "alsa.conf", "dingaling.conf", "gsmopen.conf", "h323.conf", "khomp.conf", "opal.conf",
    "portaudio.conf", "rtmp.conf", "skinny.conf", "unicall.conf", "verto.conf",
))  # fmt: skip
"""Configurations of modules beside mod_sofia that take calls."""
GLOBAL_CONTEXT: Final = "global"


class Phones(NamedTuple):
    """Who is registered: `users` in small letters; None: not known, and taken for granted.

    `refuses` tells with which cause a call to a user, or to a number over a gateway, fails at once.
    """

    users: frozenset[str] | None = None
    refuses: Callable[[str], str | None] = lambda _whom: None

    def has(self, user: str) -> bool:
        """Tell whether a phone of the user rings."""
        return self.users is None or fold(user) in self.users


Memory: TypeAlias = "Callable[[str, str, str], str | None]"
"""What a module (hash, db) holds in a realm under a key; None: nothing. Raises LookupError: not
known."""


class World:
    """The configuration that calls are evaluated over, from files or from a switch's memory.

    `locate(section, tag, name)` answers the first element of that name, or None; what it answers
    is kept. `variables` are the global ones, and `unknown` the names of those whose values only the
    switch knows.
    """

    def __init__(
        self,
        locate: Callable[[str, str, str], Element | None],
        variables: Mapping[str, str],
        unknown: Mapping[str, str],
        *,
        memory: Memory | None = None,
        contexts: Collection[str] | None = None,
        find_user: Callable[[str, str], LocatedUser | None] | None = None,
    ) -> None:
        self._locate = locate
        self.gave_up: Counter[str] = Counter()
        """How often PCRE2 gave up on an expression: it is not tried again and again."""
        self._one_user = find_user
        self._found: dict[tuple[str, str, str], Element | None] = {}
        self._directories: dict[str, Directory] = {}
        self._users: dict[tuple[str, ...], LocatedUser | None] = {}
        self._contents: dict[Element, Contents] = {}
        self._conditions: dict[tuple[Element, str], list[Condition]] = {}
        """What was made of elements, once for all calls."""
        self.noted: set[tuple[str, str]] | None = None
        """What evaluations ask for: numbers that are hunted, users, groups, the time of day."""
        self.contexts = contexts
        """The names of all contexts; None: they cannot be listed."""
        self.memory = memory
        """What mod_hash and mod_db hold; None: nobody knows."""
        self.globals = {
            name: Value(f"${{{name}}}", (f"only the switch knows ${{{name}}}",))
            for name in CORE_GLOBALS
        }
        self.globals.update(
            (fold(name), Value(f"${{{name}}}", (why,))) for name, why in unknown.items()
        )
        self.globals.update(
            (fold(name), _as_value(value)) for name, value in variables.items() if value
        )

    def note(self, kind: str, name: str = "") -> None:
        """Note what an evaluation asked for, where that is wanted."""
        if self.noted is not None:
            self.noted.add((kind, name))

    def find(self, section: str, tag: str, name: str) -> Element | None:
        """Return the first element of a name, asked for once."""
        key = (section, tag, fold(name))
        if key not in self._found:
            self._found[key] = self._locate(section, tag, name)
        return self._found[key]

    def context(self, name: str) -> Element | None:
        """Return what a call in a context is held against; `global` serves every name."""
        found = self.find("dialplan", "context", name)
        return found if found is not None else self.find("dialplan", "context", GLOBAL_CONTEXT)

    def contents(self, context: Element) -> Contents:
        """Return the extensions of a context, read once."""
        if context not in self._contents:
            self._contents[context] = Contents(context)
        return self._contents[context]

    def conditions(self, parent: Element, tag: str = "condition") -> list[Condition]:
        """Return the conditions of an extension or a condition, or its `<regex>`, read once."""
        found = self._conditions.get((parent, tag))
        if found is None:
            found = self._conditions[parent, tag] = read_conditions(parent, tag)
        return found

    def user(self, name: str, domain: str, *keys: str) -> LocatedUser | None:
        """Return a user of the directory (`switch_xml_locate_user`), by the first key that finds.

        A key is `id`, which finds number aliases too, or another attribute.
        """
        self.note("user", name)
        asked = (name, domain, *keys)
        if asked not in self._users:
            self._users[asked] = self._find_user(name, domain, keys)
        return self._users[asked]

    @property
    def asks_one_by_one(self) -> bool:
        """Tell whether users are asked for by name: all of a switch's are 85 MB of 50,000."""
        return self._one_user is not None

    def _find_user(self, name: str, domain: str, keys: Sequence[str]) -> LocatedUser | None:
        if self._one_user is not None and keys in ((), ("id",)):
            return self._one_user(name, domain)
        home = self.find("directory", "domain", domain)
        if home is None:
            return None
        key = fold(domain)
        if key not in self._directories:
            section = Element("section", {"name": "directory"}, 0, 0)
            section.children = [home]
            root = Element("document", {}, 0, 0)
            root.children = [section]
            self._directories[key] = Directory(root)
        there = home.attributes.get("name", "")
        found = (self._directories[key].user(name, there, item) for item in keys or ("id",))
        return next((item for item in found if item is not None), None)

    def group(self, name: str, domain: str) -> Element | None:
        """Return a group of the directory (`switch_xml_locate_group`)."""
        self.note("group", name)
        home = self.find("directory", "domain", domain)
        groups = home.child("groups") if home else None
        return groups.find("group", "name", name) if groups else None

    def configuration(self, name: str) -> Element | None:
        """Return a configuration such as `ivr.conf`."""
        return self.find("configuration", "configuration", name)

    def list_doors(self) -> list[Door]:
        """Return where calls come in, as far as profiles, gateways, modules and lists say.

        Gateways of users are left out where users are found one by one: those of a domain are many.
        """
        loaded = [f"{name.removeprefix('mod_')}.conf" for name in sorted(self.modules)]
        names = ("sofia.conf", "acl.conf", *MODULES, *(n for n in loaded if n in ENDPOINTS))
        section = Element("section", {"name": "configuration"}, 0, 0)
        found = (self.configuration(name) for name in names)
        section.children = [item for item in found if item is not None]
        root = Element("document", {}, 0, 0)
        root.children = [section]
        home = None if self._one_user else self.find("directory", "domain", self.default_domain)
        if home is not None:
            directory = Element("section", {"name": "directory"}, 0, 0)
            directory.children = [home]
            root.children.append(directory)
        return find_doors(root, self.default_domain)

    @cached_property
    def zones(self) -> dict[str, str]:
        """Return the time zones by name: POSIX rules."""
        found = descend(self.configuration("timezones.conf"), "timezones", "zone")
        return {
            item.attributes["name"]: item.attributes["value"]
            for item in found
            if "name" in item.attributes and "value" in item.attributes
        }

    @cached_property
    def modules(self) -> frozenset[str]:
        """Return the modules that the switch loads when it starts."""
        found = (descend(self.configuration(name), "modules", "load") for name in MODULES)
        return frozenset(fold(it.attributes.get("module", "")) for listed in found for it in listed)

    def lacks(self, module: str) -> bool:
        """Tell whether a module is not loaded, as far as the configuration says which are."""
        return bool(self.modules) and module not in self.modules

    @cached_property
    def gateways(self) -> frozenset[str]:
        """Return the names of all gateways that files define."""
        profiles = descend(self.configuration("sofia.conf"), "profiles", "profile")
        domain = self.default_domain
        home = self.find("directory", "domain", domain) if domain else None
        return frozenset(
            item.attributes.get("name", "")
            for parent in (*profiles, *([home] if home else ()))
            for item in find_gateways(parent)
        )

    @property
    def default_domain(self) -> str:
        """`switch_core_get_domain`, raw; "" where only the switch knows it."""
        found = self.globals.get("domain")
        if found is None:
            return "freeswitch.local"
        return "" if found.why else found.text


def _as_value(text: str) -> Value:
    """Return a value from files, in which a mark stands for what only the switch knows."""
    found = tuple(name for name in CORE_GLOBALS if mark_of(name) in text) if "%{" in text else ()
    why = tuple(f"only the switch knows ${{{name}}}" for name in found)
    return Value(to_raw(text), why)


def mark_of(name: str) -> str:
    """Return what stands in files for the value of a global that only the switch knows."""
    return f"%{{{name}}}"
