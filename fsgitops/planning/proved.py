"""What the last apply knew of calls: that those to all that is declared arrive, but for some.

While neither the hand-written files nor the manifest have changed since, no call to what a plan
leaves alone has to be followed again.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.errors import FsgitopsError
from fsgitops.model.resource import Resource
from fsgitops.secret.key import keyed_digest
from fsgitops.transaction.journal import MANIFEST
from fsgitops.transaction.state import read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.routing.survey import Survey
    from fsgitops.secret.key import ProjectKey

FILE: Final = "calls.json"
VERSION: Final = 1


class Proved(NamedTuple):
    """A digest of all that is read beside the files of fsgitops, and what no call gets to."""

    foreign: str
    astray: frozenset[Resource] = frozenset()


def digest_foreign(survey: Survey, key: ProjectKey | None) -> str:
    """Return a keyed digest of what is read of a conf directory; "" without a key.

    A plain digest would let somebody try out passwords that stand there.
    """
    merged, ours = survey.merged, survey.ours
    told = repr((sorted(merged.variables.items()), merged.files, ours.places, ours.lines))
    return keyed_digest(key, merged.text + told.encode("utf-8", "surrogatepass")) or ""


def read_proved(state_dir: Path) -> Proved | None:
    """Return what the last apply knew; None where that is not known, or does not count any more."""
    try:
        data = json.loads(read_state(state_dir, FILE))
        if data["version"] != VERSION or data["manifest"] != _digest_manifest(state_dir):
            return None
        return Proved(data["foreign"], frozenset(map(Resource.parse, data["astray"])))
    except (FsgitopsError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep_proved(state_dir: Path, proved: Proved) -> None:
    """Write down what an apply knows, once its manifest is written.

    Without a key nothing is kept, nor where that cannot be: the next plan follows all calls then.
    """
    if not proved.foreign or read_proved(state_dir) == proved:
        return
    with suppress(FsgitopsError, OSError):
        values = {
            "version": VERSION,
            "manifest": _digest_manifest(state_dir),
            "foreign": proved.foreign,
            "astray": sorted(map(str, proved.astray)),
        }
        write_state(state_dir, FILE, json.dumps(values, indent=1).encode() + b"\n")


def _digest_manifest(state_dir: Path) -> str:
    return hashlib.sha256(read_state(state_dir, MANIFEST)).hexdigest()
