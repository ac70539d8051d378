"""Findings about the settings, in our own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsgitops.findings import Finding, Position, error
from fsgitops.settings import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel


def find_faults(details: Iterable[Any], position: Callable[..., Position]) -> list[Finding]:
    """Return a finding for each of pydantic's error details, one for each place."""
    return _merge(_finding(item, position) for item in details)


def _finding(item: Any, position: Callable[..., Position]) -> Finding:
    path = tuple(part for part in item["loc"] if part != "[key]")
    name = ".".join(str(part) for part in path)
    if path[:2] == ("notify", "url") and item["type"] != "missing":
        hint = "write {env: NAME}; a webhook's URL is a secret, so it stands in the environment"
        return error("plaintext-secret", position(path[:2]), "`notify.url` names no variable", hint)
    if path[-1:] == ("password",) and isinstance(item["input"], str):
        place = position(path)
        message = f"`{name}` holds a password in plain text"
        hint = "write {env: NAME} or {file: PATH}; change the password, since git has seen it"
        return error("plaintext-secret", place, message, hint)
    if path[-1:] == ("password",) and item["type"] == "value_error":
        return error("settings", position(path), f"`{name}`: {item['ctx']['error']}")
    if item["type"] == "extra_forbidden":
        return _unknown_key(path, position)
    told = item["type"] != "missing" and not {"esl", "password"}.intersection(path[-2:])
    found = f"found {item['input']!r}, " if told else ""
    place = position(path[:-1] if item["type"] == "missing" else path)
    return error("settings", place, f"`{name}`: {found}expected {tell_expected(item)}")


def _unknown_key(path: tuple[Any, ...], position: Callable[..., Position]) -> Finding:
    from difflib import get_close_matches

    owners: dict[str, type[BaseModel]] = {
        "api": shapes.ApiSettings,
        "cdr": shapes.CdrSettings,
        "defaults": shapes.DefaultsSettings,
        "dial": shapes.DialSettings,
        "drift": shapes.DriftSettings,
        "esl": shapes.EslSettings,
        "history": shapes.HistorySettings,
        "ignore": shapes.IgnoredDrift,
        "key_rotation": shapes.RotationSettings,
        "limits": shapes.LimitsSettings,
        "notify": shapes.NotifySettings,
        "policy": shapes.PolicySettings,
        "public": shapes.PublicSettings,
        "secrets": shapes.SecretsSettings,
        "targets": shapes.TargetSettings,
        "variables": shapes.VariablesSettings,
    }
    # Below `targets` stands a target's own name, which may be one of these words.
    above = (*path[:1], *path[2:-1]) if path[0] == "targets" and len(path) > 2 else path[:-1]
    owner = next((owners[part] for part in reversed(above) if part in owners), shapes.Settings)
    close = get_close_matches(str(path[-1]), owner.model_fields, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(owner.model_fields)}"
    return error("unknown-key", position(path, key=True), f"unknown key `{path[-1]}`", hint)


def tell_expected(item: Any) -> str:
    """Return what one of pydantic's error details expected."""
    context = item.get("ctx") or {}
    texts = {
        "missing": "this field, which is required",
        "string_pattern_mismatch": f"text that matches {context.get('pattern')}",
        "int_parsing": "a whole number",
        "float_parsing": "a number of seconds",
        "model_type": "a mapping",
        "dict_type": "a mapping",
        "string_type": "text",
        "greater_than_equal": f"at least {context.get('ge')}",
        "greater_than": f"more than {context.get('gt')}",
        "less_than_equal": f"at most {context.get('le')}",
        "literal_error": f"one of {context.get('expected')}",
    }
    return texts.get(item["type"]) or str(item["msg"])


def _merge(findings: Any) -> list[Finding]:
    """Drop the second voice of a union: both branches complain about one value."""
    seen: dict[tuple[Position, str], Finding] = {}
    for item in findings:
        seen.setdefault((item.position, item.rule), item)
    return list(seen.values())
