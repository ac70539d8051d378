"""Secrets that other programs give: `sops`, and the clients of vaults.

A program gets no terminal and no standard input, so it cannot ask; what it says on standard
error is not shown, since nobody knows what it says there.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final

from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.secret.age import IDENTITY_VARIABLE
from fsgitops.secret.key import KEY_VARIABLE, NEXT_KEY_VARIABLE
from fsgitops.secret.value import Secret, check_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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


def run_command(words: Sequence[str], root: Path, environ: Mapping[str, str]) -> Secret:
    """Return what a command prints, without the newline at its end.

    Raises:
        SecretUnavailableError: it is not there, fails, or takes longer than 30 seconds.
        SecretError: it prints nothing, or more than one line.
    """
    where = f"the command {words[0]}"
    code, output = _run(words, root, environ, where)
    _require_success(code, where)
    try:
        text = output.decode()
    except UnicodeDecodeError:
        raise SecretError(f"{where} printed what is not UTF-8 text") from None
    return check_secret(text.removesuffix("\n").removesuffix("\r"), where)


def decrypt_sops(path: Path, root: Path, environ: Mapping[str, str]) -> Any:
    """Return the values of a file that `sops` decrypts, as JSON values.

    sops tells a file's format by how its name ends (.yaml, .json, .env, .ini) and finds its keys
    as it always does (SOPS_AGE_KEY_FILE, a cloud's credentials, …). Its exit codes are those of
    sops 3, cmd/sops/codes/codes.go.

    Raises:
        SecretUnavailableError: `sops` is not installed, is stopped, or holds no key that opens the
            file.
        SecretError: the file is not encrypted, not whole, or was changed after it was encrypted.
    """
    where = f"sops --decrypt {path.name}"
    words = ("sops", "--decrypt", "--output-type", "json", str(path))
    code, output = _run(words, root, environ, where)
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
        raise SecretError(f"{path.name}: what sops decrypted is not a mapping of values") from None


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


def _run(
    words: Sequence[str], root: Path, environ: Mapping[str, str], where: str
) -> tuple[int, bytes]:
    program = shutil.which(words[0], path=environ.get("PATH"))
    if "/" in words[0] and not words[0].startswith("/"):
        program = shutil.which(str(root / words[0]))
    if program is None:
        raise SecretUnavailableError(f"{where}: there is no program {words[0]} here")
    kept = {name: value for name, value in environ.items() if name not in _OURS}
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; commands run only where allowed
            [program, *words[1:]],
            cwd=root,
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
