"""A destination may be written as people dial it: whose number that is, is found here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.fields import Ref
from fsgitops.model.reading import find_marked, name_of, reference_marks, replace_at
from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun

    Nouns = Mapping[str, Mapping[str, Noun]]


def name_destinations(nouns: Nouns, kinds: Kinds) -> Nouns:
    """Return the nouns with KIND/NAME for each destination that is another kind's number.

    A text without a kind is a name of the reference's first kind, where that has it. Else it is a
    number: who is dialled by it is meant. What asks afterwards where a noun leads needs no table.
    """
    marks = {
        kind.word: [mark for mark in reference_marks(kind.noun) if mark.anything]
        for kind in kinds.values()
    }
    first = {mark.kinds[0] for found in marks.values() for mark in found}
    numbers = {
        number: Resource(kind.word, name_of(noun))
        for kind in kinds.values()
        if kind.reach and kind.word not in first
        for noun in nouns[kind.word].values()
        for number in kind.dialled(noun)
    }
    if not numbers:
        return nouns
    return {
        word: {name: _name(noun, numbers, nouns) if marks[word] else noun for name, noun in of}
        for word, of in ((word, found.items()) for word, found in nouns.items())
    }


def _name(noun: Noun, numbers: Mapping[str, Resource], nouns: Nouns) -> Noun:
    for path, text, mark in tuple(find_marked(noun, Ref)):
        if mark.anything and text in numbers and text not in nouns[mark.kinds[0]]:
            noun = replace_at(noun, path, "/".join(numbers[text]))
    return noun
