"""A kind of a project's own: a schema says what is declared, a template what becomes of it.

Its files are dialplan. Each holds one extension, named after the resource, and is proved like that
of any kind: every value in an attribute, unaltered.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from fsgitops.findings import quote_value
from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.draft import Draft, DraftError
from fsgitops.model.kind import Kind, Left, Reach, Survey, Wish
from fsgitops.model.own_noun import KEY
from fsgitops.model.reading import find_spot, name_of
from fsgitops.places import USUAL_PLACES, Places
from fsgitops.routing.pattern import broken_expressions
from fsgitops.secret.key import derive_sip_password

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from fsgitops.model.draft import Choice, Elements, Leaf
    from fsgitops.model.kind import Read, Secrets, Site
    from fsgitops.model.noun import Noun
    from fsgitops.model.own_noun import OwnNoun
    from fsgitops.secret.key import ProjectKey
    from fsgitops.secret.value import Secret

WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
TEMPLATE: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}\.xml\.j2", re.ASCII)

AROUND: Final = r"[A-Za-z0-9_.-]{0,60}"
_DIALLED: Final = r"[A-Za-z0-9_-]{0,60}"
"""What stands for itself in an expression: a dot there is any character, and another's number."""
_NUMBER: Final = re.compile(r"[A-Za-z0-9_*#+-]{1,60}", re.ASCII)
_RESERVED: Final = frozenset((
    "context", "defaults", "dialplan", "directory", "fsgitops", "inbound", "kinds", "plan",
    "settings", "target",
))  # fmt: skip
"""Words that mean something else: to people, or in the names of extensions."""


class OwnKind(NamedTuple):
    """What a project says of a kind, as it stands in its settings."""

    word: str
    section: str
    files: Mapping[str, str]
    reach: str = ""
    dialled: str = ""
    """The field with the number that people dial for one."""


def taken_words(kinds: Mapping[str, Kind[Any]]) -> Collection[str]:
    """Return the words that name no kind of a project's own, nor a section of one."""
    return _RESERVED.union(
        *((kind.word, kind.section, *kind.aliases, *kind.also) for kind in kinds.values())
    )


def faults_of(declared: OwnKind, own: OwnNoun) -> Iterator[tuple[str, str]]:
    """Yield which setting of a kind is wrong, and what was expected."""
    key = own.key
    path = re.compile(rf"dialplan/[A-Za-z0-9_-]{{1,60}}/{AROUND}\{{{key}\}}{AROUND}\.xml", re.ASCII)
    contexts = [USUAL_PLACES.context_of(name) for name in declared.files]
    if not declared.files or len(set(contexts)) < len(contexts):
        yield "files", "one file or more, each in a context of its own"
    for name, template in declared.files.items():
        if not path.fullmatch(name):
            shown = f"dialplan/default/30_{declared.word}_{{{key}}}.xml"
            yield f"files.{name}", f"a path such as {shown}"
        if not TEMPLATE.fullmatch(template):
            yield f"files.{name}", "the name of a template, such as paging_group.xml.j2"
    reach = rf"(?:[A-Za-z0-9_]{_DIALLED})?\{{{key}\}}{_DIALLED}"
    if declared.reach and not re.fullmatch(reach, declared.reach):
        shown = f"{declared.word}_{{{key}}}"
        yield "reach", f"what is dialled to get there, of letters, digits, _ and -, such as {shown}"
    spot = find_spot(own.noun, (declared.dialled,)) if declared.dialled else None
    if declared.dialled and (spot is None or spot.holds is not str):
        yield "dialled", "a field of the schema that is a text"


def own_kind(declared: OwnKind, own: OwnNoun) -> Kind[Noun]:
    """Return the kind; `declared` has no faults."""
    return _place(declared, own, USUAL_PLACES)


def _place(declared: OwnKind, own: OwnNoun, places: Places) -> Kind[Noun]:
    reach = partial(_reach, declared, own.key, places) if declared.reach else None
    # What is compiled follows from this as well as from what is declared.
    followed = repr((declared, own.fields))
    return Kind(
        word=declared.word,
        section=declared.section,
        noun=own.noun,
        paths=lambda noun, _site: tuple(_fill(path, own.key, noun) for path in declared.files),
        drafts=partial(_draft, declared, own),
        title=own.noun.called,
        reach=reach,
        dialled=partial(_dialled, declared.dialled),
        wishes=partial(_wishes, own),
        survey=partial(_survey, followed),
        lists=own.noun.__doc__ or "",
        ours=partial(_ours, declared, own.key, places),
        placed=partial(_place, declared, own),
    )


def _survey(followed: str, nouns: Sequence[Noun], _site: Site) -> Survey:
    return Survey(dict.fromkeys(map(name_of, nouns), followed))


def _ours(
    declared: OwnKind, key: str, places: Places, context: str, name: str, read: Read
) -> Left | None:
    """By its name; and where it can be reached, what is dialled to get there is in it too."""
    path = next((path for path in declared.files if places.context_of(path) == context), None)
    own = name.removeprefix(f"{declared.word}_")
    if path is None or own == name or not KEY.fullmatch(own):
        return None
    reach = declared.reach.replace(f"{{{key}}}", own)
    if not any(reach in value for value in (read() or {}).values()):
        return None
    return Left(own, path.replace(f"{{{key}}}", own), sure=bool(reach))


def _dialled(field: str, noun: Noun) -> tuple[str, ...]:
    number = getattr(noun, field) if field else None
    return (number,) if number else ()


def _fill(text: str, key: str, noun: Noun) -> str:
    return text.replace(f"{{{key}}}", name_of(noun))


def _reach(declared: OwnKind, key: str, places: Places, noun: Noun) -> Reach:
    return Reach(_fill(declared.reach, key, noun), places.context_of(next(iter(declared.files))))


def _wishes(own: OwnNoun, noun: Noun) -> tuple[Wish, ...]:
    return tuple(
        Wish(field.name, getattr(noun, field.name), partial(_derive, noun, field.name))
        for field in own.fields
        if field.secret
    )


def _derive(noun: Noun, field: str, key: ProjectKey, domain: str) -> Secret:
    """Derive a secret under a name that no extension has."""
    return derive_sip_password(key, f"{noun.kind}/{name_of(noun)}/{field}", domain, 1)


def _draft(
    declared: OwnKind, own: OwnNoun, noun: Noun, site: Site, secrets: Secrets, _known: Any
) -> Iterator[Draft]:
    values: dict[str, Leaf] = {"domain": site.domain}
    choices: dict[str, Choice] = {}
    for field in own.fields:
        value = getattr(noun, field.name)
        if field.secret:
            secret = secrets[field.name]
            values[field.name] = secret.reveal() if secret else UNKNOWN
        elif field.choice and value is not None:
            choices[field.name] = value
        elif value is not None:
            values[field.name] = _leaf(value)
    if declared.reach:
        values["reach"] = _fill(declared.reach, own.key, noun)
    hidden = frozenset((field.name,) for field in own.fields if field.secret)
    dialled = _dialled(declared.dialled, noun)
    for number in dialled:
        if not _NUMBER.fullmatch(number):
            told = f"`{declared.dialled}` is {quote_value(number)}, which is no number to dial"
            raise DraftError([told], "write letters, digits, _, *, #, + or -")
    for path, template in declared.files.items():
        # What is dialled comes to the first file's context.
        yield Draft(
            _fill(path, own.key, noun), template, values, choices, hidden,
            partial(_prove, declared, own.key), dialled=dialled,
        )  # fmt: skip
        dialled = ()


def _leaf(value: Any) -> Leaf:
    """Return what a template is given; a field that is left out is not there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, tuple):
        return [_leaf(item) for item in value]
    return {name: _leaf(item) for name, item in value.__dict__.items() if item is not None}


def _prove(declared: OwnKind, key: str, found: Elements, values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template does not make exactly one extension of a resource."""
    made_up = cast("Mapping[str, str]", values)
    name = f"{declared.word}_{made_up[key]}"
    extensions = [
        (path, at.get("name")) for path, at in found if len(path) == 1 or path[-1] == "extension"
    ]
    if extensions != [(("extension",), name)]:
        shown = f"{declared.word}_{{{{ {key} }}}}"
        return [f'it must render exactly one <extension name="{shown}">, and nothing beside it']
    problems = []
    if not any(path == ("extension", "condition", "action") for path, _ in found):
        problems.append("no <action> in it")
    if declared.reach and not any(
        path[-1] == "condition" and made_up["reach"] in at.get("expression", "")
        for path, at in found
    ):
        problems.append("no condition compares with {{ reach }}")
    return problems + broken_expressions(found)
