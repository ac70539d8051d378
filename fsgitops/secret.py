"""Where a secret's value comes from, and the one type that carries it without ever printing it.

Nothing secret is kept in git: SIP passwords and voicemail PINs are derived (HKDF-SHA256, RFC 5869)
from the project key and the extension, the domain and a version number, so the same key always
gives the same password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import stat
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NoReturn

from fsgitops.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KEY_VARIABLE: Final = "FSGITOPS_KEY"
PASSWORD_LENGTH: Final = 24
PIN_LENGTH: Final = 6

_KEY_BYTES: Final = 32
_FILE_LIMIT: Final = 65536
_MASK: Final = "***"
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_FAIR: Final = 256 - 256 % len(_ALPHABET)
_TO_ALPHABET: Final = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_UNFAIR: Final = bytes(range(_FAIR, 256))
_PIN_SPACE: Final = 10**PIN_LENGTH
_PIN_FAIR: Final = 2**32 - 2**32 % _PIN_SPACE
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NOT_UTF_8: Final = re.compile("[\ud800-\udfff]")


class Secret:
    """A text that no formatting, logging or serialising gives away; only `reveal` does."""

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # a hash would be a fast oracle for short secrets

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        """Return the secret itself. Whoever calls this answers for where it goes."""
        value: str = object.__getattribute__(self, "_value")
        return value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self.reveal().encode(), other.reveal().encode()
        return hmac.compare_digest(mine, theirs)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not serialised")


class ProjectKey:
    """The project's 32-byte key, held only as the sub-keys made from it, one for each purpose."""

    __slots__ = ("_digests", "_passwords", "_pins", "id")

    id: str
    """A public fingerprint: tells two keys apart and reveals nothing about either."""

    def __init__(self, material: bytes) -> None:
        if len(material) != _KEY_BYTES:
            raise SecretError(f"a project key is {_KEY_BYTES} bytes long, not {len(material)}")
        root = hmac.digest(b"fsgitops project key", material, "sha256")
        self._passwords = _expand(root, b"sip password", _KEY_BYTES)
        self._pins = _expand(root, b"voicemail pin", _KEY_BYTES)
        self._digests = _expand(root, b"plan digest", _KEY_BYTES)
        self.id = _expand(root, b"key id", 8).hex()

    def __repr__(self) -> str:
        return f"ProjectKey(id={self.id!r})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a ProjectKey is not serialised")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a ProjectKey is not serialised")


def new_key() -> str:
    """Return a fresh random project key as base64 text."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode("ascii")


def load_key(environ: Mapping[str, str], key_file: Path | None) -> ProjectKey | None:
    """Return the project key, or None where there is none.

    `FSGITOPS_KEY` wins over the file; an empty variable counts as absent, since that is what
    a CI job without access to its secrets gets.

    Raises:
        SecretError: the key is malformed, or its file is not private to this user.
    """
    text = environ.get(KEY_VARIABLE, "").strip()
    if text:
        return _decode_key(text, KEY_VARIABLE)
    if key_file is None:
        return None
    content = _read_key_file(key_file)
    return None if content is None else _decode_key(content.strip(), str(key_file))


def write_key_file(path: Path) -> ProjectKey:
    """Create `path`, mode 0600, with a fresh key in it, and return the key.

    Raises:
        SecretError: the file exists already (a key is never overwritten) or cannot be created.
    """
    text = new_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise SecretError(
            f"{path}: there is a file already and a key is never overwritten: without it the "
            "passwords it gave are gone. Name another file, or move that one away."
        ) from None
    except OSError as problem:
        raise SecretError(f"{path}: cannot create the key file: {problem.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return _decode_key(text, str(path))


def derive_sip_password(
    key: ProjectKey, extension: str, domain: str, password_version: int
) -> Secret:
    """Return an agent's SIP password: 24 letters and digits, each equally likely."""
    info = _info(extension, domain, password_version)
    found = b""
    counter = 0
    while len(found) < PASSWORD_LENGTH:
        block = _expand(key._passwords, info + counter.to_bytes(4), 64)
        found += block.translate(_TO_ALPHABET, _UNFAIR)
        counter += 1
    return Secret(found[:PASSWORD_LENGTH].decode("ascii"))


def derive_voicemail_pin(
    key: ProjectKey, extension: str, domain: str, password_version: int
) -> Secret:
    """Return a mailbox's PIN: 6 digits, never the extension, never one that people guess first."""
    info = _info(extension, domain, password_version)
    counter = 0
    while True:
        block = _expand(key._pins, info + counter.to_bytes(4), 64)
        for start in range(0, len(block), 4):
            number = int.from_bytes(block[start : start + 4])
            pin = f"{number % _PIN_SPACE:0{PIN_LENGTH}d}"
            if number < _PIN_FAIR and not is_weak_pin(pin, extension):
                return Secret(pin)
        counter += 1


def is_weak_pin(pin: str, extension: str) -> bool:
    """Tell whether a PIN is guessed first: holds the extension, repeats, ascends or descends."""
    if extension and (extension in pin or pin in extension):
        return True
    half = len(pin) // 2
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(set(pin)) <= 2 or steps <= {1} or steps <= {9} or pin[:half] == pin[half:]


def a1_hash(user: str, domain: str, secret: Secret) -> Secret:
    """Return `md5(user:domain:secret)` in lower-case hex: what `a1-hash` and `vm-a1-hash` hold.

    Behaviour of FreeSWITCH: mod_sofia/sofia_reg.c (REGISTER) and mod_voicemail.c (which hashes
    `user id:domain:digits entered` and prefers `vm-a1-hash` to `a1-hash`).
    """
    text = f"{user}:{domain}:{secret.reveal()}"
    return Secret(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def keyed_digest(key: ProjectKey | None, data: bytes) -> str | None:
    """Return a hex digest of `data` that only holders of the key can compute; None without one."""
    if key is None:
        return None
    return hmac.digest(key._digests, data, "sha256").hex()


def resolve_env_secret(name: str, environ: Mapping[str, str]) -> Secret:
    """Return the secret in the environment variable `name`.

    Raises:
        SecretError: the variable is not set, empty, or holds control characters.
    """
    value = environ.get(name, "")
    if not value:
        raise SecretError(f"the environment variable {name} is not set: put the secret there")
    return _checked(value, f"the environment variable {name}")


def resolve_file_secret(path: Path) -> Secret:
    """Return the secret in a file, without the newline at its end.

    A symbolic link is followed, since that is how orchestrators mount secrets; what counts is the
    mode of the file behind it.

    Raises:
        SecretError: the file is missing, empty, readable by everybody, or not a plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as problem:
        raise SecretError(f"{path}: cannot read the secret: {problem.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SecretError(f"{path}: a secret is kept in a plain file, and this is not one")
        if status.st_mode & 0o007:
            raise SecretError(
                f"{path}: everybody on this machine may read it: run chmod o-rwx {path}"
            )
        content = os.read(descriptor, _FILE_LIMIT)
    finally:
        os.close(descriptor)
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretError(f"{path}: the secret is not UTF-8 text") from None
    if not text:
        raise SecretError(f"{path}: the file is empty: put the secret there")
    return _checked(text, str(path))


def _checked(value: str, where: str) -> Secret:
    if _NOT_UTF_8.search(value):
        raise SecretError(f"{where}: the secret is not UTF-8 text")
    if _CONTROL.search(value):
        raise SecretError(f"{where}: a secret is one line without control characters")
    return Secret(value)


def _decode_key(text: str, where: str) -> ProjectKey:
    hint = "`fsgitops key new` makes one"
    try:
        material = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"{where}: the project key is not base64 text; {hint}") from None
    if len(material) != _KEY_BYTES:
        raise SecretError(
            f"{where}: the project key is {_KEY_BYTES} bytes written as base64, and this has "
            f"{len(material)}; {hint}"
        )
    if len(set(material)) < 8:
        raise SecretError(f"{where}: this is a placeholder, not a random project key; {hint}")
    return ProjectKey(material)


def _read_key_file(path: Path) -> str | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as problem:
        if path.is_symlink():
            raise SecretError(
                f"{path}: the key file is a symbolic link: name the file itself"
            ) from None
        raise SecretError(f"{path}: cannot read the key file: {problem.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SecretError(f"{path}: the key file is not a plain file")
        if status.st_uid != os.geteuid():
            raise SecretError(
                f"{path}: the key file belongs to another user (uid {status.st_uid}): "
                "use a copy of your own, mode 0600"
            )
        if status.st_mode & 0o077:
            raise SecretError(
                f"{path}: others may read the key file (mode {stat.S_IMODE(status.st_mode):04o}): "
                f"run chmod 600 {path}"
            )
        content = os.read(descriptor, _FILE_LIMIT)
    finally:
        os.close(descriptor)
    return content.decode("utf-8", "replace")


def _info(extension: str, domain: str, password_version: int) -> bytes:
    parts = (extension.encode(), domain.encode(), str(password_version).encode())
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    expand, algorithm = _hkdf()
    return expand(algorithm, length, info).derive(key)


@cache
def _hkdf() -> tuple[type[HKDFExpand], SHA256]:
    # Imported here, so that a command that derives nothing does not wait for the library.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    return HKDFExpand, SHA256()
