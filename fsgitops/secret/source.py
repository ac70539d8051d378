"""Where a secret stands, as YAML says it: a variable, a file, a ciphertext, a command.

A source names a secret and is none, except the one that holds a plaintext.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fsgitops.secret.value import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYS: Final = ("FSGITOPS_KEY", "FSGITOPS_KEY_NEXT", "FSGITOPS_AGE_IDENTITY")
_PLACE_LIMIT: Final = 4096
_AGE_LIMIT: Final = 16384
_WORD_LIMIT: Final = 64
_HASH: Final = re.compile(r"[0-9a-fA-F]{32}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
SHAPES: Final = (
    "{env: NAME}, {file: PATH}, {sops: FILE, key: PATH}, {age: CIPHERTEXT}, {command: [WORD, …]} "
    "or {plaintext: true, value: …}"
)


@dataclass(frozen=True, slots=True)
class EnvSource:
    """The secret is the value of an environment variable."""

    env: str


@dataclass(frozen=True, slots=True)
class FileSource:
    """The secret is the content of a file; a relative path is below the project's root."""

    file: str


@dataclass(frozen=True, slots=True)
class SopsSource:
    """The secret is one value of a file that the `sops` program decrypts; `key` is dotted."""

    sops: str
    key: str


@dataclass(frozen=True, slots=True)
class AgeSource:
    """The secret is encrypted right here, for the project's age recipients."""

    age: str


@dataclass(frozen=True, slots=True)
class CommandSource:
    """The secret is what a command prints; it is run without a shell, where that is allowed."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaintextSource:
    """The secret stands in the YAML itself; `marked` says that its author means it."""

    value: Secret
    marked: bool


@dataclass(frozen=True, slots=True)
class HashSource:
    """Only the a1-hash of the secret is known: it stands here, or where another source says."""

    a1: Source


Source: TypeAlias = (
    EnvSource | FileSource | SopsSource | AgeSource | CommandSource | PlaintextSource | HashSource
)


class SourceError(ValueError):
    """What is written is no source of a secret; the text tells why and shows no value."""


def read_source(value: object) -> Source:
    """Return the source that a YAML value describes; a bare scalar is an unmarked plaintext.

    Raises:
        SourceError: it describes none, or one with an impossible name.
    """
    if isinstance(value, str | int) and not isinstance(value, bool):
        return PlaintextSource(Secret(str(value)), marked=False)
    if isinstance(value, Source):
        return value
    if not isinstance(value, dict):
        raise SourceError(f"found no source of a secret; expected {SHAPES}")
    read = _READERS.get(frozenset(value))
    if read is None:
        known = {name for names in _READERS for name in names}
        found = ", ".join(name if name in known else "another key" for name in value)
        raise SourceError(f"found a mapping of {found or 'nothing'}; expected {SHAPES}")
    return read(value)


def read_login(value: object) -> Source:
    """Return the source of a password that phones log in with: its a1-hash does as well.

    Raises:
        SourceError: it describes none.
    """
    if not isinstance(value, dict) or set(value) != {"a1"}:
        return read_source(value)
    found = read_source(value["a1"])
    if isinstance(found, PlaintextSource):
        if not is_hash(found.value.reveal()):
            raise SourceError("`a1` is not an a1-hash: 32 hexadecimal digits, or a source of them")
        found = PlaintextSource(found.value, marked=True)
    return HashSource(found)


def is_hash(text: str) -> bool:
    """Tell whether a text has the form of an a1-hash."""
    return _HASH.fullmatch(text) is not None


def is_written_out(source: Source) -> bool:
    """Tell whether the secret, or its hash, stands in the YAML itself."""
    inner = source.a1 if isinstance(source, HashSource) else source
    return isinstance(inner, PlaintextSource)


def describe_source(source: Source) -> str:
    """Return where the secret stands, for messages; never the secret."""
    match source:
        case EnvSource(env):
            return f"the environment variable {env}"
        case FileSource(file):
            return file
        case SopsSource(sops, key):
            return f"{sops} (sops, key {key})"
        case AgeSource():
            return "the age ciphertext"
        case CommandSource(command):
            return f"the command {command[0]}"
        case PlaintextSource():
            return "the plaintext"
        case HashSource(a1):
            return describe_source(a1).replace("the plaintext", "the a1-hash")


def identify_source(source: Source) -> Hashable:
    """Return what two sources of the same secret have in common. For comparing, never to show."""
    match source:
        case EnvSource() | CommandSource():
            return source
        case FileSource(file):
            return ("file", file.removeprefix("./"))
        case SopsSource(sops, key):
            return ("sops", sops.removeprefix("./"), key)
        case AgeSource(age):
            return ("age", "".join(age.split()))
        case PlaintextSource(value):
            return ("plaintext", value.reveal())
        case HashSource(a1):
            return ("a1", identify_source(a1))


def _read_env(value: Mapping[str, Any]) -> EnvSource:
    name = value["env"]
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
        raise SourceError("`env` is not the name of an environment variable")
    if name in _KEYS:
        raise SourceError(
            f"`env`: {name} holds a project key, which cannot be a password; name another variable"
        )
    return EnvSource(name)


def _read_file(value: Mapping[str, Any]) -> FileSource:
    return FileSource(_read_place(value["file"], "file"))


def _read_sops(value: Mapping[str, Any]) -> SopsSource:
    key = value["key"]
    if not isinstance(key, str) or not all(key.split(".")) or _CONTROL.search(key):
        raise SourceError("`key` is not a dotted path such as agents.1020.password")
    return SopsSource(_read_place(value["sops"], "sops"), key)


def _read_age(value: Mapping[str, Any]) -> AgeSource:
    from fsgitops.secret.age import read_ciphertext

    text = value["age"]
    if not isinstance(text, str) or len(text) > _AGE_LIMIT or read_ciphertext(text) is None:
        raise SourceError("`age` is not an age ciphertext; `fsgitops secret encrypt` makes one")
    return AgeSource(text)


def _read_command(value: Mapping[str, Any]) -> CommandSource:
    words = value["command"]
    if (
        not isinstance(words, list | tuple)
        or not 0 < len(words) <= _WORD_LIMIT
        or not all(isinstance(word, str) and "\0" not in word for word in words)
        or not words[0]
    ):
        raise SourceError("`command` is not a list of words, the program first: [vault, read, …]")
    return CommandSource(tuple(words))


def _read_plaintext(value: Mapping[str, Any]) -> PlaintextSource:
    if str(value["plaintext"]).lower() != "true":
        raise SourceError("`plaintext` is not true")
    text = value["value"]
    if not isinstance(text, str | int) or isinstance(text, bool):
        raise SourceError("`value` is not a text")
    return PlaintextSource(Secret(str(text)), marked=True)


def _read_place(value: object, name: str) -> str:
    if not isinstance(value, str) or not value or len(value) > _PLACE_LIMIT:
        raise SourceError(f"`{name}` is not the path of a file")
    if _CONTROL.search(value):
        raise SourceError(f"`{name}` holds a control character")
    if not value.startswith("/") and ".." in value.split("/"):
        raise SourceError(f"`{name}` leaves the project's directory; write an absolute path")
    return value


_READERS: Final[dict[frozenset[str], Callable[[Mapping[str, Any]], Source]]] = {
    frozenset({"env"}): _read_env,
    frozenset({"file"}): _read_file,
    frozenset({"sops", "key"}): _read_sops,
    frozenset({"age"}): _read_age,
    frozenset({"command"}): _read_command,
    frozenset({"plaintext", "value"}): _read_plaintext,
}

_TEXT: Final = {"type": "string"}


def _shape(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(properties),
        "properties": properties,
    }


def _told(description: str, **more: Any) -> dict[str, Any]:
    return {**_TEXT, "description": description, **more}


SOURCE_SCHEMA: Final[dict[str, Any]] = {
    "oneOf": [
        _shape({"env": _told("An environment variable.", pattern="^[A-Za-z_][A-Za-z0-9_]*$")}),
        _shape({"file": _told("A file that holds only the secret.")}),
        _shape({"sops": _told("A file encrypted with sops."), "key": _told("The key in it.")}),
        _shape({"age": _told("An age ciphertext (`fsgitops secret encrypt`).")}),
        _shape(
            {
                "command": {
                    "type": "array",
                    "items": _TEXT,
                    "minItems": 1,
                    "description": "A command that prints it; `secrets.allow_commands` permits it.",
                }
            }
        ),
        _shape(
            {
                "plaintext": {"const": True, "description": "The secret stands here, knowingly."},
                "value": {"type": ["string", "number"], "description": "The secret."},
            }
        ),
    ]
}
"""The JSON Schema of a source, for editors: a bare plaintext is left out on purpose."""

LOGIN_SCHEMA: Final[dict[str, Any]] = {
    "oneOf": [
        *SOURCE_SCHEMA["oneOf"],
        _shape(
            {
                "a1": {
                    "description": "Its a1-hash, md5(user:domain:password), or a source of that.",
                    "oneOf": [{**_TEXT, "pattern": f"^{_HASH.pattern}$"}, SOURCE_SCHEMA],
                }
            }
        ),
    ]
}
"""The JSON Schema of the source of a password that phones log in with."""
