"""The top level of a file of the desired state: which keys it may have, and of what kind."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from fsgitops.findings import Finding, Position, error, quote_value
from fsgitops.model.document import find_place
from fsgitops.model.reading import key_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.document import Document, Path, Value
    from fsgitops.model.kind import Kind, Kinds

DEFAULTS = "defaults"
SETTINGS_FILE = "fsgitops.yaml"


@dataclass(slots=True)
class Section:
    """One item of a top-level list, and the documents that its values may come from."""

    document: Document
    settings: Document | None
    kind: Kind[Any]
    index: int
    place: Position
    project_fields: frozenset[str] = frozenset()
    """The fields that the project's own defaults fill in."""

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Return where the item, its file's defaults or the settings say what is at `path`."""
        places: list[tuple[Document, Path]] = [
            (self.document, (self.kind.section, self.index)),
            (self.document, (DEFAULTS, self.kind.section)),
        ]
        if self.settings is not None:
            places.append((self.settings, (DEFAULTS, self.kind.section)))
        if found := find_place(places, path, key=key):
            return found
        if path and path[0] in self.project_fields:
            return Position(SETTINGS_FILE)
        return self.place


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the known key that `name` is most like, or all of them."""
    choices = list(known)
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
    defaults: Mapping[str, Mapping[str, object]], settings: Document | None, kinds: Kinds
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
    document: Document | None, kind: Kind[Any], fields: Mapping[str, _V]
) -> tuple[dict[str, _V], list[Finding]]:
    findings: list[Finding] = []
    key, own = kind.section, key_field(kind.noun)
    known = [name for name in kind.noun.model_fields if name != own]
    for name in fields:
        if name in known:
            continue
        place = Position(SETTINGS_FILE)
        if document is not None:
            place = document.position((DEFAULTS, key, name), key=True)
        if name == own:
            message, hint = f"`{name}` cannot have a default", "It must differ for every item."
        else:
            message = f"the key {quote_value(name)} is not known in the defaults for `{key}`"
            hint = suggest(name, known)
        findings.append(error("unknown-field", place, message, hint))
    return {name: value for name, value in fields.items() if name in known}, findings
