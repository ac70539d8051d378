"""Whether calls arrive by what a switch holds in memory, once an apply has loaded its files.

By the files they do (astray.py): here the same calls are followed over what the switch answers.
Something else than the files may answer for it, or hold another value. Users are asked for one by
one, as a large directory is slow to be sent. Before anything is called lost it is followed again,
over all that the switch holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.model.applied import Held, Mismatch
from fsgitops.planning.arrivals import Calls, list_entries
from fsgitops.routing.call.arrival import Arrival, find_taker
from fsgitops.routing.call.scene import scene_of_memory
from fsgitops.routing.directory import LocatedUser
from fsgitops.routing.tree import Element
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fsgitops.planning.arrivals import Missed, Subject
    from fsgitops.routing.call.state import Took
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Place, Switch

MOST: Final = 100
"""Resources whose calls are followed; of more, so many, spread evenly."""
_NAMES: Final = re.compile(rb'<extension name="([^"]*)"')
_PLACES: Final[Mapping[str, Place]] = {"params": "param", "variables": "var"}


def follow_held(
    switch: Switch, target: Target, subjects: Sequence[Subject], contents: Callable[[str], bytes]
) -> Held:
    """Follow the calls to what arrives by the files, over what the switch holds.

    `contents` returns what stands in a file that has extensions. Raises SwitchError where the
    switch cannot be asked.
    """
    stride = -(-len(subjects) // MOST) if subjects else 1
    chosen = subjects[::stride]
    if not chosen:
        return Held()
    asked = _Memory(switch)
    own = _Own(chosen, contents)
    missed = _follow(asked.locate, switch, target, own, chosen, asked.find_user)
    if missed:
        again = [item.subject for item in missed]
        missed = _follow(asked.locate, switch, target, own, again, None)
    lost = tuple(Mismatch(str(item.subject.resource), _tell(item, own)) for item in missed)
    return Held(lost, len(chosen), len(subjects))


def _follow(
    locate: Callable[[str, str, str], bytes | None],
    switch: Switch,
    target: Target,
    own: _Own,
    subjects: Iterable[Subject],
    users: Callable[[str, str], LocatedUser | None] | None,
) -> list[Missed]:
    """Return the calls that certainly get nowhere."""
    scene = scene_of_memory(locate, switch.global_variables(), (), find_user=users)
    calls = Calls(
        scene.world,
        own.path_of,
        domain=target.domain,
        inbound=target.inbound_context,
        outside=list_entries(scene.doors, target.inbound_context),
        callers={},
    )
    missed = [item for one in subjects if (item := calls.find_missed(one)) is not None]
    return [item for item in missed if item.arrival is Arrival.NEVER and item.whole]


def _tell(missed: Missed, own: _Own) -> str:
    told = f"a call to {missed.number} does not arrive by what the switch holds"
    if missed.closed or missed.way is None:
        return f"{told}: no profile or gateway sends calls to {missed.subject.context}"
    taker = find_taker(missed.way, lambda took: own.path_of(took) != "")
    if taker is None:
        return f"{told}: {make_visible(missed.way.end.told)}"
    number = "it" if taker.number == missed.number else taker.number
    where = f"the extension `{taker.extension}` of the context {taker.context}"
    return make_visible(f"{told}: {where} takes {number} first")


class _Own:
    """The names of extensions in files of fsgitops: the switch's memory knows no files."""

    def __init__(self, subjects: Iterable[Subject], contents: Callable[[str], bytes]) -> None:
        paths = {path for item in subjects for path in (item.path, item.aim.path)}
        self._paths = {
            name.decode("utf-8", "replace"): path
            for path in sorted(paths)
            for name in _NAMES.findall(contents(path))
        }

    def path_of(self, took: Took) -> str:
        """Return the file that an extension of this name stands in; "" where none does."""
        return self._paths.get(took.extension, "")


class _Memory:
    """What a switch answers, asked for once."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._known: dict[tuple[str, str, str], bytes | None] = {}

    def locate(self, section: str, tag: str, name: str) -> bytes | None:
        """Return an element as the switch holds it."""
        key = (section, tag, name)
        if key not in self._known:
            self._known[key] = self._switch.locate(section, tag, name)
        return self._known[key]

    def find_user(self, name: str, domain: str) -> LocatedUser | None:
        """Return a user whose values are asked for when somebody wants them."""
        try:
            [found] = self._switch.users_exist([(name, domain)])
        except ValueError:  # a name that no user can have
            return None
        return _HeldUser.of(self._switch, name, domain) if found else None


class _HeldUser(LocatedUser):
    """A user of whom each value is asked for by its name."""

    switch: Switch

    @classmethod
    def of(cls, switch: Switch, name: str, domain: str) -> _HeldUser:
        """Return a user that the switch has found."""
        user = Element("user", {"id": name}, 0, 0)
        made = cls(user, None, Element("domain", {"name": domain}, 0, 0))
        made.switch = switch
        return made

    def value(self, container: str, name: str) -> str | None:
        """Return a value of `params` or `variables`, with what the user inherits."""
        place = _PLACES.get(container)
        if place is None:
            return None
        user, domain = self.element.attributes["id"], self.domain.attributes["name"]
        try:
            [found] = self.switch.user_params_many([(user, domain, place, name)])
        except ValueError:  # a name that no value can have
            return None
        return found
