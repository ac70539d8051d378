"""`fsgitops token`: who may use the HTTP API, and for what. Only hashes of tokens are kept."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fsgitops.durable import closing, ignore_folder, replace_file
from fsgitops.errors import FsgitopsError, NotThereError, UsageError
from fsgitops.schema_parts import TEXT, list_of, maybe_text, text
from fsgitops.settings.shapes import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

TOKENS_FILE = "tokens.json"
SCOPES = {
    "read": "agents, routes, presence, calls now",
    "cdr": "call records and the day's figures",
    "operate": "dial, hang up, transfer, end registrations",
    "credentials": "read the SIP passwords of agents",
}
_PREFIX = "fsg"
_NO_HASH = hashlib.sha256(b"no such token").hexdigest()


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is known of a token: everything but the token. Times are ISO 8601 in UTC."""

    id: str = field(metadata=text("The token's id.", examples=["1f2e3d4c"]))
    name: str = field(metadata=text("Whose it is."))
    scopes: tuple[str, ...] = field(metadata=list_of(TEXT, "What it may do."))
    sha256: str
    created: str = field(metadata=text("When it was made (UTC, ISO 8601)."))
    expires: str | None = field(default=None, metadata=maybe_text("Until when; null: for ever."))

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the token has not expired."""
        return self.expires is None or now < datetime.fromisoformat(self.expires)


def tokens_path(root: Path) -> Path:
    """Return where a project keeps its tokens."""
    return root / STATE_FOLDER / TOKENS_FILE


def new_token(
    root: Path, name: str, scopes: Iterable[str], *, days: int | None = None
) -> tuple[str, ApiToken]:
    """Make a token; return it, to be shown once, and what is kept. Raises UsageError."""
    wanted = tuple(sorted(set(scopes)))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise UsageError(f"scopes are {', '.join(SCOPES)}; found {', '.join(unknown) or 'none'}")
    if not name.strip() or len(name) > 80 or not name.isprintable():
        raise UsageError("a token needs a name of at most 80 printable characters")
    token_id = secrets.token_hex(4)
    token = f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"
    now = datetime.now(UTC).replace(microsecond=0)
    expires = (now + timedelta(days=days)).isoformat() if days else None
    made = ApiToken(token_id, name, wanted, _hash(token), now.isoformat(), expires)
    with _alone(root):
        _write(root, [*read_tokens(root), made])
    return token, made


def revoke_token(root: Path, token_id: str) -> ApiToken:
    """Delete a token by its id; a running API refuses it at once. Raises NotThereError."""
    with _alone(root):
        known = read_tokens(root)
        gone = next((item for item in known if item.id == token_id), None)
        if gone is None:
            raise NotThereError(f"no token {token_id!a}; `fsgitops token list` shows the ids")
        _write(root, [item for item in known if item is not gone])
    return gone


def read_tokens(root: Path) -> tuple[ApiToken, ...]:
    """Return the tokens that are kept. Raises FsgitopsError when the file is not what we wrote."""
    path = tokens_path(root)
    try:
        data = json.loads(path.read_bytes())
        return tuple(
            ApiToken(
                str(item["id"]), str(item["name"]), tuple(map(str, item["scopes"])),
                str(item["sha256"]), str(item["created"]), item["expires"],
            )
            for item in data["tokens"]
        )  # fmt: skip
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError):
        raise FsgitopsError(f"{path}: not a list of tokens; make new ones") from None


def match_token(tokens: Sequence[ApiToken], presented: str) -> ApiToken | None:
    """Return the valid token that was presented, or None.

    The time that this takes tells nothing of a token's secret part: hashes are compared, in
    constant time, and for an unknown id as well.
    """
    parts = presented.split("_", 2)
    token_id = parts[1] if len(parts) == 3 else ""
    known = next((item for item in tokens if item.id == token_id), None)
    right = hmac.compare_digest(_hash(presented), known.sha256 if known else _NO_HASH)
    return known if right and known and known.is_valid(datetime.now(UTC)) else None


def _hash(token: str) -> str:
    # The token has 256 random bits: there is nothing for a slow hash to slow down.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep other processes from changing the list meanwhile: a revoked token would come back."""
    folder = tokens_path(root).parent
    ignore_folder(folder)
    with closing(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as problem:
            raise FsgitopsError(
                f"{folder}: its file system has no locks (flock: {problem.strerror}); keep the "
                "project on one that has"
            ) from None
        yield


def _write(root: Path, tokens: Iterable[ApiToken]) -> None:
    path = tokens_path(root)
    data = {"version": 1, "tokens": [asdict(item) for item in tokens]}
    replace_file(path, (json.dumps(data, indent=2) + "\n").encode(), mode=0o600)
