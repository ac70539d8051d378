"""Read back from the switch what it holds now, and compare it with what was declared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsgitops.model.applied import Mismatch
from fsgitops.model.plan import Action, Change, is_secret_attribute
from fsgitops.model.resource import Kind
from fsgitops.routing.fragment import flatten_fragment
from fsgitops.routing.loaded import LoadedContext, LoadedUser, read_domain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.model.compiled import CompiledConfig, DirectoryUser
    from fsgitops.switch import Switch

LOOKUPS = 2000
"""Most users asked for one by one: a look-up walks the lists, up to 13 ms each of 100,000."""

_GLOBAL = re.compile(r"\$\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Proof:
    """What was read back: every mismatch, and how many users and extensions were as declared."""

    mismatches: tuple[Mismatch, ...]
    users: int = 0
    extensions: int = 0


def verify_switch(
    switch: Switch, compiled: CompiledConfig, changes: Sequence[Change], domain: str
) -> Proof:
    """Return what the switch holds of these changes, as against what was declared.

    The whole domain and each changed context come in one `xml_locate` each (0.15 s for 10,000
    users); every changed user is looked up as a registration would do it, by `user_data`, the
    first 2,000 spread evenly where there are more. Raises SwitchError when it cannot be asked.
    """
    users = [change for change in changes if change.resource.kind is Kind.AGENT]
    dialplan = [change for change in changes if change.resource.kind is not Kind.AGENT]
    mismatches: list[Mismatch] = []
    if users:
        mismatches += _verify_users(switch, compiled, users, domain)
    if dialplan:
        mismatches += _verify_extensions(switch, compiled, dialplan)
    failed = {item.subject for item in mismatches}
    return Proof(
        tuple(mismatches),
        sum(str(change.resource) not in failed for change in users),
        sum(str(change.resource) not in failed for change in dialplan),
    )


def _verify_users(
    switch: Switch, compiled: CompiledConfig, changes: Sequence[Change], domain: str
) -> list[Mismatch]:
    answer = switch.locate_domain(domain)
    if answer is None:
        have = switch.global_variable("domain")
        hint = f"; its own is {have}: set the target's `domain` to that" if have else ""
        return [Mismatch("domain", f"the switch holds no domain {domain}{hint}")]
    loaded = read_domain(answer)
    wanted = [change for change in changes if change.action is not Action.DELETE]
    expand = _Globals(switch).expand
    mismatches: list[Mismatch] = []
    for change in wanted:
        expected = compiled.users[change.resource.name]
        found = loaded.get(expected.id)
        mismatches += _compare_user(str(change.resource), expected, found, expand)
    mismatches += _look_up(switch, compiled, wanted, domain)
    for change in changes:
        if change.action is Action.DELETE and change.resource.name in loaded:
            mismatches.append(
                Mismatch(
                    str(change.resource),
                    "deleted, but the switch still holds the user: another file declares it",
                )
            )
    return mismatches


def _compare_user(
    subject: str, expected: DirectoryUser, found: LoadedUser | None, expand: _Expand
) -> list[Mismatch]:
    if found is None:
        return [Mismatch(subject, "the switch does not hold this user")]
    pairs = [
        (f"param {name}", expand(value), found.params.get(name), name in expected.secret_params)
        for name, value in expected.params.items()
    ] + [
        (f"variable {name}", expand(value), found.variables.get(name), False)
        for name, value in expected.variables.items()
    ]
    return [
        _differ(subject, name, wanted, held, secret=secret)
        for name, wanted, held, secret in pairs
        if wanted != held
    ]


def _look_up(
    switch: Switch, compiled: CompiledConfig, changes: Sequence[Change], domain: str
) -> list[Mismatch]:
    """Ask for the users as a registration does: the first that matches is the one that counts."""
    stride = -(-len(changes) // LOOKUPS) if changes else 1
    asked = changes[::stride]
    users = [compiled.users[change.resource.name] for change in asked]
    answers = switch.user_params_many([(user.id, domain, "param", "a1-hash") for user in users])
    return [
        Mismatch(
            str(change.resource),
            "a look-up does not find the declared credentials: another "
            "user of the same number comes first",
        )
        for change, user, answer in zip(asked, users, answers, strict=True)
        if answer != user.params.get("a1-hash")
    ]


def _verify_extensions(
    switch: Switch, compiled: CompiledConfig, changes: Sequence[Change]
) -> list[Mismatch]:
    mismatches: list[Mismatch] = []
    expand = _Globals(switch).expand
    by_context: dict[str, list[Change]] = {}
    for change in changes:
        by_context.setdefault(change.path.split("/")[1], []).append(change)
    for context, members in by_context.items():
        loaded = LoadedContext(switch.locate_context(context))
        for change in members:
            if change.action is Action.DELETE:
                mismatches += _expect_gone(change, loaded)
            else:
                content = compiled.files[change.path].content
                mismatches += _compare_extension(str(change.resource), content, loaded, expand)
    return mismatches


def _compare_extension(
    subject: str, content: bytes, loaded: LoadedContext, expand: _Expand
) -> list[Mismatch]:
    """Compare every extension of a compiled file; the first difference of each is told."""
    expected = flatten_fragment(content)
    found = loaded.flatten([name for name in expected if expected[name] == "extension"])
    for name, value in expected.items():
        wanted = expand(value)
        if found.get(name) != wanted:
            return [_differ(subject, name, wanted, found.get(name), secret=False)]
    return []


def _expect_gone(change: Change, loaded: LoadedContext) -> list[Mismatch]:
    name = change.path.rpartition("/")[2].removesuffix(".xml")
    if not loaded.holds(name):
        return []
    message = "deleted, but the loaded dialplan still has its extension: another file declares it"
    return [Mismatch(str(change.resource), message)]


def _differ(subject: str, name: str, expected: str, found: str | None, *, secret: bool) -> Mismatch:
    if secret or is_secret_attribute(name):
        return Mismatch(subject, f"{name}: the switch holds another value than was declared")
    held = "nothing" if found is None else repr(found)
    return Mismatch(subject, f"{name}: declared {expected!r}, the switch holds {held}")


class _Globals:
    """The preprocessor variables of the switch, asked for once each."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._known: dict[str, str] = {}

    def expand(self, value: str) -> str:
        if "$${" not in value:
            return value
        return _GLOBAL.sub(lambda match: self._value(match.group(1)), value)

    def _value(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = self._switch.global_variable(name) or ""
        return self._known[name]


if TYPE_CHECKING:
    from collections.abc import Callable

    _Expand = Callable[[str], str]
