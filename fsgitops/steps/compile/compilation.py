"""The files and findings of one compilation, gathered as each resource is compiled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import fsgitops
from fsgitops.errors import FsgitopsError
from fsgitops.findings import Finding, Position, error
from fsgitops.homes import home_of
from fsgitops.homes.pieces import hash_element
from fsgitops.model.compiled import UNKNOWN, CompiledConfig, CompiledFile, Part
from fsgitops.model.draft import DraftError, paths_of
from fsgitops.model.live import is_safe_path
from fsgitops.routing.fragment import CLOSE, OPEN
from fsgitops.rules.texts import is_safe, unsafe_reason

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from fsgitops.model.draft import Draft
    from fsgitops.model.kind import Site, Survey
    from fsgitops.model.live import ManifestEntry
    from fsgitops.model.resource import Resource
    from fsgitops.steps.compile.program import Programs, Rendering

RULE: Final = "compile"

_NOWHERE: Final = Position("desired")
_PLAIN: Final = "write it without what FreeSWITCH would act on"

DECIDING = (
    "kinds",
    "model",
    "numbering.py",
    "phone.py",
    "places.py",
    "routing/fragment.py",
    "routing/pattern.py",
    "routing/skeleton.py",
    "rules/texts.py",
    "secret/key.py",
    "steps/compile",
)
"""Modules, and packages whose every module decides: a new kind cannot be forgotten."""


class _Piece(NamedTuple):
    """What one resource makes of a file, as if the file were its own."""

    part: Part
    rendering: Rendering
    frame: tuple[str, str]


@dataclass(slots=True)
class Compilation:
    """The files and findings gathered so far.

    `settled` maps paths to what an earlier apply proved and wrote there. The same inputs give the
    same bytes, so they are not rendered again: such a file has its hash and no content. `base` is
    what every file follows from; None where nobody asks for inputs. `joint` are
    the kinds of which several resources may lie in one file.
    """

    site: Site
    settled: Mapping[str, ManifestEntry]
    base: bytes | None
    joint: frozenset[str]
    findings: list[Finding] = field(default_factory=list)
    dialled: dict[Resource, tuple[str, ...]] = field(default_factory=dict)
    surveys: dict[str, Survey] = field(default_factory=dict)
    _known: dict[str, CompiledFile] = field(default_factory=dict)
    _made: dict[str, list[_Piece]] = field(default_factory=dict)
    _there: set[str] = field(default_factory=set)
    _programs: Programs | None = None

    def result(self) -> tuple[CompiledConfig, list[Finding]]:
        """Return all that was compiled, sorted by path, and every finding."""
        broken = self._programs.findings if self._programs else []
        while self._made:  # pieces and files are never held whole at the same time
            path, made = self._made.popitem()
            self._known[path] = _put_together(path, made)
        compiled = CompiledConfig(dict(sorted(self._known.items())), dialled=self.dialled)
        return compiled, [*self.findings, *broken]

    def holds(self, kind: str = "") -> bool:
        """Tell whether there is a file of a kind, or of any kind at all."""
        return kind in self._there if kind else bool(self._there)

    def refuse(self, resource: Resource, problem: DraftError) -> None:
        """Add its reasons as errors at the place where the resource is declared."""
        position = self.site.sources.get(resource, _NOWHERE)
        for reason in problem.reasons:
            self.findings.append(error(RULE, position, f"{resource}: {reason}", problem.hint))

    def digest(self, of: str, *declared: object) -> str:
        """Return the digest of a resource's inputs, values `of` what they say; "": nobody asks."""
        if self.base is None:
            return ""
        text = f"{of}{declared!r}"
        return hashlib.blake2b(self.base + text.encode(), digest_size=16).hexdigest()

    def part(self, resource: Resource, inputs: str, *, protect: bool = False) -> Part:
        """Return what a file is to hold of a resource that somebody declared."""
        source = self.site.sources.get(resource, _NOWHERE)
        return Part(resource, source, inputs, protect)

    def settle(self, path: str, parts: Sequence[Part]) -> bool:
        """Tell whether the same inputs were proved and written before; then the file is known."""
        known = self.settled.get(path)
        if known is None:
            return False
        inputs = {part.resource: part.inputs for part in parts}
        if known.inputs != inputs or len(inputs) < len(parts):
            return False
        self._known[path] = CompiledFile(path, b"", (*parts,), sha256=known.sha256, settled=True)
        self._there.add(parts[0].resource.kind)
        return True

    def add(self, draft: Draft, part: Part) -> None:
        """Render what a file is to hold of one resource. A broken template is one finding."""
        shape, values = draft.read()
        try:
            self._check(draft, part, values)
            rendering = self._render(draft, part.resource.kind, shape, values)
        except DraftError as problem:
            self.refuse(part.resource, problem)
            return
        if rendering is None:
            return
        piece, kind = _Piece(part, rendering, draft.frame), part.resource.kind
        if kind in self.joint:
            self._made.setdefault(draft.path, []).append(piece)
        else:
            self._known[draft.path] = _put_together(draft.path, (piece,))
        self._there.add(kind)

    def _check(self, draft: Draft, part: Part, values: Sequence[str]) -> None:
        known, kind = self._known.get(draft.path), part.resource.kind
        made = self._made.get(draft.path)
        # All in a file are of one kind, so the first of them speaks for the others.
        other = known.parts[0] if known else made[0].part if made else None
        if other and not (kind in self.joint and kind == other.resource.kind):
            message = f"{draft.path} is written for {other.resource} already"
            raise DraftError([message], "declare it once")
        if not made:  # else the path was looked at with the first of them
            try:
                home_of(draft.path)
            except FsgitopsError as problem:
                raise DraftError([str(problem)], _PLAIN) from None
            if not is_safe_path(draft.path):
                raise DraftError([f"{draft.path!r} is not below the conf directory"], _PLAIN)
        # One look at all of them: most drafts hold nothing that is unsafe.
        if not is_safe(" ".join(values)) and (reasons := [*_unsafe_values(draft, values)]):
            raise DraftError(reasons, _PLAIN)

    def _render(
        self, draft: Draft, kind: str, shape: Hashable, values: Sequence[str]
    ) -> Rendering | None:
        if self._programs is None:
            # What renders is not loaded where all that is declared is known from an earlier apply.
            from fsgitops.steps.compile.program import Programs

            self._programs = Programs(self.site.templates)
        rendering = self._programs.run(draft, kind, shape, values)
        if rendering is None or kind not in self.joint:
            return rendering
        if not (rendering.content.startswith(OPEN) and rendering.content.endswith(CLOSE)):
            raise DraftError(
                [f"{draft.template} does not begin with <include> and end with </include>"],
                "the file holds several resources between them",
            )
        return rendering


@cache
def source_digest() -> str:
    """Return a hex digest that changes with the program's version and with its source."""
    state = hashlib.blake2b(fsgitops.__version__.encode(), digest_size=16)
    package = Path(fsgitops.__file__).parent
    for name in DECIDING:
        place = package / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            state.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    return state.hexdigest()


def digest_inputs(site: Site, salt: str) -> bytes:
    """Return the digest of all that every file's bytes follow from, but for what is declared.

    The compiler's own source is part of it: another compiler may write other bytes. `salt` differs
    with the key that the digest is to be tied to.
    """
    words = (
        source_digest(),
        site.domain,
        salt,
        repr((site.caller_id, site.caller_name, sorted(site.own_variables), site.lengths)),
        repr(site.places),
        repr(sorted(site.templates.sources.items())),
    )
    return hashlib.blake2b("\x1f".join(words).encode("utf-8", "surrogatepass")).digest()


def _put_together(path: str, made: Sequence[_Piece]) -> CompiledFile:
    """Return the file of these pieces: what each has inside `<include>`, one after the other."""
    before, behind = (text.encode() for text in made[0].frame)
    if len(made) == 1 and not before:
        content, spans, unknown, _ = made[0].rendering
        part = made[0].part
        parts: tuple[Part, ...] = (Part(*part[:4], (0, len(content)), *part[5:]),)
    else:
        listed, secrets = list[Part](), list[tuple[int, int]]()
        texts, unknown = [OPEN, before], False
        start = len(OPEN) + len(before)
        home = home_of(path)
        for part, rendering, _ in made:
            inside = rendering.content[len(OPEN) : -len(CLOSE)]
            only = rendering.only == home.element
            sha256, names = hash_element(inside, home) if only else ("", part.elements)
            shift = start - len(OPEN)
            texts.append(inside)
            span = (start, start + len(inside))
            listed.append(Part(*part[:4], span, names, part.kept, sha256))
            secrets += ((first + shift, last + shift) for first, last in rendering.secret_spans)
            unknown = unknown or rendering.unknown
            start += len(inside)
        content, parts, spans = b"".join((*texts, behind, CLOSE)), tuple(listed), tuple(secrets)
    return CompiledFile(path, content, parts, spans, unknown, hashlib.sha256(content).hexdigest())


def _unsafe_values(draft: Draft, texts: Sequence[str]) -> Iterator[str]:
    """Yield why values must not be written. None of them is shown: it may be a secret."""
    for path, text in zip(paths_of(draft.values), texts, strict=True):
        if path in draft.hidden and text == UNKNOWN:
            continue
        why = unsafe_reason(text)
        if why:
            yield f"{'.'.join(map(str, path))}: {why}"
