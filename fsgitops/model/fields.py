"""Types of fields, and the marks that say in an annotation what is true of one.

Schema, `explain`, what a wrong value is told, the order of `fmt`, references, secrets, policies and
the rules that hold for every kind follow from them (model/reading.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from fsgitops import phone
from fsgitops.secret.source import (
    LOGIN_SCHEMA,
    SOURCE_SCHEMA,
    Source,
    SourceError,
    read_login,
    read_source,
)

if TYPE_CHECKING:
    from collections.abc import Callable

WRITTEN: Final = "written"
"""In a model's schema of a text: the pattern of what people write, where they may write more."""
ALONE: Final = "alone"
"""In a model's schema of a list of parts: one may be written without the list."""
_BOUNDS: Final = {"ge": "minimum", "le": "maximum"}


def about(text: str, *examples: Any, alone: bool = False, written: str = "", **limits: Any) -> Any:
    """Return what people are told of a field, in schema and `explain`, with pydantic's limits.

    `alone`: of a list of parts, one may be written without the list. `written`: the pattern of what
    people may write, where that is more than the value can be.
    """
    # Of a number that may be written as a text, pydantic's own schema leaves them out.
    more = {_BOUNDS[name]: limit for name, limit in limits.items() if name in _BOUNDS}
    more |= {ALONE: True} if alone else {}
    more |= {WRITTEN: written} if written else {}
    return Field(
        description=text, examples=list(examples) or None, json_schema_extra=more, **limits
    )


@dataclass(frozen=True, slots=True)
class Key:
    """This field names the resource, and so differs for each.

    Attributes:
        rule: The rule that finds a name which is declared again.
        about: What that rule is about.
        again: What it tells; `{name}` and `{first}` (where it is declared first) are filled in.
        remedy: What to do then.
    """

    rule: str = "duplicate-name"
    about: str = "A name belongs to one resource of its kind."
    again: str = "`{name}` is already declared at {first}"
    remedy: str = "Give one of the two another name, or remove it."


@dataclass(frozen=True, slots=True)
class Ref:
    """This field holds the name of another resource.

    Attributes:
        kinds: The words of the kinds that may be named. A name without a kind is one of the first.
        anything: Whatever a call can be led to may be named as well, as `KIND/NAME`.
        called: What a policy calls the other one: `destination.groups`. Default: the field.
        lost: What comes of it where the other one is disabled.
        does: What it does to the other one, as messages say it.
        owned: A number that should be ours. Another one is a warning, and none is looked for.
    """

    kinds: tuple[str, ...]
    anything: bool = False
    called: str = ""
    lost: str = "nobody would answer"
    does: str = "leads to"
    owned: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number, which is brought into E.164 before it is looked at."""

    or_extension: bool = False


@dataclass(frozen=True, slots=True)
class Dialled:
    """An extension where it is digits, as many as those of the project have."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Where a secret stands. `said` is what messages call the secret; it is never shown.

    `login`: phones log in with it. It can be made of the project key, and its hash will do.
    """

    said: str
    login: bool = False


@dataclass(frozen=True, slots=True)
class Expect:
    """What a wrong value is told: what was expected, and what to do.

    `named` is told instead where the value is meant as `KIND/NAME`.
    """

    what: str
    hint: str = ""
    named: Expect | None = None


@dataclass(frozen=True, slots=True)
class Globals:
    """The whole value may be one global of FreeSWITCH: `$${name}`."""


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


def read_list(value: object) -> object:
    """Return the parts of a text that commas separate; anything else as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",")) if value.strip() else ()
    return value


def read_network(value: object) -> object:
    """Return a network as FreeSWITCH's ACLs take it: `192.0.2.0/24`; an address is one of its own.

    One of half the internet, or more than 2^24 addresses of IPv4, is a slip.
    """
    if not isinstance(value, str):
        return value
    try:
        found = ip_network(value.strip(), strict=False)
    except ValueError:
        raise PydanticCustomError("network", "no network") from None
    if found.prefixlen < (8 if found.version == 4 else 16):
        raise PydanticCustomError("network", "too wide a network")
    return str(found)


def read_count(value: object) -> object:
    """Return the number that a text of at most 9 digits is; anything else as it is."""
    # Not int(): that takes "1_000", " 7 " and digits of any script.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value) if len(value) < 10 else value
    return value


def _read_source(read: Callable[[object], Source], value: object) -> Source | None:
    try:
        # Nothing behind the key is not "derive one": `password: #secret` reads as a comment.
        return read(value)
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
_EXTENSION = f"^{phone.EXTENSION}$"
_USER = f"^{phone.USER}$"
_TRUNK = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_ACCOUNT = r"^[A-Za-z0-9_+*][A-Za-z0-9._+@*!~-]{0,127}$"
_HOST = (
    r"^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::[0-9]{1,5})?$"
)
_ENTRY = r"^\+?[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_CODEC = r"^[A-Za-z0-9][A-Za-z0-9.@_-]{0,31}$"
_ACL = r"^[A-Za-z0-9:][A-Za-z0-9._:-]{0,63}(?:/[0-9]{1,3})?$"
_SLUG = r"^[a-z0-9][a-z0-9_-]{0,39}$"
_DESTINATION = (
    rf"^(?:{phone.EXTENSION}|[a-z][a-z0-9_]{{0,39}}/[A-Za-z0-9+][A-Za-z0-9+_.-]{{0,63}})$"
)
RANGE: Final = _DESTINATION.replace("(?:", rf"(?:{phone.EXTENSION}\.\.[0-9]{{1,4}}|", 1)
"""A destination, or one for each number of a range (steps/resolve/ranges.py)."""

IN_WORDS: Final = {
    _EXTENSION: "digits, such as 1020; how many, `extensions` of fsgitops.yaml says",
    r"\S": "text that is not blank",
    _EMAIL: "an address of letters, digits and . _ + -, such as alice@example.com",
    _DESTINATION: "an extension such as 1020, or KIND/NAME",
    RANGE: "an extension such as 1020, KIND/NAME, or 1300..1399 of a range of numbers",
    _USER: "letters, digits and . _ -, one letter at least, such as reception",
    _TRUNK: "letters, digits and . _ -, such as acct1",
    _ACCOUNT: "letters, digits and . _ + @ * ! ~ -, such as acme-4711",
    _HOST: "a host name or an IP address, with a port if need be, such as sip.example.com:5080",
    _ENTRY: "letters, digits and . _ -, such as auto_to_user or +19495431333",
    _CODEC: "the name of a codec, such as PCMA or OPUS@48000h@20i",
    _ACL: "a network such as 192.0.2.0/24, or the name of an ACL",
    _SLUG: "1 to 40 small letters, digits, _ and -, such as sales",
}
"""What the patterns in the schema of desired files mean, for people."""

_AS_E164 = "Write it as E.164, such as +19495431333."
_AS_LIST = "Write [one, two] or `one, two`."

Switch = Annotated[bool, BeforeValidator(_read_bool), Field(strict=True), Expect("true or false")]
Network = Annotated[
    str,
    BeforeValidator(read_network),
    Expect("a network: an address and how many bits count", "Write 192.0.2.0/24, or 192.0.2.7."),
]
Names = Annotated[
    tuple[Annotated[str, Expect("a name", _AS_LIST)], ...],
    BeforeValidator(read_list),
    Field(max_length=64),
    Expect("a list of names, at most 64", _AS_LIST),
]
Count = Annotated[int, BeforeValidator(read_count), Field(strict=True)]
Extension = Annotated[
    str,
    StringConstraints(pattern=_EXTENSION),
    Dialled(),
    Expect("digits only", "Write it like this: 1020."),
]
E164 = Annotated[
    str,
    StringConstraints(pattern=f"^{phone.E164}$"),
    Number(),
    Expect("a telephone number", _AS_E164),
]
CallerNumber = Annotated[
    str,
    StringConstraints(pattern=f"^(?:{phone.EXTENSION}|{phone.E164})$"),
    Number(or_extension=True),
    Dialled(),
    Expect("a telephone number or an extension", _AS_E164),
]
Destination = Annotated[
    str,
    StringConstraints(pattern=_DESTINATION),
    Ref(("agent",), anything=True),
    Dialled(),
    Expect(
        "digits only",
        "Write it like this: 1020.",
        named=Expect("KIND/NAME of something that rings", "Write it like agent/1020."),
    ),
]
Email = Annotated[
    str,
    StringConstraints(pattern=_EMAIL, max_length=254),
    Expect(
        "an e-mail address of letters, digits and `. _ + -`",
        "Other characters are refused: FreeSWITCH puts the address into a shell command when it "
        "mails.",
    ),
]
UserName = Annotated[
    str,
    StringConstraints(pattern=_USER, max_length=64),
    Expect(
        "a name of letters, digits, `.`, `_` and `-`, with a letter in it",
        "Leave it out where phones register as the extension.",
    ),
]
TrunkName = Annotated[str, StringConstraints(pattern=_TRUNK, max_length=64)]
Slug = Annotated[
    str,
    StringConstraints(pattern=_SLUG),
    Expect("1 to 40 small letters, digits, `_` and `-`", "Write it like this: sales."),
]
Host = Annotated[
    str,
    StringConstraints(pattern=_HOST),
    Expect(
        "a host name or an IP address, with a port if need be",
        "Write it like sip.example.com, 192.0.2.10:5080 or [2001:db8::7]:5060, without `sip:`.",
    ),
]
Account = Annotated[
    str,
    StringConstraints(pattern=_ACCOUNT),
    Expect("a name of letters, digits and `. _ + @ * ! ~ -`", "Write it as the provider gave it."),
]
Entry = Annotated[
    str,
    StringConstraints(pattern=_ENTRY),
    Expect("auto_to_user, auto, or a number", "Write it like +19495431333."),
]
Codec = Annotated[
    str,
    StringConstraints(pattern=_CODEC),
    Expect("the name of a codec", "Write it like PCMA."),
]
Acl = Annotated[
    str,
    StringConstraints(pattern=_ACL),
    Expect("a network, or the name of an ACL", "Write it like 192.0.2.0/24."),
]
Label = Annotated[
    str, StringConstraints(pattern=r"\S", max_length=80), Expect("a text of 1 to 80 characters")
]
Text = Annotated[str, StringConstraints(max_length=200), Expect("a text of at most 200 characters")]
SecretSource = Annotated[
    Source | None,
    PlainValidator(partial(_read_source, read_source)),
    WithJsonSchema(SOURCE_SCHEMA),
]
LoginSource = Annotated[
    Source | None, PlainValidator(partial(_read_source, read_login)), WithJsonSchema(LOGIN_SCHEMA)
]

PROTECT: Final = "true: fsgitops refuses to delete it until you have applied `protect: false`."
"""What the field `protect` means, in every kind."""
