"""Follow the calls that a plan is about, and say which do not arrive, and what takes them.

Followed are those to what the plan creates and changes, and to what leads there; of too many, some
(portion.py). Calls to the rest
are followed where a hand-written file has changed since the last apply, or they did not arrive
then (proved.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsgitops.model.plan import Danger
from fsgitops.planning.arrivals import Calls, Subjects, list_entries, tell_closed, tell_refused
from fsgitops.planning.claims import LOST, Claim
from fsgitops.planning.portion import follow_portion
from fsgitops.planning.proved import Proved, digest_foreign, read_proved
from fsgitops.routing.call.arrival import Arrival, find_taker
from fsgitops.routing.call.load import is_unknown
from fsgitops.routing.directory import descend
from fsgitops.routing.places import is_served_elsewhere, list_user_lists
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.model.resource import Resource
    from fsgitops.planning.ahead import Ahead
    from fsgitops.planning.arrivals import Missed, Subject
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.call.outcome import Ending
    from fsgitops.routing.call.state import Took
    from fsgitops.routing.places import Door
    from fsgitops.routing.survey import Survey
    from fsgitops.workspace.declare import Compilation


class Followed(NamedTuple):
    """What is to say of the calls, and what is known of all once the plan is applied.

    `arriving` is what the plan is about, and gets its calls.
    """

    claims: Sequence[Claim]
    proved: Proved
    arriving: Sequence[Subject] = ()


def follow_calls(ahead: Ahead, survey: Survey) -> Followed:
    """Follow the calls that a plan is about. Raises MergeError where nothing can be followed."""
    target, live = ahead.workspace.target, ahead.live
    plan, compilation, written, _ = ahead.portion
    subjects = Subjects(compilation, ahead.workspace.kinds)
    changed = {item.resource for item in plan.changes if item.dangers != (Danger.NOTHING,)}
    concerned = subjects.find_concerned(changed) if changed else set()
    wanted = set(concerned)
    foreign = digest_foreign(survey, compilation.key)
    before = read_proved(target.state_dir)
    if before is None or before.foreign != foreign:
        before = None
        wanted.update(record.resource for record in live.manifest.records())
    else:
        wanted |= before.astray
    found = [item for item in subjects.find(wanted) if not _is_unread(item, survey, compilation)]
    astray = {*before.astray} - {item.resource for item in found} if before else set()
    if not found:
        return Followed((), Proved(foreign, frozenset(astray)))
    loaded = ahead.loaded
    files = _Files(loaded, frozenset(written.ours | live.manifest.ours))
    doors = loaded.doors(target.domain)
    calls = Calls(
        loaded.world,
        files.path_of,
        domain=target.domain,
        inbound=target.inbound_context,
        outside=list_entries(doors, target.inbound_context),
        callers=subjects.list_callers(),
    )
    some = ahead.portion.limit(found)
    followed = follow_portion(some, calls.find_missed, lambda: calls.work, calls.sort)
    found = [subject for subject, _ in followed]
    missed = [item for _, item in followed if item is not None]
    astray.update(item.subject.resource for item in missed)
    teller = _Teller(loaded, files, survey, target.inbound_context, doors, partial=plan.partial)
    lost = {item.subject.resource for item in missed}
    arriving = [item for item in found if item.resource in concerned and item.resource not in lost]
    claims = [*teller.tell(missed), *teller.tell_refused(found)]
    return Followed(claims, Proved(foreign, frozenset(astray)), arriving)


def _is_unread(subject: Subject, survey: Survey, compilation: Compilation) -> bool:
    """Tell whether FreeSWITCH does not read its file, or that which takes its calls."""
    paths = (subject.path, compilation.compiled.paths[subject.resource])
    return any(survey.problem_of(path) is not None for path in paths)


class _Files:
    """The files that extensions stand in, and which of them are ours."""

    def __init__(self, loaded: Loaded, ours: frozenset[str]) -> None:
        self._loaded = loaded
        self._ours = ours
        self._known: dict[int, str] = {}

    def path_of(self, took: Took) -> str:
        """Return the file of an extension; "" where that cannot be told."""
        if took.line not in self._known:
            self._known[took.line] = self._loaded.place(took.line).rpartition(":")[0]
        return self._known[took.line]

    def is_ours(self, took: Took) -> bool:
        """Tell whether an extension stands in a file of fsgitops."""
        return self.path_of(took) in self._ours


class _Teller:
    def __init__(
        self,
        loaded: Loaded,
        files: _Files,
        survey: Survey,
        inbound: str,
        doors: Sequence[Door],
        *,
        partial: bool,
    ) -> None:
        self._partial = partial
        self._loaded = loaded
        self._files = files
        self._inbound = inbound
        self._doors = doors
        root = loaded.root
        self._known = not is_served_elsewhere(root, "dialplan")
        directory = root.find("section", "name", "directory")
        named = (item.attributes.get("name", "") for item in descend(directory, "domain"))
        self._users_known = not is_served_elsewhere(root, "directory") and not any(
            map(is_unknown, named)
        )
        self._doors_known = survey.is_sure("configuration", values=False) and all(
            door.context for door in doors
        )
        self._doubts = _find_doubts(loaded)

    def tell(self, missed: Iterable[Missed]) -> Iterator[Claim]:
        """Yield what is to say, once for all that it is true of."""
        grouped: dict[tuple[str, str, bool, bool], tuple[Claim, list[Resource]]] = {}
        for item in missed:
            claim = self._tell_closed(item) if item.closed else self._tell_lost(item)
            key = (claim.rule, claim.told, claim.sure, claim.standing)
            grouped.setdefault(key, (claim, []))[1].append(item.subject.resource)
        for claim, resources in grouped.values():
            yield claim._replace(resources=resources)

    def tell_refused(self, found: Iterable[Subject]) -> Iterator[Claim]:
        """Yield what keeps carriers' calls out, whatever the dialplan makes of them."""
        outside = [item.resource for item in found if fold(item.context) == fold(self._inbound)]
        told = tell_refused(self._doors, self._loaded.place) if outside else None
        if told and self._doors_known and not self._may_know_addresses():
            yield Claim("refused-carrier", outside, *told, sure=False, standing=False)

    def _may_know_addresses(self) -> bool:
        """Tell whether a carrier may be a user of the directory, and log in by address."""
        refusals = [door.refusal for door in self._doors if door.gateways and door.refusal]
        asked = {name for refusal in refusals for name in refusal.lists}
        if list_user_lists(self._loaded.root).isdisjoint(asked):
            return False
        text = self._loaded.merged.text
        return b"cidr=" in text[max(text.find(b'<section name="directory"'), 0) :]

    def _tell_lost(self, missed: Missed) -> Claim:
        way, subject = missed.way, missed.subject
        assert way is not None
        never = missed.arrival is Arrival.NEVER and missed.whole
        taker = find_taker(way, self._files.is_ours)
        sure = never and self._is_sure(way, taker)
        told = "ring when it is dialled" if subject.rings else "be routed"
        told = f"{'will' if sure else 'may'} not {told}"
        case = "" if never else ", in some calls"
        if not missed.whole:
            case = f", where it is dialled as {missed.number}"
        if taker is None:
            last = next((one for one in reversed(way.took) if not one.nested), None)
            told += ":"
            if last is not None and last.number != missed.number:
                told += f" {last.number} is dialled in the context {last.context}, and"
            hint = f"`fsgitops trace {missed.number}` shows its way"
            # What a plan leaves out on purpose may be what it was to get to.
            sure = sure and not self._partial
            return Claim(LOST, (), f"{told} {way.end.told}{case}", hint, sure, sure)
        number = "the number" if taker.number == missed.number else taker.number
        where = f"`{taker.extension}` ({self._loaded.place(taker.line)})"
        told += f": the extension {where} takes {number} first{case}"
        if never:
            hint = "change that extension, or include its file after ours"
            return Claim("taken-number", (), told, hint, sure)
        hint = "look at its conditions, and at where it sends the call"
        return Claim("perhaps-taken-number", (), told, hint, standing=False)

    def _tell_closed(self, missed: Missed) -> Claim:
        """Say that no call from outside begins in the context of public numbers."""
        never = missed.arrival is Arrival.NEVER and missed.whole and self._doors_known
        sure = never and (missed.way is None or self._is_sure(missed.way, None))
        told, hint = tell_closed(self._doors, self._inbound, self._loaded.place, sure=sure)
        return Claim("unused-context", (), told, hint, sure, sure)

    def _is_sure(self, way: Ending, taker: Took | None) -> bool:
        """Tell whether the files alone decide it: what is read behind what takes a call does not.

        Where nothing takes it, whatever only the switch reads may do so.
        """
        if not self._known:
            return False
        if taker is None:
            return self._users_known and not self._doubts
        last = max(one.line for one in way.took if not one.goes_on or one is taker)
        return all(line > last for line in self._doubts)


def _find_doubts(loaded: Loaded) -> list[int]:
    """Return the lines of the dialplan from which on the switch may read something else."""
    sections = loaded.root.all("section")
    found = []
    for at, section in enumerate(sections):
        end = sections[at + 1].line if at + 1 < len(sections) else None
        if section.attributes.get("name") == "dialplan":
            found += [
                line
                for line, _ in loaded.merged.doubts
                if section.line <= line and (end is None or line < end)
            ]
    return found
