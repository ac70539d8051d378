"""The doctor's check of where the SIP profile registers phones: in the target's domain?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.diagnosis import Check, bad
from fsgitops.routing.call.load import is_unknown
from fsgitops.routing.places import find_realm, list_settings
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.tree import Element
    from fsgitops.settings.target import Target

FORCED: Final = ("force-register-domain", "force-register-db-domain", "force-subscription-domain")
"""What takes every phone of a profile for one of a single domain, whatever it says (sofia.c)."""


def check_registering(root: Element, target: Target) -> Iterator[Check]:
    """Yield what makes the profile register the phones of the target's domain in another one.

    Of a value that only the switch knows, nothing is said.
    """
    found = list_settings(root, target.profile)
    wrong = [name for name in FORCED if fold(found.get(name, "")) not in ("", fold(target.domain))]
    if wrong:
        yield bad(
            "registering",
            f"the profile {target.profile} takes every phone for one of the domain "
            f"{found[wrong[0]]} ({', '.join(wrong)}): one of {target.domain} cannot register",
            "take these parameters out of the profile, and restart it once: `sofia profile "
            f"{target.profile} restart` ends its calls",
        )
    realm = find_realm(found)
    if realm not in ("", target.domain) and not is_unknown(realm):
        yield bad(
            "registering",
            f"the profile {target.profile} has every phone log in to the realm {realm} "
            f"(challenge-realm): one whose password is kept as a hash for {target.domain} cannot",
            "set challenge-realm to auto_from, and restart the profile once: `sofia profile "
            f"{target.profile} restart` ends its calls",
        )
