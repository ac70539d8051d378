"""Findings about the settings, in our own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, get_origin

from fsgitops.findings import Finding, Position, error
from fsgitops.settings import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from pydantic import BaseModel


def find_faults(
    details: Iterable[Any], position: Callable[..., Position], sections: Collection[str]
) -> list[Finding]:
    """Return a finding for each of pydantic's error details, one for each place."""
    found: dict[tuple[Position, str], Finding] = {}
    for item in details:
        finding = _finding(item, position, sections)
        # The second voice of a union is dropped: both branches complain about one value.
        found.setdefault((finding.position, finding.rule), finding)
    return list(found.values())


def _finding(item: Any, position: Callable[..., Position], sections: Collection[str]) -> Finding:
    path = tuple(part for part in item["loc"] if part != "[key]")
    name = ".".join(str(part) for part in path)
    if path[:2] == ("notify", "url") and item["type"] != "missing":
        hint = "Write {env: NAME}: the URL of a webhook is a secret"
        return error("plaintext-secret", position(path[:2]), "`notify.url` names no variable", hint)
    secret = path[-1:] in (("password",), ("http_credential",))
    written = isinstance(item["input"], str | int) and not isinstance(item["input"], bool)
    if secret and written:
        place = position(path)
        message = f"`{name}` holds a password in plain text"
        hint = "Write {env: NAME} or {file: PATH}; change the password, since git has seen it"
        return error("plaintext-secret", place, message, hint)
    if secret and item["type"] == "value_error":
        return error("settings", position(path), f"`{name}`: {item['ctx']['error']}")
    if item["type"] == "extra_forbidden":
        return _unknown_key(path, position, sections)
    # What stands below `esl` may be a password in a wrong place; a number is none.
    hidden = "esl" in path[-2:] and type(item["input"]) not in (int, float)
    told = not secret and item["type"] != "missing" and not hidden
    found = f"found {item['input']!r}, " if told else ""
    place = position(path[:-1] if item["type"] == "missing" else path)
    return error("settings", place, f"`{name}`: {found}expected {tell_expected(item)}")


def _unknown_key(
    path: tuple[Any, ...], position: Callable[..., Position], sections: Collection[str]
) -> Finding:
    from difflib import get_close_matches

    owner = _find_part(path[:-1])
    fields = [field.alias or name for name, field in owner.model_fields.items()]
    known = sections if path[:-1] == ("defaults",) else fields
    close = get_close_matches(str(path[-1]), known, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(known)}."
    return error("unknown-key", position(path, key=True), f"unknown key `{path[-1]}`", hint)


def _find_part(path: tuple[Any, ...]) -> type[BaseModel]:
    """Return the part of the settings that a path leads into."""
    owner: type[BaseModel] = shapes.Settings
    steps = iter(path)
    for step in steps:
        field = owner.model_fields.get(step)
        pending = [field.annotation] if field else []
        for inside in pending:
            pending += get_args(inside)
            if isinstance(inside, type) and issubclass(inside, shapes.Part):
                owner = inside
        if field and get_origin(field.annotation) in (dict, tuple):
            next(steps, None)  # a name of somebody's choice, or a number
    return owner


def tell_expected(item: Any) -> str:
    """Return what one of pydantic's error details expected, in words."""
    context = item.get("ctx") or {}
    kind = str(item["type"])
    if kind == "string_pattern_mismatch":
        return shapes.IN_WORDS[context["pattern"]]
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**context)
    return str(context.get("error") or item["msg"])


_EXPECTED = {
    "missing": "this field, which is required",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_type": "text",
    "string_unicode": "text in UTF-8",
    "string_too_short": "text of at least {min_length} characters",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {expected}",
    "inside": "a context that no agent dials in",
}
