"""Files on a local disk, in directories that others may write as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsgitops.durable import replace_file, sync_folder

if TYPE_CHECKING:
    from pathlib import Path


def put_local(path: Path, body: Any) -> None:
    """Write aside, sync, rename, sync the directory. The file aside is gone when this raises."""
    made = not path.parent.is_dir()
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, body)
    if made:
        sync_folder(path.parent.parent)
