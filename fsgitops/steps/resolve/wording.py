"""Say in our own words what a model refused, at the place where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import error, quote_value
from fsgitops.model.reading import expected, find_spot, is_hidden, is_source
from fsgitops.secret.source import SourceError, read_source
from fsgitops.steps.resolve.sections import suggest

if TYPE_CHECKING:
    from fsgitops.findings import Finding
    from fsgitops.model.noun import Fault, Noun, Part
    from fsgitops.steps.resolve.sections import Section

_YES_NO = frozenset({"yes", "no", "on", "off", "y", "n", "1", "0", "t", "f"})


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
        return _describe_source_fault(section, fault)
    meant = expected(model, path)
    if meant.named and "/" in str(fault.value):
        meant = meant.named
    hint = meant.hint
    hidden = is_hidden(model, path) and _is_text(fault.value)
    found = "a text" if hidden else _found(fault.value)
    if fault.kind == "word" and str(fault.value).lower() in _YES_NO:
        hint = "Only `true` and `false` are read as yes and no; everything else is a text."
    field = ".".join(str(step) for step in path if isinstance(step, str) and step != "[key]")
    message = f"`{field}` is {found}; expected {meant.what}"
    return error("invalid-value", section.position(path), message, hint)


def _describe_source_fault(section: Section, fault: Fault) -> Finding:
    """Say why this is no source of a secret. What stands there is never shown."""
    field = ".".join(str(step) for step in fault.path)
    try:
        read_source(fault.value)
    except SourceError as problem:
        why = str(problem)
    else:
        why = "found no source of a secret"
    hint = "Leave it out, and one is derived from the project key."
    return error("invalid-value", section.position(fault.path), f"`{field}`: {why}", hint)


def _is_text(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list | tuple)


def _found(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return quote_value(str(value))
