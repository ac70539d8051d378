"""Hand-written files that hold what is declared: users, and the extensions of DIDs and groups."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.errors import FsgitopsError
from fsgitops.homes import home_of
from fsgitops.homes.directory import DIRECTORY
from fsgitops.homes.foreign import is_bare, know_foreign, list_names, take_out
from fsgitops.model.live import FileKind, ManifestEntry, Record, is_safe_path
from fsgitops.planning.survey import find_others
from fsgitops.routing.fragment import quote_name
from fsgitops.steps.read_live import read_live
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from fsgitops.model.compiled import Part
    from fsgitops.model.resource import Resource
    from fsgitops.planning.planned import Planned
    from fsgitops.routing.survey import Survey
    from fsgitops.workspace.open import Workspace


SHOWN = 5


class Stays(NamedTuple):
    """A file that is not taken over, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A hand-written file in which declared resources have elements, of `others` beside them.

    `bare`: it says nothing once they are taken out.
    """

    path: str
    entry: ManifestEntry
    others: tuple[str, ...]
    bare: bool

    def tell_rest(self) -> str:
        """Say what becomes of the file at the next apply."""
        if self.bare:
            return "nothing else is in it, so the next apply deletes it"
        shown = f" ({', '.join(self.others[:SHOWN])})" if self.others else ""
        return f"what else is in it{shown} keeps its bytes"


class _Held(NamedTuple):
    """An element of a hand-written file that is a declared resource's, or why it cannot be."""

    path: str
    name: str
    part: Part
    problem: str = ""


def find_holders(workspace: Workspace, planned: Planned) -> tuple[list[Holder], list[Stays]]:
    """Return the hand-written files that hold what is declared and has no file yet, and others.

    The others hold some of it too, and why they cannot be taken over. A user is the one that a
    look-up of the number finds. An extension is one that does nothing for a number that is not
    declared. Raises FsgitopsError where the conf directory cannot be read.
    """
    wanted = list(_find_wanted(planned))
    if not wanted or planned.look is None:
        return [], []
    survey = planned.look.survey()
    domain = workspace.target.domain
    by_path: dict[str, list[_Held]] = defaultdict(list)
    for held in (*_find_users(survey, wanted, domain), *_find_extensions(survey, wanted, planned)):
        by_path[held.path].append(held)
    target = workspace.target
    safe = {path: "" for path in by_path if is_safe_path(path)}
    live = read_live(target.conf_dir, target.state_dir, safe, planned.live.manifest)
    holders: list[Holder] = []
    stays: list[Stays] = []
    for path, found in sorted(by_path.items()):
        stays += (Stays(path, item.problem) for item in found if item.problem)
        mine = [item for item in found if not item.problem]
        if not mine:
            continue
        if not _has_home(path):
            told = "elements are taken only out of files of directory/ and dialplan/"
            stays.append(Stays(path, f"{told}; move {_tell_names(mine)} to one by hand"))
            continue
        file = live.files.get(path) if path in safe else None
        if file is None or file.kind is not FileKind.REGULAR:
            told = f"a {file.kind} cannot be adopted" if file else "it lies outside"
            stays.append(Stays(path, f"{told}; only a plain file below the conf directory"))
            continue
        try:
            holders.append(_take(path, file.content or b"", mine, planned.plan.commit))
        except FsgitopsError as problem:
            stays.append(Stays(path, str(problem)))
    return holders, stays


def _has_home(path: str) -> bool:
    try:
        home_of(path)
    except FsgitopsError:
        return False
    return True


def _tell_names(mine: Sequence[_Held]) -> str:
    more = f" and {len(mine) - SHOWN} more" if len(mine) > SHOWN else ""
    return ", ".join(item.name for item in mine[:SHOWN]) + more


def _find_wanted(planned: Planned) -> Iterator[tuple[str, Part]]:
    """Yield what is compiled, has no file of its own yet, and lies in none of somebody else's."""
    live = planned.live
    known = {record.resource for record in live.manifest.records()}
    for path, file in planned.compilation.compiled.files.items():
        if live.files[path].kind is FileKind.MISSING and path not in live.manifest.entries:
            yield from ((path, part) for part in file.parts if part.resource not in known)


def _find_users(survey: Survey, wanted: Iterable[tuple[str, Part]], domain: str) -> Iterator[_Held]:
    for path, part in wanted:
        if home_of(path) is DIRECTORY:
            name = part.resource.name
            places = (item for item in find_others(survey.users, name, domain) if not item.pointer)
            found = next(places, None)
            if found is not None:
                yield _Held(found.file, name, part)


def _find_extensions(
    survey: Survey, wanted: Iterable[tuple[str, Part]], planned: Planned
) -> Iterator[_Held]:
    from fsgitops.routing.numbers.automaton import NOTHING, TooLargeError
    from fsgitops.routing.numbers.cover import Extents

    by_context: dict[str, dict[str, Part]] = defaultdict(dict)
    for path, part in wanted:
        if home_of(path) is not DIRECTORY:
            forms = _list_forms(planned, part.resource)
            by_context[planned.kinds.places.context_of(path)].update(dict.fromkeys(forms, part))
    extents = Extents()
    store = extents.store
    for context, parts in by_context.items():
        texts = {text.encode() for form in parts for text in (form, f"+{form.removeprefix('+')}")}
        ours = store.texts(texts)
        for extension, where in survey.extensions(context):
            try:
                most = store.both(extents.measure(extension).most, extents.one_line)
                if store.both(most, ours) == NOTHING or store.count(most) is None:
                    continue
                strange = store.shortest(store.without(most, ours))
            except TooLargeError:
                continue
            part = next(part for form, part in parts.items() if store.holds(most, form.encode()))
            problem = "" if strange is None else (
                f"the extension on line {where.line} takes {strange.decode('latin-1')} as well, "
                "which is not declared"
            )  # fmt: skip
            name = quote_name(extension.attributes.get("name", ""))
            yield _Held(where.file, name, part, problem)


def _list_forms(planned: Planned, resource: Resource) -> tuple[str, ...]:
    """Return what people dial for a resource, in every form."""
    found = planned.compilation.compiled.dialled.get(resource)
    noun = planned.compilation.declared.desired.get(resource)
    if found is None and noun is not None:
        found = planned.kinds[resource.kind].dialled(noun)
    return found or ()


def _take(path: str, content: bytes, mine: Iterable[_Held], commit: str) -> Holder:
    """Return what is known of a file once elements of it are ours. Raises FsgitopsError."""
    names = list_names(content, path)
    owned: dict[Resource, Record] = {}
    for held in mine:
        if (times := names.count(held.name)) != 1:
            raise FsgitopsError(
                f"it holds {count_noun(times, 'element')} of the name {held.name or '(none)'}, and "
                "only one can be told from the others"
            )
        resource = held.part.resource
        known = owned.get(resource) or Record(resource, str(held.part.source), commit)
        owned[resource] = known._replace(elements=(*known.elements, held.name))
    taken = {name for record in owned.values() for name in record.elements}
    left = take_out(content, path, taken)
    others = tuple(name for name in names if name not in taken)
    return Holder(path, know_foreign(content, path, owned.values()), others, is_bare(left))


def find_beside(planned: Planned, path: str, declared: Collection[str]) -> list[str]:
    """Return the elements of an existing file at a declared path that nothing declared has.

    An apply would delete them. `declared` has the names of everything that is declared.
    """
    content = planned.live.files[path].content
    if content is None:
        return []
    try:
        names = list_names(content, path)
        file = planned.compilation.compiled.files[path]
        own = set(list_names(file.content, path))
    except FsgitopsError:
        return []
    return [name for name in names if name not in own and name not in declared]
