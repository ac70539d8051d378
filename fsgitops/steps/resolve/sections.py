"""Which keys a file of the desired state may have, and what is told of what a noun refuses."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from fsgitops.findings import Finding, Position, error, quote_value
from fsgitops.model.document import find_place
from fsgitops.model.fields import Hidden
from fsgitops.model.reading import expected, find_spot, is_hidden, is_source, key_field
from fsgitops.secret.source import SourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.document import Document, Path, Value
    from fsgitops.model.kind import Kind, Kinds
    from fsgitops.model.noun import Fault, Noun, Part

DEFAULTS = "defaults"
_YES_NO = frozenset({"yes", "no", "on", "off", "y", "n", "1", "0", "t", "f"})


@dataclass(slots=True)
class Section:
    """One item of a top-level list, and the documents that its values may come from."""

    document: Document
    settings: Document
    kind: Kind[Any]
    index: int
    place: Position

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Return where the item, its file's defaults or the settings say what is at `path`."""
        places: list[tuple[Document, Path]] = [
            (self.document, (self.kind.section, self.index)),
            (self.document, (DEFAULTS, self.kind.section)),
            (self.settings, (DEFAULTS, self.kind.section)),
        ]
        return find_place(places, path, key=key) or self.place


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the known key that `name` is most like, or all of them."""
    return _suggest(name, tuple(known))


@lru_cache(maxsize=256)  # a wrong key is often in every item
def _suggest(name: str, choices: tuple[str, ...]) -> str:
    near = get_close_matches(name.lower().replace("-", "_"), choices, n=1, cutoff=0.6)
    if near:
        return f"Did you mean `{near[0]}`?"
    return "Known here: " + ", ".join(f"`{choice}`" for choice in choices) + "."


def check_sections(
    document: Document, kinds: Kinds
) -> tuple[Mapping[str, Mapping[str, Value]], list[Finding]]:
    """Return the file's own defaults, and what is wrong with its top level."""
    findings: list[Finding] = []
    for key, value in document.data.items():
        kind = kinds.by_section(key)
        if kind is not None:
            if not isinstance(value, list) and value is not None:
                findings.append(_not_a_list(document, kind))
        elif key != DEFAULTS and not key.startswith("x-"):
            place = document.position((key,), key=True)
            hint = (
                suggest(key, [*kinds.sections(), DEFAULTS])
                + " A key for anchors of your own begins with `x-`."
            )
            message = f"the key {quote_value(key)} is not known at the top of a file"
            findings.append(error("unknown-field", place, message, hint))
    defaults, found = _check_defaults(document, kinds)
    return defaults, findings + found


def _not_a_list(document: Document, kind: Kind[Any]) -> Finding:
    return error(
        "section-kind",
        document.position((kind.section,)),
        f"`{kind.section}` is not a list",
        f"Begin each item with a dash: `- {key_field(kind.noun)}: …`.",
    )


def _check_defaults(
    document: Document, kinds: Kinds
) -> tuple[dict[str, dict[str, Value]], list[Finding]]:
    value = document.data.get(DEFAULTS)
    findings: list[Finding] = []
    usable: dict[str, dict[str, Value]] = {}
    if value is None:
        return usable, findings
    if not isinstance(value, dict):
        place = document.position((DEFAULTS,))
        sections = " or ".join(f"`{section}:`" for section in kinds.sections())
        hint = f"Write {sections} below it, and the fields below that."
        return usable, [error("section-kind", place, "`defaults` is not a mapping", hint)]
    for key, fields in value.items():
        place = document.position((DEFAULTS, key), key=True)
        kind = kinds.by_section(key)
        if kind is None:
            message = f"there are no defaults for {quote_value(key)}"
            findings.append(error("unknown-field", place, message, suggest(key, kinds.sections())))
        elif isinstance(fields, dict):
            usable[key], found = _known_fields(document, kind, fields)
            findings += found
        elif fields is not None:
            message = f"the defaults for `{key}` are not a mapping"
            hint = "Write `field: value` lines below it."
            findings.append(error("section-kind", place, message, hint))
    return usable, findings


def check_project_defaults(
    defaults: Mapping[str, Mapping[str, object]], settings: Document, kinds: Kinds
) -> tuple[dict[str, dict[str, object]], list[Finding]]:
    """Return the project's defaults that can be used, and what is wrong with the others."""
    findings: list[Finding] = []
    usable: dict[str, dict[str, object]] = {}
    for key, fields in defaults.items():
        kind = kinds.by_section(key)
        if kind is not None:
            usable[key], found = _known_fields(settings, kind, fields)
            findings += found
    return usable, findings


_V = TypeVar("_V")


def _known_fields(
    document: Document, kind: Kind[Any], fields: Mapping[str, _V]
) -> tuple[dict[str, _V], list[Finding]]:
    findings: list[Finding] = []
    key, own = kind.section, key_field(kind.noun)
    known = [name for name in kind.noun.model_fields if name != own]
    for name in fields:
        if name in known:
            continue
        place = document.position((DEFAULTS, key, name), key=True)
        if name == own:
            message, hint = f"`{name}` cannot have a default", "It must differ for every item."
        else:
            message = f"the key {quote_value(name)} is not known in the defaults for `{key}`"
            hint = suggest(name, known)
        findings.append(error("unknown-field", place, message, hint))
    return {name: value for name, value in fields.items() if name in known}, findings


def describe_fault(section: Section, fault: Fault) -> Finding:
    """Return the finding for one thing that the noun of a section refused."""
    path, model = fault.path, section.kind.noun
    name = str(path[-1])
    if fault.kind == "missing":
        hint = f"Add `{name}:`; expected: {expected(model, path).what}."
        return error("missing-field", section.place, f"this {model.called} has no `{name}`", hint)
    if fault.kind == "unknown":
        outside = find_spot(model, path[:-1])
        inner: type[Noun | Part] = outside.holds if outside else model
        hint = inner.slips.get(name) or suggest(name, inner.model_fields)
        where = section.position(path, key=True)
        inside = f"the `{path[0]}` of {model.called}s" if outside else f"{model.called}s"
        message = f"the key {quote_value(name)} is not known for {inside}"
        return error("unknown-field", where, message, hint)
    if is_source(model, path):
        spot = find_spot(model, path)
        login = bool(spot and spot.marks[Hidden].login)
        return _describe_source_fault(section, fault, login=login)
    meant = expected(model, path)
    if meant.named and "/" in str(fault.value):
        meant = meant.named
    hint = meant.hint
    found = _found(fault.value, hidden=is_hidden(model, path))
    if fault.kind == "word" and str(fault.value).lower() in _YES_NO:
        hint = "Only `true` and `false` are read as yes and no; everything else is a text."
    field = ".".join(str(step) for step in path if isinstance(step, str) and step != "[key]")
    message = f"`{field}` is {found}; expected {meant.what}"
    return error("invalid-value", section.position(path), message, hint)


def _describe_source_fault(section: Section, fault: Fault, *, login: bool) -> Finding:
    """Say why this is no source of a secret. What stands there is never shown."""
    field = ".".join(str(step) for step in fault.path)
    try:
        read_source(fault.value)
    except SourceError as problem:
        why = str(problem)
    else:
        why = "found no source of a secret"
    hint = "Leave it out, and one is derived from the project key." if login else ""
    return error("invalid-value", section.position(fault.path), f"`{field}`: {why}", hint)


def _found(value: object, *, hidden: bool) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "a text" if hidden else quote_value(str(value))
