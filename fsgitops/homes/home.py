"""What a home is: one place of FreeSWITCH's XML that is made of the files of some folders.

A home is found by a file's path, so nothing that was recorded has to name it. Its elements (users
of a domain, extensions of a context) go by name, however many of them a file holds.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from fsgitops.errors import ReloadRefusedError, SwitchError
from fsgitops.model.plan import Danger
from fsgitops.places import USUAL_PLACES, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.applied import Finished
    from fsgitops.model.plan import Change, ReloadStep
    from fsgitops.routing.whereabouts import Cause, Whereabouts
    from fsgitops.switch.client import Switch

Flat: TypeAlias = "Mapping[str, str]"
"""What an element says, as `flatten_fragment` names it in a file of its own."""


class Located(NamedTuple):
    """What `xml_locate` is asked for in a section: a tag, and the name of that.

    `within` names the part of the answer that is meant, where several places share one.
    """

    tag: str
    name: str
    within: str = ""


class Address(NamedTuple):
    """The target: its domain, its SIP profile, and where its files lie.

    `sharded` tells that many lie in one file, in folders of their own.
    """

    domain: str
    profile: str
    places: Places = USUAL_PLACES
    sharded: bool = False


class Wanted(NamedTuple):
    """One element to be seen in what runs: None for one that must be gone."""

    name: str
    said: Flat | None


class Doing(NamedTuple):
    """What somebody is doing now: phones that are registered, and legs of calls."""

    registrations: int
    calls: int


def run_step(switch: Switch, step: ReloadStep, timeout: float | None = None) -> str:
    """Send a step, wait as long as it asks for, and return what was said.

    Raises SwitchError unless it was taken, ReloadRefusedError where the switch did not load.
    """
    reply = switch.run(step.command, step.answer, timeout=timeout)
    if not reply.ok:
        told = f"{step.command}: the switch said {reply.text!r}"
        raise SwitchError(told) if step.answer == "ok" else ReloadRefusedError(told, reply.line)
    if step.pause:
        time.sleep(step.pause)
    return reply.text


def all_of_it(root: Any, _within: str) -> Any:
    """The whole answer is of the place that was asked for."""
    return root


def in_folder(path: str, _address: Address) -> str:
    """A place goes by the name of the folder that its files lie in."""
    return path.split("/")[-2]


def nothing_beside(_root: object) -> Flat:
    """A file says nothing but its elements."""
    return {}


def no_networks(_file: bytes) -> bool:
    """Its elements have none."""
    return False


def never_lacking(_address: Address) -> None:
    """A place that is not there is told of each element."""


def never_empty(_held: Flat) -> bool:
    """What is held of an element is something."""
    return False


def not_explained(*_: object) -> None:
    """What the files on disk tell is not looked at."""


def nowhere(*_: object) -> str:
    """Who else declares an element is not known."""
    return ""


def just_reload(_change: Change) -> tuple[Danger, ...]:
    """A change costs no more than a reload."""
    return (Danger.RELOAD,)


def nothing_more(*_: object) -> tuple[ReloadStep, ...]:
    """`reloadxml` is all that it takes."""
    return ()


def load_each(
    switch: Switch, steps: Sequence[ReloadStep], _address: Address, timeout: float | None
) -> None:
    """Send each step as it was printed."""
    for step in steps:
        run_step(switch, step, None if step.answer == "ok" else timeout)


def run_each(switch: Switch, steps: Sequence[ReloadStep], _address: Address) -> Finished:
    """Send each step as it was printed."""
    from fsgitops.model.applied import Finished

    for step in steps:
        run_step(switch, step)
    return Finished()


def nobody(*_: object) -> Mapping[str, Doing]:
    """Nobody is disturbed by a change here."""
    return {}


def no_phone(_file: bytes) -> str:
    """Nothing that registers is declared here."""
    return ""


def all_change(*_: object) -> tuple[()]:
    """No secret here has a hash that takes its place."""
    return ()


def xml_is_all(*_: object) -> tuple[()]:
    """What runs is read from the XML each time: what that holds is the proof."""
    return ()


@dataclass(frozen=True, eq=False)
class Home:
    """One place in FreeSWITCH's XML, and all that is true of every file and element in it.

    Attributes:
        name: What it is called here.
        paths: The files that are of it, as globs.
        place: Names the *place* of a file for a target: what is searched as one.
        section: The section of `freeswitch.xml` that it is read in.
        element: The tag of what a file of it declares, by name.
        key: The attribute that names it.
        folders: Where files are written, for a target: somebody has to include these.
        locate: What `xml_locate` is asked for, for a place.
        part: The part of the answer that a place is, by `Located.within`; None: it is not there.
        inside: The elements of that with their names, in the order of a look-up.
        flatten: Reads an element of the answer.
        split: Takes what a whole file says apart: each element by its name, and the rest.
        missing: What is said where the switch holds an element not at all; `{place}` is known.
        still: What is said where a deleted one is still held.
        rest: What else of the answer a file may say.
        lacking: Where the answer is empty: the subject and what is said of it. None: each
            element is missing.
        is_empty: Tells whether a held element holds nothing, and may stay.
        counted: What its files are called where they are counted; "" counts resources by kind.
        qualified: What an element says goes by names that begin with its own.
        cost: What a change can cost.
        load: What `reloadxml` does not do: run before the switch is asked for proof.
        run: Sends the steps of `load`, and waits between them for what they begin. It is told how
            many seconds a step that loads may take.
        finish: What outlives the reload, to be ended once the files are ours.
        end: Sends the steps of `finish`, or those of them that have something to end.
        runs: Compares what runs of a place with what is wanted; yields names and what is wrong.
        busy: Tells what the elements of these names, with their logins, are doing now.
        login: What phones of a file's element are registered as, where that is not its name.
        kept: Yields the secrets that stay what they are, of what a file said and is to say, the
            domain, and what expands the preprocessor's variables.
        networks: Tells whether elements of a file have networks that ACLs take in.
        why: Explains why the files on disk do not give what one of them says.
        where: Tells who declares a deleted element, or "".
        once: A switch has one element of a name, in whichever place: `where` finds others.
    """

    name: str
    paths: tuple[str, ...]
    section: str
    element: str
    folders: Callable[[Address], tuple[str, ...]]
    locate: Callable[[str, Address], Located]
    inside: Callable[[Any], Iterator[tuple[str, Any]]]
    flatten: Callable[[Any], Flat]
    split: Callable[[Flat], tuple[Mapping[str, Flat], Flat]]
    missing: str
    still: str
    place: Callable[[str, Address], str] = in_folder
    key: str = "name"
    part: Callable[[Any, str], Any] = all_of_it
    rest: Callable[[Any], Flat] = nothing_beside
    lacking: Callable[[Address], tuple[str, str] | None] = never_lacking
    is_empty: Callable[[Flat], bool] = never_empty
    why: Callable[[Whereabouts, str, str, Address], Cause | None] = not_explained
    where: Callable[[Whereabouts, str, str, Address], str] = nowhere
    once: bool = False
    counted: str = ""
    qualified: bool = False
    cost: Callable[[Change], tuple[Danger, ...]] = just_reload
    load: Callable[[Sequence[Change], Address], tuple[ReloadStep, ...]] = nothing_more
    run: Callable[[Switch, Sequence[ReloadStep], Address, float | None], None] = load_each
    finish: Callable[[Sequence[Change], Address, bool], tuple[ReloadStep, ...]] = nothing_more
    end: Callable[[Switch, Sequence[ReloadStep], Address], Finished] = run_each
    runs: Callable[[Switch, Sequence[Wanted], Address, str], Iterable[tuple[str, str]]] = xml_is_all
    busy: Callable[[Switch, Mapping[str, str], Address], Mapping[str, Doing]] = nobody
    login: Callable[[bytes], str] = no_phone
    kept: Callable[[Flat, Flat, str, Callable[[str], str]], Iterable[str]] = all_change
    networks: Callable[[bytes], bool] = no_networks

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a path of this home matches whole."""
        return re.compile("|".join(re.escape(glob).replace(r"\*", "[^/]+") for glob in self.paths))

    def has(self, path: str) -> bool:
        """Tell whether a file of ours is of this home."""
        return self.pattern.fullmatch(path) is not None
