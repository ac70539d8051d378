"""Secrets encrypted with age (https://age-encryption.org/v1), inline in YAML."""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Any, Final

from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.secret.key import read_private_file, write_private_file
from fsgitops.secret.value import Secret, read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

IDENTITY_VARIABLE: Final = "FSGITOPS_AGE_IDENTITY"

_MAGIC: Final = b"age-encryption.org/v1\n"
_BEGIN: Final = "-----BEGIN AGE ENCRYPTED FILE-----"
_END: Final = "-----END AGE ENCRYPTED FILE-----"


def read_ciphertext(text: str) -> bytes | None:
    """Return the bytes of a ciphertext, in armour or as plain base64; None for anything else."""
    packed = "".join(text.strip().removeprefix(_BEGIN).removesuffix(_END).split())
    try:
        content = base64.b64decode(packed.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if content.startswith(_MAGIC) else None


def load_identities(environ: Mapping[str, str], path: Path) -> list[Any]:
    """Return the age identities in `FSGITOPS_AGE_IDENTITY` or, without it, in a private file.

    Raises:
        SecretError: an identity is malformed, or others may read the file.
    """
    from pyrage import IdentityError, x25519

    text = environ.get(IDENTITY_VARIABLE, "").strip()
    where = IDENTITY_VARIABLE if text else str(path)
    if not text:
        text = read_private_file(path, "age identity file") or ""
    lines = [line.strip() for line in text.splitlines()]
    try:
        return [x25519.Identity.from_str(line) for line in lines if line and line[0] != "#"]
    except IdentityError:
        raise SecretError(
            f"{where}: this is not an age identity (AGE-SECRET-KEY-1…); "
            "`fsgitops secret keygen` makes one"
        ) from None


def decrypt(text: str, identities: Sequence[Any], where: str) -> Secret:
    """Return what a ciphertext hides, without the newline at its end: `echo … | age` adds one.

    Raises:
        SecretUnavailableError: no identity is at hand that opens it.
        SecretError: what it hides is no secret.
    """
    from pyrage import DecryptError
    from pyrage import decrypt as open_ciphertext

    content = read_ciphertext(text)
    if content is None:
        raise SecretError(f"{where} is not an age ciphertext")
    if not identities:
        raise SecretUnavailableError(
            f"{where}: no age identity at hand: set {IDENTITY_VARIABLE}, or `age_identity` "
            "below `secrets` in fsgitops.yaml"
        )
    try:
        found = open_ciphertext(content, list(identities))
    except DecryptError:
        raise SecretUnavailableError(
            f"{where}: no age identity at hand opens it: encrypt it again for the recipients in "
            "fsgitops.yaml"
        ) from None
    return read_secret(found, where)


def encrypt(secret: Secret, recipients: Sequence[str]) -> str:
    """Return a ciphertext, as one line of base64, that each of the recipients can open.

    Raises:
        SecretError: there are no recipients, or one is malformed.
    """
    from pyrage import RecipientError, x25519
    from pyrage import encrypt as close

    if not recipients:
        raise SecretError(
            "no recipients: put them in fsgitops.yaml as `secrets: {age_recipients: [age1…]}`; "
            "`fsgitops secret keygen` makes an identity and prints its recipient"
        )
    try:
        keys = [x25519.Recipient.from_str(item) for item in recipients]
    except RecipientError:
        raise SecretError(
            "fsgitops.yaml: `age_recipients` holds something that is not a recipient (age1…)"
        ) from None
    return base64.b64encode(close(secret.reveal().encode(), keys)).decode("ascii")


def write_identity(path: Path) -> str:
    """Create `path`, mode 0600, with a fresh identity, and return its public recipient.

    Raises:
        SecretError: the file exists already or cannot be created.
    """
    from pyrage import x25519

    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    write_private_file(
        path, f"# public key: {recipient}{os.linesep}{identity}{os.linesep}", "age identity file"
    )
    return recipient
