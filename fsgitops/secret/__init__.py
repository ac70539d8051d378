"""Where a secret's value comes from, and the one type that carries it without ever printing it.

YAML names secrets (`source`), fetching opens them (`fetch`), and what is not named is derived
from the project key (`key`, `derive`).
"""

from __future__ import annotations

from fsgitops.secret.derive import (
    PASSWORD_LENGTH,
    PIN_LENGTH,
    a1_hash,
    derive_sip_password,
    derive_voicemail_pin,
    is_weak_pin,
)
from fsgitops.secret.fetch import (
    SecretFetcher,
    SecretPlace,
    resolve_env_secret,
    resolve_file_secret,
)
from fsgitops.secret.key import (
    KEY_VARIABLE,
    NEXT_KEY_VARIABLE,
    NEXT_SUFFIX,
    PREVIOUS_SUFFIX,
    ProjectKey,
    key_files,
    keyed_digest,
    load_key,
    new_key,
    write_key_file,
)
from fsgitops.secret.source import (
    SOURCE_SCHEMA,
    CommandSource,
    PlaintextSource,
    Source,
    SourceError,
    describe_source,
    identify_source,
    read_source,
)
from fsgitops.secret.value import Secret, check_secret

__all__ = [
    "KEY_VARIABLE",
    "NEXT_KEY_VARIABLE",
    "NEXT_SUFFIX",
    "PASSWORD_LENGTH",
    "PIN_LENGTH",
    "PREVIOUS_SUFFIX",
    "SOURCE_SCHEMA",
    "CommandSource",
    "PlaintextSource",
    "ProjectKey",
    "Secret",
    "SecretFetcher",
    "SecretPlace",
    "Source",
    "SourceError",
    "a1_hash",
    "check_secret",
    "derive_sip_password",
    "derive_voicemail_pin",
    "describe_source",
    "identify_source",
    "is_weak_pin",
    "key_files",
    "keyed_digest",
    "load_key",
    "new_key",
    "read_source",
    "resolve_env_secret",
    "resolve_file_secret",
    "write_key_file",
]
