"""Where in the configuration the files of fsgitops are read, and which calls come there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.directory import descend
from fsgitops.routing.glob import MARK
from fsgitops.routing.tree import Element, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_OPEN_LISTS: Final = frozenset((
    "rfc1918.auto", "nat.auto", "localnet.auto", "loopback.auto", "any_v4.auto", "any_v6.auto",
    "wan.auto", "wan_v4.auto", "wan_v6.auto",
))  # fmt: skip
"""Access lists that FreeSWITCH makes itself."""
_LOGIN_ONLY: Final = frozenset(("verto.conf", "httapi.conf", "spandsp.conf"))
"""Configurations whose `context` no call from outside without a login begins in."""

MODULES: Final = ("modules.conf", "pre_load_modules.conf", "post_load_modules.conf")
"""Configurations that say which modules are loaded."""
SCRIPTS: Final = frozenset((
    "erlang", "erlang_sendmsg", "httapi", "javascript", "jsrun", "lua", "managed", "perl", "python",
    "python3", "socket",
))  # fmt: skip
"""Applications that hand a call to a program, which may send it anywhere."""
_TRUE_WORDS: Final = frozenset(("yes", "on", "true", "t", "enabled", "active", "allow"))
_AROUND_GATEWAYS: Final = frozenset(("domain", "groups", "group", "users", "user", "gateways"))


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where files of ours are read: the elements around it, the outermost first.

    `dead` says why FreeSWITCH never looks there, "" where it does.
    """

    around: tuple[Element, ...]
    dead: str = ""

    @property
    def section(self) -> str:
        """Return the section that they are read in, or nothing."""
        return next((e.attributes.get("name", "") for e in self.around if e.name == "section"), "")

    def inner(self, name: str) -> Element | None:
        """Return the innermost element of a name around them."""
        return next((e for e in reversed(self.around) if e.name == name), None)


def find_readings(root: Element) -> dict[int, Reading]:
    """Return where each run of files of ours (glob.py) is read."""
    return dict(_walk(root, (root,), ""))


def _walk(parent: Element, around: tuple[Element, ...], dead: str) -> Iterator[tuple[int, Reading]]:
    for child in parent.children:
        if child.name == MARK:
            yield int(child.attributes["run"]), Reading(around, dead)
        elif child.children:
            yield from _walk(child, (*around, child), dead or _find_rival(parent, child))


def _find_rival(parent: Element, child: Element) -> str:
    """Return why a look-up passes this element by: an earlier one is found in its place."""
    if child.name in ("section", "domain", "context"):
        name = child.attributes.get("name")
        first = parent.find(child.name, "name", name) if name is not None else child
        return "" if first is child else f"an earlier {child.name} has the name `{name}` as well"
    if child.name == "users" and parent.name in ("group", "domain"):
        first = parent.child("users")
        return "" if first is child else f"an earlier <users> of the {parent.name} is searched"
    return ""


class Refusal(NamedTuple):
    """What keeps carriers' calls out, and the line that says so.

    `lists` are the access lists that are asked: one may let in users by the address that they have.
    """

    told: str
    line: int
    lists: tuple[str, ...] = ()


class Door(NamedTuple):
    """A profile or gateway through which calls come in: `open` for callers who do not log in."""

    name: str
    context: str
    line: int
    open: bool
    gateways: bool
    """Whether carriers are connected there."""
    refusal: Refusal | None = None
    """Why no carrier's call gets into the XML dialplan there; None: some may."""

    @property
    def of_profile(self) -> bool:
        """Tell whether it is a profile's own, and not that of one of its gateways."""
        return self.name.startswith("profile ")


def main_doors(doors: Iterable[Door]) -> list[Door]:
    """Return where callers come in who do not log in: where carriers are, if they are anywhere."""
    entries = [door for door in doors if door.open and door.context]
    return [door for door in entries if door.gateways] or entries


def find_doors(root: Element, domain: str) -> list[Door]:
    """Return every profile and gateway of mod_sofia, and what else takes calls from outside."""
    section = root.find("section", "name", "configuration")
    if section is None:
        return []
    lists = _find_open_lists(section)
    doors: list[Door] = []
    configuration = section.find("configuration", "name", "sofia.conf")
    trunks = list(find_gateways(root.find("section", "name", "directory")))
    profiles = descend(configuration, "profiles", "profile") if _may_load(section) else []
    for profile in profiles:
        doors += _read_profile(profile, lists, domain, trunks)
    return doors + list(_read_others(section))


def _read_profile(
    profile: Element, lists: frozenset[str], domain: str, trunks: list[Element]
) -> Iterator[Door]:
    settings = profile.child("settings")
    found = _params(settings, "context")
    line = found[-1].line if found else profile.line
    context = _last(found, "default")
    context = domain if fold(context) == "_domain_" else context
    login = is_true(_last(_params(settings, "auth-calls"), "false"))
    # `LIST:CONTEXT:CONTEXT`: where calls go that the list lets in, and those that it does not.
    trusted = [_value(item).split(":") for item in _params(settings, "apply-inbound-acl")]
    unlocked = not login or any(fold(parts[0]) in lists for parts in trusted)
    gateways = [*descend(profile, "gateways", "gateway"), *_parsed(profile, trunks)]
    name = f"profile {profile.attributes.get('name', '')}"
    refusal = _find_refusal(settings, lists)
    yield Door(name, context, line, unlocked, bool(gateways), refusal)
    for given in {part for parts in trusted for part in parts[1:] if part}:
        yield Door(name, given, line, True, bool(gateways), refusal)
    for gateway in gateways:
        # A carrier calls a gateway's own address only where the gateway registered it.
        if is_true(_last(_params(gateway, "register"), "true")):
            told = f"gateway {gateway.attributes.get('name', '')}"
            for item in reversed(_params(gateway, "context")):  # the last counts
                yield Door(told, _value(item), item.line, True, True, refusal)


def _find_refusal(settings: Element | None, lists: frozenset[str]) -> Refusal | None:
    """Return what keeps all carriers out of the XML dialplan.

    It does so whether they call a gateway's own address or not: FreeSWITCH looks for a gateway
    later (mod_sofia, `sofia_handle_sip_i_invite`).
    """
    dialplans = _params(settings, "dialplan")
    asked = _last(dialplans, "") or "XML"
    names = {fold(name.partition(":")[0].strip()) for name in asked.split(",")}
    if "xml" not in names and "${" not in asked:
        return Refusal(f"asks the dialplan `{asked}`, and not XML", dialplans[-1].line)
    trusted: list[Element] = []
    for item in _params(settings, "apply-inbound-acl"):
        trusted = [] if fold(_value(item)) == "none" else [*trusted, item]
    given = [fold(_value(item)) for item in trusted]
    blind = is_true(_last(_params(settings, "accept-blind-auth"), "false"))
    if blind or _params(settings, "apply-proxy-acl"):
        return None
    asked_lists = tuple(value.partition(":")[0] for value in given)
    if any("/" in value for value in given) or not lists.isdisjoint(asked_lists):
        return None
    login = _params(settings, "auth-calls")
    if is_true(_last(login, "false")):
        return Refusal("asks every caller to log in (`auth-calls`)", login[-1].line, asked_lists)
    # The last list may have a context for those whom it does not let in.
    if given and given[-1].count(":") < 2:
        return Refusal("lets no address in (`apply-inbound-acl`)", trusted[-1].line, asked_lists)
    return None


def _parsed(profile: Element, trunks: list[Element]) -> list[Element]:
    """Return the gateways of directory users, which profiles read whose domains say `parse`."""
    domains = descend(profile, "domains", "domain")
    return trunks if any(is_true(item.attributes.get("parse", "")) for item in domains) else []


def find_gateways(parent: Element | None) -> Iterator[Element]:
    """Yield the gateways below an element, as groups and users of a directory hold them."""
    for child in parent.children if parent else ():
        if child.name == "gateway":
            yield child
        elif child.name in _AROUND_GATEWAYS and child.may_hold("gateway"):
            yield from find_gateways(child)


def list_loaded(section: Element) -> set[str]:
    """Return the modules that the configuration says to load, in small letters."""
    found = (section.find("configuration", "name", name) for name in MODULES)
    listed = (item for modules in found for item in descend(modules, "modules", "load"))
    return {fold(item.attributes.get("module", "")) for item in listed}


def _may_load(section: Element) -> bool:
    """Tell whether mod_sofia is loaded, or nobody says what is."""
    loaded = list_loaded(section)
    return not loaded or "mod_sofia" in loaded


def _read_others(section: Element) -> Iterator[Door]:
    """Yield what other loaded modules give to the calls that they take."""
    loaded = list_loaded(section)
    for configuration in section.all("configuration"):
        name = configuration.attributes.get("name", "")
        module = "mod_" + fold(name).removesuffix(".conf")
        if fold(name) in ("sofia.conf", *_LOGIN_ONLY) or module not in loaded:
            continue
        for item in _deep(configuration, "param"):
            if fold(item.attributes.get("name", "")) == "context":
                yield Door(module, _value(item), item.line, True, False)


def _find_open_lists(section: Element) -> frozenset[str]:
    """Return the access lists that let an address in which no user of the directory has.

    What a `domain` node lets in has a user's name, and goes to that user's context.
    """
    acl = section.find("configuration", "name", "acl.conf")
    found = {
        fold(item.attributes.get("name", ""))
        for item in descend(acl, "network-lists", "list")
        if fold(item.attributes.get("default", "allow")) == "allow"
        or any("cidr" in node.attributes or "host" in node.attributes for node in item.all("node"))
    }
    return frozenset(found) | _OPEN_LISTS


def list_user_lists(root: Element) -> set[str]:
    """Return the access lists that let users in by their addresses, in small letters."""
    section = root.find("section", "name", "configuration")
    acl = section.find("configuration", "name", "acl.conf") if section else None
    return {
        fold(item.attributes.get("name", ""))
        for item in descend(acl, "network-lists", "list")
        if any("domain" in node.attributes for node in item.all("node"))
    }


def list_settings(root: Element, profile: str) -> dict[str, str]:
    """Return the last of each parameter of a SIP profile, by names in small letters."""
    section = root.find("section", "name", "configuration")
    sofia = section.find("configuration", "name", "sofia.conf") if section else None
    found = descend(sofia, "profiles", "profile")
    named = (one for one in found if fold(one.attributes.get("name", "")) == fold(profile))
    return {
        fold(item.attributes.get("name", "")): _value(item)
        for item in descend(next(named, None), "settings", "param")
    }


def find_realm(settings: Mapping[str, str]) -> str:
    """Return the one realm that a SIP profile has all phones log in to, "" where they name it.

    Follows `sofia_reg_handle_register_token` (sofia_reg.c).
    """
    realm = settings.get("challenge-realm", "")
    return "" if fold(realm) in ("auto_to", "auto_from") else realm


def list_contexts(root: Element) -> dict[str, Element]:
    """Return the contexts of the dialplan by name, the first of each."""
    section = root.find("section", "name", "dialplan")
    found: dict[str, Element] = {}
    for context in descend(section, "context"):
        found.setdefault(fold(context.attributes.get("name", "")), context)
    return found


def acts_inline(element: Element) -> bool:
    """Tell whether an action of an extension runs at once, and not when the search is over."""
    return any(
        acts_inline(child)
        if child.name == "condition"
        else child.name.endswith("action") and is_true(child.attributes.get("inline", ""))
        for child in element.children
    )


def is_true(text: str) -> bool:
    """Tell whether `switch_true` takes a word, or a number that is not 0, for true."""
    word = fold(text)
    digits = word.removeprefix("-")
    return word in _TRUE_WORDS or (digits.isdigit() and digits.strip("0") != "")


def is_served_elsewhere(root: Element, section: str) -> bool:
    """Tell whether a module may answer for a section of the configuration in place of files."""
    configurations = root.find("section", "name", "configuration")
    return any(
        section in fold(value).split("|")
        for configuration in descend(configurations, "configuration")
        for item in _deep(configuration, "param")
        for value in _bindings(item)
    )


def _bindings(param: Element) -> Iterable[str]:
    """`bindings="dialplan"` of mod_xml_curl and its kin, `xml-handler-bindings` of mod_lua's."""
    if "bindings" in param.attributes:
        yield param.attributes["bindings"]
    if fold(param.attributes.get("name", "")) == "xml-handler-bindings":
        yield _value(param)


def _params(parent: Element | None, name: str) -> list[Element]:
    """Return the parameters of a name, in order."""
    found = descend(parent, "param")
    return [item for item in found if fold(item.attributes.get("name", "")) == name]


def _value(param: Element) -> str:
    return param.attributes.get("value", "")


def _last(params: list[Element], default: str) -> str:
    return _value(params[-1]) if params else default


def _deep(parent: Element, name: str) -> Iterator[Element]:
    for child in parent.children:
        if child.name == name:
            yield child
        yield from _deep(child, name)
