"""An organisation's own rules, written in YAML, as rules like the built-in ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from fsgitops.findings import Finding, Severity, error, quote_value
from fsgitops.model.plan import MASK
from fsgitops.model.reading import called_references, resource_of
from fsgitops.model.rule import Breach, Rule
from fsgitops.rules.table import all_rules
from fsgitops.steps.policy.condition import PolicyError, UndecidedError, read_condition, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document, Path, Value
    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.shown import Values
    from fsgitops.steps.policy.condition import Condition

__all__ = ["read_policy"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING}
_KNOWN = ("name", "kind", "when", "require", "message", "hint", "severity")
_REQUIRED = ("name", "kind", "require", "message")
_UNDECIDED = "a pattern of this rule needs too many steps for this value, so nothing is decided: "
_PLAINER = "Write the pattern in a plainer way: nothing passes unjudged."

_Meant = TypeVar("_Meant")


def read_policy(
    documents: Iterable[Document], kinds: Kinds
) -> tuple[tuple[Rule, ...], list[Finding]]:
    """Return the rules that policy files declare below `rules`, and what is wrong with them."""
    rules: dict[str, Rule] = {}
    findings: list[Finding] = []
    taken = {rule.name for rule in all_rules(kinds)}
    for document in documents:
        items = document.data.get("rules")
        findings += (_finding(document, wrong, ()) for wrong in _shape(document.data, items))
        for index, item in enumerate(items if isinstance(items, list) else ()):
            try:
                rule = _read_rule(item, taken, kinds)
            except PolicyError as wrong:
                findings.append(_finding(document, wrong, ("rules", index)))
                continue
            taken.add(rule.name)
            rules[rule.name] = rule
    return tuple(rules.values()), findings


def _shape(data: Mapping[str, Value], items: Value) -> Iterator[PolicyError]:
    for name in data:
        if name != "rules" and not name.startswith("x-"):
            yield PolicyError(
                (name,), f"unknown key {quote_value(name)}", "Known: rules.", key=True
            )
    if not isinstance(items, list):
        yield PolicyError(("rules",), "a policy file holds a list `rules`")


def _finding(document: Document, wrong: PolicyError, base: Path) -> Finding:
    place = document.position((*base, *wrong.path), key=wrong.key)
    return error("policy", place, str(wrong), wrong.hint)


def _read_rule(item: Value, taken: set[str], kinds: Kinds) -> Rule:
    if not isinstance(item, dict):
        raise PolicyError((), "a rule is a mapping with name, kind, require and message")
    for name in item:
        if name not in _KNOWN:
            raise PolicyError((name,), f"unknown key {quote_value(name)}", _known(_KNOWN), key=True)
    for name in _REQUIRED:
        if not item.get(name):
            raise PolicyError((), f"the rule says nothing for `{name}`, which is required")
    name = _text(item, "name")
    if not _NAME.fullmatch(name):
        raise PolicyError(("name",), f"{quote_value(name)} is no rule name", "Write it like-this.")
    if name in taken:
        message = f"there is a rule {quote_value(name)} already"
        raise PolicyError(("name",), message, "Give this one another name.")
    kind = _word(item, "kind", kinds, "")
    severity = _word(item, "severity", _SEVERITIES, "error")
    require = read_condition(kind.noun, item["require"], ("require",), kinds)
    when = read_condition(kind.noun, item.get("when") or {}, ("when",), kinds)
    message, hint = _text(item, "message"), _text(item, "hint") if item.get("hint") else ""
    check = _checker(kind.noun, when, require, message, hint)
    return Rule(name, severity, check, message)


def _text(item: dict[str, Value], name: str) -> str:
    value = item[name]
    if not isinstance(value, str) or len(value) > 500:
        raise PolicyError((name,), f"`{name}` is a text of at most 500 characters")
    return value


def _word(item: dict[str, Value], name: str, words: Mapping[str, _Meant], default: str) -> _Meant:
    value = item.get(name) or default
    if not isinstance(value, str) or value not in words:
        raise PolicyError((name,), f"`{name}` is {quote_value(str(value))}", _known(words))
    return words[value]


def _known(words: Iterable[str]) -> str:
    return "Known: " + ", ".join(words) + "."


def _checker(
    model: type[Noun], when: Condition, require: Condition, message: str, hint: str
) -> Callable[[Desired, Kinds], Iterator[Breach]]:
    def check(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
        for noun in desired.of(model):
            values = values_of(noun, desired)
            try:
                if when.holds(values) and not require.holds(values):
                    field = require.blame(values)
                    told = message + _found(field, values)
                    yield Breach(resource_of(noun), _path(model, field), told, hint)
            except UndecidedError as problem:
                told = _UNDECIDED + message
                yield Breach(resource_of(noun), _path(model, problem.field), told, _PLAINER)

    return check


def _path(model: type[Noun], field: str) -> Path:
    head, _, rest = field.partition(".")
    reference = called_references(model).get(head)
    if reference is not None:
        return (reference[0],)
    return (head, rest) if rest else (head,) if head else ()


def _found(field: str, values: Values) -> str:
    if not field:
        return ""
    value = values.get(field)
    if value is None:
        return f" (`{field}` is not set)"
    if value == MASK:
        return f" (see `{field}`)"
    text = value if isinstance(value, str) else ", ".join(value)
    return f" (`{field}` is {quote_value(text)})"
