"""What a plan changes for callers: each number whose calls end otherwise than they do now.

Now means: the files of fsgitops as they stand, and hand-written ones as they were at the last
apply, which noted where the calls to each number end (model/heard.py). So an edit by hand is seen,
too. A call is followed only if something that it follows from has changed.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fsgitops import __version__
from fsgitops.errors import FsgitopsError
from fsgitops.model.heard import Hearings
from fsgitops.model.impact import MOMENT, Impact
from fsgitops.model.plan import Danger
from fsgitops.routing.glob import MARK
from fsgitops.routing.preprocess import ROOT_FILE
from fsgitops.secret.key import keyed_digest
from fsgitops.transaction.state import read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.model.live import Manifest
    from fsgitops.model.plan import Plan
    from fsgitops.planning.ahead import Ahead
    from fsgitops.planning.followed import Lister
    from fsgitops.planning.survey import ConfLook
    from fsgitops.secret.key import ProjectKey
    from fsgitops.workspace.declare import Compilation

FILE: Final = "heard.json"
_MARKED: Final = re.compile(rb'<%s run="[0-9]+"/>' % MARK.encode())


def find_impact(
    compilation: Compilation,
    plan: Plan,
    look: ConfLook,
    ahead: Ahead,
    list_all: Lister | None = None,
) -> tuple[Impact | None, Hearings | None]:
    """Return what the plan changes for callers, and where calls end once it is applied.

    The latter is None where nothing is known of it; so is the impact where there is no
    configuration of FreeSWITCH yet. For `list_all`, see `follow_calls`.
    """
    target = ahead.workspace.target
    if not (target.conf_dir / ROOT_FILE).is_file():
        return None, None
    try:
        by_hand = digest_by_hand(look, compilation.key)
        kept = read_hearings(target.state_dir, ahead.live.manifest) if by_hand else None
        if _is_settled(plan) and (kept is None or kept.by_hand == by_hand):
            return Impact(MOMENT), kept
        from fsgitops.planning.followed import follow_calls

        return follow_calls(ahead, kept, by_hand, list_all)
    except (FsgitopsError, OSError) as problem:
        note = f"where calls end is not known: {problem}"
        return Impact(MOMENT, notes=(note,)), None


def _is_settled(plan: Plan) -> bool:
    return all(change.dangers == (Danger.NOTHING,) for change in plan.changes)


def digest_by_hand(look: ConfLook, key: ProjectKey | None) -> str:
    """Return a keyed digest of the configuration without the files of fsgitops; "" without a key.

    A plain one would let somebody try out passwords that stand there.
    """
    text = _MARKED.sub(b"", look.survey().merged.text)
    return keyed_digest(key, b"\n".join(filter(None, map(bytes.strip, text.split(b"\n"))))) or ""


def digest_managed(manifest: Manifest) -> str:
    """Return the digest of the files of fsgitops."""
    state = hashlib.sha256()
    for path, entry in sorted(manifest.entries.items()):
        state.update(f"{path}\0{entry.sha256}\n".encode())
    return state.hexdigest()


def read_hearings(state_dir: Path, manifest: Manifest) -> Hearings | None:
    """Return what the last apply noted of calls; None: nothing, or not of these files."""
    kept = None
    with suppress(OSError, FsgitopsError):
        kept = Hearings.decode(read_state(state_dir, FILE))
    if kept is None or (kept.rules, kept.managed) != (__version__, digest_managed(manifest)):
        return None
    return kept


def keep_hearings(state_dir: Path, heard: Hearings, manifest: Manifest) -> None:
    """Note where calls end now that a plan is applied; nothing where there is no key.

    Raises OSError, TransactionError.
    """
    if not heard.by_hand:
        return
    made = replace(heard, managed=digest_managed(manifest)).encode()
    with suppress(OSError):
        if read_state(state_dir, FILE) == made:
            return
    write_state(state_dir, FILE, made)
