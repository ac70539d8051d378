"""Find what would fail the read-back of a plan, before anything is applied."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.homes import home_of
from fsgitops.homes.directory import DIRECTORY
from fsgitops.live.connect import address_of
from fsgitops.live.switch_user import find_switch_user, find_unreadable
from fsgitops.model.plan import Action, Change, Hazard
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.survey import Survey as ConfSurvey
    from fsgitops.routing.whereabouts import UserPlace, Whereabouts
    from fsgitops.settings.target import Target
    from fsgitops.steps.plan import Survey

RULE = "user-declared-twice"


class ConfLook:
    """One look at a conf directory for all that a plan asks of it: merged once, when needed.

    `ours` are the paths of fsgitops, there or not: they are not even opened.
    """

    def __init__(self, target: Target, ours: Iterable[str]) -> None:
        self.target = target
        self.ours = ours

    def survey(self) -> ConfSurvey:
        """Return what was found. Raises FsgitopsError or OSError where it cannot be read."""
        if isinstance(self._found, Exception):
            raise self._found
        return self._found

    def is_same(self, earlier: ConfLook) -> bool:
        """Tell whether an earlier look found the same, as far as anybody asked it."""
        if "_found" not in earlier.__dict__:
            return True
        found, known = self._found, earlier._found
        if isinstance(found, Exception) or isinstance(known, Exception):
            return repr(found) == repr(known)
        return found.is_same(known)

    def includes(self) -> tuple[str, ...] | None:
        """Return the patterns of all includes that were followed, None where they are not known."""
        if "_found" not in self.__dict__:
            return ()
        return None if isinstance(self._found, Exception) else self._found.merged.asked

    @cached_property
    def _found(self) -> ConfSurvey | Exception:
        from fsgitops.routing.survey import survey_conf

        target = self.target
        try:
            return survey_conf(target.conf_dir, self.ours, target.domain, target.places)
        except (FsgitopsError, OSError) as problem:
            return problem


def load_planned(target: Target, plan: Plan, written: CompiledConfig, live: LiveConfig) -> Loaded:
    """Return the configuration as the plan leaves it. Raises MergeError.

    What a plan writes without a secret that is not at hand has a made-up word in its place.
    """
    from fsgitops.routing.call.load import load_disk

    paths = {change.path for change in plan.changes}
    if not plan.partial:
        # What stands in the way of a file is to be moved: it is told beside this.
        paths.update(written.files)
    overlay: dict[str, bytes | None] = {}
    for path in paths:
        file = written.files.get(path)
        if file is None or not file.settled:
            overlay[path] = file.content if file else None
    ours = written.ours | live.manifest.ours
    return load_disk(target.conf_dir, target.domain, ours=ours, overlay=overlay)


def survey_changes(look: ConfLook, changes: Sequence[Change]) -> Survey:
    """Return what stands in the way of the changes beside the files that they are about."""
    found = find_rivals(look, changes)
    return replace(found, warnings=(*found.warnings, *_find_unreadable(look.target, changes)))


def _find_unreadable(target: Target, changes: Sequence[Change]) -> Iterable[str]:
    """Yield a warning where FreeSWITCH runs on this machine and may not read what is written."""
    written = [item.path for item in changes if item.action is not Action.DELETE]
    person = find_switch_user(target.conf_dir) if written and not target.simulated else None
    if person is None:
        return
    first = {path.rpartition("/")[0]: path for path in reversed(written)}
    for _, path in sorted(first.items()):
        unreadable = find_unreadable(target.conf_dir, path, person)
        if unreadable:
            yield (
                f"FreeSWITCH runs as uid {person.uid} and may not read {unreadable}: the apply "
                f"will be rolled back; chgrp -R GROUP {target.conf_dir}, and chmod g+rX"
            )


def find_rivals(look: ConfLook, changes: Sequence[Change]) -> Survey:
    """Return what else in the directory goes by the number of a changed user.

    FreeSWITCH takes the first user of a number. One of another file that comes before ours is a
    hazard; so is one that a new agent would silently put out of use, and one that would answer for
    a deleted agent. A pointer that outlives its agent is only told: it holds nothing, and no phone
    can register as it. Only the disk is read; where it cannot be, nothing is said.
    """
    from fsgitops.steps.plan import Survey

    users = [item for item in changes if home_of(item.path) is DIRECTORY]
    unique = [item for item in changes if home_of(item.path).once]
    if not (users or unique):
        return Survey()
    try:
        survey = look.survey()
    except (FsgitopsError, OSError):
        return Survey()
    hazards = [hazard for change in unique for hazard in _find_same(change, survey, look.target)]
    warnings: list[str] = []
    taken = {(item.path, item.resource) for item in users if item.action is Action.DELETE}
    stay = {item.resource for item in users if item.action is not Action.DELETE}
    for change in users:
        others = [
            place
            for place in find_others(survey.users, change.resource.name, look.target.domain)
            if (place.file, change.resource) not in taken
        ]
        if change.action is Action.DELETE:
            hazards += _left(change, others)
            warnings += () if change.resource in stay else _left_pointers(change, others)
        else:
            hazards += _in_the_way(change, others, survey)
    return Survey(tuple(hazards), tuple(warnings))


def find_unread(
    look: ConfLook, changes: Iterable[Change], foreign: Collection[str]
) -> list[Hazard]:
    """Return what an earlier state has where files no longer lie, or nothing includes them.

    The target's `places` were others then: the switch would be asked for another context.
    """
    try:
        survey = look.survey()
    except (FsgitopsError, OSError):
        return []
    written = {item.path for item in changes if item.action is not Action.DELETE}
    found = []
    for path in sorted(written.difference(foreign)):
        problem = survey.problem_of(path)
        if problem and survey.is_sure(home_of(path).section):
            told, hint = map(survey.veil.hide, problem)
            hint = f"set the target's `places` to what they were then; if they were these, {hint}"
            found.append(Hazard("unread-folder", path, f"it {told}", hint))
    return found


def _find_same(change: Change, survey: ConfSurvey, target: Target) -> Iterable[Hazard]:
    """Yield the first other element of the name, where a switch has one of each at most."""
    home, name, address = home_of(change.path), change.resource.name, address_of(target)
    if place := home.where(survey.users, name, home.place(change.path, address), address):
        yield Hazard(
            f"{home.element}-declared-twice", change.path,
            f"{place} declares a {home.element} {name} too, and the switch runs one of a name",
            f"remove that one, or choose another name than {name}",
        )  # fmt: skip


def find_others(places: Whereabouts, name: str, domain: str) -> Iterable[UserPlace]:
    """Yield the users of that number that look-ups in our domain can meet.

    A domain whose name only the switch knows counts where it is the only one.
    """
    only = places.domains() == [""]
    for place in places.users(name):
        if place.searched and (only or fold(place.domain) == fold(domain)):
            yield place


def _in_the_way(
    change: Change, others: Sequence[UserPlace], survey: ConfSurvey
) -> Iterable[Hazard]:
    before = [place for place in others if survey.comes_before(place, change.path)]
    creates = change.action is Action.CREATE
    behind = [place for place in others if creates and not place.pointer]
    for place in (*before, *behind)[:1]:
        name = change.resource.name
        yield Hazard(
            RULE, change.path,
            f"{place} declares a user {name} too; FreeSWITCH takes the first that it finds",
            f"remove that one, or choose another extension than {name}",
        )  # fmt: skip


def _left(change: Change, others: Sequence[UserPlace]) -> Iterable[Hazard]:
    found = next((place for place in others if not place.pointer), None)
    if found is not None:
        kind, name = change.resource
        yield Hazard(
            RULE, change.path,
            f"{kind} {name} is to be deleted, but {found} declares a user {name} too, which would "
            f"stay",
            f"remove that one too, or keep the {kind}",
        )  # fmt: skip


def _left_pointers(change: Change, others: Sequence[UserPlace]) -> Iterable[str]:
    found = [str(place) for place in others if place.pointer]
    if found:
        kind, name = change.resource
        yield (
            f"{kind} {name} is deleted, and {', '.join(found)} still names it; no "
            "phone can register as a pointer, but its mailbox opens with any PIN where "
            "voicemail.conf has allow-empty-password-auth (as stock): remove that line"
        )
