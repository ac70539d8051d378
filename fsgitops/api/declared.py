"""What is declared, read again when the files change; the last good state stays in force."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.live.roster import Roster, load_roster
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.workspace.open import Workspace, open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_SECONDS = 2.0

_Signature = tuple[tuple[str, int, int], ...]


class DeclaredState:
    """The workspace and its roster. Ask from any thread; reading files can take a while."""

    def __init__(
        self, workspace: Workspace, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock()
        self._signature = _sign(workspace)
        self._held = (workspace, load_roster(workspace))
        self.problem: str | None = None
        """Why the files as they are now are not in force; None: they are."""

    def current(self) -> tuple[Workspace, Roster]:
        """Return what is in force; looks at the files at most every two seconds."""
        with self._lock:
            now = self._clock()
            if now - self._looked >= LOOK_SECONDS:
                self._looked = now
                self._look()
            return self._held

    def _look(self) -> None:
        workspace = self._held[0]
        signature = _sign(workspace)
        if signature == self._signature:
            return
        self._signature = signature
        try:
            fresh = open_workspace(workspace.root, workspace.target.name)
            self._held = (fresh, load_roster(fresh))
        except (FsgitopsError, OSError) as problem:
            lines = str(problem).splitlines() or [type(problem).__name__]
            self.problem = lines[0]
        else:
            self.problem = None


def _sign(workspace: Workspace) -> _Signature:
    places = [workspace.root / SETTINGS_FILE]
    places += sorted((workspace.root / workspace.settings.desired).rglob("*.y*ml"))
    found: list[tuple[str, int, int]] = []
    for place in places:
        try:
            facts = place.stat()
        except OSError:
            continue
        found.append((str(place), facts.st_mtime_ns, facts.st_size))
    return tuple(found)
