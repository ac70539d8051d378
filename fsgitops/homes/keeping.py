"""Which secrets of a file stay what they are, where a hash takes the place of a password."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.homes import home_of
from fsgitops.model.plan import AttributeChange, compare_attribute
from fsgitops.routing.lines import expand_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.homes.home import Flat
    from fsgitops.model.plan import Plan


class Keeping:
    """Compares what files said with what they are to say, for the target of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._conf_dir = Path(plan.conf_dir)
        self._domain = plan.domain

    def compare(
        self, path: str, before: Flat, after: Flat, names: Iterable[str]
    ) -> tuple[AttributeChange, ...]:
        """Return what the attributes of these names become, the secrets that stay marked."""
        kept = frozenset(home_of(path).kept(before, after, self._domain, self._expand))
        return tuple(
            compare_attribute(name, before.get(name), after.get(name), same=name in kept)
            for name in names
        )

    def _expand(self, text: str) -> str:
        if "$$" not in text:
            return text
        return expand_text(text, lambda name: self._variables.get(name.lower(), ""))

    @cached_property
    def _variables(self) -> Mapping[str, str]:
        """The preprocessor's variables; none where the directory cannot be read."""
        from fsgitops.routing.preprocess import MergeError, load_merged

        try:
            merged = load_merged(self._conf_dir)
        except (MergeError, OSError):
            return {}
        return {name.lower(): value for name, value in merged.variables.items()}
