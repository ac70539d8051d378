"""What the marks on the fields of a noun mean: all that holds for every kind is read from them.

A class is walked once; whatever is asked of a noun afterwards follows the spots that were found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    TypeAlias,
    Union,
    get_args,
)
from typing import get_origin as origin_of

from fsgitops.model.draft import Global
from fsgitops.model.fields import Dialled, Expect, Globals, Hidden, Key, Number, Ref
from fsgitops.model.noun import Noun, Part
from fsgitops.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.document import Path

Model: TypeAlias = "type[Noun] | type[Part]"

ITEM: Final = "[]"
ENTRY: Final = "*"
"""Stand in the steps of a spot for each item of a list, and for each value of a mapping."""

_TEXTLESS: Final = frozenset((bool, int, type(None)))
_MARKS: Final = (Key, Ref, Number, Dialled, Hidden, Expect, Globals)


@dataclass(frozen=True, slots=True)
class Spot:
    """One place in the fields of a class: a field, what is below it, or the items of it.

    `holds` is the class of the part there, `dict` or `tuple` for a mapping or a list, `str` for a
    text, `bool` for a switch, and `object` for anything else. `read` gets it where attributes alone
    lead to it, with no list, mapping or optional part in the way.
    """

    steps: tuple[str, ...]
    holds: type
    read: Callable[[Any], Any] | None = field(compare=False)
    marks: Mapping[type, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name that people give it: `voicemail.pin`, `members.agent`, `variables.*`."""
        return ".".join(step for step in self.steps if step != ITEM)

    @property
    def part(self) -> type[Part] | None:
        """Return the part that stands there."""
        return self.holds if issubclass(self.holds, Part) else None

    @property
    def is_leaf(self) -> bool:
        """Tell whether nothing is below it."""
        return self.holds not in (dict, tuple) and self.part is None


@cache
def spots(model: Model) -> tuple[Spot, ...]:
    """Return every spot of a class, what is outside before what is inside it."""
    return tuple(_spots_of(model, (), direct=True))


def _spots_of(model: Model, above: tuple[str, ...], *, direct: bool) -> Iterator[Spot]:
    for name, info in model.model_fields.items():
        yield from _spots(info.annotation, info.metadata, (*above, name), direct=direct)


def _spots(
    annotation: Any, marked: Iterable[object], steps: tuple[str, ...], *, direct: bool = False
) -> Iterator[Spot]:
    optional = False
    marks = {type(mark): mark for mark in marked if isinstance(mark, _MARKS)}
    while True:
        origin, inside = origin_of(annotation), get_args(annotation)
        if origin is Annotated:
            found = {type(mark): mark for mark in inside[1:] if isinstance(mark, _MARKS)}
            annotation, marks = inside[0], found | marks  # what is said outside holds
        elif origin in (Union, UnionType):
            optional = type(None) in inside
            annotation = next(part for part in inside if part is not type(None))
        else:
            break
    if origin is Literal:
        marks = {Expect: Expect(f"one of {', '.join(map(str, inside))}"), **marks}
    holds = origin or annotation
    is_part = isinstance(holds, type) and issubclass(holds, Part)
    if holds not in (dict, tuple, str, bool) and not is_part:
        holds = object  # a number, a word of some, a secret's source
    yield Spot(steps, holds, attrgetter(".".join(steps)) if direct else None, marks)
    if is_part:
        yield from _spots_of(holds, steps, direct=direct and not optional)
    elif holds in (dict, tuple):
        item = (inside[1], ENTRY) if holds is dict else (inside[0], ITEM)
        yield from _spots(item[0], (), (*steps, item[1]))


def values_at(value: Any, steps: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at the steps of a spot, with its path; nothing where nothing does."""
    if value is None:
        return
    if not steps:
        yield path, value
    elif steps[0] not in (ITEM, ENTRY):
        yield from values_at(getattr(value, steps[0], None), steps[1:], (*path, steps[0]))
    else:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from values_at(item, steps[1:], (*path, key))


def replace_at(value: Any, path: Path, new: Any) -> Any:
    """Return a noun, or what is in one, with something else at a path."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, tuple | dict):
        inner = dict(value) if isinstance(value, dict) else dict(enumerate(value))
        inner[step] = replace_at(inner[step], rest, new)
        return inner if isinstance(value, dict) else tuple(inner.values())
    return value.model_copy(update={step: replace_at(getattr(value, str(step)), rest, new)})


@cache
def _marked(model: Model, mark: type) -> tuple[tuple[Spot, Any], ...]:
    return tuple((spot, spot.marks[mark]) for spot in spots(model) if mark in spot.marks)


def find_marked(noun: Noun, mark: type) -> Iterator[tuple[Path, Any, Any]]:
    """Yield what stands where a mark is: its path, the value, and the mark."""
    for spot, said in _marked(type(noun), mark):
        if spot.read is None:
            yield from ((path, value, said) for path, value in values_at(noun, spot.steps))
        elif (value := spot.read(noun)) is not None:
            yield spot.steps, value, said


def find_all(nouns: Sequence[Noun], mark: type) -> Iterator[tuple[Noun, Path, Any, Any]]:
    """Yield the same of many nouns of one class with the noun itself, spot by spot."""
    for spot, said in _marked(type(nouns[0]), mark) if nouns else ():
        if spot.read is None:
            for noun in nouns:
                yield from ((noun, *found, said) for found in values_at(noun, spot.steps))
        else:
            for noun, value in zip(nouns, map(spot.read, nouns), strict=True):
                if value is not None:
                    yield noun, spot.steps, value, said


def key_field(noun: type[Noun]) -> str:
    """Return the field that names a resource of this class."""
    return _marked(noun, Key)[0][0].steps[0]


def key_mark(noun: type[Noun]) -> Key:
    """Return what is said of that field."""
    mark: Key = _marked(noun, Key)[0][1]
    return mark


def name_of(noun: Noun) -> str:
    """Return the name of a resource among those of its kind."""
    name: str = _name_reader(type(noun))(noun)
    return name


@cache
def _name_reader(noun: type[Noun]) -> Callable[[Any], Any]:
    return attrgetter(key_field(noun))


def resource_of(noun: Noun) -> Resource:
    """Return a declared resource as it is spoken of."""
    model = type(noun)
    # A named tuple's own way to make one takes four times as long, and this is asked everywhere.
    return tuple.__new__(Resource, (model.kind, _name_reader(model)(noun)))


class Reference(NamedTuple):
    """A field that holds the name of another resource, and which one that is."""

    path: Path
    mark: Ref
    resource: Resource


def references(noun: Noun) -> Iterator[Reference]:
    """Yield every reference of a noun."""
    for path, text, mark in find_marked(noun, Ref):
        yield Reference(path, mark, read_reference(mark, text))


def reference_marks(noun: type[Noun]) -> tuple[Ref, ...]:
    """Return the marks of all references that a noun of this class may have."""
    return tuple(mark for _, mark in _marked(noun, Ref))


def leads_to(noun: Noun) -> list[Resource]:
    """Return what a noun leads calls to, and so follows from."""
    found: list[Resource] = []
    for spot, mark in _leading(type(noun)):
        if spot.read is None:
            found += [read_reference(mark, text) for _, text in values_at(noun, spot.steps)]
        elif (text := spot.read(noun)) is not None:
            found.append(read_reference(mark, text))
    return found


@cache
def _leading(noun: type[Noun]) -> tuple[tuple[Spot, Ref], ...]:
    return tuple((spot, mark) for spot, mark in _marked(noun, Ref) if not mark.owned)


def read_reference(mark: Ref, text: str) -> Resource:
    """Return the resource that a reference names: `KIND/NAME`, or a name of its first kind."""
    if not mark.anything or "/" not in text:
        return Resource(mark.kinds[0], text)
    kind, _, name = text.partition("/")
    return Resource(kind, name)


@cache
def called_references(noun: type[Noun]) -> Mapping[str, tuple[str, Ref]]:
    """Return the references that a policy can follow: what it calls one -> the field, its mark."""
    return {
        mark.called or spot.name: (spot.name, mark)
        for spot, mark in _marked(noun, Ref)
        if not mark.owned and ITEM not in spot.steps
    }


@cache
def numbers(noun: type[Noun]) -> Mapping[str, Number]:
    """Return the fields that hold telephone numbers."""
    return {spot.name: mark for spot, mark in _marked(noun, Number) if len(spot.steps) == 1}


class WrittenText(NamedTuple):
    """A text that somebody wrote; with `key`, the name of an entry in a mapping, not its value."""

    path: Path
    text: str
    key: bool = False


def texts(noun: Noun) -> Iterator[WrittenText]:
    """Yield every text in a noun."""
    for spot in spots(type(noun)):
        for path, value in values_at(noun, spot.steps):
            if spot.holds is str:
                yield WrittenText(path, Global(value) if Globals in spot.marks else value)
            elif spot.holds is dict:
                yield from (WrittenText((*path, name), name, key=True) for name in value)


def joined_texts(nouns: Sequence[Noun]) -> str:
    """Return all texts of some nouns as one, for a search that mostly finds nothing."""
    found: list[str] = []
    pending: list[Iterable[Any]] = [noun.__dict__.values() for noun in nouns]
    for values in pending:
        for value in values:
            holds = type(value)
            if holds is str:
                found.append(value)
            elif holds in _TEXTLESS:
                continue
            elif holds is tuple:
                pending.append(value)
            elif holds is dict:
                found += value
                pending.append(value.values())
            elif isinstance(value, Part):
                pending.append(value.__dict__.values())
    return " ".join(found)


def expected(model: Model, path: Path) -> Expect:
    """Return what is expected at a path, or at the nearest place outside it that says so."""
    for length in range(len(path), 0, -1):
        spot = find_spot(model, path[:length])
        if spot is None:
            continue
        if Expect in spot.marks:
            mark: Expect = spot.marks[Expect]
            return mark
        if spot.part and spot.part.short:
            return _expect_part(spot.part)
    return Expect("something else")


def _expect_part(part: type[Part]) -> Expect:
    inner = expected(part, (part.short,)).what.replace(" or ", ", ")
    *names, last = (f"`{name}`" for name in part.model_fields)
    return Expect(f"{inner} or a mapping", f"Its keys are {', '.join(names)} and {last}.")


def find_spot(model: Model, path: Path) -> Spot | None:
    """Return the spot that a path leads to, or None for a field that does not exist."""
    return next((spot for spot in spots(model) if _leads_to(spot.steps, path)), None)


def _leads_to(steps: tuple[str, ...], path: Path) -> bool:
    return len(steps) == len(path) and all(
        step in (ITEM, ENTRY, given) for step, given in zip(steps, path, strict=True)
    )


def is_source(model: Model, path: Path) -> bool:
    """Tell whether a path leads to where a secret stands."""
    spot = find_spot(model, path)
    return spot is not None and Hidden in spot.marks


def holds_secrets(noun: type[Noun]) -> bool:
    """Tell whether a noun of this class may have a secret."""
    return bool(_marked(noun, Hidden))


def is_hidden(model: Model, path: Path) -> bool:
    """Tell whether what stands at a path may be a secret: one's source, or in place of a mapping.

    `voicemail: 4711` is meant as a PIN, though it is read as `voicemail.enabled`.
    """
    spot = find_spot(model, path)
    if spot is None or is_source(model, path):
        return spot is not None
    outside = find_spot(model, path[:-1])
    part = spot.part or (outside.part if outside else None)
    stands_for_all = spot.part or (part and part.short == path[-1])
    return bool(part and stands_for_all and _marked(part, Hidden))


@cache
def merged_fields(noun: type[Noun]) -> Mapping[str, type[Part] | None]:
    """Return the fields that are mappings, and the part that each is: defaults are merged there."""
    outer = (spot for spot in spots(noun) if len(spot.steps) == 1)
    return {spot.name: spot.part for spot in outer if spot.part or spot.holds is dict}


@cache
def stand_ins(noun: type[Noun]) -> Mapping[str, str]:
    """Return texts to judge the rest of a noun by, where a required one is wrong or left out.

    None for what identifies it or where it leads: without these there is nothing to judge.
    """
    return {
        spot.name: "-"
        for spot in spots(noun)
        if len(spot.steps) == 1 and spot.holds is str and noun.model_fields[spot.name].is_required()
        if not {Key, Ref, Number} & spot.marks.keys()
    }
