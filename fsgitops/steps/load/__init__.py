"""Read YAML files below a root into Documents, without leaving it; each fault is one finding."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fsgitops.findings import Finding, Position, error, sort_findings
from fsgitops.steps.load.plain import parse_file
from fsgitops.steps.load.source import BYTE_ORDER_MARK, check_source
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.document import Document

MAX_FILE_BYTES = 10 * 1024 * 1024
"""The largest YAML file that is read, in bytes: room for 60,000 agents in one file."""

SUFFIXES = (".yaml", ".yml")


def load_documents(root: Path, desired: str) -> tuple[list[Document], list[Finding]]:
    """Read every `*.yaml` and `*.yml` below `root/desired`, at any depth, sorted by path.

    `desired` may name a single file. Hidden files and folders are left out. A symbolic link is
    followed when it leads to a place below `root`; every real file is read once. A file that
    cannot be read is one finding and stops none of the others.
    """
    findings: list[Finding] = []
    documents = [*each_document(root, desired, findings)]
    return documents, sort_findings(findings)


class Trees(Protocol):
    """Remembers documents by the bytes of their files."""

    def recall(self, path: str, data: bytes, /) -> Document | None:
        """Return the document of a file of these bytes, None where it is not known."""

    def note(self, document: Document, /) -> None:
        """Take in a document that was parsed without a finding."""


def each_document(
    root: Path, desired: str, findings: list[Finding], trees: Trees | None = None
) -> Iterator[Document]:
    """Yield the documents of `load_documents` one by one, and add to the findings meanwhile.

    Who keeps only what is made of each holds the tree of one file at a time.
    """
    paths, found = find_files(root, desired)
    findings += found
    for path in paths:
        document, found = load_document(root, path, trees)
        findings += found
        if document is not None:
            yield document


def load_document(
    root: Path, path: str, trees: Trees | None = None
) -> tuple[Document | None, list[Finding]]:
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
    findings: list[Finding] = []
    document = trees.recall(path, data) if trees else None
    if document is None:
        document, findings = parse_file(path, data)
        if trees and document and not findings:
            trees.note(document)
    return (replace(document, marked=True) if document and marked else document), findings


class _Walk:
    """One walk: links are kept for last, so that a file is known by its own path first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.real_root = os.path.realpath(root)
        self.paths: list[str] = []
        self.findings: list[Finding] = []
        self.links: list[str] = []
        self.seen: set[str] = set()

    def run(self, start: str) -> None:
        self.visit(start)
        while self.links:
            links, self.links = sorted(self.links), []
            for link in links:
                self.follow(link)

    def visit(self, path: str) -> None:
        """Take in a file or a folder that is not a link."""
        full = self.root / path
        real = os.path.realpath(full)
        if real in self.seen:
            return
        self.seen.add(real)
        if not full.is_dir():
            self.paths.append(path)
            return
        if path.lower().endswith(SUFFIXES):
            self.refuse(
                path,
                "file-kind",
                "this is a folder with the name of a YAML file",
                "Rename the folder, or put the YAML file back in its place.",
            )
            return
        self.visit_folder(path)

    def visit_folder(self, path: str) -> None:
        try:
            entries = sorted(os.scandir(self.root / path), key=lambda entry: entry.name)
        except OSError as problem:
            self.findings.append(_unreadable(path, problem))
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            below = entry.name if path == "." else f"{path}/{entry.name}"
            named_yaml = entry.name.lower().endswith(SUFFIXES)
            if entry.is_symlink():
                self.links.append(below)
            elif not (named_yaml or entry.is_dir(follow_symlinks=False)):
                continue
            elif entry.name.isprintable():
                self.visit(below)
            else:
                self.refuse(
                    make_visible(below),
                    "file-name",
                    "the file's name holds characters that are not printable text",
                    "Rename it; letters, digits, `.`, `_` and `-` are safe everywhere.",
                )

    def follow(self, path: str) -> None:
        """Take in what a link leads to, when that is below the root."""
        real = os.path.realpath(self.root / path)
        target = Path(real)
        wanted = target.is_dir() or path.lower().endswith(SUFFIXES)
        if not wanted:
            return
        if not path.isprintable():
            path = make_visible(path)
        if not _is_below(real, self.real_root):
            self.findings.append(_outside(path))
        elif not target.exists():
            self.refuse(
                path,
                "unreadable-file",
                "this symbolic link leads nowhere",
                "Remove the link, or restore what it should lead to.",
            )
        else:
            self.visit(path)

    def refuse(self, path: str, rule: str, message: str, hint: str) -> None:
        self.findings.append(error(rule, Position(path), message, hint))


def find_files(root: Path, start: str) -> tuple[list[str], list[Finding]]:
    """Return the paths of the YAML files below `root/start`, sorted, and what is in the way."""
    start = Path(start).as_posix()
    if not _is_below(os.path.realpath(root / start), os.path.realpath(root)):
        return [], [_outside(start)]
    if not (root / start).exists():
        hint = "Create it, or set `desired` in fsgitops.yaml to the folder with the YAML files."
        return [], [error("unreadable-file", Position(start), "there is no such folder", hint)]
    walk = _Walk(root)
    walk.run(start)
    return sorted(walk.paths), walk.findings


def read_bytes(root: Path, path: str) -> tuple[bytes, Finding | None]:
    """Return the bytes of a file below `root`, or why they are not to be had.

    Never more than MAX_FILE_BYTES are read, and a pipe or a device does not block.
    """
    real = os.path.realpath(root / path)
    if not _is_below(real, os.path.realpath(root)):
        return b"", _outside(path)
    try:
        # The path is resolved by now: a link that appears here later is not followed.
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as problem:
        return b"", _unreadable(path, problem)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            hint = "Put a plain YAML file in its place, or rename it."
            return b"", error("file-kind", Position(path), "this is not a regular file", hint)
        try:
            data = file.read(MAX_FILE_BYTES + 1) if status.st_size <= MAX_FILE_BYTES else None
        except OSError as problem:
            return b"", _unreadable(path, problem)
    if data is None or len(data) > MAX_FILE_BYTES:
        return b"", error(
            "file-size",
            Position(path),
            f"the file has {status.st_size / 1048576:.1f} MB; at most "
            f"{MAX_FILE_BYTES // 1048576} MB are read",
            "Split it into several files: every YAML file below the folder is read.",
        )
    return data, None


def _is_below(real: str, real_root: str) -> bool:
    return real == real_root or real.startswith(real_root.rstrip("/") + "/")


def _outside(path: str) -> Finding:
    return error(
        "outside-root",
        Position(path),
        "this link leads out of the project folder; only files inside it are read",
        "Put a copy of the file here, or make the link lead to a file of the project.",
    )


def _unreadable(path: str, problem: OSError | ValueError) -> Finding:
    number = problem.errno if isinstance(problem, OSError) else None
    reason = (os.strerror(number) if number else "not a usable file name").lower()
    hints = {
        errno.EACCES: "Give the user who runs this the right to read it.",
        errno.ENOENT: "Create it, or correct the path.",
    }
    hint = hints.get(number or 0, "Check the file and the disk that it is on.")
    return error("unreadable-file", Position(path), f"this cannot be read: {reason}", hint)
