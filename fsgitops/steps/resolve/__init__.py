"""Turn Documents into Desired: fill in defaults, normalise numbers, check every single value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from fsgitops.findings import Finding, Position, error, quote_value, sort_findings
from fsgitops.model.desired import Agent, Desired, DidRoute, Fault, Noun, make_noun
from fsgitops.model.resource import Resource
from fsgitops.phone import NumberError, is_extension, normalise_number
from fsgitops.steps.resolve.sections import (
    AGENTS,
    DID_ROUTES,
    Section,
    check_project_defaults,
    check_sections,
)
from fsgitops.steps.resolve.wording import describe_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fsgitops.model.document import Document, Value

__all__ = ["resolve_desired"]

_Noun = TypeVar("_Noun", bound=Noun)
_NO_DEFAULTS: Mapping[str, Mapping[str, object]] = {}
_STAND_IN = "+10000000"


class _Resolver:
    """Goes through all documents, gathering nouns by name and findings."""

    def __init__(self, default_region: str | None, settings: Document | None) -> None:
        self.default_region = default_region
        self.settings = settings
        self.findings: list[Finding] = []
        self.agents: dict[str, Agent] = {}
        self.routes: dict[str, DidRoute] = {}
        self.sources: dict[Resource, Position] = {}
        self.repeats: list[tuple[Resource, Position]] = []
        self.rejected: set[Resource] = set()

    def read(self, document: Document, defaults: Mapping[str, Mapping[str, object]]) -> None:
        """Take in all that one document declares."""
        own, found = check_sections(document)
        self.findings += found
        for key, kind, model in (
            (AGENTS, "agent", Agent),
            (DID_ROUTES, "did", DidRoute),
        ):
            items = document.data.get(key)
            if not isinstance(items, list):
                continue
            project = defaults.get(key, {})
            merged = _merge(project, own.get(key, {}))
            fields = frozenset(project)
            places = document.item_positions.get(key, ())
            for index, item in enumerate(items):
                place = (
                    places[index] if len(places) == len(items) else document.position((key, index))
                )
                section = Section(document, self.settings, key, index, place, fields)
                if isinstance(item, dict):
                    self.read_item(section, kind, model, _merge(merged, item) if merged else item)
                else:
                    self.findings.append(_not_a_mapping(section))

    def read_item(
        self,
        section: Section,
        kind: str,
        model: type[Agent | DidRoute],
        item: Mapping[str, object],
    ) -> None:
        """Make a noun of one item, or findings."""
        field = "did_number" if kind == "did" else "caller_id_number"
        values, problem = self.normalise(section, item, field)
        noun, faults = make_noun(model, values)
        if faults:
            self.findings += [describe_fault(section, model, fault) for fault in faults]
            noun = _salvage(model, values, faults)
            self.reject(kind, values)
        if problem is not None:
            self.findings.append(problem)
            self.reject(kind, values)
        if isinstance(noun, Agent):
            self.keep(self.agents, Resource(kind, noun.extension), noun, section.place)
        elif noun is not None and noun.did_number != _STAND_IN:
            self.keep(self.routes, Resource(kind, noun.did_number), noun, section.place)

    def normalise(
        self, section: Section, item: Mapping[str, object], field: str
    ) -> tuple[Mapping[str, object], Finding | None]:
        """Return the item with the number in `field` as E.164, or with a stand-in and why."""
        text = item.get(field)
        if not isinstance(text, str) or (field == "caller_id_number" and is_extension(text)):
            return item, None
        try:
            number = normalise_number(text, self.default_region)
        except NumberError as problem:
            place = section.position((field,))
            message = f"`{field}`: {quote_value(text)} {problem}"
            finding = error("invalid-number", place, message, problem.hint)
            # An agent can do without its number; a route needs one to be checked any further.
            stand_in = _STAND_IN if field == "did_number" else None
            return {**item, field: stand_in}, finding
        return (item if number == text else {**item, field: number}), None

    def keep(
        self, nouns: dict[str, _Noun], resource: Resource, noun: _Noun, place: Position
    ) -> None:
        if resource.name in nouns:
            self.repeats.append((resource, place))
        else:
            nouns[resource.name] = noun
            self.sources[resource] = place

    def reject(self, kind: str, values: Mapping[str, object]) -> None:
        name = values.get("extension" if kind == "agent" else "did_number")
        if isinstance(name, str) and name != _STAND_IN:
            self.rejected.add(Resource(kind, name))

    def desired(self) -> Desired:
        """Return what was gathered, sorted by name."""
        return Desired(
            agents=tuple(self.agents[name] for name in sorted(self.agents)),
            did_routes=tuple(self.routes[name] for name in sorted(self.routes)),
            sources=self.sources,
            repeats=tuple(self.repeats),
            rejected=frozenset(self.rejected),
        )


def resolve_desired(
    documents: Iterable[Document],
    *,
    defaults: Mapping[str, Mapping[str, object]] = _NO_DEFAULTS,
    default_region: str | None = None,
    settings: Document | None = None,
    own_variables: Iterable[str] = (),
) -> tuple[Desired, list[Finding]]:
    """Return what the documents declare, and everything that is wrong with single values.

    `defaults` (`agents`, `did_routes` -> field -> value) fill in what neither an item nor the
    `defaults` of its own file say; `settings` is the document that they were read from, for the
    places in findings. National numbers are read as those of `default_region` (two letters).
    `own_variables` are the variables that the project declares as its own.
    """
    resolver = _Resolver(default_region, settings)
    defaults, found = check_project_defaults(defaults, settings)
    resolver.findings += found
    for document in documents:
        resolver.read(document, defaults)
    # A bad default is found once for each item that it fills in, always at the same place.
    desired = replace(
        resolver.desired(), own_variables=frozenset(name.lower() for name in own_variables)
    )
    return desired, sort_findings(list(dict.fromkeys(resolver.findings)))


def _merge(
    defaults: Mapping[str, object], values: Mapping[str, object] | Mapping[str, Value]
) -> dict[str, object]:
    """Return `values` over `defaults`; the mappings in them (variables, voicemail) as well."""
    merged = {**defaults, **values}
    for field in ("variables", "voicemail"):
        below, above = defaults.get(field), values.get(field)
        if below is None or not isinstance(above, dict):
            continue
        if isinstance(below, dict):
            merged[field] = {**below, **above}
        elif field == "voicemail":
            merged[field] = {"enabled": below, **above}
    return merged


def _salvage(
    model: type[Agent | DidRoute], values: Mapping[str, object], faults: list[Fault]
) -> Agent | DidRoute | None:
    """Return what is left of an item without its faults, so that the rules see the rest of it.

    None where the fault is in what identifies it or where it leads. An error has been found, so
    nothing is ever compiled from it.
    """
    left = {"name": "-", **values} if model is Agent else dict(values)
    for fault in faults:
        field, rest = str(fault.path[0]), fault.path[1:]
        inner = left.get(field)
        if field in ("variables", "voicemail") and rest and isinstance(inner, dict):
            left[field] = {name: value for name, value in inner.items() if name != rest[0]}
        elif field == "name":
            left[field] = "-"
        else:
            left.pop(field, None)
    return make_noun(model, left)[0]


def _not_a_mapping(section: Section) -> Finding:
    names: Sequence[str] = ("extension", "name")
    if section.key == DID_ROUTES:
        names = ("did_number", "destination_extension")
    return error(
        "item-kind",
        section.place,
        f"this item of `{section.key}` is not a mapping",
        f"Write `- {names[0]}: …`, and `{names[1]}: …` below it, indented by two spaces.",
    )
