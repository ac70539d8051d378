"""Read the live side: the manifest, its files, and whatever stands at a compiled path."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.durable import closing
from fsgitops.errors import FsgitopsError
from fsgitops.model.live import FileKind, LiveConfig, LiveFile, Manifest
from fsgitops.transaction.journal import MANIFEST
from fsgitops.transaction.places import FOLDER, mounts_below
from fsgitops.transaction.state import read_state, tell_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIZE_LIMIT = 64 << 20


def read_live(
    conf_dir: Path,
    state_dir: Path,
    expected: Mapping[str, str],
    manifest: Manifest | None = None,
) -> LiveConfig:
    """Return what stands at every manifest path and at every path of `expected`.

    `expected` maps compiled paths to the hex sha256 of their compiled bytes ("" for unknown); a
    file's content is kept only where it differs from that. Links are seen and never followed.
    `manifest` is what `read_manifest` returned a moment ago, where it did.
    Raises FsgitopsError when the conf directory or the manifest cannot be read.
    """
    if not conf_dir.is_dir():
        raise FsgitopsError(
            f"{conf_dir}: no such directory; set `conf_dir` to FreeSWITCH's conf directory"
        )
    manifest = read_manifest(state_dir) if manifest is None else manifest
    paths = sorted({*manifest.entries, *expected})
    inside = _folders_inside(conf_dir, paths)
    linked = (state_dir / FOLDER).exists()  # backups of an apply under way are hard links
    top = str(conf_dir)
    mounted = mounts_below(conf_dir)
    files = {
        path: _read_file(f"{top}/{path}", expected.get(path, ""), linked=linked)
        if inside[path.rpartition("/")[0]]
        else LiveFile(FileKind.OUTSIDE)
        for path in paths
    }
    for path in mounted.intersection(files):
        if files[path].kind is FileKind.REGULAR:
            files[path] = replace(files[path], kind=FileKind.MOUNT)
    return LiveConfig(manifest, files, _count_unmanaged(conf_dir, inside, files))


def read_manifest(state_dir: Path) -> Manifest:
    """Return what we own; empty where nothing was applied yet. Raises FsgitopsError."""
    path = state_dir / MANIFEST
    try:
        return Manifest.from_json(json.loads(read_state(state_dir, MANIFEST)))
    except FileNotFoundError:
        return Manifest()
    except OSError as problem:
        raise FsgitopsError(tell_unreadable(problem, state_dir)) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise FsgitopsError(
            f"{path}: not a manifest ({problem}); restore it from a backup, or move it away and "
            f"run `fsgitops adopt`"
        ) from None


def _folders_inside(conf_dir: Path, paths: Iterable[str]) -> dict[str, bool]:
    """Tell for each folder whether it really lies below the conf directory."""
    root = conf_dir.resolve()
    folders = {path.rpartition("/")[0] for path in paths}
    return {name: (conf_dir / name).resolve().is_relative_to(root) for name in folders}


def _read_file(path: str, expected: str, *, linked: bool) -> LiveFile:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return LiveFile(FileKind.MISSING)
    except PermissionError:
        return LiveFile(FileKind.UNREADABLE)
    except OSError:
        return LiveFile(FileKind.SYMLINK if Path(path).is_symlink() else FileKind.OTHER)
    with closing(descriptor):
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            is_folder = stat.S_ISDIR(status.st_mode)
            return LiveFile(FileKind.DIRECTORY if is_folder else FileKind.OTHER)
        content = _read_all(descriptor, status.st_size)
    if content is None:
        return LiveFile(FileKind.OVERSIZED)
    kind = FileKind.HARD_LINK if status.st_nlink > 1 and not linked else FileKind.REGULAR
    digest = hashlib.sha256(content).hexdigest()
    exposed = bool(status.st_mode & stat.S_IROTH)
    return LiveFile(kind, digest, None if digest == expected else content, exposed)


def _read_all(descriptor: int, size: int) -> bytes | None:
    """Return all bytes: one call for a file that holds still, more for one that grows.

    None for more than SIZE_LIMIT: whoever may write the folder made it, and nobody compiled it.
    """
    if size > SIZE_LIMIT:
        return None
    content = os.read(descriptor, size + 1)
    while len(content) > size:
        size = len(content)
        if size > SIZE_LIMIT:
            return None
        content += os.read(descriptor, size + 1)
    return content


def _count_unmanaged(
    conf_dir: Path, folders: Mapping[str, bool], files: Mapping[str, LiveFile]
) -> int:
    count = 0
    for name, inside in folders.items():
        # dialplan/ itself holds whole contexts, and one file of ours: nobody takes them for ours.
        if inside and "/" in name and (conf_dir / name).is_dir():
            with os.scandir(conf_dir / name) as entries:
                count += sum(
                    1 for entry in entries
                    if entry.name.endswith(".xml") and f"{name}/{entry.name}" not in files
                )  # fmt: skip
    return count
