"""What extensions, their conditions and their actions say: read once, for all calls.

An extension whose first condition holds a plain field against a plain expression passes a call on
by that alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.clock import ATTRIBUTES
from fsgitops.routing.call.words import is_true, needs_expansion, to_int, to_raw
from fsgitops.routing.pattern import list_choices, search_bytes
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsgitops.routing.tree import Element

TIMES: Final = frozenset(ATTRIBUTES)
NUMBER: Final = "destination_number"


class Quick:
    """An extension whose first condition alone may pass the call on.

    `texts` are all that the expression matches, where it is a choice of texts: nothing is compiled
    then. `say` returns the expression as it is written.
    """

    __slots__ = ("_raw", "_say", "field", "texts")

    def __init__(self, field: str, texts: frozenset[str] | None, say: Callable[[], str]) -> None:
        self.field = field
        self.texts = texts
        self._say = say
        self._raw: bytes | None = None

    @property
    def shown(self) -> str:
        """The expression as it is written."""
        return self._say()

    @property
    def expression(self) -> bytes:
        """The expression as PCRE2 takes it."""
        if self._raw is None:
            self._raw = to_raw(self._say()).encode("latin-1")
        return self._raw

    def matches(self, text: str) -> bool:
        """Tell whether the expression matches a raw text. Raises TooManyStepsError."""
        if self.texts is not None and not text.endswith("\n"):
            return text in self.texts
        return search_bytes(text.encode("latin-1"), self.expression) is not None


class Action(NamedTuple):
    """An application to execute, its data before it is expanded, and the extension that has it."""

    application: str
    data: str
    extension: Element | None = None


class Written(NamedTuple):
    """An action as it is written: whether it runs inline, and how often, as far as it says so."""

    action: Action
    inline: bool
    loops: int


class Condition(NamedTuple):
    """What is read of a `<condition>` or `<regex>` once, for all calls."""

    element: Element
    expression: str
    field: str | None
    timed: bool
    nested: bool
    stop: str
    actions: Sequence[Written] = ()
    others: Sequence[Written] = ()
    """Its anti-actions."""


def read_conditions(parent: Element, tag: str = "condition") -> list[Condition]:
    """Return the conditions of an extension or a condition, or its `<regex>` elements."""
    return [_read_condition(item) for item in parent.children if item.name == tag]


def _read_condition(element: Element) -> Condition:
    attributes = element.attributes
    inner = element.child("expression")
    field = attributes.get("field")
    return Condition(
        element,
        to_raw(inner.text if inner is not None else attributes.get("expression", "")),
        None if field is None else to_raw(field),
        not TIMES.isdisjoint(attributes),
        element.child("condition") is not None,
        fold(attributes.get("break", "")),
        [_read_action(item) for item in element.all("action")],
        [_read_action(item) for item in element.all("anti-action")],
    )


def _read_action(element: Element) -> Written:
    attributes = element.attributes
    data = to_raw(element.text or attributes.get("data", ""))
    return Written(
        Action(to_raw(attributes.get("application", "")), data),
        is_true(attributes.get("inline")),
        to_int(attributes["loop"]) if "loop" in attributes else 1,
    )


def read_quick(extension: Element) -> Quick | None:
    """Return what decides alone, where it is a plain field against a plain expression."""
    for child in extension.children:
        if child.name != "condition":
            continue
        attributes = child.attributes
        field = attributes.get("field")
        expression = attributes.get("expression", "")
        if (
            field is None
            or "$" in field
            or needs_expansion(expression)
            or expression.startswith("_")
            or "break" in attributes
            or "regex" in attributes
            or not TIMES.isdisjoint(attributes)
            or any(item.name in ("anti-action", "expression") for item in child.children)
        ):
            return None
        return Quick(fold(field), list_choices(expression), expression.__str__)
    return None


def taken_alone(extension: Element) -> frozenset[str]:
    """Return the numbers that an extension takes, where it can take no others."""
    quick = read_quick(extension)
    return (quick.texts or frozenset()) if quick and quick.field == NUMBER else frozenset()


def list_numbers(context: Element) -> Iterator[frozenset[str]]:
    """Yield the numbers that an extension takes, for each that takes some certain ones."""
    for extension in context.all("extension"):
        found = taken_alone(extension)
        if numbers := {text for text in found if text.removeprefix("+").isdigit()}:
            yield frozenset(numbers)
