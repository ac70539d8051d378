"""What is true of a kind: one value for each, and the table that steps loop over.

No step names a kind. What it has to know of one, it asks of the `Kind`; which kinds there are, it
is told (`Kinds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from fsgitops.model.desired import Noun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fsgitops.model.resource import Resource

N = TypeVar("N", bound=Noun)
Read: TypeAlias = "Callable[[], Mapping[str, str] | None]"


@dataclass(frozen=True, slots=True)
class Site:
    """What is the same for every resource of one target.

    Calls from outside begin in `inbound_context`.
    """

    domain: str = ""
    inbound_context: str = "public"


class Left(NamedTuple):
    """What in the switch's memory is of a kind: whose it is, and the file that said it."""

    name: str
    path: str


class Reach(NamedTuple):
    """Where a call goes that is led to a resource: `transfer NUMBER XML CONTEXT`."""

    number: str
    context: str = "default"


@dataclass(frozen=True, slots=True)
class Shared:
    """One file for all resources of a kind, there while any of them is: `dialplan:agents`.

    With `always`, it is there while anything at all is declared.
    """

    resource: Resource
    path: str
    always: bool = False


def _nothing_of_ours(_place: str, _name: str, _read: Read) -> Left | None:
    return None


def _no_numbers(_noun: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind(Generic[N]):
    """A kind of resource.

    Attributes:
        word: What names it everywhere: in selectors, JSON and messages. `agent`.
        section: Its key in desired files, and in `defaults` of the settings. `agents`.
        noun: What a person declares.
        name: A noun's name among those of its kind.
        paths: The files of a noun, below the conf directory.
        title: What people are told it is; "" for its word.
        aliases: Other words that select it.
        reach: Where a call to it goes; None where no call can be led to it.
        dialled: What people dial for it.
        shared: The files that all its resources share.
        ours: Tells by the place, the name and (read only then) the values of an element in a
            switch's memory that it is of this kind, whoever has a file of it.
    """

    word: str
    section: str
    noun: type[N]
    name: Callable[[N], str]
    paths: Callable[[N, Site], tuple[str, ...]]
    title: str = ""
    aliases: tuple[str, ...] = ()
    reach: Callable[[N], Reach] | None = None
    dialled: Callable[[N], tuple[str, ...]] = _no_numbers
    shared: tuple[Shared, ...] = ()
    ours: Callable[[str, str, Read], Left | None] = _nothing_of_ours

    @property
    def told(self) -> str:
        """What people are told it is: `agent`, `DID route`."""
        return self.title or self.word


class Kinds(Mapping[str, Kind[Any]]):
    """Kinds by their words, in the order in which they were given."""

    __slots__ = ("_by_section", "_by_word", "_owners", "_selected")

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        self._by_word = {kind.word: kind for kind in kinds}
        self._by_section = {kind.section: kind for kind in self._by_word.values()}
        self._selected = {
            alias: kind for kind in self._by_word.values() for alias in (kind.word, *kind.aliases)
        }
        self._owners = {
            shared.resource: kind for kind in self._by_word.values() for shared in kind.shared
        }

    def __getitem__(self, word: str) -> Kind[Any]:
        return self._by_word[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_word)

    def __len__(self) -> int:
        return len(self._by_word)

    def by_section(self, section: str) -> Kind[Any] | None:
        """Return the kind whose resources stand in a section of desired files."""
        return self._by_section.get(section)

    def by_alias(self, word: str) -> Kind[Any] | None:
        """Return the kind that a word selects: its own word, or another for it."""
        return self._selected.get(word)

    def owner(self, resource: Resource) -> Kind[Any] | None:
        """Return the kind whose resources share this one, None where it is no shared file."""
        return self._owners.get(resource)

    def shared(self, resource: Resource) -> Shared | None:
        """Return the shared file that a resource is, None where it is none."""
        kind = self.owner(resource)
        files = kind.shared if kind else ()
        return next((shared for shared in files if shared.resource == resource), None)
