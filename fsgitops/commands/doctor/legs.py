"""The doctor's look for legs that anybody may have moved: what is not ours to close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.diagnosis import Check, bad, good, warn
from fsgitops.kinds.agent.noun import Agent
from fsgitops.routing.hunt import is_true
from fsgitops.routing.places import find_doors
from fsgitops.routing.tree import fold
from fsgitops.steps.read_templates import read_templates
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.routing.merged import MergedConfig
    from fsgitops.routing.tree import Element
    from fsgitops.workspace.open import Workspace

NAME: Final = "open-legs"
SHOWN: Final = 5
CLOSING: Final = "force_transfer_context"
_PHONES = ("user/", "group/", "group_call(", "sofia_contact(")
_ACTIONS = (
    "export force_transfer_context=fsgitops_transfer; export nolocal:outbound_redirect_fatal=true; "
    "execute_extension fsgitops_closed XML fsgitops_transfer"
)


def check_legs(
    workspace: Workspace, merged: MergedConfig, root: Element, desired: Desired | None
) -> Iterator[Check]:
    """Yield where hand-written configuration lets a call be moved with somebody else's toll.

    `root` is the tree of the merged configuration.
    """
    agents = desired.of(Agent) if desired else ()
    inside = {"default", *(fold(agent.context) for agent in agents)}
    forwarding = any(agent.enabled and agent.phone_forwarding for agent in agents)
    found = [
        *_check_profiles(root, workspace.target.domain, workspace.target.profile, forwarding),
        *_check_gateways(root, inside, workspace.target.inbound_context),
        *_check_extensions(merged, root, inside),
        *_check_templates(workspace),
    ]
    yield from found
    if not found:
        yield good(NAME, "no call leg was found that the other side could transfer")


def _check_profiles(root: Element, domain: str, phones: str, forwarding: bool) -> Iterator[Check]:
    open_names = {
        door.name.removeprefix("profile ")
        for door in find_doors(root, domain)
        if door.name.startswith("profile ") and door.open
    }
    for profile in _walk(_section(root, "configuration"), "profile"):
        name, settings = profile.attributes.get("name", ""), _params(profile.child("settings"))
        # Where agents' phones are, their own transfers have to pass.
        if (
            name in open_names
            and name != phones
            and not is_true(settings.get("disable-transfer", ""))
        ):
            yield warn(
                NAME,
                f"the profile {name} takes REFER without a log-in: outsiders can transfer an "
                f"agent's call to a gateway at the agent's cost, or to any SIP address",
                f'put <param name="disable-transfer" value="true"/> into the settings of {name}, '
                f"and run sofia profile {name} rescan",
            )
        if forwarding and name == phones and not is_true(settings.get("manual-redirect", "")):
            yield warn(
                NAME,
                f"an agent has phone_forwarding, and the profile {name} calls any SIP address "
                f"that a phone forwards to, without a check of toll_allow",
                f'put <param name="manual-redirect" value="true"/> into the settings of {name}',
            )


def _check_gateways(root: Element, inside: set[str], inbound: str) -> Iterator[Check]:
    for section in ("configuration", "directory"):
        for gateway in _walk(_section(root, section), "gateway"):
            context = _params(gateway).get("context", "")
            if fold(context) in inside:
                name = gateway.attributes.get("name", "")
                yield bad(
                    NAME,
                    f"the gateway {name} leads calls into the context {context}, where agents "
                    f"call: an outsider who adds `;gw={name}` to an address can call like an agent",
                    f"set its context to {inbound}, then killgw {name} and rescan",
                )


def _check_extensions(merged: MergedConfig, root: Element, inside: set[str]) -> Iterator[Check]:
    for context in _walk(_section(root, "dialplan"), "context"):
        if fold(context.attributes.get("name", "")) not in inside:
            continue
        opened = list(_find_open(context))
        for item in opened[:SHOWN]:
            place = merged.source_of_merged_line(item.line)
            where = f" ({place})" if place else ""
            yield warn(
                NAME,
                f"the extension {item.attributes.get('name', '')}{where} rings phones and does "
                f"not close their legs: each side of such a call can transfer the other, at the "
                f"other's cost",
                f"put before its bridge: {_ACTIONS}",
            )
        if len(opened) > SHOWN:
            yield warn(
                NAME,
                f"and {count_noun(len(opened) - SHOWN, 'more extension')} like it",
                "close them too",
            )


def _find_open(context: Element) -> Iterator[Element]:
    """Yield the extensions of others that ring phones openly; one may close all behind it."""
    for extension in context.all("extension"):
        rings = closes = False
        for kind in ("action", "anti-action"):
            for action in _walk(extension, kind):
                data = action.text or action.attributes.get("data", "")
                application = action.attributes.get("application", "")
                rings = rings or (application == "bridge" and any(word in data for word in _PHONES))
                closes = closes or CLOSING in data or data.startswith("fsgitops_closed ")
        asks = any(item.attributes for item in extension.all("condition"))
        if closes and not asks and is_true(extension.attributes.get("continue", "")):
            return
        ours = extension.attributes.get("name", "").startswith("fsgitops_")
        if rings and not closes and not ours:
            yield extension


def _check_templates(workspace: Workspace) -> Iterator[Check]:
    templates, _ = read_templates(workspace.root / workspace.settings.templates)
    packaged, _ = read_templates(None)
    for name, source in packaged.sources.items():
        if CLOSING in source and CLOSING not in templates.sources.get(name, CLOSING):
            yield warn(
                NAME,
                f"{templates.file(name)} closes no call leg: the other side of a call can "
                f"transfer it",
                f"put into it: {_ACTIONS} (docs/templates.md)",
            )


def _section(root: Element, name: str) -> Element | None:
    return root.find("section", "name", name)


def _walk(parent: Element | None, name: str) -> Iterator[Element]:
    """Yield every element of a name; what stands in one of them is not looked at."""
    waiting = list(parent.children) if parent else []
    while waiting:
        item = waiting.pop()
        if item.name == name:
            yield item
        else:
            waiting += item.children


def _params(parent: Element | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in parent.children if parent else ():
        if child.name == "param":
            found[fold(child.attributes.get("name", ""))] = child.attributes.get("value", "")
        elif child.name == "params":
            found |= _params(child)
    return found
