"""Fetch secrets from where they stand: the one place that opens any source."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.secret.age import decrypt, load_identities
from fsgitops.secret.key import KEY_VARIABLE, NEXT_KEY_VARIABLE
from fsgitops.secret.program import decrypt_sops, pick_value, run_command
from fsgitops.secret.source import (
    AgeSource,
    CommandSource,
    EnvSource,
    FileSource,
    PlaintextSource,
    SopsSource,
    Source,
    describe_source,
)
from fsgitops.secret.value import Secret, check_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

_FILE_LIMIT: Final = 65536
_IS_A_KEY: Final = (
    ": this is the project key, from which every other secret can be made; name a secret of its own"
)
_IDENTITY: Final = "AGE-SECRET-KEY-"


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where sources are looked up, and what is allowed there.

    `trusted` is False where no project key is at hand, as for a pull request from a fork: then
    no program is run, whatever the project's own files allow. `kept` are the files of keys and
    identities: what stands in one is nobody's password, however it was come by.
    """

    root: Path
    environ: Mapping[str, str] = field(repr=False)
    age_identity: Path
    allow_commands: bool = False
    trusted: bool = True
    kept: tuple[Path, ...] = ()


class SecretFetcher:
    """Fetches each secret once: a file is decrypted once, a command is run once."""

    __slots__ = ("_identities", "_keys", "_known", "place")

    def __init__(self, place: SecretPlace) -> None:
        self.place = place
        self._identities: list[Any] | None = None
        self._keys: frozenset[str] | None = None
        self._known: dict[Hashable, Any] = {}

    def fetch(self, source: Source) -> Secret:
        """Return the secret.

        Raises:
            SecretUnavailableError: it is not at hand here; elsewhere it may be.
            SecretError: what stands there can be nobody's secret, or must not be read.
        """
        found = self._fetch(source)
        if self._keys is None:
            self._keys = _read_keys(self.place)
        text = found.reveal().strip()
        if text in self._keys or _IDENTITY in text.upper():
            raise SecretError(f"{describe_source(source)}{_IS_A_KEY}")
        return found

    def _fetch(self, source: Source) -> Secret:
        place = self.place
        match source:
            case PlaintextSource(value):
                return check_secret(value.reveal(), "the plaintext")
            case EnvSource(env):
                return resolve_env_secret(env, place.environ)
            case FileSource(file):
                path = confine_path(place.root, file)
                if os.path.realpath(path) in {os.path.realpath(kept) for kept in place.kept}:
                    raise SecretError(f"{file}{_IS_A_KEY}")
                return resolve_file_secret(path)
            case AgeSource(age):
                return decrypt(age, self._load_identities(), describe_source(source))
            case SopsSource(sops, key):
                values = self._once(("sops", sops), lambda: self._decrypt_sops(sops))
                return pick_value(values, key, describe_source(source))
            case CommandSource(command):
                found = self._once(("command", *command), lambda: self._run(command))
                assert isinstance(found, Secret)
                return found

    def _once(self, name: Hashable, get: Callable[[], Any]) -> Any:
        if name not in self._known:
            try:
                self._known[name] = get()
            except SecretError as problem:
                self._known[name] = problem
        found = self._known[name]
        if isinstance(found, SecretError):
            raise type(found)(str(found))
        return found

    def _load_identities(self) -> list[Any]:
        if self._identities is None:
            self._identities = load_identities(self.place.environ, self.place.age_identity)
        return self._identities

    def _decrypt_sops(self, file: str) -> Any:
        path = confine_path(self.place.root, file)
        self._require_trust(f"sops --decrypt {file}")
        if not path.is_file():
            raise SecretUnavailableError(f"{file}: there is no such file")
        return decrypt_sops(path, self.place.root, self.place.environ)

    def _run(self, command: tuple[str, ...]) -> Secret:
        if not self.place.allow_commands:
            raise SecretError(
                f"the command {command[0]}: this project does not allow commands; allow them "
                "with `secrets: {allow_commands: true}` in fsgitops.yaml"
            )
        self._require_trust(f"the command {command[0]}")
        return run_command(command, self.place.root, self.place.environ)

    def _require_trust(self, what: str) -> None:
        if not self.place.trusted:
            raise SecretUnavailableError(f"{what}: not run where no project key is at hand")


def _read_keys(place: SecretPlace) -> frozenset[str]:
    """Return the texts of all keys at hand, whoever may read their files."""
    texts = [place.environ.get(name, "") for name in (KEY_VARIABLE, NEXT_KEY_VARIABLE)]
    for path in place.kept:
        with suppress(OSError, UnicodeDecodeError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as stream:
                texts.append(stream.read(_FILE_LIMIT).decode("utf-8-sig"))
    return frozenset(text.strip() for text in texts if text.strip())


def confine_path(root: Path, file: str) -> Path:
    """Return the real path of a file: as it is when absolute, below `root` when relative.

    Raises:
        SecretError: a relative path leaves `root`, by `..` or by a symbolic link.
    """
    if Path(file).is_absolute():
        return Path(file)
    top = Path(os.path.realpath(root))
    path = Path(os.path.realpath(top / file))
    if not path.is_relative_to(top):
        raise SecretError(
            f"{file}: this path leaves the project's directory; write an absolute path"
        )
    return path


def resolve_env_secret(name: str, environ: Mapping[str, str]) -> Secret:
    """Return the secret in the environment variable `name`.

    Raises:
        SecretUnavailableError: the variable is not set or empty.
        SecretError: it holds control characters.
    """
    value = environ.get(name, "")
    if not value:
        raise SecretUnavailableError(
            f"the environment variable {name} is not set: put the secret there"
        )
    return check_secret(value, f"the environment variable {name}")


def resolve_file_secret(path: Path) -> Secret:
    """Return the secret in a file, without the newline at its end.

    A symbolic link is followed, since that is how orchestrators mount secrets; what counts is the
    mode of the file behind it.

    Raises:
        SecretUnavailableError: the file is missing, or not to be opened by this user.
        SecretError: the file is empty, readable by everybody, or not a plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as problem:
        raise SecretUnavailableError(
            f"{path}: cannot read the secret: {problem.strerror}"
        ) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SecretError(f"{path}: expected a plain file")
        if status.st_mode & 0o007:
            raise SecretError(
                f"{path}: every user of this machine may read it: run chmod o-rwx {path}"
            )
        content = os.read(descriptor, _FILE_LIMIT)
    finally:
        os.close(descriptor)
    try:
        text = content.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretError(f"{path}: the secret is not UTF-8 text") from None
    if not text:
        raise SecretError(f"{path}: the file is empty: put the secret there")
    return check_secret(text, str(path))
