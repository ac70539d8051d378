"""What the user wants: agents and DID routes, validated and normalised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from fsgitops.phone import E164 as E164_FORM
from fsgitops.phone import EXTENSION
from fsgitops.secret import SOURCE_SCHEMA, Source, SourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.findings import Position
    from fsgitops.model.resource import Resource


FaultKind: TypeAlias = Literal["missing", "unknown", "word", "value"]
"""A field left out, a field that does not exist, a word for true or false, any other value."""

_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _read_bool(value: object) -> object:
    if isinstance(value, str):
        if value not in _WORDS:
            raise PydanticCustomError("bool_word", "neither true nor false")
        return _WORDS[value]
    return value


def _read_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",")) if value.strip() else ()
    return value


def _read_count(value: object) -> object:
    # Not int(): that takes "1_000", " 7 " and digits of any script.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value) if len(value) < 10 else value
    return value


def _read_voicemail(value: object) -> object:
    return {"enabled": value} if isinstance(value, str | bool) else value


def _read_source(value: object) -> Source | None:
    try:
        # Nothing behind the key is not "derive one": `password: #secret` reads as a comment.
        return read_source(value)
    except SourceError:
        raise PydanticCustomError("secret_source", "no source of a secret") from None


# FreeSWITCH hands a mailbox's address to a shell: `/bin/cat FILE | MAILER -f FROM ARGS TO`, run by
# switch_system() (switch_simple_email in src/switch_utils.c). Whether it is quoted there depends on
# the switch's version, and a leading `-` would be an option to the mailer, so an address may only
# hold characters that mean nothing to a shell.
_EMAIL = (
    r"^[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$"
)

Switch = Annotated[bool, BeforeValidator(_read_bool), Field(strict=True)]
Names = Annotated[tuple[str, ...], BeforeValidator(_read_list), Field(max_length=64)]
Extension = Annotated[str, StringConstraints(pattern=f"^{EXTENSION}$")]
E164 = Annotated[str, StringConstraints(pattern=f"^{E164_FORM}$")]
CallerNumber = Annotated[str, StringConstraints(pattern=f"^(?:{EXTENSION}|{E164_FORM})$")]
Email = Annotated[str, StringConstraints(pattern=_EMAIL, max_length=254)]
Label = Annotated[str, StringConstraints(pattern=r"\S", max_length=80)]
Text = Annotated[str, StringConstraints(max_length=200)]
VariableValue = Annotated[str, StringConstraints(max_length=1024)]
SecretSource = Annotated[Source | None, PlainValidator(_read_source), WithJsonSchema(SOURCE_SCHEMA)]

IN_WORDS = {
    f"^{EXTENSION}$": "4 to 6 digits, such as 1020",
    r"\S": "text that is not blank",
    _EMAIL: "an address of letters, digits and . _ + -, such as alice@example.com",
}
"""What the patterns in the schema of desired files mean, for people."""


class Noun(BaseModel):
    """A declared thing: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Voicemail(Noun):
    """An agent's mailbox. Without a `pin`, one is derived from the project key."""

    enabled: Switch = True
    pin: SecretSource = None
    email: Email | None = None


class Agent(Noun):
    """A SIP extension: somebody's phone. Without a `password`, one is derived."""

    extension: Extension
    name: Label
    password: SecretSource = None
    email: Email | None = None
    caller_id_name: Label | None = None
    caller_id_number: CallerNumber | None = None
    enabled: Switch = True
    groups: Names = ()
    toll_allow: Names = ("domestic", "international", "local")
    context: Label = "default"
    webrtc: Switch = False
    phone_forwarding: Switch = False
    voicemail: Annotated[Voicemail, BeforeValidator(_read_voicemail)] = Voicemail(enabled=False)
    variables: dict[str, VariableValue] = Field(default={}, max_length=100)
    password_version: Annotated[
        int, BeforeValidator(_read_count), Field(strict=True, ge=1, le=1_000_000)
    ] = 1
    protect: Switch = False


class DidRoute(Noun):
    """A public number (E.164) and the extension that rings for it."""

    did_number: E164
    destination_extension: Extension
    description: Text | None = None
    enabled: Switch = True
    protect: Switch = False


class Fault(NamedTuple):
    """One thing that a noun refused: where in its values, of what kind, and what stood there."""

    path: tuple[str | int, ...]
    kind: FaultKind
    value: object


_FAULT_KINDS: dict[str, FaultKind] = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "bool_word": "word",
}

_Noun = TypeVar("_Noun", bound=Noun)


def make_noun(model: type[_Noun], values: Mapping[str, object]) -> tuple[_Noun | None, list[Fault]]:
    """Return the noun that `values` describe, or everything in them that it refuses."""
    try:
        return model.model_validate(values), []
    except ValidationError as refused:
        return None, [
            Fault(item["loc"], _FAULT_KINDS.get(item["type"], "value"), item["input"])
            for item in refused.errors(include_url=False, include_context=False)
        ]


@dataclass(frozen=True, slots=True)
class Desired:
    """All that is declared, sorted by name; `sources` tells where each resource was written.

    A resource that is declared again is kept once, as it was declared first; `repeats` has the
    places of the others. `rejected` names what has a wrong value: where there is any, an error was
    found, and this Desired is for finding more of them and never for compiling. `own_variables`
    are the names, in small letters, that the project declares as its own.
    """

    agents: tuple[Agent, ...] = ()
    did_routes: tuple[DidRoute, ...] = ()
    sources: Mapping[Resource, Position] = field(default_factory=dict)
    repeats: tuple[tuple[Resource, Position], ...] = ()
    rejected: frozenset[Resource] = frozenset()
    own_variables: frozenset[str] = frozenset()
