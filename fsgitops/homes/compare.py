"""The one comparison of what a file says with what a switch holds of it.

The file is the expectation, the constants of an own template included. It is compared element by
element and in both directions: what it says and the switch does not hold is a difference, and so is
what the switch holds of an element and the file does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.errors import SwitchProtocolError
from fsgitops.homes import home_of
from fsgitops.routing.cuts import Cuts, Cutting, Element, cut_elements
from fsgitops.routing.fragment import (
    CLOSE,
    OPEN,
    FragmentError,
    flatten_text,
    parse_answer,
    plain_inside,
    preprocess_lines,
)
from fsgitops.routing.lines import expand_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fsgitops.homes.home import Address, Flat, Home, Located
    from fsgitops.switch.client import Switch

DIRECTIVE = "X-PRE-PROCESS "
_SHORT = 4096
_BRINGS_NOTHING = ("set", "exec-set", "stun-set", "env-set")


class Said(NamedTuple):
    """What one file says: its elements by name, and what else stands in it.

    Lines of the preprocessor are left out. Not `whole` where one of them brings in other text: what
    that says is not in the file.
    """

    elements: Mapping[str, Flat]
    rest: Flat
    whole: bool


class Difference(NamedTuple):
    """One name that differs: what the file says of it, expanded, and what is held of it."""

    name: str
    wanted: str | None
    held: str | None


def read_said(home: Home, content: bytes) -> Said:
    """Return what a file of a home says. Raises FragmentError when it is not XML."""
    text = plain_inside(content)
    directives: tuple[str, ...] = ()
    if text is None:
        text, directives = preprocess_lines(content)
        cuts = cut_elements(text, home.element, home.key)
        rest = cuts.rest
    else:  # out of the file itself, which is held anyway
        cuts = cut_elements(content, home.element, home.key)
        rest = cuts.rest[len(OPEN) - 1 : -len(CLOSE)]
    read = _read_rest if len(rest) <= _SHORT else _read_rest.__wrapped__
    with suppress(FragmentError):
        said = read(home, rest, directives)
        elements = _put_back(cuts, said.elements)
        if elements is not None:
            return said._replace(elements=elements)
    return said_of(home, flatten_text(text, directives))


@lru_cache(maxsize=64)
def _read_rest(home: Home, text: bytes, directives: tuple[str, ...]) -> Said:
    """Return what is said beside elements that are cut out: of many files, it is the same."""
    return said_of(home, flatten_text(text, directives))


def _put_back(cuts: Cuts, found: Mapping[str, Flat]) -> Mapping[str, Flat] | None:
    """Return the elements of a file, those that were cut out of it in their places.

    None where one is not where an element stands by itself, or several have one name.
    """
    runs = {run.mark: run for run in cuts.runs}
    elements: dict[str, Flat] = {}
    count = 0
    for name, flat in found.items():
        run = runs.pop(name, None) if len(flat) == 1 else None
        own = {one.name: one for _, _, one in run.elements} if run else {name: flat}
        count += len(run.elements) if run else 1
        elements.update(own)
    twice = len(elements) < count or any(" #" in name for name in found)
    return None if runs or twice else elements


def said_of(home: Home, flat: Flat) -> Said:
    """Return the same of a file that is flattened already."""
    directives = [name for name in flat if name.startswith(DIRECTIVE)]
    if not directives:
        return Said(*home.split(flat), whole=True)
    whole = all(flat[name].partition(" ")[0].lower() in _BRINGS_NOTHING for name in directives)
    text = {name: value for name, value in flat.items() if not name.startswith(DIRECTIVE)}
    return Said(*home.split(text), whole)


def compare_said(
    said: Said, held: Held, expand: Callable[[str], str]
) -> Iterator[tuple[str, list[Difference] | None]]:
    """Yield each element of a file, and how it differs; None where the switch does not hold it.

    What else the file says comes last, as "", where it differs and anything of the file is held.
    """
    found = not said.elements
    for name, values in said.elements.items():
        there = held.get(name)
        if there is None:
            yield name, None
        else:
            found = True
            same = _is_same(values, there, expand)
            told = () if same else find_differences(values, there, expand, whole=said.whole)
            yield name, list(told)
    beside = {name: value for name, value in held.rest.items() if name in said.rest}
    if found and (left := list(find_differences(said.rest, beside, expand))):
        yield "", left


def find_differences(
    said: Flat, held: Flat, expand: Callable[[str], str], *, whole: bool = True
) -> Iterable[Difference]:
    """Yield what differs, in the order of the file, and then what the switch holds beside it."""
    for name, value in said.items():
        wanted = expand(value)
        if held.get(name) != wanted:
            yield Difference(name, wanted, held.get(name))
    if whole:
        for name, value in held.items():
            if name not in said:
                yield Difference(name, None, value)


def _is_same(said: Flat, held: Flat, expand: Callable[[str], str]) -> bool:
    """Tell at a glance that nothing differs; False: that is not known."""
    if not isinstance(said, Element) or not isinstance(held, Element):
        return False
    texts = said.texts
    if b"$${" in texts:
        # What stands for a value is compared as it is printed: a quote in it is one too many.
        texts = '"'.join(map(expand, texts.decode().split('"'))).encode()
    return texts == held.texts and said.has_shape_of(held)


class Held:
    """The elements of one place as the switch holds them, each read when it is asked for.

    Of several of one name, a look-up takes the first. `within` is that of `Located`.
    """

    __slots__ = ("_elements", "_home", "rest", "there")

    def __init__(self, home: Home, answer: bytes | None, within: str = "") -> None:
        self.there = answer is not None
        self.rest: Flat = {}
        self._home = home
        self._elements: dict[str, object] = {}
        if answer is None:
            return
        cuts = cut_elements(answer, home.element, home.key)
        root = _parse_rest(cuts, home.element)
        if root is None:
            cuts, root = Cuts(answer, ()), parse_answer(answer)
        self._take(cuts, root, within)

    @classmethod
    def of_cuts(cls, home: Home, cuts: Cuts | None, within: str = "") -> Held | None:
        """Return what an answer holds that was cut as it came; None where it has to be seen whole.

        So 100 MB are never held.
        """
        root = _parse_rest(cuts, home.element) if cuts else None
        if cuts is None or root is None:
            return None
        held = cls(home, None)
        held.there = True
        held._take(cuts, root, within)
        return held

    def _take(self, cuts: Cuts, root: Any, within: str) -> None:
        runs = {run.mark: run for run in cuts.runs}
        part = self._home.part(root, within)
        if part is None:
            return
        self.rest = self._home.rest(part)
        for name, element in self._home.inside(part):
            if name in runs:
                for _, _, cut in runs[name].elements:
                    for found in cut.names:
                        self._elements.setdefault(found, cut)
            else:
                self._elements.setdefault(name, element)

    def names(self) -> Iterator[str]:
        """Yield the names of all elements."""
        return iter(self._elements)

    def get(self, name: str) -> Flat | None:
        """Return what the element of this name says, as in a file of its own; None: not held."""
        found = self._elements.get(name)
        if found is not None and not isinstance(found, Mapping):
            found = self._elements[name] = self._home.flatten(found)
        return found


def _parse_rest(cuts: Cuts, tag: str) -> Any:
    """Return the root of what is left of an answer; None where a mark is not an element of its own.

    One that stands inside of another element would take a part of that away.
    """
    try:
        root = parse_answer(cuts.rest)
    except SwitchProtocolError:
        return None
    marks = {run.mark for run in cuts.runs}
    for element in root.iter(tag):
        if marks.intersection(element.values()) and next(element.iterancestors(tag), None) is None:
            marks.difference_update(element.values())
    return None if marks else root


class Memory:
    """What a switch holds, place by place: each is asked for in one `xml_locate`, and once.

    10,000 users are 15 MB, and take 0.1 s. Every method raises SwitchError, and is of use only
    while the switch is connected.
    """

    def __init__(self, switch: Switch, address: Address) -> None:
        self._switch = switch
        self._address = address
        self._held: dict[tuple[str, Located], Held] = {}
        self.expand = Globals(switch.global_variable).expand

    def of_place(self, home: Home, place: str) -> Held:
        """Return what is held of a place."""
        located = home.locate(place, self._address)
        key = (home.section, located)
        if key not in self._held:
            self._held[key] = self._ask(home, located)
        return self._held[key]

    def _ask(self, home: Home, located: Located) -> Held:
        tag, name, within = located
        cutting = Cutting(home.element, home.key)
        if not self._switch.locate_into(cutting.feed, home.section, tag, name):
            return Held(home, None)
        cuts = cutting.finish()
        if cuts and not cuts.runs:
            return Held(home, cuts.rest, within)
        held = Held.of_cuts(home, cuts, within)
        return held or Held(home, self._switch.locate(home.section, tag, name), within)

    def forget(self) -> None:
        """Let go of what is held: whoever asks for a place again has it asked for again."""
        self._held.clear()

    def of_file(self, path: str) -> Held:
        """Return what is held of the place that a file of ours is of."""
        home = home_of(path)
        return self.of_place(home, home.place(path, self._address))


class Globals:
    """What `$${name}` stands for on a switch, asked for once each."""

    def __init__(self, ask: Callable[[str], str | None]) -> None:
        self._ask = ask
        self._known: dict[str, str] = {}

    def expand(self, value: str) -> str:
        """Return a value as the preprocessor of that switch leaves it."""
        return expand_text(value, self._value) if "$${" in value else value

    def _value(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = ""
            with suppress(ValueError):  # a name that no command can ask for
                self._known[name] = self._ask(name) or ""
        return self._known[name]
