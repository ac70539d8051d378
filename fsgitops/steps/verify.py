"""Read back from the switch what it holds now, and compare it with what was declared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.model.applied import Mismatch, ReadBack
from fsgitops.model.plan import Action, Change, is_secret
from fsgitops.routing.fragment import CONTEXT, FragmentError
from fsgitops.routing.held import Globals, Said, find_differences, read_said
from fsgitops.routing.loaded import LoadedContext, context_of
from fsgitops.routing.loaded_users import flatten_users

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fsgitops.switch.client import Switch

LOOKUPS = 2000
"""Most users asked for one by one: a look-up walks the lists, up to 13 ms each of 100,000."""
NO_DOMAIN = "domain"
"""The subject of the mismatch that says that the switch does not hold the target's domain."""

_HASH = "param a1-hash"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was read back: every mismatch, and how much had none."""

    mismatches: tuple[Mismatch, ...]
    held: ReadBack


@dataclass(frozen=True, slots=True)
class Expected:
    """What the switch has to hold of each changed file, by path.

    `written` are the bytes that stand on the disk now: the declared values and whatever an own
    template adds to them. `before` are those that stood there, as far as they are known.
    """

    written: Mapping[str, bytes]
    before: Mapping[str, bytes] = field(default_factory=dict)


def verify_switch(
    switch: Switch, expected: Expected, changes: Sequence[Change], domain: str
) -> Proof:
    """Return what the switch holds of these changes, as against what the files say.

    Each changed file is compared in both directions, so a variable that was removed and is still
    held is a mismatch. The whole domain and each changed context come in one `xml_locate` each
    (0.15 s for 10,000 users); what a user inherits of its group and domain is no part of that.
    Every changed user is looked up as a registration would do it, by `user_data`, the first 2,000
    spread evenly where there are more. Raises SwitchError when it cannot be asked.
    """
    users = [change for change in changes if change.resource.kind == "agent"]
    dialplan = [change for change in changes if change.resource.kind != "agent"]
    names = Globals(switch.global_variable)
    mismatches: list[Mismatch] = []
    if users:
        mismatches += _verify_users(switch, expected, users, domain, names)
    if dialplan:
        mismatches += _verify_extensions(switch, expected, dialplan, names)
    failed = {item.subject for item in mismatches}
    if NO_DOMAIN in failed:
        users = []
    proved = [
        [change for change in group if str(change.resource) not in failed]
        for group in (users, dialplan)
    ]
    gone = [sum(change.action is Action.DELETE for change in group) for group in proved]
    return Proof(tuple(mismatches), ReadBack(len(proved[0]), len(proved[1]), *gone))


def _verify_users(
    switch: Switch, expected: Expected, changes: Sequence[Change], domain: str, names: Globals
) -> list[Mismatch]:
    answer = switch.locate_domain(domain)
    if answer is None:
        return [Mismatch(NO_DOMAIN, f"the switch holds no domain {domain}")]
    loaded = flatten_users(answer)
    mismatches: list[Mismatch] = []
    hashes: dict[Change, str | None] = {}
    for change in changes:
        held = loaded.get(change.resource.name)
        if change.action is Action.DELETE:
            hashes[change] = None
            if held is not None and not _is_pointer(held):
                mismatches.append(_mismatch(change, "deleted, but the switch still holds the user"))
            continue
        said = _read(change, expected)
        hashes[change] = said.values.get(_HASH)
        if held is None:
            mismatches.append(_mismatch(change, "the switch does not hold this user"))
        else:
            mismatches += _differ(change, find_differences(said, held, names.expand))
    failed = {item.subject for item in mismatches}
    sound = [item for item in hashes.items() if str(item[0].resource) not in failed]
    return mismatches + _look_up(switch, sound, domain)


def _is_pointer(held: Mapping[str, str]) -> bool:
    """Tell whether this is a pointer that holds nothing: no phone can register as it."""
    return held.get("user@type", "").lower() == "pointer" and held.keys() == {"user", "user@type"}


def _read(change: Change, expected: Expected) -> Said:
    """Return what a written file says. What is not XML cannot have been compiled: it says so."""
    content = expected.written[change.path]
    try:
        return read_said(content)
    except FragmentError as problem:
        return Said({"(the whole file)": f"not readable as FreeSWITCH would: {problem}"}, True)


def _look_up(
    switch: Switch, users: Sequence[tuple[Change, str | None]], domain: str
) -> list[Mismatch]:
    """Ask for the users as a registration does: the first that matches is the one that counts."""
    stride = -(-len(users) // LOOKUPS) if users else 1
    asked = users[::stride]
    answers = switch.user_params_many(
        [(change.resource.name, domain, "param", "a1-hash") for change, _ in asked]
    )
    return [
        _mismatch(
            change,
            "the switch does not find the declared credentials"
            if wanted
            else "deleted, but the switch still finds credentials",
        )
        for (change, wanted), answer in zip(asked, answers, strict=True)
        if answer != wanted
    ]


def _verify_extensions(
    switch: Switch, expected: Expected, changes: Sequence[Change], names: Globals
) -> list[Mismatch]:
    mismatches: list[Mismatch] = []
    by_context: dict[str, list[Change]] = {}
    for change in changes:
        by_context.setdefault(context_of(change.path) or "", []).append(change)
    for context, members in by_context.items():
        loaded = LoadedContext(switch.locate_context(context))
        for change in members:
            if change.action is Action.DELETE:
                mismatches += _expect_gone(change, expected, loaded)
                continue
            said = _read(change, expected)
            extensions = _extensions(said)
            mismatches += _expect_removed(change, expected, loaded, extensions)
            if extensions and not any(map(loaded.holds, extensions)):
                message = f"the context {context} of the switch does not hold it"
                mismatches.append(_mismatch(change, message, extensions[0]))
                continue
            held = loaded.flatten([*_contexts(said), *extensions])
            mismatches += _differ(
                change, find_differences(said, held, names.expand), "".join(extensions[:1])
            )
    return mismatches


def _expect_gone(change: Change, expected: Expected, loaded: LoadedContext) -> list[Mismatch]:
    names = _stood(change, expected)
    if names is None:
        names = [change.path.rpartition("/")[2].removesuffix(".xml")]
    left = [name for name in names if loaded.holds(name)]
    message = "deleted, but the loaded dialplan still has its extension"
    return [_mismatch(change, message, left[0])] if left else []


def _expect_removed(
    change: Change, expected: Expected, loaded: LoadedContext, kept: Sequence[str]
) -> list[Mismatch]:
    """Return the extensions that left the file, by a change of its template, and are still held."""
    left = [name for name in _stood(change, expected) or () if name not in kept]
    return [
        replace(
            _mismatch(change, f"{name}: not declared, and the switch holds it", name), gone=True
        )
        for name in left
        if loaded.holds(name)
    ]


def _stood(change: Change, expected: Expected) -> list[str] | None:
    """Return the extensions of the file that stood there; None where that is not known."""
    content = expected.before.get(change.path)
    if content is None:
        return None
    try:
        return _extensions(read_said(content))
    except FragmentError:
        return []


def _extensions(said: Said) -> list[str]:
    return [name for name, value in said.values.items() if value == "extension"]


def _contexts(said: Said) -> list[str]:
    return [name for name, value in said.values.items() if value == CONTEXT]


def _differ(
    change: Change,
    differences: Iterable[tuple[str, str | None, str | None]],
    extension: str = "",
) -> list[Mismatch]:
    return [_mismatch(change, _describe(*difference), extension) for difference in differences]


def _describe(name: str, wanted: str | None, held: str | None) -> str:
    if is_secret(name, wanted, held):
        if wanted is None:
            return f"{name}: not declared, and the switch holds it"
        return f"{name}: the switch holds another value than was declared"
    if wanted is None:
        return f"{name}: not declared, and the switch holds {held!r}"
    there = "nothing" if held is None else repr(held)
    return f"{name}: declared {wanted!r}, the switch holds {there}"


def _mismatch(change: Change, message: str, extension: str = "") -> Mismatch:
    gone = change.action is Action.DELETE
    return Mismatch(str(change.resource), message, change.path, extension, gone)
