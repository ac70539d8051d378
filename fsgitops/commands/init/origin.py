"""Where this fsgitops came from, as pipelines can install it: `init` pins them to it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fsgitops import __version__
from fsgitops.errors import UsageError

_SHA256 = r"sha256=[0-9a-f]{64}"
_ADDRESS = r"https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~%+/-]+"
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?")
_ARCHIVE = re.compile(rf"{_ADDRESS}(\.whl|\.tar\.gz)#{_SHA256}")
_COMMIT = re.compile(rf"git\+{_ADDRESS}@[0-9a-f]{{40}}")
_WHEEL_NAME = re.compile(r"fsgitops-[0-9A-Za-z.]+-py3-none-any\.whl")

EXPECTED = (
    "a version (`0.1.0`), the address of a wheel or source archive with its hash "
    "(`https://…/fsgitops-0.1.0-py3-none-any.whl#sha256=…`), a repository with a commit "
    "(`git+https://…@…`, 40 digits), or the path of a wheel"
)


@dataclass(frozen=True, slots=True)
class Pin:
    """What the pipelines install, as one line of a pip requirements file.

    `wheel` is the name and content of a wheel that goes into the project, None where pip fetches
    one; the requirement then begins with `{folder}/`. `note` says what stands in the way.
    """

    requirement: str
    wheel: tuple[str, bytes] | None = None
    note: str = ""

    def line(self, folder: str) -> str:
        """Return the line for pipelines whose scripts are in `folder` of the project."""
        return f"{folder}/{self.requirement}" if self.wheel else self.requirement


def read_pin(text: str) -> Pin:
    """Return what `--install` asks for. Raises UsageError for anything not tied down."""
    if _VERSION.fullmatch(text):
        return Pin(f"fsgitops=={text}")
    if _ARCHIVE.fullmatch(text) or _COMMIT.fullmatch(text):
        return Pin(f"fsgitops @ {text}")
    path = Path(text)
    if text.endswith(".whl") and "://" not in text:
        if not path.is_file():
            raise UsageError(f"{text}: there is no such wheel")
        return _pin_wheel(path)
    raise UsageError(f"--install `{text}`: expected {EXPECTED}")


def find_pin() -> Pin:
    """Return what this very program was installed from.

    pip leaves that in `direct_url.json` (PEP 610) unless it came from an index by its version. A
    folder, a file that is gone, or an address that is not tied down becomes the version, with a
    note.
    """
    said = _direct_url()
    if said is None:
        return Pin(f"fsgitops=={__version__}")
    url = str(said.get("url", ""))
    archive, repository = said.get("archive_info"), said.get("vcs_info")
    if isinstance(repository, dict):
        address = f"git+{url}@{repository.get('commit_id', '')}"
        if _COMMIT.fullmatch(address):
            return Pin(f"fsgitops @ {address}")
    if isinstance(archive, dict):
        digest = _digest(archive)
        if _ARCHIVE.fullmatch(f"{url}#sha256={digest}"):
            return Pin(f"fsgitops @ {url}#sha256={digest}")
        if url.startswith("file://"):
            return _pin_local_file(Path(unquote(urlsplit(url).path)), digest)
    if url.startswith("file://"):
        return _unpinned("from a folder of this machine")
    return _unpinned("from an address without a hash or a commit, or one that needs a login")


def _pin_local_file(path: Path, digest: str) -> Pin:
    try:
        pin = _pin_wheel(path)
    except (OSError, UsageError):
        return _unpinned("from a file that is gone by now, or that is no wheel")
    if digest and not pin.requirement.endswith(digest):
        return _unpinned("from a wheel that has changed since")
    return pin


def _pin_wheel(path: Path) -> Pin:
    if not _WHEEL_NAME.fullmatch(path.name):
        raise UsageError(f"{path}: expected a wheel of fsgitops (`fsgitops-…-py3-none-any.whl`)")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Pin(f"{path.name} --hash=sha256:{digest}", (path.name, data))


def _unpinned(where: str) -> Pin:
    note = (
        f"This fsgitops was installed {where}. Pipelines cannot install that.\n"
        f"Check that `pip install fsgitops=={__version__}` works for them, or begin again with "
        "`fsgitops init --install` and what they can install."
    )
    return Pin(f"fsgitops=={__version__}", note=note)


def _direct_url() -> dict[str, object] | None:
    try:
        text = metadata.distribution("fsgitops").read_text("direct_url.json")
        said = json.loads(text) if text else None
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def _digest(archive: dict[str, object]) -> str:
    """Return the SHA-256 of an archive, in either form that PEP 610 has; empty without one."""
    hashes = archive.get("hashes")
    if isinstance(hashes, dict) and isinstance(hashes.get("sha256"), str):
        return str(hashes["sha256"])
    name, _, value = str(archive.get("hash", "")).partition("=")
    return value if name == "sha256" else ""
