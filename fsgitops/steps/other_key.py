"""Whether a plan takes secrets from a project key that nobody announced."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.model.plan import Action, Need
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fsgitops.model.plan import Change

PERMISSION = "key"


def find_other_key(
    changes: Iterable[Change], live: Collection[str], keys: Collection[str], *, upcoming: str
) -> list[Need]:
    """Return the permission that it takes to derive secrets from another project key.

    A wrong key gives every agent another password, and all phones are locked out at once. A
    declared rotation says which key comes next, and needs none.

    Args:
        changes: The plan's changes.
        live: Fingerprints of the keys that live secrets are derived from; empty: not known.
        keys: Those that the declared ones are derived from.
        upcoming: That of the key which a rotation moves agents to, or "".
    """
    other = sorted(set(keys).difference(live, (upcoming,)))
    if not live or not other:
        return []
    secret = Counter(
        change.resource.kind
        for change in changes
        if change.action is not Action.DELETE
        and any(attribute.secret for attribute in change.attributes)
    )
    if not secret:
        return []
    told = " and ".join(count_noun(count, kind) for kind, count in secret.items())
    because = (
        f"this project key ({', '.join(other)}) differs from the one the live passwords were made "
        f"with ({', '.join(sorted(live))}): {told} would get new secrets"
    )
    return [Need(PERMISSION, because)]
