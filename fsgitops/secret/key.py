"""The project key: one secret from which all others can be made again, and what is made of it.

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
import stat
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn

from fsgitops.durable import closing, create_file
from fsgitops.errors import SecretError
from fsgitops.secret.value import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

PRIVATE_MODE: Final = 0o600
_FILE_LIMIT: Final = 65536


def write_private_file(path: Path, text: str, what: str) -> None:
    """Create `path`, mode 0600, with `text` in it; `what` it is, for messages.

    It appears whole: nothing that interrupts this leaves a file that is empty or cut.

    Raises:
        SecretError: the file exists already (it is never overwritten) or cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        create_file(path, text.encode("ascii"), mode=PRIVATE_MODE)
    except FileExistsError:
        raise SecretError(
            f"{path}: this file exists, and a key is never overwritten: its passwords would be "
            f"lost. Name another file, or move this one away."
        ) from None
    except OSError as problem:
        raise SecretError(f"{path}: cannot create the {what}: {problem.strerror}") from None


def read_private_file(path: Path, what: str) -> str | None:
    """Return the text of a file that nobody else may read, or None where there is none.

    Raises:
        SecretError: it is not a plain file of this user's that only this user may read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as problem:
        if path.is_symlink():
            raise SecretError(
                f"{path}: the {what} is a symbolic link: name the file itself"
            ) from None
        raise SecretError(f"{path}: cannot read the {what}: {problem.strerror}") from None
    with closing(descriptor):
        _require_private(os.fstat(descriptor), path, what)
        return os.read(descriptor, _FILE_LIMIT).decode("utf-8-sig", "replace")


def _require_private(status: os.stat_result, path: Path, what: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SecretError(f"{path}: the {what} is not a plain file")
    if status.st_uid != os.geteuid():
        raise SecretError(
            f"{path}: the {what} belongs to another user (uid {status.st_uid}): "
            "use a copy of your own, mode 0600"
        )
    if status.st_mode & 0o077:
        raise SecretError(
            f"{path}: others may read the {what} (mode {stat.S_IMODE(status.st_mode):04o}): "
            f"run chmod 600 {path}"
        )


KEY_VARIABLE: Final = "FSGITOPS_KEY"
NEXT_KEY_VARIABLE: Final = "FSGITOPS_KEY_NEXT"

NEXT_SUFFIX: Final = ".next"
PREVIOUS_SUFFIX: Final = ".previous"

_KEY_BYTES: Final = 32


class ProjectKey:
    """The project's 32-byte key, held only as the sub-keys made from it, one for each purpose."""

    __slots__ = ("digests", "id", "passwords", "pins")

    id: str
    """A public fingerprint: tells two keys apart and reveals nothing about either."""

    def __init__(self, material: bytes) -> None:
        root = hmac.digest(b"fsgitops project key", material, "sha256")
        self.passwords = expand(root, b"sip password", _KEY_BYTES)
        self.pins = expand(root, b"voicemail pin", _KEY_BYTES)
        self.digests = expand(root, b"plan digest", _KEY_BYTES)
        self.id = expand(root, b"key id", 8).hex()

    def __repr__(self) -> str:
        return f"ProjectKey(id={self.id!r})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a ProjectKey is not serialised")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a ProjectKey is not serialised")


def key_files(key_file: str) -> tuple[str, ...]:
    """Return the paths where keys stand: the project key, the next one, the former one."""
    return tuple(f"{key_file}{suffix}" for suffix in ("", NEXT_SUFFIX, PREVIOUS_SUFFIX))


def new_key() -> str:
    """Return a fresh random project key as base64 text."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode("ascii")


def load_key(
    environ: Mapping[str, str], key_file: Path | None, variable: str = KEY_VARIABLE
) -> ProjectKey | None:
    """Return the project key, or None where there is none.

    `variable` (`FSGITOPS_KEY`) wins over the file; an empty variable counts as absent, since
    that is what a CI job without access to its secrets gets.

    Raises:
        SecretError: the key is malformed, or its file is not private to this user.
    """
    text = environ.get(variable, "").strip()
    if text:
        return _decode_key(text, variable)
    if key_file is None:
        return None
    content = read_private_file(key_file, "key file")
    return None if content is None else _decode_key(content.strip(), str(key_file))


def write_key_file(path: Path) -> ProjectKey:
    """Create `path`, mode 0600, with a fresh key in it, and return the key.

    Raises:
        SecretError: the file exists already (a key is never overwritten) or cannot be created.
    """
    text = new_key()
    write_private_file(path, text + "\n", "key file")
    return _decode_key(text, str(path))


def keyed_digest(key: ProjectKey | None, data: bytes) -> str | None:
    """Return a hex digest of `data` that only holders of the key can compute; None without one."""
    if key is None:
        return None
    return hmac.digest(key.digests, data, "sha256").hex()


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


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes of HKDF-Expand (RFC 5869) from a sub-key: for this room only."""
    make, algorithm = _hkdf()
    return make(algorithm, length, info).derive(key)


@cache
def _hkdf() -> tuple[type[HKDFExpand], SHA256]:
    # Imported here, so that a command that derives nothing does not wait for the library.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    return HKDFExpand, SHA256()


PASSWORD_LENGTH: Final = 24
PIN_LENGTH: Final = 6

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_FAIR: Final = 256 - 256 % len(_ALPHABET)
_TO_ALPHABET: Final = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_UNFAIR: Final = bytes(range(_FAIR, 256))
_PIN_SPACE: Final = 10**PIN_LENGTH
_PIN_FAIR: Final = 2**32 - 2**32 % _PIN_SPACE


def derive_sip_password(
    key: ProjectKey, extension: str, domain: str, password_version: int
) -> Secret:
    """Return an agent's SIP password: 24 letters and digits, each equally likely."""
    info = _info(extension, domain, password_version)
    found = b""
    counter = 0
    while len(found) < PASSWORD_LENGTH:
        block = expand(key.passwords, info + counter.to_bytes(4), 64)
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
        block = expand(key.pins, info + counter.to_bytes(4), 64)
        for start in range(0, len(block), 4):
            number = int.from_bytes(block[start : start + 4])
            pin = str(number % _PIN_SPACE).zfill(PIN_LENGTH)
            if number < _PIN_FAIR and not is_weak_pin(pin, extension):
                return Secret(pin)
        counter += 1


def is_weak_pin(pin: str, extension: str) -> bool:
    """Tell whether a PIN is guessed first: holds the extension, repeats, ascends or descends."""
    if extension and (extension in pin or pin in extension):
        return True
    half = len(pin) // 2
    if len(set(pin)) <= 2 or pin[:half] == pin[half:]:
        return True
    step = (int(pin[1]) - int(pin[0])) % 10
    return step in (1, 9) and all(
        (int(after) - int(before)) % 10 == step for before, after in pairwise(pin)
    )


def a1_hash(user: str, domain: str, secret: Secret) -> Secret:
    """Return `md5(user:domain:secret)` in lower-case hex: what `a1-hash` and `vm-a1-hash` hold.

    Behaviour of FreeSWITCH: mod_sofia/sofia_reg.c (REGISTER) and mod_voicemail.c (which hashes
    `user id:domain:digits entered` and prefers `vm-a1-hash` to `a1-hash`).
    """
    text = f"{user}:{domain}:{secret.reveal()}"
    return Secret(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def _info(extension: str, domain: str, password_version: int) -> bytes:
    name = extension.encode()
    return len(name).to_bytes(4) + name + _rest_of_info(domain, password_version)


@lru_cache(maxsize=64)
def _rest_of_info(domain: str, password_version: int) -> bytes:
    parts = (domain.encode(), str(password_version).encode())
    return b"".join([len(part).to_bytes(4) + part for part in parts])
