"""The one list of all rules: what each is called, how much it weighs, whether that can change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsgitops.findings import Severity
from fsgitops.rules import (
    caller_id_not_owned,
    disabled_destination,
    duplicate_did,
    duplicate_extension,
    many_agents,
    name_pattern,
    path_collision,
    plaintext_secret,
    shared_password,
    toll_class,
    unassigned_number,
    unknown_destination,
    unsafe_value,
    variable_allowed,
    variable_name,
    voicemail_pin,
    weak_pin,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.rules.breach import Breach


@dataclass(frozen=True, slots=True)
class Rule:
    """A check on all of Desired. `fixed` rules protect the switch: nobody can turn them off.

    `whole` rules compare resources with each other, and mislead when some could not be read.
    `by_plan` rules are judged by the plan, which knows the conf directory; `check` finds nothing.
    """

    name: str
    severity: Severity
    check: Callable[[Desired], Iterator[Breach]]
    description: str
    fixed: bool = False
    whole: bool = False
    by_plan: bool = False


def _left_to_the_plan(_desired: Desired) -> Iterator[Breach]:
    return iter(())


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

_DESIRED_RULES: tuple[Rule, ...] = (
    Rule(
        "duplicate-extension",
        _ERROR,
        duplicate_extension.check,
        "An extension belongs to one agent.",
        fixed=True,
    ),
    Rule(
        "duplicate-did",
        _ERROR,
        duplicate_did.check,
        "A public number has one route, however it is written.",
        fixed=True,
    ),
    Rule(
        "path-collision",
        _ERROR,
        path_collision.check,
        "No two resources compile to the same file, even if case is ignored.",
        fixed=True,
    ),
    Rule(
        "unsafe-value",
        _ERROR,
        unsafe_value.check,
        "No value holds what FreeSWITCH expands or runs, or what XML cannot hold.",
        fixed=True,
    ),
    Rule(
        "variable-name",
        _ERROR,
        variable_name.check,
        "Variables have well-formed names, and none that fsgitops sets itself.",
        fixed=True,
    ),
    Rule(
        "variable-allowed",
        _ERROR,
        variable_allowed.check,
        "Variables are known to be harmless, or the site's own.",
        fixed=True,
    ),
    Rule(
        "name-pattern",
        _ERROR,
        name_pattern.check,
        "Groups, toll classes and contexts are plain words.",
        fixed=True,
    ),
    Rule(
        "toll-class",
        _ERROR,
        toll_class.check,
        "No toll class contains another: dialplans search the whole list for one.",
    ),
    Rule(
        "plaintext-secret",
        _ERROR,
        plaintext_secret.check,
        "No secret is written out in YAML, unless it is marked `plaintext: true`.",
        fixed=True,
    ),
    Rule(
        "voicemail-pin",
        _ERROR,
        voicemail_pin.check,
        "A voicemail PIN is 4 to 10 digits and never the extension.",
        fixed=True,
    ),
    Rule(
        "unknown-destination",
        _ERROR,
        unknown_destination.check,
        "A route leads to a declared agent.",
        whole=True,
    ),
    Rule(
        "disabled-destination",
        _ERROR,
        disabled_destination.check,
        "An enabled route leads to an enabled agent.",
    ),
    Rule(
        "caller-id-not-owned",
        _WARNING,
        caller_id_not_owned.check,
        "A caller ID number is a declared DID or extension.",
        whole=True,
    ),
    Rule(
        "unassigned-number",
        _WARNING,
        unassigned_number.check,
        "A DID is a number that its country's numbering plan knows.",
    ),
    Rule(
        "weak-pin",
        _WARNING,
        weak_pin.check,
        "A voicemail PIN has at least 6 digits and is not easy to guess.",
    ),
    Rule(
        "shared-password",
        _ERROR,
        shared_password.check,
        "No two agents have the same SIP password.",
    ),
    Rule(
        "many-agents",
        _WARNING,
        many_agents.check,
        f"At most {many_agents.MANY:,} agents are enabled.",
    ),
)

PLAN_RULES: tuple[Rule, ...] = tuple(
    Rule(name, severity, _left_to_the_plan, description, by_plan=True)
    for name, severity, description in (
        ("unread-folder", _ERROR, "FreeSWITCH includes the folders that fsgitops writes to."),
        ("unknown-context", _ERROR, "The dialplan has every agent's context."),
        ("unused-context", _ERROR, "Calls from outside arrive in the context of the DIDs."),
        ("taken-number", _ERROR, "No other extension takes a declared number first."),
        (
            "perhaps-taken-number",
            _WARNING,
            "No other extension could take a declared number in some calls.",
        ),
    )
)
"""What a plan judges by the conf directory (planning/reach.py)."""

RULES: tuple[Rule, ...] = (*_DESIRED_RULES, *PLAN_RULES)
