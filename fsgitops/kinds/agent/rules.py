"""What is asked of agents alone: their variables, names, toll classes, PINs and passwords."""

from __future__ import annotations

import re
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Severity, quote_value
from fsgitops.kinds.agent.noun import Agent
from fsgitops.model.draft import Global
from fsgitops.model.params import judge_param
from fsgitops.model.reading import resource_of
from fsgitops.model.rule import Breach, Rule
from fsgitops.model.variables import Refusal, judge_variable
from fsgitops.rules.texts import unsafe_reason
from fsgitops.secret.key import PIN_LENGTH, is_weak_pin
from fsgitops.secret.source import PlaintextSource, identify_source

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Path
    from fsgitops.model.kind import Kinds

MANY: Final = 10_000
"""So many users in one list, and as many DIDs, reload in 5 s; 30,000 take 42 s (docs/scale.md)."""

WIDE: Final = 256
TOLL_CLASSES: Final = ("domestic", "international", "local", "premium", "satellite")

# Groups and toll classes are joined by commas and matched by regular expressions in dialplans.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_PIN = re.compile(r"[0-9]{4,10}")
PIN_HINT: Final = "Choose another one, or leave `pin` out: one is derived from the project key."
_SHARED_HINT = "With one password, each agent can register as the other: give each its own."


def check_variable_names(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every name of a variable that is malformed, reserved, or there twice."""
    good: set[str] = set()
    for agent in desired.of(Agent):
        names = agent.variables
        if good.issuperset(names) and len(set(map(str.lower, names))) == len(names):
            continue  # what is wrong with a name alone was looked for
        seen: dict[str, str] = {}
        for name, value in names.items():
            # FreeSWITCH finds variables without regard to case (switch_event_get_header_ptr
            # in src/switch_event.c compares with strcasecmp).
            first = seen.setdefault(name.lower(), name)
            if problem := _judge_name(name, value, first):
                yield Breach(resource_of(agent), ("variables", name), *problem, key=True)
            else:
                good.add(name)


def _judge_name(name: str, value: str, first: str) -> tuple[str, str] | None:
    refusal = judge_variable(name, value, ())
    if refusal is not None and refusal.kind in ("name", "reserved"):
        return refusal.message, refusal.hint
    if first != name:
        return (
            f"FreeSWITCH takes the variables `{first}` and `{name}` for one",
            "Remove one of them: FreeSWITCH ignores case in names of variables.",
        )
    return None


def check_variables(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every variable that FreeSWITCH could run, route by, or nobody knows."""
    for agent in desired.of(Agent):
        for name, value in agent.variables.items():
            refusal = judge_variable(name, value, desired.own_variables)
            if refusal is None or refusal.kind in ("name", "reserved"):
                continue  # the rule `variable-name` has a finding about these
            if refusal.kind == "value" and unsafe_reason(Global(value)):
                continue  # so has `unsafe-value`, with a better reason
            yield Breach(
                resource_of(agent),
                ("variables", name),
                refusal.message,
                refusal.hint,
                key=refusal.kind == "unknown",
            )


def check_params(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every parameter that could run, that opens a hole, or that is there twice."""
    for agent in desired.of(Agent):
        seen: dict[str, str] = {}
        for name, value in agent.params.items():
            first = seen.setdefault(name.lower(), name)
            refusal = judge_param(name, value)
            if refusal is None and first != name:
                message = f"FreeSWITCH takes the parameters `{first}` and `{name}` for one"
                refusal = Refusal("name", message, "Remove one of them.")
            if refusal is None or unsafe_reason(value if refusal.kind == "value" else name):
                continue  # `unsafe-value` has a finding about the latter, with a better reason
            path = ("params", name)
            key = refusal.kind != "value"
            yield Breach(resource_of(agent), path, refusal.message, refusal.hint, key=key)


def check_plain_names(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every name that is not a word of letters, digits, `.`, `_` and `-`."""
    good: set[str] = set()
    for agent in desired.of(Agent):
        if good.issuperset((agent.context, *agent.groups, *agent.toll_allow)):
            continue
        for path, name in _names(agent):
            if name in good:
                continue
            if _NAME.fullmatch(name):
                good.add(name)
                continue
            if unsafe_reason(name):
                continue  # there is a finding already, with a better reason
            yield Breach(
                resource_of(agent),
                path,
                f"{quote_value(name)} in `{path[0]}` is not a plain name; 1 to 64 letters, digits, "
                "`.`, `_` or `-` are expected",
                "Rename it.",
            )


def _names(agent: Agent) -> Iterator[tuple[Path, str]]:
    yield ("context",), agent.context
    for index, name in enumerate(agent.groups):
        yield ("groups", index), name
    for index, name in enumerate(agent.toll_allow):
        yield ("toll_allow", index), name


def check_toll_classes(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every word of `toll_allow` that holds another one, or is held by a known one.

    The stock dialplan tests `field="${toll_allow}" expression="international"`, which matches
    `no-international` as well.
    """
    agents = desired.of(Agent)
    used = {word for agent in agents for word in agent.toll_allow}
    classes = used.union(TOLL_CLASSES)
    reasons = {word: reason for word in used if (reason := _judge_class(word, classes))}
    if not reasons:
        return
    for agent in agents:
        for index, word in enumerate(agent.toll_allow):
            if word in reasons:
                yield Breach(resource_of(agent), ("toll_allow", index), *reasons[word])


def _judge_class(word: str, classes: set[str]) -> tuple[str, str] | None:
    if word in TOLL_CLASSES or not word:
        return None
    hint = "No toll class forbids calls: leave out what the agent may not call."
    inner = next((part for part in _parts(word) if part in classes), None)
    if inner is not None:
        return (
            f"the toll class {quote_value(word)} also allows `{inner}`, because it contains that "
            f"word",
            hint,
        )
    outer = next((known for known in TOLL_CLASSES if word in known), None)
    if outer is not None:
        message = f"an agent with `{outer}` also has the toll class {quote_value(word)}, a part "
        "of that word"
        return message, "Choose a word that is no part of another."
    return None


def _parts(word: str) -> Iterator[str]:
    """Yield every part of a word but the word; words are at most 64 letters, others are refused."""
    word = word[:64]
    for start in range(len(word)):
        for end in range(start + 1, len(word) + 1):
            if end - start < len(word):
                yield word[start:end]


def judge_pin(pin: str, extension: str) -> str | None:
    """Return why this can be nobody's PIN, or None. The PIN is not in the text."""
    if not _PIN.fullmatch(pin):
        return "the voicemail PIN is not 4 to 10 digits"
    if pin == extension:
        return "the voicemail PIN is the extension: anybody could listen to this mailbox"
    return None


def judge_strength(pin: str, extension: str) -> str | None:
    """Return why this PIN is soon guessed, or None. The PIN is not in the text."""
    if not (pin.isascii() and pin.isdigit()) or pin == extension:
        return None  # That is more than weak, and `voicemail-pin` says so.
    if len(pin) < PIN_LENGTH:
        return f"the voicemail PIN is shorter than {PIN_LENGTH} digits"
    if is_weak_pin(pin, extension):
        return (
            "the voicemail PIN is easy to guess: it holds the extension, repeats digits, or "
            "counts up or down"
        )
    return None


def check_pins(
    judge: Callable[[str, str], str | None], desired: Desired, _kinds: Kinds
) -> Iterator[Breach]:
    """Yield every PIN in the YAML that this refuses."""
    for agent in desired.of(Agent):
        source = agent.voicemail.pin
        if isinstance(source, PlaintextSource):
            why = judge(source.value.reveal(), agent.extension)
            if why:
                yield Breach(resource_of(agent), ("voicemail", "pin"), why, PIN_HINT)


def check_users(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every agent whose phones would register as another's: FreeSWITCH ignores case."""
    first: dict[str, str] = {}
    for agent in desired.of(Agent):
        if agent.user is None:
            continue
        other = first.setdefault(agent.user.casefold(), agent.extension)
        if other != agent.extension:
            yield Breach(
                resource_of(agent),
                ("user",),
                f"agent {other} has the user {quote_value(agent.user)} already, in whatever case",
                "Give one of the two another name.",
            )


def check_passwords(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every agent whose password stands where another agent's does. None is shown."""
    first: dict[Hashable, str] = {}
    for agent in desired.of(Agent):
        if agent.password is None:
            continue
        other = first.setdefault(identify_source(agent.password), agent.extension)
        if other != agent.extension:
            message = f"agent {other} has the same SIP password"
            yield Breach(resource_of(agent), ("password",), message, _SHARED_HINT)


def check_networks(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield each network from which many devices could call as an agent."""
    for agent in desired.of(Agent):
        for index, network in enumerate(agent.cidr):
            if ip_network(network).num_addresses > WIDE:
                message = f"every device of {network} can call as {agent.extension}, unasked"
                hint = "Name the phone's own address, or a small network that nobody else is in."
                yield Breach(resource_of(agent), ("cidr", index), message, hint)


def check_number(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield one breach at the first enabled agent over the number that reloads quickly.

    In files of many, the time of a reload grows with their number, and not with its square.
    """
    enabled = [agent for agent in desired.of(Agent) if agent.enabled]
    if len(enabled) > MANY and not desired.sharded:
        yield Breach(
            resource_of(enabled[MANY]),
            (),
            f"{len(enabled):,} agents are enabled in `layout: files`: the time of a reload grows "
            "with their square (measured: 42 s for 30,000 agents and DIDs; 6 s for 100,000 in "
            "`layout: sharded`)",
            "`fsgitops layout sharded` shows the move to the other layout (docs/scale.md).",
        )


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

RULES: Final = (
    Rule(
        "variable-name",
        _ERROR,
        check_variable_names,
        "Variables have well-formed names, and none that fsgitops sets itself.",
        fixed=True,
    ),
    Rule(
        "variable-allowed",
        _ERROR,
        check_variables,
        "Variables are known to be harmless, or the site's own.",
        fixed=True,
    ),
    Rule(
        "param-allowed",
        _ERROR,
        check_params,
        "Parameters are known to be harmless.",
        fixed=True,
    ),
    Rule(
        "name-pattern",
        _ERROR,
        check_plain_names,
        "Groups, toll classes and contexts are plain words.",
        fixed=True,
    ),
    Rule(
        "toll-class",
        _ERROR,
        check_toll_classes,
        "No toll class contains another: dialplans search the whole list for one.",
    ),
    Rule(
        "voicemail-pin",
        _ERROR,
        partial(check_pins, judge_pin),
        "A voicemail PIN is 4 to 10 digits and never the extension.",
        fixed=True,
    ),
    Rule(
        "weak-pin",
        _WARNING,
        partial(check_pins, judge_strength),
        "A voicemail PIN has at least 6 digits and is not easy to guess.",
    ),
    Rule(
        "duplicate-user",
        _ERROR,
        check_users,
        "No two agents have the same SIP user.",
        fixed=True,
    ),
    Rule(
        "shared-password",
        _ERROR,
        check_passwords,
        "No two agents have the same SIP password.",
    ),
    Rule(
        "wide-cidr",
        _WARNING,
        check_networks,
        f"A network that calls without a password has at most {WIDE} addresses.",
    ),
    Rule(
        "many-agents",
        _WARNING,
        check_number,
        f"In layout files, at most {MANY:,} agents are enabled.",
    ),
)
