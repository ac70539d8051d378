"""Toll fraud: every way in which a caller who did not log in makes a gateway dial.

Each number that a stranger can dial is followed, in classes whose numbers fare alike (routing/
numbers): through every profile that lets strangers in, and through every gateway, whose context
whoever writes `;gw=NAME` into an address gets (sofia.c of FreeSWITCH 1.11). What a stranger is
asked to type is dialled too. He has no variables but those that are set on the way.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.findings import quote_value
from fsgitops.model.trace import Fate, Goal, What
from fsgitops.routing.analysis.edges import Dialled, follow_act
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import read_params, walk
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.dialling import split_dial_string
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.state import CAPTURED
from fsgitops.routing.numbers.automaton import TooLargeError
from fsgitops.routing.numbers.explore import Explorer
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.trace import Way
    from fsgitops.routing.analysis.outline import Extension, Outline
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.numbers.explore import Fare, Share
    from fsgitops.routing.tree import Element

_PHONES: Final = frozenset(("skinny", "verto.rtc", "rtmp", "portaudio", "pa", "null", "error"))
"""Endpoints that are no way out of the switch."""
_WITHIN: Final = ("user/", "group/", "loopback/", "error/")
_TYPED: Final = r"^[0-9*#]+\z"
PLAIN: Final = '"%s"'
_ONLY: Final = "only the switch"
_CHOSEN: Final = {
    "the caller types": ", which he types,", "nobody says what": ", which he says of himself,",
    "": ", which only the switch knows,",
}  # fmt: skip
"""Who chooses a number that is not known, by what stands in the reason."""
FEW: Final = 100
"""Numbers that a route may dial for strangers and still be meant for them: those of a few people,
and not whichever a caller likes."""
_ENDLESS: Final = 1 << 60
MAX_ENTRIES: Final = 64
"""Ways in, with what callers are asked to type, that are followed."""


class Entry(NamedTuple):
    """A way in: a context, and the variables that a call has there.

    `told` says how one gets there, `address` what is dialled for a number (%s). A `number` that is
    given is the only one, and `within` an expression of all that can be dialled. `sure` tells
    whether all of these can.
    """

    told: str
    context: str
    address: str = PLAIN
    variables: tuple[tuple[str, str], ...] = ()
    number: str = ""
    within: str = ""
    sure: bool = True

    def dial(self, number: str) -> str:
        """Return what is dialled for a number, in quotes."""
        return self.address.replace("%s", number)


def find_toll_fraud(outline: Outline) -> Iterator[Found]:
    """Yield each extension by which a stranger makes a gateway dial, with the shortest number.

    What nobody can say is found as well.
    """
    if any(_list_ways_out(outline)):
        loaded = outline.load() if outline.load else None
        if loaded is None:
            yield _doubt("strangers", "the configuration cannot be read as a whole")
        else:
            yield from _Search(outline, loaded).run()


def _doubt(who: str, why: str, inside: Extension | None = None) -> Found:
    return Found(
        "unproved-toll", inside.line if inside else 1,
        f"nobody can say whether {who} can make a gateway dial: {why}",
        "Look at it, and say in a comment why it is safe; or lead strangers past it.",
        inside,
    )  # fmt: skip


def _list_ways_out(outline: Outline) -> Iterator[str]:
    """Yield gateways, and the legs of dial strings that may leave the switch."""
    yield from (gateway.attributes.get("name", "") for gateway, _ in outline.gateways)
    for extension in outline.extensions:
        for act in extension.acts:
            # As in a variable that has an application executed, or a leg of loopback/app=.
            if "sofia/" in act.data:
                yield act.data
            for item in follow_act(act, outline):
                legs = split_dial_string(item.text) if isinstance(item, Dialled) else ()
                yield from (leg.target for leg in legs if not leg.target.startswith(_WITHIN))
    for param in walk(outline.section("directory"), "param"):
        value = param.attributes.get("value", "")
        if fold(param.attributes.get("name", "")) == "dial-string" and "sofia/" in value:
            yield value


def list_entries(outline: Outline) -> list[Entry]:
    """Return where strangers come in."""
    found = {
        Entry(f"through the {door.name} in the context {door.context}", door.context)
        for door in outline.doors
        if door.open and door.of_profile and door.context
    }
    for gateway, context in outline.gateways:
        found.add(_read_gateway(gateway, context))
    first: dict[tuple[object, ...], Entry] = {}
    for entry in sorted(found, key=lambda item: (item.address != PLAIN, item)):
        first.setdefault((fold(entry.context), entry.variables, entry.number), entry)
    return list(first.values())


def _read_gateway(gateway: Element, context: str) -> Entry:
    name = gateway.attributes.get("name", "")
    variables = tuple(
        (item.attributes.get("name", ""), item.attributes.get("value", ""))
        for item in walk(gateway, "variable")
        if fold(item.attributes.get("direction", "inbound")) == "inbound"
    )
    number = read_params(gateway).get("extension", "")
    chosen = fold(number) in ("", "auto", "auto_to_user")
    told = f"as the gateway {name} in the context {context}"
    return Entry(told, context, f'"%s;gw={name}"', variables, "" if chosen else number)


class _Search:
    def __init__(self, outline: Outline, loaded: Loaded) -> None:
        self.outline = outline
        self.loaded = loaded
        self.clock = Clock(datetime(2026, 1, 1, tzinfo=UTC), loaded.world.zones, known=False)
        self.explorer = Explorer(loaded.world, self.clock)
        self.found: dict[tuple[str, str], tuple[tuple[int, str], Found]] = {}
        self.unknown: dict[tuple[str, str], Found] = {}
        self.places = {
            outline.place(item): item for item in outline.extensions if item.resource is None
        }

    def run(self) -> Iterator[Found]:
        """Yield what strangers can do, and what nobody can say."""
        entries = list_entries(self.outline)
        waiting, seen = deque(entries), {(e.context, e.variables, e.within) for e in entries}
        count = 0
        while waiting and count < MAX_ENTRIES:
            count += 1
            for entry in self._follow(waiting.popleft()):
                key = (entry.context, entry.variables, entry.within)
                if key not in seen:
                    seen.add(key)
                    waiting.append(entry)
        if waiting:
            self._doubt(waiting[0], "there are too many ways in")
        yield from (item for _, item in self.found.values())
        yield from self.unknown.values()

    def _follow(self, entry: Entry) -> list[Entry]:
        """Follow all numbers of an entry; return where callers go by what they type."""
        explorer = self.explorer
        further: list[Entry] = []
        texts = [entry.number.encode()] if entry.number else []
        within = explorer.searches.matching(entry.within) if entry.within else None
        within = explorer.store.texts(texts) if texts else within
        call = Call("", entry.context, None, variables=dict(entry.variables))
        try:
            for share in explorer.explore(call, within):
                further += self._judge(entry, share)
        except TooLargeError:
            self._doubt(entry, f"the context {entry.context} is too large")
        return further

    def _judge(self, entry: Entry, share: Share) -> Iterator[Entry]:
        for why in () if share.settled else share.why:
            self._doubt(entry, why, share)
        if not share.complete:
            self._doubt(entry, "the call may take more ways than are followed", share)
        for told, plain in zip(share.ways, share.plain, strict=True):
            for goal, exact in zip(told.end.goals, plain.end.goals, strict=True):
                many = 1
                if "${" in exact.number:
                    many = _ENDLESS
                elif share.why or (goal.name, goal.number) != (exact.name, exact.number):
                    many = self.explorer.store.count(share.numbers) or _ENDLESS
                if _leaves(exact) and (many > FEW or exact.kind == "gateway"):
                    self._tell(entry, share, plain, exact, many)
            if plain.end.fate is Fate.UNKNOWN:
                yield from self._type(entry, share, plain)

    def _doubt(self, entry: Entry, why: str, share: Share | None = None) -> None:
        """Note that nobody can say what becomes of some numbers."""
        inside = self._find_taker(share) if share else None
        who = f"a stranger who dials {entry.dial(share.example)}" if share else "a stranger"
        found = _doubt(f"{who}, and comes in {entry.told},", why, inside)
        self.unknown.setdefault((self.outline.place(inside) if inside else "", why), found)

    def _call(self, entry: Entry, number: str) -> tuple[Way, ...]:
        call = Call(number, entry.context, None, variables=dict(entry.variables))
        return evaluate(self.loaded.world, call, self.clock)[0]

    def _tell(self, entry: Entry, share: Share, fare: Fare, goal: Goal, many: int) -> None:
        number, end = share.example, fare.end
        ways = self._call(entry, number)
        way = next((w for w in ways if (w.end.goals, w.end.told) == (end.goals, end.told)), None)
        taken = [
            self._find(self.loaded.place(step.line), step.extension)
            for step in (way.steps if way else ())
            if step.what is What.TAKES
        ]
        extensions = taken or [self._find_taker(share)]
        inside = extensions[-1]
        size, place = (len(number), number), self.outline.place(inside) if inside else ""
        key = (place, "any" if many > FEW else goal.name)
        if key in self.found and self.found[key][0] <= size:
            return
        when = [*(item for item in fare.assumed if " matches " in item), *fare.besides]
        under = f", if {' and '.join(dict.fromkeys(when))}" if when else ""
        asked = f"{end.told} {' '.join(fare.assumed)}"
        self.found[key] = size, Found(
            "toll-fraud", inside.line if inside else 1,
            f"a stranger who dials {entry.dial(number)} has the switch "
            f"{_tell_dialled(goal, end.told)}{_tell_often(many)}{under}; he comes in {entry.told}",
            "Lead strangers to declared numbers alone, and let routes that dial out ask for a "
            "variable that only users have, as toll_allow.",
            inside,
            tuple(item for item in extensions[:-1] if item),
            sure=many > FEW and entry.sure and _ONLY not in asked,
        )  # fmt: skip

    def _find_taker(self, share: Share) -> Extension | None:
        """Return the extension that takes numbers where they come in; None: none does."""
        taker = share.extension
        if taker is None:
            return None
        return self._find(self.loaded.place(taker.line), taker.attributes.get("name", ""))

    def _find(self, place: str, name: str) -> Extension | None:
        found = self.places.get(place)
        owner = self.outline.owners.get(place.rpartition(":")[0])
        if found is not None or owner is None:
            return found
        same = (item for item in self.outline.extensions if item.resource == owner)
        return next((item for item in same if item.name == name), None)

    def _type(self, entry: Entry, share: Share, fare: Fare) -> Iterator[Entry]:
        """Yield where a call goes on whose caller types a number, as far as its context is known.

        What else nobody can follow is noted.
        """
        end = fare.end
        for way in self._call(entry, share.example):
            if way.end.told != end.told:
                continue
            last = next((s for s in reversed(way.steps) if s.what is What.EXECUTES), None)
            typed = list(_list_typed(last.data)) if last and last.application == "bridge" else []
            for goal in typed:
                self._tell(entry, share, fare, goal, _ENDLESS)
            if typed:
                return
            words = last.data.split(" ") if last and last.application == "transfer" else []
            dialled, context = words[0] if words else "", [*words, "", "", ""][2]
            if dialled[:2] == "${" and dialled[-1:] == "}" and context and "$" not in context:
                address = f"{entry.dial(share.example)} and types {PLAIN}"
                sure = dialled != CAPTURED
                yield Entry(entry.told, context, address, entry.variables, "", _TYPED, sure)
                return
        self._doubt(entry, end.told, share)


def _tell_dialled(goal: Goal, told: str) -> str:
    if goal.kind != "gateway":
        return f"call {goal.name}"
    whose = next((words for mark, words in _CHOSEN.items() if mark in told), "")
    whose = whose if "${" in goal.number else ""
    return f"dial {quote_value(goal.number)}{whose} over the gateway {goal.name}"


def _tell_often(many: int) -> str:
    if many > FEW:
        return ""
    return f", one of {many} numbers" if many > 1 else ", always that number"


def _list_typed(data: str) -> Iterator[Goal]:
    """Yield each gateway that dials what is not known, with that as it is written."""
    for leg in split_dial_string(data):
        kind, _, rest = leg.target.partition("/")
        word, _, rest = rest.partition("/")
        gateway, _, number = rest.partition("/")
        if fold(f"{kind}/{word}") == "sofia/gateway" and "${" in number:
            yield Goal("gateway", gateway, number)


def _leaves(goal: Goal) -> bool:
    """Tell whether whom a call gets to is outside of the switch."""
    if goal.kind == "gateway":
        return True
    return goal.kind == "address" and fold(goal.name.partition("/")[0]) not in _PHONES
