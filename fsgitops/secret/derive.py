"""Passwords and PINs made from the project key, and what FreeSWITCH keeps of them."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fsgitops.secret.key import expand
from fsgitops.secret.value import Secret

if TYPE_CHECKING:
    from fsgitops.secret.key import ProjectKey

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


def _info(extension: str, domain: str, password_version: int) -> bytes:
    parts = (extension.encode(), domain.encode(), str(password_version).encode())
    return b"".join(len(part).to_bytes(4) + part for part in parts)
