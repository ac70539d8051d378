"""The kinds of a project's own: its settings name them, and a schema for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.errors import DesiredInvalidError
from fsgitops.findings import Finding, error, sort_findings
from fsgitops.kinds.own import OwnKind, faults_of, own_kind, taken_words
from fsgitops.model.kind import Kinds
from fsgitops.model.own_noun import RULE, read_noun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fsgitops.model.document import Document
    from fsgitops.model.kind import Kind
    from fsgitops.model.noun import Noun
    from fsgitops.settings.shapes import KindSettings


def read_own_kinds(
    root: Path, declared: Sequence[KindSettings], settings: Document, built_in: Kinds
) -> Kinds:
    """Return the kinds with those that a project declares.

    `settings` is the file that declares them. Raises DesiredInvalidError with every finding.
    """
    findings = list(_find_taken(declared, settings, built_in))
    words = (*built_in, *(item.word for item in declared))
    kinds: list[Kind[Noun]] = []
    for index, item in enumerate(declared):
        kind, found = _read(root, index, item, settings, words)
        findings += found
        if kind is not None:
            kinds.append(kind)
    if findings:
        raise DesiredInvalidError(sort_findings(findings))
    return Kinds((*built_in.values(), *kinds))


def _find_taken(
    declared: Sequence[KindSettings], settings: Document, built_in: Kinds
) -> Iterator[Finding]:
    taken = set(taken_words(built_in))
    words = set(taken)
    for index, item in enumerate(declared):
        for name, word in (("word", item.word), ("section", item.section)):
            if word in taken:
                place = settings.position(("kinds", index, name))
                message = f"`{name}`: {word} means something already"
                yield error(RULE, place, message, "Choose another word for this kind.")
        # Extensions are named WORD_NAME, and a name may hold _ as well.
        alike = min((word for word in words if _run_together(word, item.word)), default="")
        if alike:
            place = settings.position(("kinds", index, "word"))
            message = f"`word`: one of {item.word} could be named as one of {alike} is"
            yield error(RULE, place, message, "Choose a word that does not begin with the other.")
        taken |= {item.word, item.section}
        words.add(item.word)


def _run_together(one: str, other: str) -> bool:
    return one.startswith(f"{other}_") or other.startswith(f"{one}_")


def _read(
    root: Path, index: int, item: KindSettings, settings: Document, words: Sequence[str]
) -> tuple[Kind[Noun] | None, list[Finding]]:
    from fsgitops.steps.load import load_document

    if not (root / item.schema_file).is_file():
        place = settings.position(("kinds", index, "schema"))
        return None, [error(RULE, place, f"there is no file {item.schema_file}")]
    document, findings = load_document(root, item.schema_file)
    if document is None or findings:
        return None, findings
    own, findings = read_noun(item.word, document, words)
    if own is None:
        return None, findings
    kind = OwnKind(item.word, item.section, item.files, item.reach, item.dialled)
    findings = [
        error(RULE, settings.position(("kinds", index, *name.split(".", 1))), _told(name, wanted))
        for name, wanted in faults_of(kind, own)
    ]
    return (None if findings else own_kind(kind, own)), findings


def _told(name: str, wanted: str) -> str:
    return f"`{name}`: expected {wanted}"
