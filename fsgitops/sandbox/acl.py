"""The ACLs of the embedded switch, as mod_commands' `acl` answers of them.

Source: switch_load_network_lists (switch_core.c), switch_network_list_validate_ip_token
(switch_utils.c).
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

from fsgitops.routing.directory import descend, locate, walk_users
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.routing.tree import Element

Network: TypeAlias = "IPv4Network | IPv6Network"
Lists: TypeAlias = "Mapping[str, tuple[bool, list[tuple[Network, bool]]]]"
"""By name: what holds for an address of no network, and each network with what holds in it."""


def load_lists(root: Element) -> Lists:
    """Return the lists of acl.conf; of two of one name, the last."""
    found = locate(root, "configuration", "configuration", "name", "acl.conf")
    return {
        item.attributes.get("name", ""): _read(root, item)
        for item in (descend(found, "network-lists", "list") if found is not None else ())
    }


def lets_in(lists: Lists, ip: str, name: str) -> bool:
    """Tell whether a list lets an address in: its narrowest network says. An unknown one: no."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    default, networks = lists.get(name, (False, []))
    within = [(net.prefixlen, allow) for net, allow in networks if address in net]
    return max(within, key=lambda item: item[0])[1] if within else default


def _read(root: Element, acl: Element) -> tuple[bool, list[tuple[Network, bool]]]:
    default = acl.attributes.get("default", "allow") == "allow"
    networks: list[tuple[Network, bool]] = []
    for node in acl.all("node"):
        said = node.attributes.get("type")
        allow = default if said is None else said == "allow"
        texts = [node.attributes["cidr"]] if "cidr" in node.attributes else []
        if domain := node.attributes.get("domain"):
            texts += _find_networks(root, domain)
        for text in ",".join(texts).split(","):
            with suppress(ValueError):  # FreeSWITCH logs an error, and goes on
                networks.append((ip_network(text.strip(), strict=False), allow))
    return default, networks


def _find_networks(root: Element, name: str) -> Iterator[str]:
    section = root.find("section", "name", "directory")
    for domain in section.all("domain") if section is not None else ():
        if fold(domain.attributes.get("name", "")) == fold(name):
            for user, _ in walk_users(domain):
                if "cidr" in user.attributes:
                    yield user.attributes["cidr"]
