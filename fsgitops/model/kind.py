"""What is true of a kind: one value for each, and the table that steps loop over.

No step names a kind. What it has to know of one, it asks of the `Kind`; which kinds there are, it
is told (`Kinds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from fsgitops.model.draft import Templates
from fsgitops.model.noun import Noun
from fsgitops.model.reading import merged_fields
from fsgitops.phone import USUAL_LENGTHS, Lengths
from fsgitops.places import USUAL_PLACES, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fsgitops.findings import Finding, Position, Severity
    from fsgitops.model.columns import Columns
    from fsgitops.model.desired import Desired
    from fsgitops.model.draft import Draft
    from fsgitops.model.imports import Brought, Kept
    from fsgitops.model.resource import Resource
    from fsgitops.model.rule import Rule
    from fsgitops.secret.key import ProjectKey
    from fsgitops.secret.source import Source
    from fsgitops.secret.value import Secret

N = TypeVar("N", bound=Noun)
Read: TypeAlias = "Callable[[], Mapping[str, str] | None]"


class Reach(NamedTuple):
    """Where a call goes that is led to a resource: `transfer NUMBER XML CONTEXT`."""

    number: str
    context: str = USUAL_PLACES.context


@dataclass(frozen=True, slots=True)
class Site:
    """What is the same for every resource of one target.

    Attributes:
        domain: The SIP domain of the target.
        places: The folders that files are written to, and their contexts.
        sharded: Hundreds of resources share a file, for large sites; else each has its own.
        lengths: How many digits an extension has.
        caller_id: The number shown outside for who declares none.
        caller_name: The name shown outside for who declares none.
        did_forms: The forms beside E.164 that the carriers deliver; None where nobody said.
        did_prefixes: What carriers put before the digits of a number in E.164.
        default_region: Whose a national form is that numbers of two countries share (two letters).
        own_variables: The names, in small letters, that the project declares as its own.
        templates: The templates that files are made with.
        sources: Where each resource is declared.
        dialled: Who takes a number that is dialled, of all that is enabled.
        reach: Where a call goes that is led to a resource; None where it goes nowhere.
    """

    domain: str = ""
    places: Places = USUAL_PLACES
    sharded: bool = False
    lengths: Lengths = USUAL_LENGTHS
    caller_id: str | None = None
    caller_name: str | None = None
    did_forms: Sequence[str] | None = None
    did_prefixes: Sequence[str] = ()
    default_region: str | None = None
    own_variables: frozenset[str] = frozenset()
    templates: Templates = field(default_factory=lambda: Templates({}))
    sources: Mapping[Resource, Position] = field(default_factory=dict)
    dialled: Mapping[str, Noun] = field(default_factory=dict)
    reach: Callable[[Resource], Reach | None] = lambda _resource: None


class Left(NamedTuple):
    """What in the switch's memory is of a kind: whose it is, and the file that said it.

    Not `sure`: somebody may have written it by hand; it is left over where no file on disk has it.
    Not `alone`: others lie in that file as well, so it may be there without this.
    """

    name: str
    path: str
    sure: bool = True
    alone: bool = True


class Judged(NamedTuple):
    """What a rule says of a secret that was looked at; the secret is not in the texts."""

    rule: str
    severity: Severity
    message: str
    hint: str = ""


class Wish(NamedTuple):
    """A secret that a resource needs.

    Attributes:
        name: Its name among the resource's secrets, which is that of its field.
        source: Where it stands; None where it is derived.
        derive: Makes it of the project key and the domain; None: only its source has it.
        groups: The groups with which the resource moves to the next key of a rotation.
        judge: What is wrong with a value that stands elsewhere; it is told whose it is, by name.
        shared: What to say where another resource has the same one, where that matters; likewise.
    """

    name: str
    source: Source | None
    derive: Callable[[ProjectKey, str], Secret] | None = None
    groups: tuple[str, ...] = ()
    judge: Callable[[str, str], Iterable[Judged]] | None = None
    shared: Callable[[str, Resource], Judged] | None = None


Secrets: TypeAlias = "Mapping[str, Secret | None]"
"""The secrets of one resource by the names of its wishes; None for those that are not at hand."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What resources of a kind follow from besides themselves, and what stands in their way.

    `known` has it by name, as a value whose `repr` says all of it, and `dialled` what people dial
    where that depends on others.
    """

    known: Mapping[str, Any] = field(default_factory=dict)
    dialled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """One file for all resources of a kind, there while any of them is: `dialplan:agents`.

    With `always`, it is there while anything at all is declared. `when` tells for which targets
    it is. What is in one that `follows` changes with which resources there are.
    """

    resource: Resource
    path: Callable[[Site], str]
    draft: Callable[[Site, Survey], Draft]
    always: bool = False
    when: Callable[[Site], bool] = lambda _site: True
    follows: bool = False


def declared_values(noun: Noun) -> tuple[object, ...]:
    """Return what is declared of a resource, field by field, as values whose `repr` is quick."""
    values = noun.__dict__.copy()
    for name in _part_fields(type(noun)):
        if (part := values[name]) is not None:
            values[name] = part.__dict__
    return (*values.values(),)


@cache
def _part_fields(noun: type[Noun]) -> tuple[str, ...]:
    return tuple(name for name, part in merged_fields(noun).items() if part is not None)


@dataclass(frozen=True, slots=True)
class Kind(Generic[N]):
    """A kind of resource.

    Attributes:
        word: What names it everywhere: in selectors, JSON and messages. `agent`.
        section: Its key in desired files, and in `defaults` of the settings. `agents`.
        noun: What a person declares.
        paths: The files of a noun, below the conf directory.
        drafts: What is in them. Raises DraftError for a noun that must not be written.
        title: What people are told it is; "" for its word.
        aliases: Other words that select it.
        reach: Where a call to it goes; None where no call can be led to it.
        dialled: What people dial for it.
        starts: The dialplan context in which its own calls begin; None where it makes none.
        forwards: Tells whether its phones may send their calls on to anywhere.
        wishes: The secrets that it needs.
        survey: Looks at all that are enabled before the first is drafted.
        joint: Tells whether several resources may lie in one file: their paths may be the same.
        shared: The files that all its resources share.
        ours: Tells by the place, the name and (read only then) the values of an element in a
            switch's memory that it is of this kind, whoever has a file of it.
        columns: How tables of others say its fields.
        imports: Reads what people wrote by hand (routing/handwritten.py) as such resources, given
            that and a Site; None where nobody can.
        rules: What is asked of its resources alone.
        lists: What its section is, for those who read the schema.
        also: Still other words that people look it up by.
        placed: Makes the same kind for a target whose files lie elsewhere.
        defaults: What a target says of fields that nobody declares.
    """

    word: str
    section: str
    noun: type[N]
    paths: Callable[[N, Site], tuple[str, ...]]
    drafts: Callable[[N, Site, Secrets, Any], Iterable[Draft]]
    title: str = ""
    aliases: tuple[str, ...] = ()
    reach: Callable[[N], Reach] | None = None
    dialled: Callable[[N], tuple[str, ...]] = lambda _noun: ()
    starts: Callable[[N], str] | None = None
    forwards: Callable[[N], bool] = lambda _noun: False
    wishes: Callable[[N], tuple[Wish, ...]] = lambda _noun: ()
    survey: Callable[[Sequence[N], Site], Survey] = lambda _nouns, _site: Survey()
    joint: Callable[[Site], bool] = lambda _site: False
    shared: tuple[Shared, ...] = ()
    ours: Callable[[str, str, Read], Left | None] = lambda _place, _name, _read: None
    imports: Callable[..., Iterable[Brought | Kept]] | None = None
    columns: Callable[[], Columns] | None = None
    rules: tuple[Rule, ...] = ()
    lists: str = ""
    also: tuple[str, ...] = ()
    placed: Callable[[Places], Kind[N]] | None = None
    defaults: Mapping[str, object] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """Return what it is, as a sentence: how the noun's own text begins."""
        return (self.noun.__doc__ or "").partition(".")[0] + "."

    @property
    def told(self) -> str:
        """What people are told it is: `agent`, `DID route`."""
        return self.title or self.word


class Kinds(Mapping[str, Kind[Any]]):
    """Kinds by their words, in the order in which they were given, for files in these places."""

    __slots__ = ("_by_section", "_by_word", "_owners", "places")
    __hash__ = object.__hash__

    def __init__(self, kinds: Iterable[Kind[Any]], places: Places = USUAL_PLACES) -> None:
        self.places = places
        self._by_word = {kind.word: kind for kind in kinds}
        self._by_section = {kind.section: kind for kind in self._by_word.values()}
        self._owners = {
            shared.resource: kind for kind in self._by_word.values() for shared in kind.shared
        }

    def __getitem__(self, word: str) -> Kind[Any]:
        return self._by_word[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_word)

    def __len__(self) -> int:
        return len(self._by_word)

    def placed(self, places: Places) -> Kinds:
        """Return the same kinds for a target whose files lie there."""
        if places == USUAL_PLACES:
            return self
        placed = (kind.placed(places) if kind.placed else kind for kind in self.values())
        return Kinds(placed, places)

    def sections(self) -> tuple[str, ...]:
        """Return the keys that desired files have for what is declared."""
        return tuple(self._by_section)

    def by_section(self, section: str) -> Kind[Any] | None:
        """Return the kind whose resources stand in a section of desired files."""
        return self._by_section.get(section)

    def owner(self, resource: Resource) -> Kind[Any] | None:
        """Return the kind whose resources share this one, None where it is no shared file."""
        return self._owners.get(resource)

    def reach(self, desired: Desired, resource: Resource) -> Reach | None:
        """Return where a call goes that is led to a resource; None where it goes nowhere."""
        kind, noun = self._by_word.get(resource.kind), desired.get(resource)
        if kind is None or kind.reach is None or noun is None or not noun.enabled:
            return None
        return kind.reach(noun)

    def shared(self, resource: Resource) -> Shared | None:
        """Return the shared file that a resource is, None where it is none."""
        kind = self.owner(resource)
        files = kind.shared if kind else ()
        return next((shared for shared in files if shared.resource == resource), None)
