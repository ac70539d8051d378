"""What callers write, and where it becomes part of what FreeSWITCH dials or runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.findings import quote_value
from fsgitops.routing.analysis.edges import Edge, follow_act
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import ANYTHING, NUMBER
from fsgitops.routing.analysis.slow import find_growth
from fsgitops.routing.call.words import needs_expansion, to_raw
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.program import read_program
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Act, Extension, Need, Outline

_NAME: Final = re.compile(r"\$\{([A-Za-z0-9_.-]+)")
_GROUP: Final = re.compile(r"\$\{?([0-9]{1,3})")
_WRITTEN: Final = frozenset((
    "caller_id_name", "caller_id_number", "orig_caller_id_name", "orig_caller_id_number", "ani",
    "rdnis", "username", "effective_caller_id_name", "effective_caller_id_number",
))  # fmt: skip
"""Variables and fields that hold what a caller says of himself."""
_SENT: Final = ("sip_", "verto_")
"""What begins the names of those that hold what a message says, its headers among them."""
_OUR_WORD: Final = ("sip_profile", "sip_authorized", "sip_acl_", "sip_received_", "sip_network_",
                    "sip_local_", "sip_auth_")  # fmt: skip
"""Of those, what FreeSWITCH says itself."""
_PLAIN: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+*#_.-")
"""Bytes that mean nothing but themselves in a transfer and in a dial string."""
_RUNS: Final = ("system", "bgsystem", "spawn")
_DIALS: Final = frozenset(("transfer", "execute_extension", "bridge", "att_xfer", *_RUNS))


def is_written(name: str) -> bool:
    """Tell whether a variable or field holds text that its caller chooses freely."""
    folded = fold(name)
    if folded in _WRITTEN:
        return True
    return folded.startswith(_SENT) and not folded.startswith(_OUR_WORD)


def find_slow(outline: Outline) -> Iterator[Found]:
    """Yield the expressions on a caller's text that backtrack for ever."""
    seen: set[tuple[str, str]] = set()
    for extension in outline.extensions:
        for act in extension.acts:
            for need in act.needs:
                key = (need.field, need.expression)
                if key in seen or not _asks_caller(need) or needs_expansion(need.expression):
                    continue
                seen.add(key)
                growth = find_growth(need.expression)
                if growth is not None:
                    yield Found(
                        "slow-expression", extension.line,
                        f"the work for {quote_value(need.expression)} grows {growth.value}, and "
                        f"what it is held against ({need.field}) is for the caller to choose: "
                        "FreeSWITCH gives up after ten million steps, and takes that for no match",
                        "Let no repetition stand in another, and none beside one that takes the "
                        "same characters; begin with ^.",
                        extension,
                    )  # fmt: skip


def _asks_caller(need: Need) -> bool:
    if need.field in NUMBER or is_written(need.field):
        return True
    return any(item == "destination_number" or is_written(item) for item in _names(need.field))


def _names(text: str) -> list[str]:
    return _NAME.findall(text)


class _Text(NamedTuple):
    """Text of the caller's in some data: how it is written there, and what it may hold."""

    shown: str
    says: str
    captured: bool = False


def find_written(outline: Outline) -> Iterator[Found]:
    """Yield where text of the caller's, and not digits alone, is dialled, executed or run."""
    strangers = Strangers(outline)
    for extension in outline.extensions:
        wild: dict[str, _Text] = {}
        told: set[str] = set()
        for act in extension.acts:
            found = _find_text(act, wild)
            if act.application in ("set", "export"):
                name, _, _ = act.data.removeprefix("nolocal:").partition("=")
                wild.pop(fold(name), None)
                wild |= {fold(name): found} if found else {}
            elif found and act.application in _DIALS and found.shown not in told:
                told.add(found.shown)
                yield _tell(extension, act, found, strangers)


class Strangers:
    """Where callers who do not log in get to, as far as contexts name each other."""

    def __init__(self, outline: Outline) -> None:
        self.begin = {fold(door.context) for door in outline.doors if door.open}
        self.reach = set(self.begin)
        edges: dict[str, set[str]] = {}
        for extension in outline.extensions:
            for act in extension.acts:
                for edge in follow_act(act, outline):
                    if isinstance(edge, Edge) and "$" not in edge.context:
                        edges.setdefault(fold(extension.context), set()).add(fold(edge.context))
        waiting = list(self.begin)
        while waiting:
            new = edges.get(waiting.pop(), set()) - self.reach
            self.reach |= new
            waiting += new


def _find_text(act: Act, wild: dict[str, _Text]) -> _Text | None:
    for name in list_values(act.data):
        if fold(name) in wild:
            return wild[fold(name)]._replace(shown=f"${{{name}}}")
        if is_written(name):
            return _Text(f"${{{name}}}", "is what the caller says of himself")
        if fold(name) == "destination_number" and not _is_checked(act, "destination_number"):
            return _Text(f"${{{name}}}", "may be any text", captured=True)
    captured = act.captured
    if captured is None or not _asks_caller(captured) or _is_checked(act, captured.field):
        return None
    for number in _GROUP.findall(act.data):
        if not _is_plain(captured.expression, int(number)):
            takes = f"may be any text that {quote_value(captured.expression)} captures"
            return _Text(f"${number}", takes, captured=True)
    return None


def _is_checked(act: Act, field: str) -> bool:
    """Tell whether a condition lets plain texts alone come to an act."""
    same = NUMBER if field in NUMBER else (field,)
    return any(need.held and need.field in same and _is_plain(need.expression, 0)
               for need in act.needs)  # fmt: skip


def list_values(data: str) -> Iterator[str]:
    """Yield the variables whose values stand in a text; not those that a function is given."""
    at = data.find("${")
    while at >= 0:
        found = _NAME.match(data, at)
        end = found.end() if found else at + 2
        if found and data[end : end + 1] in (" ", "("):
            depth = 1
            while end < len(data) and depth:
                depth += (data[end] == "{") - (data[end] == "}")
                end += 1
        elif found:
            yield found[1]
        at = data.find("${", end)


def _is_plain(expression: str, group: int) -> bool:
    """Tell whether a group, or a whole text (0), is made of plain characters alone.

    What nobody can say counts as plain: only what is certain is told.
    """
    if needs_expansion(expression) or expression.startswith("_"):
        return group > 0
    if expression in ANYTHING:
        return False
    try:
        program = read_program(to_raw(expression))
    except NotRegularError:
        return group > 0
    if group == 0 and 0 not in program.offsets:
        return False  # it is found anywhere in the text, and the rest may be anything
    reads = [step.chars for step in program.steps if step.what == "read" and group in step.groups]
    return all(not chars.negated and chars.chars <= _PLAIN for chars in reads)


def _tell(extension: Extension, act: Act, found: _Text, strangers: Strangers) -> Found:
    context = fold(extension.context)
    outside = context in (strangers.begin if found.captured else strangers.reach)
    who = "a stranger" if outside else "who calls there"
    does = {
        "bridge": "may name another phone or gateway, or set variables of the call",
        "att_xfer": "may name another phone or gateway",
    }.get(act.application, "may name another number, dialplan and context (%20 is a space)")
    if act.application in _RUNS:
        does = "may run commands on the machine"
    hint = r"Take plain digits: capture them with ^(\+?[0-9]+)$, say, and put $1."
    if not found.captured:
        hint = "Show it with effective_caller_id_name and effective_caller_id_number, set before."
    if act.application in _RUNS:
        hint = "Leave it out: nothing that is handed to the shell is quoted."
    return Found(
        "wild-capture" if found.captured else "caller-text", act.line,
        f"the extension {quote_value(extension.name)} of the context "
        f"{quote_value(extension.context)} puts {found.shown} into {act.application}, which "
        f"{found.says}: {who} {does}",
        hint,
        extension,
        sure=outside,
    )  # fmt: skip
