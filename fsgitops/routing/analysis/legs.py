"""What lets one side of a call move the other, at the other's cost: REFER, 302, open gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import read_params, walk
from fsgitops.routing.call.words import is_true
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Context, Extension, Outline

CLOSING: Final = "force_transfer_context"
ACTIONS: Final = (
    "export force_transfer_context=fsgitops_transfer; export nolocal:outbound_redirect_fatal=true; "
    "execute_extension fsgitops_closed XML fsgitops_transfer"
)
_PHONES: Final = ("user/", "group/", "group_call(", "group(", "sofia_contact(")


def find_open_profiles(outline: Outline) -> Iterator[Found]:
    """Yield the profiles on which strangers may transfer, or phones forward to anywhere."""
    open_names = {
        door.name.removeprefix("profile ")
        for door in outline.doors
        if door.of_profile and door.open
    }
    for profile in walk(outline.section("configuration"), "profile"):
        name, settings = profile.attributes.get("name", ""), read_params(profile.child("settings"))
        # Where agents' phones are, their own transfers have to pass.
        phones = name == outline.phones
        if name in open_names and not phones and not is_true(settings.get("disable-transfer")):
            yield Found(
                "open-profile", profile.line,
                f"the profile {name} takes REFER without a log-in: outsiders can transfer a "
                f"user's call to a gateway at the user's cost, or to any SIP address",
                f'put <param name="disable-transfer" value="true"/> into the settings of {name}, '
                f"and run sofia profile {name} rescan",
            )  # fmt: skip
        if is_true(settings.get("accept-blind-auth")):
            yield Found(
                "open-profile", profile.line,
                f"the profile {name} accepts any log-in (accept-blind-auth): whoever writes a "
                "user's number into From calls as that user, with his toll_allow",
                f"take accept-blind-auth out of the settings of {name}, and restart the profile",
            )  # fmt: skip
        if outline.forwarding and phones and not is_true(settings.get("manual-redirect")):
            yield Found(
                "open-profile", profile.line,
                f"phone_forwarding is declared, and the profile {name} calls any SIP address "
                f"that a phone forwards to, without a check of toll_allow",
                f'put <param name="manual-redirect" value="true"/> into the settings of {name}',
            )  # fmt: skip


def find_open_gateways(outline: Outline) -> Iterator[Found]:
    """Yield the gateways that let anybody call as a user."""
    for gateway, context in outline.gateways:
        if fold(context) in outline.inside:
            name = gateway.attributes.get("name", "")
            yield Found(
                "open-gateway", gateway.line,
                f"the gateway {name} leads calls into the context {context}, where users call: an "
                f"outsider who adds `;gw={name}` to an address, or calls gw+{name}, can call like "
                "one of them",
                f"set its context to {outline.inbound}, then killgw {name} and rescan",
            )  # fmt: skip


def find_open_legs(outline: Outline) -> Iterator[Found]:
    """Yield the extensions that ring phones and close no leg, and files of ours that close none."""
    closed = {item.resource for item in outline.extensions if _closes(item)}
    for context in outline.contexts:
        within = fold(context.name) in outline.inside
        for extension in context.extensions if not context.dead else ():
            owner = extension.resource
            if owner is None or owner in closed:
                continue
            if _rings(extension) or (not within and _sends(extension)):
                closed.add(owner)
                told = "connects calls and closes no call leg"
                yield _tell(extension, told, "put into its template, before it connects")
        if within and not context.dead:
            for extension in _find_open(context):
                told = "rings phones and does not close their legs"
                yield _tell(extension, told, "put before its bridge")


def _tell(extension: Extension, does: str, where: str) -> Found:
    return Found(
        "open-leg", extension.line,
        f"the extension {extension.name} {does}: each side of such a call can transfer the other "
        "(REFER), or be sent on by a phone's 302, at the other's cost",
        f"{where}: {ACTIONS}",
        extension,
    )  # fmt: skip


def _find_open(context: Context) -> Iterator[Extension]:
    """Yield the extensions of others that ring phones openly; one may close all behind it."""
    for extension in context.extensions:
        closes = _closes(extension)
        asks = any(item.attributes for item in extension.element.all("condition"))
        if closes and not asks and extension.continues:
            return
        if _rings(extension) and not closes and extension.resource is None:
            yield extension


def _rings(extension: Extension) -> bool:
    return any(
        act.application == "bridge" and any(word in act.data for word in _PHONES)
        for act in extension.acts
    )


def _sends(extension: Extension) -> bool:
    return any(act.application in ("bridge", "transfer") for act in extension.acts)


def _closes(extension: Extension) -> bool:
    return any(
        CLOSING in act.data or act.data.startswith("fsgitops_closed ") for act in extension.acts
    )
