"""The one list of all rules: those that hold for every kind, those of each, those of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import Severity
from fsgitops.model.rule import Rule
from fsgitops.rules import names, references, texts

if TYPE_CHECKING:
    from fsgitops.model.kind import Kinds

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

GENERIC: tuple[Rule, ...] = (
    Rule(
        "path-collision",
        _ERROR,
        names.check_paths,
        "No two resources compile to the same file, even if case is ignored.",
        fixed=True,
    ),
    Rule(
        "duplicate-number",
        _ERROR,
        names.check_numbers,
        "No two resources are called by the same number.",
        fixed=True,
    ),
    Rule(
        "extension-length",
        _ERROR,
        names.check_lengths,
        "An extension has as many digits as `extensions` of fsgitops.yaml says.",
        fixed=True,
    ),
    Rule(
        "emergency-number",
        _ERROR,
        names.check_emergencies,
        "Nobody has an emergency number as an extension.",
    ),
    Rule(
        "unsafe-value",
        _ERROR,
        texts.check,
        "No value holds what FreeSWITCH expands or runs, or what XML cannot hold.",
        fixed=True,
    ),
    Rule(
        "plaintext-secret",
        _ERROR,
        texts.check_secrets,
        "No secret is written out in YAML, unless it is marked `plaintext: true`.",
        fixed=True,
    ),
    Rule(
        "unknown-destination",
        _ERROR,
        references.check_unknown,
        "What is led to, or named, is declared.",
        whole=True,
    ),
    Rule(
        "disabled-destination",
        _ERROR,
        references.check_disabled,
        "What is enabled leads to nothing that is disabled.",
    ),
    Rule(
        "circular-destination",
        _ERROR,
        references.check_circles,
        "A call that nobody answers comes to an end.",
    ),
    Rule(
        "caller-id-not-owned",
        _WARNING,
        references.check_owned,
        "A caller ID number is a declared DID or extension.",
        whole=True,
    ),
)


PLAN_RULES: tuple[Rule, ...] = tuple(
    Rule(name, severity, lambda *_: iter(()), description, by_plan=True)
    for name, severity, description in (
        ("unread-folder", _ERROR, "FreeSWITCH includes the folders that fsgitops writes to."),
        ("unknown-context", _ERROR, "The dialplan has every agent's context."),
        ("unused-context", _ERROR, "Calls from outside arrive in the context of the DIDs."),
        ("refused-carrier", _WARNING, "Some profile with gateways lets carriers' calls in."),
        ("taken-number", _ERROR, "No other extension takes a declared number first."),
        ("lost-call", _ERROR, "A call to what is declared gets there."),
        ("global-context", _ERROR, "In layout sharded, no context is named `global`."),
        ("runs-behind", _WARNING, "In layout sharded, nothing behind the DIDs acts inline."),
        (
            "perhaps-taken-number",
            _WARNING,
            "No other extension could take a declared number in some calls.",
        ),
    )
)
"""What a plan judges by the conf directory (planning/reach.py)."""

DIALPLAN_RULES: tuple[Rule, ...] = tuple(
    Rule(name, severity, lambda *_: iter(()), description, by_plan=True)
    for name, severity, description in (
        ("invalid-expression", _ERROR, "The expressions of the dialplan are regular expressions."),
        ("slow-expression", _WARNING, "No caller can make an expression backtrack for ever."),
        ("missing-context", _ERROR, "Whatever leads to a context leads to one that is there."),
        ("transfer-loop", _ERROR, "No call is transferred round and round."),
        ("unentered-context", _WARNING, "Calls come to every context."),
        ("shadowed-extension", _WARNING, "No extension stands behind others that take all calls."),
        ("unreachable-extension", _WARNING, "FreeSWITCH can come to every extension."),
        ("unrung-user", _WARNING, "Some number rings every user of the directory."),
        ("confined-user", _WARNING, "Who calls in a user's context can reach somebody."),
        ("toll-fraud", _ERROR, "No caller who did not log in makes a gateway dial."),
        ("unproved-toll", _WARNING, "Of every call of a stranger it is known what it can dial."),
        ("open-gateway", _ERROR, "No gateway lets strangers call as users do."),
        ("open-profile", _WARNING, "No profile lets strangers transfer calls."),
        ("open-leg", _WARNING, "Who is on a call cannot transfer the other side at its cost."),
        ("wild-capture", _ERROR, "What is captured and dialled is made of plain characters."),
        ("caller-text", _ERROR, "Nothing that callers say of themselves is dialled or run."),
        ("listening-in", _WARNING, "No extension lets its callers into the calls of others."),
    )
)
"""What is judged of the whole dialplan (routing/analysis/)."""


def all_rules(kinds: Kinds) -> tuple[Rule, ...]:
    """Return every rule that comes with the program and these kinds."""
    own = (rule for kind in kinds.values() for rule in kind.rules)
    return (*names.name_rules(kinds), *GENERIC, *own, *PLAN_RULES, *DIALPLAN_RULES)
