"""What calls are expected to do: declared beside the resources, and proved, not compiled.

It stands in the section `tests` of any desired file. It is no resource: it has no files, and no
plan changes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fsgitops.expectation.noun import Expectation
from fsgitops.expectation.rules import RULES
from fsgitops.kinds import BUILT_IN
from fsgitops.model.kind import Kind, Kinds
from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.findings import Position
    from fsgitops.model.desired import Desired

EXPECTATION: Final = Kind(
    word="expectation",
    section="tests",
    noun=Expectation,
    paths=lambda _noun, _site: (),
    drafts=lambda _noun, _site, _secrets, _known: (),
    rules=RULES,
    lists="What calls are expected to do: `fsgitops test` and every plan prove it.",
    also=("test", "expectations"),
)


@dataclass(frozen=True, slots=True)
class Expected:
    """Expectations by name, sorted, and where each is declared."""

    tests: Mapping[str, Expectation] = field(default_factory=dict)
    sources: Mapping[str, Position] = field(default_factory=dict)

    @property
    def enabled(self) -> list[Expectation]:
        """Return those that are looked at, in the order of the files."""
        found = (test for test in self.tests.values() if test.enabled)
        return sorted(found, key=lambda test: self.sources[test.name])


def set_apart(desired: Desired, kinds: Kinds) -> tuple[Desired, Expected]:
    """Return the resources alone, and the expectations: nothing is compiled of these.

    `kinds` are those that were read.
    """
    word = EXPECTATION.word
    if kinds.get(word) is not EXPECTATION:
        return desired, Expected()
    tests = {test.name: test for test in desired.of(Expectation)}
    nouns = {other: found for other, found in desired.nouns.items() if other != word}
    if not tests:
        return replace(desired, nouns=nouns), Expected()
    places = {name: desired.sources[Resource(word, name)] for name in tests}
    sources = {item: place for item, place in desired.sources.items() if item.kind != word}
    return replace(desired, nouns=nouns, sources=sources), Expected(tests, places)


def with_expectations(kinds: Kinds) -> Kinds:
    """Return all that may stand in desired files.

    A project's own kind that has the section, or the word, keeps it: then nothing is expected.
    """
    taken = EXPECTATION.word in kinds or kinds.by_section(EXPECTATION.section) is not None
    return kinds if taken else Kinds((*kinds.values(), EXPECTATION), kinds.places)


READABLE: Final = with_expectations(BUILT_IN)
"""What desired files may hold where a project has no kinds of its own."""
