"""A file of several resources, taken apart: what it holds of each, as a file of its own.

What is compiled, what stands live and what was applied are then compared resource by resource, as
where each has its own file. Elements of a file go by their names, which its home knows.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from fsgitops.findings import Position
from fsgitops.homes import home_of
from fsgitops.model.compiled import CompiledFile, Part
from fsgitops.model.live import FileKind, LiveFile, ManifestEntry, Record
from fsgitops.model.review import read_source
from fsgitops.routing.cuts import cut_elements
from fsgitops.routing.fragment import (
    FragmentError,
    flatten_fragment,
    flatten_text,
    only_tag,
    plain_inside,
    preprocess_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.homes.home import Flat, Home
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.resource import Resource

_ROOT = b"<fragment>"
_FIRST = b"<include>"
_LAST = b"</include>\n"


class Spans(NamedTuple):
    """A file's text, the outermost elements of a tag in it, and the directives beside it.

    `exact` tells that `text` is the whole of the file: what is cut out of it and put into it is cut
    out of the file and put into it. Otherwise it is what the preprocessor leaves.
    """

    text: bytes
    elements: tuple[tuple[int, int], ...]
    directives: tuple[str, ...]
    exact: bool

    def flatten_rest(self) -> dict[str, str]:
        """Return what the file says without the elements, as `flatten_fragment` names it."""
        kept, position = [], 0
        for start, end in self.elements:
            kept.append(self.text[position:start])
            position = end
        rest = b"".join((*kept, self.text[position:]))
        return flatten_fragment(rest) if self.exact else flatten_text(rest, self.directives)


def find_elements(content: bytes, tag: str, key: str) -> Spans:
    """Return where the elements of a tag stand; `key` names each. Raises FragmentError."""
    text, directives = preprocess_lines(content)
    exact = content == _FIRST + text + _LAST
    shift = len(_FIRST) if exact else 0
    elements = tuple((start + shift, end + shift) for start, end in _find_spans(text, tag, key))
    return Spans(content if exact else text, elements, directives, exact)


def _find_spans(text: bytes, tag: str, key: str) -> list[tuple[int, int]]:
    """Parse what is left where elements are cut out; all of it, unless these are all there are."""
    cuts = cut_elements(text, tag, key)
    with suppress(FragmentError):
        left = [cuts.rest[start:end] for start, end in find_spans(cuts.rest, tag)]
        if left == [run.stands(tag, key) for run in cuts.runs]:
            return [(start, end) for run in cuts.runs for start, end, _ in run.elements]
    return find_spans(text, tag)


def find_spans(text: bytes, tag: str) -> list[tuple[int, int]]:
    """Return where the outermost elements of a tag stand. Raises FragmentError."""
    found: list[tuple[int, int]] = []
    ending = re.compile(b"</" + re.escape(tag.encode()) + rb"\s*>")
    depth = start_at = 0

    def start(name: str, _attributes: object) -> None:
        nonlocal depth, start_at
        if name == tag:
            if not depth:
                start_at = parser.CurrentByteIndex - len(_ROOT)
            depth += 1

    def end(name: str) -> None:
        nonlocal depth
        if name == tag:
            depth -= 1
            if not depth:
                at = parser.CurrentByteIndex - len(_ROOT)
                # Of `<user/>`, this is where it ends; of `</user>`, where that begins.
                closed = ending.match(text, at)
                found.append((start_at, closed.end() if closed else at))

    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(_ROOT + text + b"</fragment>", True)
    except expat.ExpatError as problem:
        raise FragmentError(problem.lineno, expat.ErrorString(problem.code) or "not XML") from None
    return found


_PLAIN = re.compile(
    rb'<(?:user id="([\w.+:*-]+)"(?: number-alias="([\w.+:*-]+)")?(?: cacheable="true")?>'
    rb'|extension name="([\w.+:*-]+)"[ >])'
)
_OPEN = b"<include>\n"
_CLOSE = b"\n</include>\n"


class Pieces(NamedTuple):
    """Where the elements of a file stand, and the names that each declares."""

    spans: Spans
    names: tuple[tuple[str, ...], ...]

    def bytes_of(self, number: int) -> bytes:
        """Return the bytes of one element."""
        start, end = self.spans.elements[number]
        return self.spans.text[start:end]

    def names_of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Return the names that these elements declare."""
        return tuple(name for number in numbers for name in self.names[number])


def take_apart(content: bytes, path: str) -> Pieces:
    """Return the elements of a file. Raises FragmentError when it is not XML."""
    return _take_apart(content, home_of(path))


@lru_cache(maxsize=4)
def _take_apart(content: bytes, home: Home) -> Pieces:
    spans = find_elements(content, home.element, home.key)
    texts = (spans.text[start:end] for start, end in spans.elements)
    return Pieces(spans, tuple(names_in(text, home) for text in texts))


def names_in(element: bytes, home: Home) -> tuple[str, ...]:
    """Return the names that an element of a home's files declares; none where it is empty."""
    found = _PLAIN.match(element)
    if found and element.startswith(home.element.encode(), 1):
        return ((found[3] or found[2] or found[1]).decode(),)  # as nearly every element is
    said = flatten_fragment(own_file((element,)))
    return () if home.is_empty(said) else tuple(home.split(said)[0])


def own_file(elements: Iterable[bytes]) -> bytes:
    """Return a file that holds these elements alone."""
    return _OPEN + b"\n".join(elements) + _CLOSE


def elements_of(file: CompiledFile) -> bytes:
    """Return the elements of a file that `split_compiled` made."""
    return file.content.removeprefix(_OPEN).removesuffix(_CLOSE)


def list_records(file: CompiledFile, commit: str = "") -> tuple[Record, ...]:
    """Return what is to be known of each resource of a file, once it is written."""
    if len(file.parts) == 1 and not (file.part.kept or file.foreign):
        return (_record(file.part, commit),)
    if (found := hash_parts(file)) is not None:
        return tuple(
            _record(part, commit, *what) for part, what in zip(file.parts, found, strict=True)
        )
    pieces, members = _find_members(file)
    return tuple(
        _record(
            part,
            commit,
            hashlib.sha256(own_file(map(pieces.bytes_of, numbers))).hexdigest(),
            pieces.names_of(numbers),
        )
        for part, numbers in zip(file.parts, members.values(), strict=True)
    )


def _record(part: Part, commit: str, sha256: str = "", elements: tuple[str, ...] = ()) -> Record:
    source = str(part.source)
    return Record(part.resource, source, commit, part.inputs, part.protect, sha256, elements)


def part_of(record: Record) -> Part:
    """Return what is known of a resource of a written file, as if it had been compiled."""
    place = read_source(record.source) or Position(record.source)
    return Part(record.resource, place, record.inputs, record.protect, elements=record.elements)


def split_entry(entry: ManifestEntry) -> dict[Resource, ManifestEntry]:
    """Return what was applied to a file of each resource in it."""
    if entry.alone:
        return {entry.records[0].resource: entry}
    return {item.resource: ManifestEntry(item.sha256, (item,)) for item in entry.records}


def split_compiled(file: CompiledFile) -> dict[Resource, CompiledFile]:
    """Return what is compiled of each resource of a file, its elements named in its part."""
    pieces, members = _find_members(file)
    return {
        part.resource: _cut_compiled(file, index, pieces, members[part.resource])
        for index, part in enumerate(file.parts)
    }


def _find_members(file: CompiledFile) -> tuple[Pieces, dict[Resource, list[int]]]:
    """Return the elements of a file, and which of them each resource has."""
    pieces = take_apart(file.content, file.path)
    by_name = {name: part.resource for part in file.parts for name in part.elements}
    by_place = [part for part in file.parts if part.span != (0, 0)]
    members: dict[Resource, list[int]] = {part.resource: [] for part in file.parts}
    at = 0
    for number, (start, _) in enumerate(pieces.spans.elements):
        while at + 1 < len(by_place) and start >= by_place[at].span[1]:
            at += 1
        owner = by_place[at].resource if by_place else _find(pieces.names[number], by_name)
        if owner is None and len(file.parts) == 1 and not file.foreign:
            owner = file.part.resource
        if owner is not None:
            members[owner].append(number)
    return pieces, members


def _cut_compiled(
    file: CompiledFile, index: int, pieces: Pieces, members: list[int]
) -> CompiledFile:
    """Return one part of a file as a file of its own, its secrets where they are then."""
    content = own_file(pieces.bytes_of(number) for number in members)
    secrets: list[tuple[int, int]] = []
    position = len(_OPEN)
    for number in members:
        start, end = pieces.spans.elements[number]
        first = bisect_left(file.secret_spans, (start, 0))
        last = bisect_left(file.secret_spans, (end, 0))
        shift = position - start
        secrets += [(a + shift, b + shift) for a, b in file.secret_spans[first:last]]
        position += end - start + 1
    part = file.parts[index]._replace(span=(0, 0), elements=pieces.names_of(members))
    return CompiledFile(
        file.path, content, (part,), tuple(secrets), file.unknown and bool(secrets),
        hashlib.sha256(content).hexdigest(),
    )  # fmt: skip


def _find(names: Iterable[str], owners: Mapping[str, Resource]) -> Resource | None:
    return next((owners[name] for name in names if name in owners), None)


def hash_parts(file: CompiledFile) -> list[tuple[str, tuple[str, ...]]] | None:
    """Return what `split_compiled` finds of each part, its hash and names, without taking it apart.

    None where one is more than an element with white space around it, or its place is not known.
    """
    if all(part.sha256 for part in file.parts):
        return [(part.sha256, part.elements) for part in file.parts]
    if plain_inside(file.content) is None:
        return None
    home = home_of(file.path)
    found = []
    for part in file.parts:
        inside = file.content[slice(*part.span)]
        if only_tag(inside) != home.element:
            return None
        found.append(hash_element(inside, home))
    return found


def hash_element(inside: bytes, home: Home) -> tuple[str, tuple[str, ...]]:
    """Return the hash and the names of one element with white space around it."""
    element = inside.strip(b" \n")
    return hashlib.sha256(own_file((element,))).hexdigest(), names_in(element, home)


def split_live(
    found: LiveFile,
    path: str,
    entry: ManifestEntry | None,
    compiled: Iterable[CompiledFile] = (),
) -> tuple[dict[Resource, LiveFile], Flat]:
    """Return what stands in a file of each resource, and what the rest of it says.

    Whose an element is, its name tells: as it was applied, or as it is `compiled`. Of a file that
    cannot be read, each resource has the whole.
    """
    if found.parts is not None:
        return dict(found.parts), {}
    if found.attributes is not None and entry:
        return {entry.records[0].resource: found}, {}
    if found.kind is not FileKind.REGULAR or found.content is None:
        return {}, {}
    compiled = tuple(compiled)
    try:
        pieces = take_apart(found.content, path)
    except FragmentError:
        applied = (item.resource for item in (entry.records if entry else ()))
        return dict.fromkeys((*applied, *(item.part.resource for item in compiled)), found), {}
    members: dict[Resource, list[bytes]] = {}
    mine: list[tuple[int, int]] = []
    for number, owner in enumerate(find_owners(pieces, entry, compiled)):
        if owner is not None:
            members.setdefault(owner, []).append(pieces.bytes_of(number))
            mine.append(pieces.spans.elements[number])
    beside = pieces.spans._replace(elements=tuple(mine)).flatten_rest()
    return {owner: _live(own_file(texts), found) for owner, texts in members.items()}, beside


def find_owners(
    pieces: Pieces, entry: ManifestEntry | None, compiled: Iterable[CompiledFile]
) -> list[Resource | None]:
    """Return whose each element of a file is; None for one that is nobody's.

    In a file that held one resource alone, all that is not another's now is its own.
    """
    records = entry.records if entry else ()
    owners = {name: item.resource for item in records for name in item.elements}
    owners.update((name, item.part.resource) for item in compiled for name in item.part.elements)
    alone = records[0].resource if len(records) == 1 and not records[0].elements else None
    return [_find(names, owners) or alone for names in pieces.names]


def name_owners(file: CompiledFile | None, entry: ManifestEntry | None) -> dict[str, Resource]:
    """Return whose each element of a file of several resources is, and was, by its name."""
    records = entry.records if entry else ()
    owners = {name: item.resource for item in records for name in item.elements}
    if file and not file.settled and (len(file.parts) > 1 or owners):
        pieces, members = _find_members(file)
        for resource, numbers in members.items():
            owners.update(dict.fromkeys(pieces.names_of(numbers), resource))
    return owners


def _live(content: bytes, whole: LiveFile) -> LiveFile:
    digest = hashlib.sha256(content).hexdigest()
    return LiveFile(FileKind.REGULAR, digest, content, whole.exposed)


class OwnFiles:
    """What stands live of each resource, as a file of its own; each file is taken apart once."""

    def __init__(self, live: LiveConfig) -> None:
        self._live = live
        self._there: dict[str, dict[Resource, LiveFile]] = {}

    def get(self, path: str, resource: Resource) -> LiveFile:
        """Return what a file holds of a resource; missing where it is nothing."""
        found, entry = self._live.files[path], self._live.manifest.entries.get(path)
        if entry is None or entry.alone:
            return found
        if path not in self._there:
            self._there[path], _ = split_live(found, path, entry)
        return self._there[path].get(resource, LiveFile(FileKind.MISSING))
