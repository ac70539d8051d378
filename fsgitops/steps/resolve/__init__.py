"""Turn Documents into Desired: fill in defaults, normalise numbers, check every single value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.findings import Finding, Position, error, quote_value, sort_findings
from fsgitops.model.desired import Desired
from fsgitops.model.document import NO_SETTINGS
from fsgitops.model.fields import Ref
from fsgitops.model.noun import Fault, Noun, make_noun, slim
from fsgitops.model.reading import (
    find_marked,
    key_field,
    merged_fields,
    name_of,
    numbers,
    reference_marks,
    replace_at,
    resource_of,
    stand_ins,
)
from fsgitops.model.resource import Resource
from fsgitops.phone import USUAL_LENGTHS, Lengths, NumberError, normalise_number
from fsgitops.steps.resolve.ranges import expand_item
from fsgitops.steps.resolve.sections import (
    Section,
    check_project_defaults,
    check_sections,
    describe_fault,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.document import Document, Value
    from fsgitops.model.kind import Kinds

    Nouns = Mapping[str, Mapping[str, Noun]]

__all__ = ["resolve_desired"]

_NO_DEFAULTS: Mapping[str, Mapping[str, object]] = {}
_STAND_IN = "+10000000"


class _Resolver:
    """Goes through all documents, gathering nouns by name and findings."""

    def __init__(
        self, kinds: Kinds, default_region: str | None, settings: Document, lengths: Lengths
    ) -> None:
        self.kinds = kinds
        self.default_region = default_region
        self.settings = settings
        self.lengths = lengths
        self.findings: list[Finding] = []
        self.nouns: dict[str, dict[str, Noun]] = {word: {} for word in kinds}
        self.sources: dict[Resource, Position] = {}
        self.repeats: list[tuple[Resource, Position]] = []
        self.rejected: set[Resource] = set()
        self.lists: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, document: Document, defaults: Mapping[str, Mapping[str, object]]) -> None:
        """Take in all that one document declares."""
        own, found = check_sections(document, self.kinds)
        self.findings += found
        for kind in self.kinds.values():
            key = kind.section
            items = document.data.get(key)
            if not isinstance(items, list):
                continue
            below = {**kind.defaults, **defaults.get(key, {})}
            merged = _merge(kind.noun, below, own.get(key, {}))
            places = document.item_positions.get(key, ())
            for index, item in enumerate(items):
                place = (
                    places[index] if len(places) == len(items) else document.position((key, index))
                )
                section = Section(document, self.settings, kind, index, place)
                if isinstance(item, dict):
                    whole = _merge(kind.noun, merged, item) if merged else item
                    each, wrong = expand_item(section, whole)
                    self.findings += wrong
                    for one in each:
                        self.read_item(section, one)
                else:
                    self.findings.append(_not_a_mapping(section))

    def read_item(self, section: Section, item: Mapping[str, object]) -> None:
        """Make a noun of one item, or findings."""
        model = section.kind.noun
        values, problems = self.normalise(section, item)
        noun, faults = make_noun(model, values)
        if faults:
            self.findings += [describe_fault(section, fault) for fault in faults]
            noun = _salvage(model, values, faults)
        if faults or problems:
            self.findings += problems
            name = values.get(key_field(model))
            if isinstance(name, str) and name != _STAND_IN:
                self.rejected.add(Resource(model.kind, name))
        if noun is not None:
            self.keep(slim(noun, self.lists), section.place)

    def normalise(
        self, section: Section, item: Mapping[str, object]
    ) -> tuple[Mapping[str, object], list[Finding]]:
        """Return the item with its numbers as E.164; with a stand-in, and why, for a wrong one."""
        model: type[Noun] = section.kind.noun
        changed: dict[str, object] = {}
        findings: list[Finding] = []
        for field, mark in numbers(model).items():
            text = item.get(field)
            if not isinstance(text, str) or (mark.or_extension and self.lengths.hold(text)):
                continue
            try:
                number = normalise_number(text, self.default_region)
            except NumberError as problem:
                place = section.position((field,))
                message = f"`{field}`: {quote_value(text)} {problem}"
                findings.append(error("invalid-number", place, message, problem.hint))
                # Where one is required, the rest is judged with another one in its place.
                required = model.model_fields[field].is_required()
                changed[field] = _STAND_IN if required else None
            else:
                if number != text:
                    changed[field] = number
        return ({**item, **changed} if changed else item), findings

    def keep(self, noun: Noun, place: Position) -> None:
        names, resource = self.nouns[noun.kind], resource_of(noun)
        if resource.name == _STAND_IN:
            return
        if resource.name in names:
            self.repeats.append((resource, place))
        else:
            names[resource.name] = noun
            self.sources[resource] = place

    def desired(self) -> Desired:
        """Return what was gathered, sorted by name."""
        nouns = {word: dict(sorted(names.items())) for word, names in self.nouns.items()}
        return Desired(
            _name_destinations(nouns, self.kinds),
            sources=self.sources,
            repeats=tuple(self.repeats),
            rejected=frozenset(self.rejected),
        )


def resolve_desired(
    documents: Iterable[Document],
    kinds: Kinds,
    *,
    defaults: Mapping[str, Mapping[str, object]] = _NO_DEFAULTS,
    default_region: str | None = None,
    settings: Document = NO_SETTINGS,
    own_variables: Iterable[str] = (),
    lengths: Lengths = USUAL_LENGTHS,
) -> tuple[Desired, list[Finding]]:
    """Return what the documents declare of these kinds, and all that is wrong with single values.

    `defaults` (section -> field -> value) fill in what neither an item nor the
    `defaults` of its own file say; `settings` is the document that they were read from, for the
    places in findings. National numbers are read as those of `default_region` (two letters).
    `own_variables` are the variables that the project declares as its own, `lengths` those of its
    extensions.
    """
    resolver = _Resolver(kinds, default_region, settings, lengths)
    defaults, found = check_project_defaults(defaults, settings, kinds)
    resolver.findings += found
    for document in documents:
        resolver.read(document, defaults)
    # A bad default is found once for each item that it fills in, always at the same place.
    desired = replace(
        resolver.desired(),
        own_variables=frozenset(name.lower() for name in own_variables),
        lengths=lengths,
        region=default_region,
    )
    return desired, sort_findings(list(dict.fromkeys(resolver.findings)))


def _name_destinations(nouns: Nouns, kinds: Kinds) -> Nouns:
    """Return the nouns with KIND/NAME for each destination that is another kind's number.

    A destination may be written as people dial it: whose number that is, is found here, once. A
    text without a kind is a name of the reference's first kind, where that has it; else it is a
    number, and who is dialled by it is meant. What asks afterwards where a noun leads needs no
    table.
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


def _merge(
    model: type[Noun],
    defaults: Mapping[str, object],
    values: Mapping[str, object] | Mapping[str, Value],
) -> dict[str, object]:
    """Return `values` over `defaults`; the mappings in them (variables, voicemail) as well."""
    merged = {**defaults, **values}
    for field, part in merged_fields(model).items():
        below, above = defaults.get(field), values.get(field)
        if below is None or not isinstance(above, dict):
            continue
        if isinstance(below, dict):
            merged[field] = {**below, **above}
        elif part is not None and part.short:
            merged[field] = {part.short: below, **above}
    return merged


def _salvage(model: type[Noun], values: Mapping[str, object], faults: list[Fault]) -> Noun | None:
    """Return what is left of an item without its faults, so that the rules see the rest of it.

    None where the fault is in what identifies it or where it leads. An error has been found, so
    nothing is ever compiled from it.
    """
    others = stand_ins(model)
    left = {**others, **values}
    for fault in faults:
        field, rest = str(fault.path[0]), fault.path[1:]
        inner = left.get(field)
        if rest and isinstance(inner, dict):
            left[field] = {name: value for name, value in inner.items() if name != rest[0]}
        elif field in others:
            left[field] = others[field]
        else:
            left.pop(field, None)
    return make_noun(model, left)[0]


def _not_a_mapping(section: Section) -> Finding:
    model = section.kind.noun
    own = key_field(model)
    required = (
        name for name, info in model.model_fields.items() if info.is_required() and name != own
    )
    more = next(required, None)
    below = f", and `{more}: …` below it, indented by two spaces" if more else ""
    return error(
        "item-kind",
        section.place,
        f"this item of `{section.kind.section}` is not a mapping",
        f"Write `- {own}: …`{below}.",
    )
