"""What a resource names is declared, is on, and leads somewhere."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from fsgitops.findings import quote_value
from fsgitops.model.fields import Ref
from fsgitops.model.reading import (
    find_all,
    key_field,
    name_of,
    read_reference,
    reference_marks,
    references,
    resource_of,
)
from fsgitops.model.rule import Breach

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Path
    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.resource import Resource


def check_unknown(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every reference to what nobody declares."""
    known = _Known(desired)
    for noun, path, text, mark in _leading(desired, kinds):
        if "/" not in text and text in known.names(mark.kinds[0]):
            continue
        wanted = read_reference(mark, text)
        if not known.has(wanted):
            yield Breach(resource_of(noun), path, *_not_there(wanted, kinds, known))
        elif wanted.kind not in mark.kinds and kinds[wanted.kind].reach is None:
            message = f"no call can be led to {kinds[wanted.kind].told} {wanted.name}"
            yield Breach(resource_of(noun), path, message, "Name something that rings.")


def check_disabled(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every reference of an enabled resource to a disabled one."""
    if all(noun.enabled for nouns in desired.nouns.values() for noun in nouns.values()):
        return
    for noun, path, text, mark in _leading(desired, kinds):
        resource = read_reference(mark, text)
        other = desired.get(resource)
        if other is None or other.enabled or not noun.enabled:
            continue
        where = desired.sources.get(resource)
        yield Breach(
            resource_of(noun),
            path,
            f"{other.called} {resource.name} is disabled"
            + (f" (it is declared at {where})" if where else "")
            + f", so {mark.lost}",
            f"Enable the {other.called}, disable the {noun.called} too, or send it elsewhere.",
        )


def check_owned(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every resource that shows others a number that is not declared, grouped by number."""
    known = _Known(desired)
    for kind in kinds.values():
        marks = [mark for mark in reference_marks(kind.noun) if mark.owned]
        ours = {mark: set().union(*map(known.names, mark.kinds)) for mark in marks}
        for noun, path, number, mark in find_all(desired.of(kind.noun), Ref) if marks else ():
            if number not in ours.get(mark, (number,)):
                yield _not_ours(noun, path, number)


def _not_ours(noun: Noun, path: Path, number: str) -> Breach:
    return Breach(
        resource_of(noun),
        path,
        f"{noun.called} {name_of(noun)} shows the caller ID number {number}, "
        f"not a declared {'DID' if number.startswith('+') else 'extension'}",
        "Declare a route for it, or show a number that is yours: carriers block calls that "
        "show somebody else's.",
        group=number,
    )


def check_circles(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield one breach for each circle in which a call that nobody answers would go on for ever.

    Only what leads to one place alone is followed: where a caller chooses, there is a way out.
    """
    following = [
        kind for kind in kinds.values() if any(mark.anything for mark in reference_marks(kind.noun))
    ]
    words = {kind.word for kind in following}
    # Who leads to what leads nowhere is in no circle: of 100,000 DIDs, hardly one is looked at.
    ending = {
        id(noun)
        for noun, _, text, mark in _leading(desired, kinds)
        if mark.anything and "/" not in text and mark.kinds[0] not in words
    }
    leads = {
        resource_of(noun): [item for item in references(noun) if item.mark.anything]
        for kind in following
        for noun in desired.of(kind.noun)
        if noun.enabled and id(noun) not in ending
    }
    only = {resource: found[0] for resource, found in leads.items() if len(found) == 1}
    seen: set[Resource] = set()
    for start in tuple(only):
        at = start
        trail: list[Resource] = []
        while at in only and at not in seen:
            seen.add(at)
            trail.append(at)
            at = only[at].resource
        if at in trail:
            circle = " -> ".join(map(str, [*trail[trail.index(at) :], at]))
            yield Breach(
                at,
                only[at].path,
                f"a call that nobody answers goes in a circle: {circle}",
                "Lead one of them elsewhere.",
            )


def _leading(desired: Desired, kinds: Kinds) -> Iterator[tuple[Noun, Path, str, Ref]]:
    """Yield every text that names what something leads to, with its noun and its place there."""
    for kind in kinds.values():
        if any(not mark.owned for mark in reference_marks(kind.noun)):
            for noun, path, text, mark in find_all(desired.of(kind.noun), Ref):
                if not mark.owned:
                    yield noun, path, text, mark


class _Known:
    """The declared names of each kind.

    What has a wrong field is there, and has its finding; a second one would mislead.
    """

    def __init__(self, desired: Desired) -> None:
        self._names = {kind: set(nouns) for kind, nouns in desired.nouns.items()}
        for kind, name in desired.rejected:
            self._names.setdefault(kind, set()).add(name)

    def names(self, kind: str) -> Collection[str]:
        return self._names.get(kind, ())

    def has(self, resource: Resource) -> bool:
        return resource.name in self.names(resource.kind)


def _not_there(wanted: Resource, kinds: Kinds, known: _Known) -> tuple[str, str]:
    """Return the message and the hint about a reference to nothing."""
    if wanted.kind not in kinds:
        message = f"there is no kind {quote_value(wanted.kind)}"
        leading = ", ".join(f"`{word}`" for word, kind in kinds.items() if kind.reach)
        return message, f"A call can be led to: {leading}."
    noun = kinds[wanted.kind].noun
    field = key_field(noun).replace("_", " ")
    near = _nearest(wanted.name, known.names(wanted.kind))
    remedy = f"Declare the {noun.called}, or correct the {field}."
    return (
        f"no {noun.called} has the {field} {wanted.name}",
        f"Did you mean {near}?" if near else remedy,
    )


def _nearest(wanted: str, known: Collection[str]) -> str | None:
    """Return a known name that one slip of the finger turns into `wanted`."""
    letters = string.digits
    if not wanted.isdigit():
        letters += string.ascii_lowercase + "_-"
        wanted = wanted[:64]
    swapped = [
        wanted[:at] + wanted[at + 1] + wanted[at] + wanted[at + 2 :]
        for at in range(len(wanted) - 1)
    ]
    changed = [
        wanted[:at] + letter + wanted[at + 1 :] for at in range(len(wanted)) for letter in letters
    ]
    shorter = [wanted[:at] + wanted[at + 1 :] for at in range(len(wanted))]
    longer = [
        wanted[:at] + letter + wanted[at:] for at in range(len(wanted) + 1) for letter in letters
    ]
    # Looking up some 130 candidates stays cheap beside 100,000 agents; comparing all does not.
    return next((name for name in (*swapped, *changed, *shorter, *longer) if name in known), None)
