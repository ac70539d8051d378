"""Read YAML files below a root into Documents, with one clear finding for each fault."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.findings import sort_findings
from fsgitops.steps.load.files import MAX_FILE_BYTES, find_files, read_bytes
from fsgitops.steps.load.source import BYTE_ORDER_MARK, check_source

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.findings import Finding
    from fsgitops.model.document import Document

__all__ = ["MAX_FILE_BYTES", "load_document", "load_documents"]


def load_documents(root: Path, desired: str) -> tuple[list[Document], list[Finding]]:
    """Read every `*.yaml` and `*.yml` below `root/desired`, at any depth, sorted by path.

    `desired` may name a single file. Hidden files and folders are left out. A symbolic link is
    followed when it leads to a place below `root`; every real file is read once. A file that
    cannot be read is one finding and stops none of the others.
    """
    paths, findings = find_files(root, desired)
    documents: list[Document] = []
    for path in paths:
        document, found = load_document(root, path)
        findings += found
        if document is not None:
            documents.append(document)
    return documents, sort_findings(findings)


def load_document(root: Path, path: str) -> tuple[Document | None, list[Finding]]:
    """Read the one file `path`, relative to `root` and with `/`.

    The document is None when nothing of the file can be used. With a duplicate key, a tag or a
    key that is not text there is a finding and a document too, so that later steps can name
    what else is wrong.
    """
    data, problem = read_bytes(root, path)
    marked = data.startswith(BYTE_ORDER_MARK)
    data = data.removeprefix(BYTE_ORDER_MARK)
    if problem is None:
        problem = check_source(path, data)
    if problem is not None:
        return None, [problem]
    from fsgitops.steps.load.events import parse_document

    document, findings = parse_document(path, data)
    return (replace(document, marked=True) if document and marked else document), findings
