"""The small language of `when` and `require`: it compares, and it can do nothing else.

It is asked of a resource's fields by name, as the texts that people write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fsgitops.findings import quote_value
from fsgitops.model.reading import ENTRY, called_references, read_reference, spots
from fsgitops.model.shown import shown_fields
from fsgitops.routing.pattern import TooManyStepsError, has_match, is_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Path, Value
    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.reading import Spot
    from fsgitops.model.shown import FieldValue, Values

MAX_PATTERN = 300
_BOUND = "(*LIMIT_MATCH=20000)(*LIMIT_DEPTH=2000)"
"""PCRE2 gives up after so many steps, and the check says so: no pattern can hang it."""


_LIMITS = re.compile(r"\(\*\s*LIMIT_", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds for a resource or does not.

    `blame` names the field because of which it does not hold, or "" for no single one. `field` is
    the one that it is a single test of.
    """

    holds: Callable[[Values], bool]
    blame: Callable[[Values], str] = lambda _values: ""
    field: str = ""


class PolicyError(Exception):
    """A policy that cannot be read; `path` leads to the place, from the rule on."""

    def __init__(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        super().__init__(message)
        self.path, self.hint, self.key = path, hint, key


class UndecidedError(Exception):
    """A pattern needs too many steps for the value of `field`: neither answer would be true."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


_Test: TypeAlias = "Callable[[FieldValue | None], bool]"


def _field(name: str, test: _Test) -> Condition:
    def holds(values: Values) -> bool:
        try:
            return test(values.get(name))
        except TooManyStepsError:
            raise UndecidedError(name) from None

    return Condition(holds, lambda _values: name, name)


def _all(parts: Sequence[Condition]) -> Condition:
    return Condition(
        lambda values: all(part.holds(values) for part in parts),
        lambda values: next((part.blame(values) for part in parts if not part.holds(values)), ""),
    )


def _any(parts: Sequence[Condition]) -> Condition:
    return Condition(lambda values: any(part.holds(values) for part in parts))


def _not(part: Condition) -> Condition:
    return Condition(lambda values: not part.holds(values), lambda _values: part.field)


def read_condition(model: type[Noun], value: Value, path: Path, kinds: Kinds) -> Condition:
    """Return the condition that `value` writes down. Raises PolicyError."""
    if not isinstance(value, dict):
        raise PolicyError(path, "a condition is a mapping of fields to tests")
    parts: list[Condition] = []
    for name, item in value.items():
        place = (*path, name)
        if name in ("all", "any"):
            if not isinstance(item, list):
                raise PolicyError(place, f"`{name}` takes a list of conditions")
            inner = [read_condition(model, x, (*place, i), kinds) for i, x in enumerate(item)]
            parts.append(_all(inner) if name == "all" else _any(inner))
        elif name == "not":
            parts.append(_not(read_condition(model, item, place, kinds)))
        elif not _is_known_field(model, name, kinds):
            message = f"`{model.kind}` has no field {quote_value(name)}"
            hint = f"See `fsgitops explain {model.kind}`."
            raise PolicyError(place, message, hint, key=True)
        else:
            parts.extend(_field(name, test) for test in _read_tests(item, place))
    return parts[0] if len(parts) == 1 else _all(parts)


def _read_tests(item: Value, path: Path) -> list[_Test]:
    if isinstance(item, str):
        return [_equals(item, path)]
    if isinstance(item, list):
        return [_in(item, path)]
    if not isinstance(item, dict) or not item:
        raise PolicyError(path, "expected a text, a list of texts, or a mapping of tests")
    tests = []
    for name, argument in item.items():
        if name not in _OPERATORS:
            hint = "Known: " + ", ".join(_OPERATORS) + "."
            raise PolicyError((*path, name), f"no test {quote_value(name)}", hint, key=True)
        tests.append(_OPERATORS[name](argument, (*path, name)))
    return tests


def _texts(value: FieldValue | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value


def _one(argument: Value, path: Path) -> str:
    if not isinstance(argument, str) or len(argument) > MAX_PATTERN:
        raise PolicyError(path, f"expected a text of at most {MAX_PATTERN} characters")
    return argument


def _many(argument: Value, path: Path) -> frozenset[str]:
    if not isinstance(argument, list) or not argument:
        raise PolicyError(path, "expected a list of texts")
    return frozenset(_one(item, (*path, index)) for index, item in enumerate(argument))


def _equals(argument: Value, path: Path) -> _Test:
    wanted = _one(argument, path)
    return lambda value: wanted in (value, ", ".join(_texts(value)) or None)


def _in(argument: Value, path: Path) -> _Test:
    allowed = _many(argument, path)
    return lambda value: value is not None and allowed.issuperset(_texts(value))


def _matches(argument: Value, path: Path) -> _Test:
    text = _one(argument, path)
    if _LIMITS.search(text):
        raise PolicyError(path, "a pattern sets no limits of its own", "Leave out `(*LIMIT_…)`.")
    pattern = _BOUND + text
    if not is_valid(pattern):
        raise PolicyError(path, f"{quote_value(str(argument))} is no regular expression (PCRE2)")
    return lambda value: (
        value is not None and all(has_match(text, pattern) for text in _texts(value))
    )


def _contains(argument: Value, path: Path) -> _Test:
    wanted = _one(argument, path)
    return lambda value: value is not None and wanted in value


def _exists(argument: Value, path: Path) -> _Test:
    if argument not in ("true", "false"):
        raise PolicyError(path, "expected true or false")
    return lambda value: (value is not None) == (argument == "true")


def _negate(reader: Callable[[Value, Path], _Test]) -> Callable[[Value, Path], _Test]:
    def read(argument: Value, path: Path) -> _Test:
        test = reader(argument, path)
        return lambda value: not test(value)

    return read


_OPERATORS: dict[str, Callable[[Value, Path], _Test]] = {
    "equals": _equals,
    "not_equals": _negate(_equals),
    "in": _in,
    "not_in": _negate(_in),
    "matches": _matches,
    "not_matches": _negate(_matches),
    "contains": _contains,
    "not_contains": _negate(_contains),
    "exists": _exists,
}


def values_of(noun: Noun, desired: Desired) -> Values:
    """Return the fields of a resource, and those of each that it refers to, as `CALLED.FIELD`."""
    values = shown_fields(noun)
    for called, (field, mark) in called_references(type(noun)).items():
        other = desired.get(read_reference(mark, getattr(noun, field) or ""))
        if other is not None:
            values |= {f"{called}.{name}": value for name, value in shown_fields(other).items()}
    return values


def _is_known_field(model: type[Noun], field: str, kinds: Kinds) -> bool:
    """Tell whether resources of this class can have the field."""
    if _find(model, field) is not None:
        return True
    called, _, rest = field.partition(".")
    reference = called_references(model).get(called)
    if reference is None or not rest:
        return False
    mark = reference[1]
    others = kinds if mark.anything else mark.kinds
    return any(_find(kinds[word].noun, rest) is not None for word in others)


def _find(model: type[Noun], field: str) -> Spot | None:
    """Return the leaf that a field is; below a mapping, any name is one."""
    for spot in spots(model):
        above, below = spot.name.removesuffix(ENTRY), spot.name.endswith(ENTRY)
        if spot.is_leaf and (
            field.startswith(above) and field != above if below else field == above
        ):
            return spot
    return None
