"""Say in our own words what a model refused, at the place where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import error, quote_value
from fsgitops.model.desired import Agent, DidRoute, Voicemail
from fsgitops.secret import SourceError, read_source
from fsgitops.steps.resolve.sections import suggest

if TYPE_CHECKING:
    from fsgitops.findings import Finding
    from fsgitops.model.desired import Fault
    from fsgitops.model.document import Path
    from fsgitops.steps.resolve.sections import Section

_EXTENSION = ("4 to 6 digits", "Write it as digits only, such as 1020.")
_EMAIL = (
    "an e-mail address of letters, digits and `. _ + -`",
    "Other characters are refused: FreeSWITCH puts the address into a shell command when it mails.",
)
_SWITCH = ("true or false", "")
_NAMES = ("a list of names, at most 64", "Write [one, two] or `one, two`.")
_NUMBER = ("a telephone number or an extension", "Write it as E.164, such as +19495431333.")

_EXPECTED: dict[str, tuple[str, str]] = {
    "extension": _EXTENSION,
    "destination_extension": _EXTENSION,
    "did_number": ("a telephone number", _NUMBER[1]),
    "caller_id_number": _NUMBER,
    "email": _EMAIL,
    "voicemail.email": _EMAIL,
    "enabled": _SWITCH,
    "webrtc": _SWITCH,
    "phone_forwarding": _SWITCH,
    "voicemail.enabled": _SWITCH,
    "groups": _NAMES,
    "toll_allow": _NAMES,
    "name": ("a text of 1 to 80 characters", ""),
    "caller_id_name": ("a text of 1 to 80 characters", "Leave it out to use the agent's name."),
    "context": ("the name of a dialplan context", "Leave it out for `default`."),
    "description": ("a text of at most 200 characters", ""),
    "voicemail": ("true, false or a mapping", "Its keys are `enabled`, `pin` and `email`."),
    "variables": ("a mapping of at most 100 names to texts", "Write `name: value` lines below it."),
    "password_version": ("a whole number from 1 to 1000000", "Raise it to get another password."),
}

_ROUTE = (
    "Numbers stand in a list of their own: `did_routes: [{did_number: +19495431333, "
    "destination_extension: 1020}]`, beside `agents:`."
)
_AGENT = (
    "Agents stand in a list of their own, `agents:`; a route names one in `destination_extension`."
)
_UNKNOWN: dict[str, dict[str, str]] = {
    "agent": {
        "sip_password": "Did you mean `password`?",
        "vm_password": "Set `voicemail: {pin: …}`, or leave it out and one is derived.",
        "pin": "Set `voicemail: {pin: …}`, or leave it out and one is derived.",
        "is_active": "Did you mean `enabled`?",
        "number": "Did you mean `extension`? A public number is a route, under `did_routes:`.",
        **dict.fromkeys(
            ("did", "dids", "did_number", "did_numbers", "did_route", "did_routes"), _ROUTE
        ),
        **dict.fromkeys(("destination", "destination_extension"), _ROUTE),
    },
    "route": {
        "is_active": "Did you mean `enabled`?",
        **dict.fromkeys(("did", "number", "e164"), "Did you mean `did_number`?"),
        **dict.fromkeys(
            ("destination", "extension", "agent", "to"), "Did you mean `destination_extension`?"
        ),
        **dict.fromkeys(("password", "sip_password", "voicemail", "caller_id_name"), _AGENT),
    },
    "voicemail": {
        "is_active": "Did you mean `enabled`?",
        **dict.fromkeys(("password", "vm_password"), "Did you mean `pin`?"),
    },
}
_SECRETS = ("password", "pin")
_YES_NO = frozenset({"yes", "no", "on", "off", "y", "n", "1", "0", "t", "f"})


def describe_fault(section: Section, model: type[Agent | DidRoute], fault: Fault) -> Finding:
    """Return the finding for one thing that the model refused."""
    path = fault.path
    noun = "agent" if model is Agent else "route"
    name = str(path[-1])
    if fault.kind == "missing":
        hint = f"Add `{name}:`; expected: {_expected(path)[0]}."
        return error("missing-field", section.place, f"this {noun} has no `{name}`", hint)
    if fault.kind == "unknown":
        inner = path[0] == "voicemail" and len(path) > 1
        known = Voicemail.model_fields if inner else model.model_fields
        hint = _UNKNOWN["voicemail" if inner else noun].get(name) or suggest(name, known)
        where = section.position(path, key=True)
        inside = f"the `voicemail` of {noun}s" if inner else f"{noun}s"
        message = f"the key {quote_value(name)} is not known for {inside}"
        return error("unknown-field", where, message, hint)
    if name in _SECRETS:
        return _describe_source_fault(section, fault)
    expected, hint = _expected(path)
    # What stands in the place of a mailbox may be its PIN.
    hidden = path in (("voicemail",), ("voicemail", "enabled")) and _is_text(fault.value)
    found = "a text" if hidden else _found(fault.value)
    if fault.kind == "word" and str(fault.value).lower() in _YES_NO:
        hint = "Only `true` and `false` are read as yes and no; everything else is a text."
    field = ".".join(str(step) for step in path if isinstance(step, str) and step != "[key]")
    message = f"`{field}` is {found}; expected {expected}"
    return error("invalid-value", section.position(path), message, hint)


def _expected(path: Path) -> tuple[str, str]:
    names = [step for step in path if isinstance(step, str)]
    if names[0] == "variables" and len(names) > 1:
        return "a text of at most 1024 characters", 'Write "" for an empty value.'
    if names[0] in ("groups", "toll_allow") and len(path) > 1:
        return "a name", _NAMES[1]
    full = ".".join(names)
    return _EXPECTED.get(full) or _EXPECTED.get(names[0]) or ("something else", "")


def _describe_source_fault(section: Section, fault: Fault) -> Finding:
    """Say why this is no source of a secret. What stands there is never shown."""
    field = ".".join(str(step) for step in fault.path)
    try:
        read_source(fault.value)
    except SourceError as problem:
        why = str(problem)
    else:
        why = "found no source of a secret"
    hint = "Leave it out, and one is derived from the project key."
    return error("invalid-value", section.position(fault.path), f"`{field}`: {why}", hint)


def _is_text(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list | tuple)


def _found(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return quote_value(str(value))
