"""Fetch secrets from where they stand: the one place that opens any source.

Programs give them, too: `sops`, and the clients of vaults. Such a one gets no terminal and no
standard input, so it cannot ask; what it says on standard error is not shown, since nobody knows
what it says there.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fsgitops.durable import closing
from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.secret.age import IDENTITY_VARIABLE, decrypt, load_identities
from fsgitops.secret.key import KEY_VARIABLE, NEXT_KEY_VARIABLE
from fsgitops.secret.source import (
    AgeSource,
    CommandSource,
    EnvSource,
    FileSource,
    HashSource,
    PlaintextSource,
    SopsSource,
    Source,
    describe_source,
    is_hash,
)
from fsgitops.secret.value import Secret, check_secret, read_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

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

    __slots__ = ("_known", "place")

    def __init__(self, place: SecretPlace) -> None:
        self.place = place
        self._known: dict[Hashable, Any] = {}

    def fetch(self, source: Source) -> Secret:
        """Return the secret.

        Raises:
            SecretUnavailableError: it is not at hand here; elsewhere it may be.
            SecretError: what stands there can be nobody's secret, or must not be read.
        """
        found = self._fetch(source)
        text = found.reveal().strip()
        if text in self._once("keys", lambda: _read_keys(self.place)) or _IDENTITY in text.upper():
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
                known = self._once(
                    "identities", lambda: load_identities(place.environ, place.age_identity)
                )
                return decrypt(age, known, describe_source(source))
            case HashSource(a1):
                found = self._fetch(a1)
                if not is_hash(found.reveal()):
                    where = describe_source(source)
                    raise SecretError(f"{where} is not an a1-hash: 32 hexadecimal digits")
                return Secret(found.reveal().lower())
            case SopsSource(sops, key):
                values = self._once(("sops", sops), lambda: self._decrypt_sops(sops))
                return pick_value(values, key, describe_source(source))
            case CommandSource(command):
                printed = self._once(("command", *command), lambda: self._run_command(command))
                assert isinstance(printed, Secret)
                return printed

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

    def _decrypt_sops(self, file: str) -> Any:
        """Return the values of a file that `sops` decrypts, as JSON values.

        sops tells a file's format by how its name ends (.yaml, .json, .env, .ini) and finds its
        keys as it always does (SOPS_AGE_KEY_FILE, a cloud's credentials, …). Its exit codes are
        those of sops 3, cmd/sops/codes/codes.go.
        """
        path = confine_path(self.place.root, file)
        self._require_trust(f"sops --decrypt {file}")
        if not path.is_file():
            raise SecretUnavailableError(f"{file}: there is no such file")
        where = f"sops --decrypt {path.name}"
        words = ("sops", "--decrypt", "--output-type", "json", str(path))
        code, output = _run(words, self.place, where)
        if code in _SOPS_ALTERED:
            raise SecretError(
                f"{where}: the file was changed after it was encrypted, or is cut off; restore it "
                f"from git, and edit it with `sops edit`"
            )
        if code == _SOPS_NO_KEY:
            raise SecretUnavailableError(f"{where}: no key here can decrypt it with sops")
        if code > 0:
            raise SecretError(
                f"{where}: sops cannot read it (code {code}): expected a complete file that sops "
                f"encrypted, whose name ends in its format; run sops by hand to see why"
            )
        _require_success(code, where)
        try:
            return json.loads(output)
        except ValueError:
            what = "what sops decrypted is not a mapping of values"
            raise SecretError(f"{path.name}: {what}") from None

    def _run_command(self, command: tuple[str, ...]) -> Secret:
        """Return what a command prints, without the newline at its end."""
        where = f"the command {command[0]}"
        if not self.place.allow_commands:
            raise SecretError(
                f"{where}: this project does not allow commands; allow them "
                "with `secrets: {allow_commands: true}` in fsgitops.yaml"
            )
        self._require_trust(where)
        code, output = _run(command, self.place, where)
        _require_success(code, where)
        try:
            output.decode()
        except UnicodeDecodeError:
            raise SecretError(f"{where} printed what is not UTF-8 text") from None
        return read_secret(output, where)

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
    with closing(descriptor):
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SecretError(f"{path}: expected a plain file")
        if status.st_mode & 0o007:
            raise SecretError(
                f"{path}: every user of this machine may read it: run chmod o-rwx {path}"
            )
        content = os.read(descriptor, _FILE_LIMIT)
    content = content.removeprefix(codecs.BOM_UTF8)
    if content in (b"", b"\n", b"\r", b"\r\n"):
        raise SecretError(f"{path}: the file is empty: put the secret there")
    return read_secret(content, str(path))


PROGRAM_SECONDS: Final = 30.0
OUTPUT_LIMIT: Final = 16 * 1024 * 1024
_SOPS_ALTERED: Final = frozenset({24, 25, 51, 52})
_SOPS_NO_KEY: Final = 128
_INDEX: Final = re.compile(r"[0-9]{1,9}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_OURS: Final = (
    *(KEY_VARIABLE, NEXT_KEY_VARIABLE, IDENTITY_VARIABLE),
    *("FSGITOPS_ESL_PASSWORD", "FS_ESL_PASSWORD"),
)


def pick_value(values: Any, key: str, where: str) -> Secret:
    """Return the value at a dotted path. Raises SecretError where there is no text.

    A number is none: sops reads `004711` as octal and hands out 2505 (sops 3.11), and nobody
    could tell. Nor is what sops makes of a date that is not in quotes.
    """
    found = values
    for step in key.split("."):
        if isinstance(found, list) and _INDEX.fullmatch(step) and int(step) < len(found):
            found = found[int(step)]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            raise SecretError(f"{where}: there is nothing at `{key}`")
    if isinstance(found, int | float) and not isinstance(found, bool):
        raise SecretError(
            f"{where}: `{key}` is a number, and sops drops leading zeros; write it in "
            'quotes ("004711"), with `sops edit`'
        )
    if not isinstance(found, str):
        raise SecretError(f"{where}: `{key}` is not a text")
    if _TIME.fullmatch(found):
        raise SecretError(
            f"{where}: `{key}` is a time, because sops turns a date into one; write it in "
            f"quotes, with "
            "`sops edit`"
        )
    return check_secret(found, where)


def _require_success(code: int, where: str) -> None:
    if code != 0:
        raise SecretUnavailableError(
            f"{where}: it ended with code {code}; run it by hand to see why"
        )


def _run(words: Sequence[str], place: SecretPlace, where: str) -> tuple[int, bytes]:
    program = shutil.which(words[0], path=place.environ.get("PATH"))
    if "/" in words[0] and not words[0].startswith("/"):
        program = shutil.which(str(place.root / words[0]))
    if program is None:
        raise SecretUnavailableError(f"{where}: there is no program {words[0]} here")
    kept = {name: value for name, value in place.environ.items() if name not in _OURS}
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; commands run only where allowed
            [program, *words[1:]],
            cwd=place.root,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as problem:
        raise SecretUnavailableError(f"{where}: {problem.strerror}") from None
    with process:
        try:
            output = _read_output(process, where)
        except BaseException:
            # What the program started itself goes with it.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output


def _read_output(process: subprocess.Popen[bytes], where: str) -> bytes:
    """Return all that a program prints, once it has ended; never more than the limit."""
    assert process.stdout is not None
    deadline = time.monotonic() + PROGRAM_SECONDS
    late = f"{where}: no answer within {PROGRAM_SECONDS:g} seconds"
    output = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise SecretUnavailableError(late)
        part = os.read(process.stdout.fileno(), 65536)
        output += part
        if len(output) > OUTPUT_LIMIT:
            raise SecretError(f"{where}: it printed more than a secret")
        if not part:
            break
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise SecretUnavailableError(late) from None
    return bytes(output)
