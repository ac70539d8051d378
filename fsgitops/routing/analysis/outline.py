"""The dialplan as the rules look at it: what each extension may execute, and what that takes.

It says what an extension *may* do: a condition that depends on the call may hold, or may not. What
is left out is only what `parse_exten` (mod_dialplan_xml.c of FreeSWITCH 1.11) can never come to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.contents import TIMES
from fsgitops.routing.call.words import is_true
from fsgitops.routing.directory import descend
from fsgitops.routing.glob import MARK
from fsgitops.routing.places import find_doors
from fsgitops.routing.tree import Element, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fsgitops.model.resource import Resource
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.places import Door

MAX_DEPTH: Final = 100
"""`MAX_RECUR` of mod_dialplan_xml.c."""
NUMBER: Final = frozenset(("destination_number", "${destination_number}"))
"""Fields that hold what is dialled."""
ANYTHING: Final = frozenset(
    ("", ".*", "^.*", ".*$", "^.*$", "(.*)", "^(.*)", "(.*)$", "^(.*)$", "^", "$")
)
"""Expressions that match whatever the field holds."""


class Need(NamedTuple):
    """A field, and whether an expression has to match it."""

    field: str
    expression: str
    held: bool = True


class Act(NamedTuple):
    """An application that an extension may execute, with its data as it is written.

    All its `needs` have to be so first. `$1` in the data speaks of the `captured` one.
    """

    application: str
    data: str
    line: int
    needs: tuple[Need, ...] = ()
    captured: Need | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Extension:
    """An extension of a context. `resource` is whose it is; None: it is hand-written."""

    name: str
    context: str
    element: Element
    resource: Resource | None
    acts: tuple[Act, ...]

    @property
    def line(self) -> int:
        """Return the line of the merged text, or of its own file where it is not hand-written."""
        return self.element.line

    @property
    def continues(self) -> bool:
        """Tell whether the search goes on behind it."""
        return is_true(self.element.attributes.get("continue", ""))


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A context, with its extensions in order, ours among them.

    `dead`: an earlier one of its name is found. `line` is 0 where it is ours.
    """

    name: str
    line: int
    element: Element
    extensions: tuple[Extension, ...]
    dead: bool = False


@dataclass(frozen=True)
class Outline:
    """The whole dialplan, and the configuration around it.

    `joined` are the extensions and contexts of fsgitops by the run (glob.py) that they are read in;
    of files that differ in their numbers alone, one stands for all. `starts` are the contexts in
    which calls of agents begin, `inbound` is that of calls from outside. `phones` is the profile
    that phones register at; `forwarding`: some may forward what they are called for. `tell_line`
    says where a line of the merged text was written. `load` reads the configuration to follow calls
    in, with those files of fsgitops that stand for all; `owners` says whose these files are.
    """

    root: Element
    domain: str = ""
    inbound: str = "public"
    phones: str = "internal"
    forwarding: bool = False
    tell_line: Callable[[int], str] = str
    load: Callable[[], Loaded | None] | None = None
    owners: Mapping[str, Resource] = field(default_factory=dict)
    joined: Mapping[int, Sequence[tuple[Resource, Element]]] = field(default_factory=dict)
    starts: frozenset[str] = frozenset()

    @cached_property
    def contexts(self) -> tuple[Context, ...]:
        """Return every context, in order."""
        found: list[Context] = []
        seen: set[str] = set()
        for element, owner in self._spread(descend(self.root, "section"), "context"):
            name = element.attributes.get("name", "")
            dead = fold(name) in seen
            seen.add(fold(name))
            extensions = tuple(
                read_extension(item, name, owner or resource)
                for item, resource in self._spread([element], "extension")
            )
            whole = Element("context", element.attributes, element.offset, element.line)
            whole.children = [item.element for item in extensions]
            found.append(Context(name, 0 if owner else element.line, whole, extensions, dead))
        return tuple(found)

    def _spread(
        self, parents: Sequence[Element], wanted: str
    ) -> Iterator[tuple[Element, Resource | None]]:
        """Yield what stands in the parents, with what is ours where its files are read."""
        for parent in parents:
            if parent.name == "section" and parent.attributes.get("name") != "dialplan":
                continue
            for child in parent.children:
                if child.name == wanted:
                    yield child, None
                elif child.name == MARK:
                    for resource, element in self.joined.get(int(child.attributes["run"]), ()):
                        if element.name == wanted:
                            yield element, resource

    @cached_property
    def by_name(self) -> dict[str, Context]:
        """Return the contexts that are found, by their folded names."""
        return {fold(item.name): item for item in reversed(self.contexts) if not item.dead}

    @property
    def extensions(self) -> Iterator[Extension]:
        """Yield every extension of the contexts that are found."""
        for context in self.contexts:
            if not context.dead:
                yield from context.extensions

    @cached_property
    def user_contexts(self) -> tuple[tuple[str, int], ...]:
        """Return each `user_context` that hand-written users have, and its line."""
        return tuple(
            (item.attributes.get("value", ""), item.line)
            for item in walk(self.section("directory"), "variable")
            if item.attributes.get("name") == "user_context"
        )

    @cached_property
    def doors(self) -> tuple[Door, ...]:
        """Return where calls come in."""
        return tuple(find_doors(self.root, self.domain))

    @cached_property
    def gateways(self) -> tuple[tuple[Element, str], ...]:
        """Return each gateway of mod_sofia, and the context that its calls come to.

        Where none is named, it is that of its profile.
        """
        profiles = descend(self.configuration("sofia.conf"), "profiles", "profile")
        found = [(item, walk(item, "gateway")) for item in profiles]
        contexts = {door.name: door.context for door in reversed(self.doors) if door.of_profile}
        placed = [
            (gateway, contexts.get(f"profile {profile.attributes.get('name', '')}", "default"))
            for profile, gateways in found
            for gateway in gateways
        ]
        # Profiles that parse the domains have those of their users.
        parsed = next((door.context for door in self.doors if door.gateways), "default")
        placed += [(item, parsed) for item in walk(self.section("directory"), "gateway")]
        return tuple((item, read_params(item).get("context", own)) for item, own in placed)

    @cached_property
    def inside(self) -> frozenset[str]:
        """Return the contexts of those who log in, folded, which strangers do not call in."""
        known = {fold(name) for name, _ in self.user_contexts}
        outside = {fold(door.context) for door in self.doors if door.open and door.of_profile}
        return frozenset(known - outside) | {"default", *map(fold, self.starts)}

    def place(self, extension: Extension) -> str:
        """Return where an extension stands: its file and line, or whose it is."""
        return str(extension.resource or self.tell_line(extension.line))

    def section(self, name: str) -> Element | None:
        """Return a section of the configuration."""
        return self.root.find("section", "name", name)

    def configuration(self, name: str) -> Element | None:
        """Return a configuration such as `ivr.conf`."""
        section = self.section("configuration")
        return section.find("configuration", "name", name) if section else None


def read_extension(element: Element, context: str, resource: Resource | None = None) -> Extension:
    """Return the extension with all that it may execute."""
    acts = tuple(_read(element, (), 0))
    return Extension(element.attributes.get("name", "(no name)"), context, element, resource, acts)


def _read(parent: Element, needs: tuple[Need, ...], depth: int) -> Iterator[Act]:
    if depth > MAX_DEPTH:
        return
    for condition in parent.all("condition"):
        holds = _read_needs(condition)
        fails = (holds[0]._replace(held=False),) if _is_plain(condition, holds) else ()
        captured = holds[-1] if holds else None
        for action in condition.all("action"):
            yield _read_act(action, (*needs, *holds), captured)
        anti = condition.all("anti-action")
        if anti and not _always(condition):
            for action in anti:
                yield _read_act(action, (*needs, *fails), None)
        if condition.child("condition") is not None:
            yield from _read(condition, needs if anti else (*needs, *holds), depth + 1)
        stop = fold(condition.attributes.get("break", ""))
        if stop == "always" or (stop == "on-true" and _always(condition)):
            return
        if stop == "on-true":
            needs = (*needs, *fails)
        elif stop != "never":
            needs = (*needs, *holds)


def _read_act(action: Element, needs: tuple[Need, ...], captured: Need | None) -> Act:
    data = action.text or action.attributes.get("data", "")
    return Act(fold(action.attributes.get("application", "")), data, action.line, needs, captured)


def _read_needs(condition: Element) -> tuple[Need, ...]:
    """Return what has to match where the condition holds, as far as it is certain."""
    attributes = condition.attributes
    timed = not TIMES.isdisjoint(attributes)
    if "regex" in attributes:
        asked = [item for item in condition.all("regex") if "field" in item.attributes]
        every = fold(attributes["regex"]) == "all" or len(condition.all("regex")) == 1
        return tuple(map(_read_need, asked)) if every and not timed else ()
    # Time and field in one condition are ORed.
    return (_read_need(condition),) if "field" in attributes and not timed else ()


def _read_need(element: Element) -> Need:
    return Need(fold(element.attributes["field"]), expression_of(element))


def _is_plain(condition: Element, holds: tuple[Need, ...]) -> bool:
    return len(holds) == 1 and "regex" not in condition.attributes


def _always(condition: Element) -> bool:
    """Tell whether a condition holds whatever the call is."""
    attributes = condition.attributes
    if "regex" in attributes or not TIMES.isdisjoint(attributes):
        return False
    return "field" not in attributes or expression_of(condition) in ANYTHING


def expression_of(element: Element) -> str:
    """Return the expression of a `<condition>` or a `<regex>`."""
    inner = element.child("expression")
    return inner.text if inner is not None else element.attributes.get("expression", "")


def walk(parent: Element | None, name: str) -> Iterator[Element]:
    """Yield every element of a name, in order."""
    waiting = list(reversed(parent.children)) if parent else []
    while waiting:
        item = waiting.pop()
        if item.name == name:
            yield item
        waiting += reversed(item.children)


def read_params(parent: Element | None) -> dict[str, str]:
    """Return the parameters of an element, `<params>` around them or not, by folded names."""
    found: dict[str, str] = {}
    for child in parent.children if parent else ():
        if child.name == "param":
            found[fold(child.attributes.get("name", ""))] = child.attributes.get("value", "")
        elif child.name == "params":
            found |= read_params(child)
    return found


def list_tests(parent: Element, depth: int = 0) -> Iterator[Element]:
    """Yield every `<condition>` and `<regex>` that holds a field against an expression."""
    for child in parent.children if depth <= MAX_DEPTH else ():
        if child.name in ("condition", "regex"):
            if "field" in child.attributes:
                yield child
            yield from list_tests(child, depth + 1)
