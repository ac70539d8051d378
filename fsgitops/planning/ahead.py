"""The configuration as a plan leaves it, read once for all that follow calls through it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from fsgitops.planning.portion import narrow_plan
from fsgitops.planning.survey import load_planned

if TYPE_CHECKING:
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.planning.portion import Portion
    from fsgitops.routing.call.load import Loaded
    from fsgitops.workspace.declare import Compilation
    from fsgitops.workspace.open import Workspace


class Ahead:
    """What a plan leaves, and what of it calls are followed through."""

    def __init__(
        self,
        workspace: Workspace,
        compilation: Compilation,
        live: LiveConfig,
        plan: Plan,
        written: CompiledConfig,
    ) -> None:
        self.workspace = workspace
        self.live = live
        self._made = plan, compilation, written

    @cached_property
    def portion(self) -> Portion:
        """The plan, or of a very large one a part (portion.py)."""
        return narrow_plan(*self._made, self.workspace.kinds)

    @cached_property
    def loaded(self) -> Loaded:
        """The configuration with the files of that part. Raises MergeError."""
        return load_planned(
            self.workspace.target, self.portion.plan, self.portion.written, self.live
        )

    def load_whole(self) -> Loaded:
        """Return the configuration with all files. Raises MergeError."""
        plan, _, written = self._made
        if not self.portion.left:
            return self.loaded
        return load_planned(self.workspace.target, plan, written, self.live)
