"""The lake: Parquet parts under `cdr/date=YYYY-MM-DD/`, and which of them are live.

A part appears whole, in one step: a synced rename on a local disk, one put in an object store.
`part-*` files are live by being there. Whatever replaces files (compact, erase, retention) writes
its own files first and then one commit, `_commit-NNNNNNNN.json`: the highest number counts, and
says which `part-*` files are dead (`replaced`) and which other files are live (`live`). Readers
that follow this see every record once, at every moment. A name that was replaced stays in the
list for good, so that a sidecar which repeats a write after a crash cannot revive it.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import orjson

from fsgitops.cdr.files import delete_in, is_data, put_local
from fsgitops.durable import ignore_folder
from fsgitops.errors import FsgitopsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    import pyarrow.fs as pafs

ROOT = "cdr"
BATCH_ROWS = 65_536
_RETRY_OPTION = "retry_limit_seconds"
RETRY_SECONDS = 30
_PART = re.compile(
    r"part-(?P<spool>[0-9a-f]+)-(?P<lo>[0-9]{12})-(?P<hi>[0-9]{12})"
    r"(-(?P<digest>[0-9a-f]{16}))?\.parquet"
)
_COMMIT = re.compile(r"_commit-([0-9]{8})\.json")
_DATE = re.compile(r"date=([0-9]{4}-[0-9]{2}-[0-9]{2})")


class LakeError(FsgitopsError):
    """The lake cannot be read or written."""


class Part(NamedTuple):
    """What a part's name says: which spool wrote it, which sequence numbers and records it covers.

    `digest` is that of the records' keys (`identity.digest_of`): a spool that was restored or
    cloned gives the same numbers out again, for other records. Parts of old have none.
    """

    spool: str
    lo: int
    hi: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """The state of one day after something was replaced."""

    number: int = 0
    live: tuple[str, ...] = ()
    replaced: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """One day's files: `live` are to be read, `dead` are not.

    `files` tells of each when it was written, in seconds since 1970.
    """

    date: str
    commit: Commit
    files: dict[str, float] = field(default_factory=dict)
    committed_at: float = 0.0

    @property
    def live(self) -> list[str]:
        """The names of the files to read, in the order in which they were written."""
        parts = [name for name in self.files if _PART.fullmatch(name)]
        return [*self.commit.live, *sorted(set(parts) - self.commit.replaced)]

    @property
    def dead(self) -> list[str]:
        """The Parquet files that are not to be read (any more)."""
        live = set(self.live)
        return sorted(name for name in self.files if name not in live)

    def committed_parts(self) -> Iterator[Part]:
        """Yield every part that ever became part of this day, the replaced ones included."""
        for name in {*self.files, *self.commit.replaced}:
            if part := read_part_name(name):
                yield part


def part_name(part: Part) -> str:
    """Return the file name of the rows after `lo` up to `hi` of a spool."""
    tail = f"-{part.digest}" if part.digest else ""
    return f"part-{part.spool}-{part.lo:012d}-{part.hi:012d}{tail}.parquet"


def read_part_name(name: str) -> Part | None:
    """Return what a part's name says; None for any other file."""
    found = _PART.fullmatch(name)
    if found is None:
        return None
    return Part(found["spool"], int(found["lo"]), int(found["hi"]), found["digest"] or "")


def open_lake(url: str, *, create: bool = False) -> Lake:
    """Open a lake by directory or URL (`s3://`, `gs://`, `file://`); pyarrow's options apply.

    Raises LakeError when it is not there and `create` is false; UsageError for a bad URL.
    """
    import pyarrow.fs as pafs

    if path := local_folder(url):
        if create:
            (path / ROOT).mkdir(parents=True, exist_ok=True)
            # Records of calls are no part of a repository that the lake may stand in.
            ignore_folder(path / ROOT)
        if not path.is_dir():
            raise LakeError(f"{path}: no such directory: expected a lake that `run` has written")
        return Lake(pafs.LocalFileSystem(), str(path), local=True)
    if "#" in url:
        raise UsageError(f"lake {show_url(url)}: `#` and what follows mean nothing here")
    try:
        filesystem, path_text = pafs.FileSystem.from_uri(bound_retries(url))
    except _failures(ValueError) as problem:
        raise UsageError(f"lake {show_url(url)}: {_without_credentials(problem, url)}") from None
    return Lake(filesystem, path_text.rstrip("/"), local=False)


def local_folder(url: str) -> Path | None:
    """Return the directory of a lake on a local disk; None for one in an object store."""
    if "://" in url and not url.startswith("file://"):
        return None
    return Path(url.removeprefix("file://")).absolute()


def bound_retries(url: str) -> str:
    """Return a lake's URL with a limit on how long Cloud Storage is tried, unless it has one.

    Without, pyarrow tries for a quarter of an hour: a full disk of a spool would tell nobody why,
    and a command that only reads would seem to hang.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"gs", "gcs"} or _RETRY_OPTION in parse_qs(parts.query, True):
        return url
    query = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=f"{query}{_RETRY_OPTION}={RETRY_SECONDS}").geturl()


def show_url(url: str) -> str:
    """Return a lake's directory or URL without what may hold credentials, for messages."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _without_credentials(problem: Exception, url: str) -> str:
    text, parts = str(problem), urlsplit(url)
    for secret in (url, parts.netloc.rpartition("@")[0], parts.query):
        text = text.replace(secret, "…") if secret else text
    return text


def _failures(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """What pyarrow raises for a store that does not answer, or a file that is not whole."""
    import pyarrow as pa

    return (OSError, pa.ArrowException, *others)


@contextlib.contextmanager
def _telling(path: str, what: str) -> Iterator[None]:
    """Make a LakeError of what fails: `PATH: not read: …`."""
    try:
        yield
    except _failures() as problem:
        raise LakeError(f"{path}: {what}: {problem}") from problem


class Lake:
    """One lake. All paths inside are `cdr/date=…/name`; OSError from below becomes LakeError."""

    def __init__(self, filesystem: pafs.FileSystem, base: str, *, local: bool) -> None:
        self.filesystem = filesystem
        self.local = local
        self.base = base
        self.root = f"{base}/{ROOT}"

    def path(self, date: str, name: str) -> str:
        """Return the full path of a day's file."""
        return f"{self.root}/date={date}/{name}"

    def put(self, date: str, name: str, body: Any) -> None:
        """Make a file appear, whole and synced, under its final name; replaces one of that name.

        Raises LakeError; then there is no file, or the former one, under that name.
        """
        self._refuse_link(date)
        self.write(self.path(date, name), body)

    def write(self, path: str, body: Any) -> None:
        """Write a file as `put` does, beside the days. Raises LakeError."""
        with _telling(path, "not written"):
            if self.local:
                put_local(Path(path), body)
            else:
                with self.filesystem.open_output_stream(path) as stream:
                    stream.write(body)

    def read_claim(self, spool: str) -> bytes:
        """Return what was last noted of who writes under a spool's name; b"" for nothing yet.

        Raises LakeError.
        """
        path = f"{self.root}/_spools/{spool}"
        with _telling(path, "not read"):
            if not self.filesystem.get_file_info(path).is_file:
                return b""
        return self.read(path)

    def write_claim(self, spool: str, body: bytes) -> None:
        """Note who writes under a spool's name. Raises LakeError."""
        self.write(f"{self.root}/_spools/{spool}", body)

    def read(self, path: str) -> bytes:
        """Return a small file's bytes. Raises LakeError."""
        with _telling(path, "not read"), self.filesystem.open_input_stream(path) as stream:
            return bytes(stream.read())

    def read_batches(self, path: str, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield a Parquet file's rows in order, batch by batch. Raises LakeError.

        Read as datasets are: pyarrow's ParquetFile keeps hold of the interpreter while Cloud
        Storage answers, and a sidecar's other threads would hear no event until then.
        """
        import pyarrow.dataset as ds

        options = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True)
        with _telling(path, "not read"):
            file = ds.ParquetFileFormat().make_fragment(path, filesystem=self.filesystem)
            yield from file.to_batches(
                columns=columns,
                batch_size=BATCH_ROWS,
                batch_readahead=1,
                use_threads=False,
                fragment_scan_options=options,
            )

    def delete(self, date: str, names: Iterable[str]) -> None:
        """Delete files of a day; one that is gone already is no error. Raises LakeError."""
        self._refuse_link(date)
        with _telling(f"{self.root}/date={date}", "not deleted"):
            if self.local:
                delete_in(Path(f"{self.root}/date={date}"), names)
                return
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self.filesystem.delete_file(self.path(date, name))

    def delete_half_written(self, date: str, age: float) -> None:
        """Delete what a process that was killed left of a file, `age` seconds ago or longer.

        A process that is still at it fails, and writes its file again.
        """
        if not self.local:
            return
        self._refuse_link(date)
        limit = time.time() - age
        for path in (Path(self.root) / f"date={date}").glob(".*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime <= limit:
                    path.unlink()

    def delete_day(self, date: str) -> None:
        """Delete a day's folder with everything in it; one that is gone is no error.

        Raises LakeError.
        """
        self._refuse_link(date)
        path = f"{self.root}/date={date}"
        # Cloud Storage has no folders: pyarrow deletes what is in it, then misses the folder.
        with _telling(path, "not deleted"), contextlib.suppress(FileNotFoundError):
            if self.local:
                # Unlike pyarrow, it follows no link, also not one that comes up meanwhile.
                shutil.rmtree(path)
            else:
                self.filesystem.delete_dir(path)

    def linked_days(self) -> list[str]:
        """Return the days whose folder is a link: what it names is not the lake's to change."""
        if not self.local:
            return []
        links = (path.name for path in Path(self.root).glob("date=*") if path.is_symlink())
        return sorted(found[1] for name in links if (found := _DATE.fullmatch(name)))

    def _refuse_link(self, date: str) -> None:
        path = f"{self.root}/date={date}"
        if self.local and Path(path).is_symlink():
            raise LakeError(f"{path}: is a link: expected a folder; nothing is changed through it")

    def days(self, first: str = "", last: str = "9999") -> list[Day]:
        """Return the days from `first` to `last` (dates, both included), in order."""
        infos: dict[str, dict[str, Any]] = {}
        for info in self._list(self.root, recursive=True):
            date = _DATE.fullmatch(Path(info.path).parent.name)
            if date and first <= date[1] <= last:
                infos.setdefault(date[1], {})[info.base_name] = info
        return [self._day(date, infos[date]) for date in sorted(infos)]

    def day(self, date: str) -> Day:
        """Return one day, which may be empty."""
        listed = self._list(f"{self.root}/date={date}", recursive=False)
        return self._day(date, {info.base_name: info for info in listed})

    def all_files(self) -> list[str]:
        """Return the paths of everything in the lake that is a file. Raises LakeError."""
        return [info.path for info in self._list(self.root, recursive=True)]

    def _list(self, path: str, *, recursive: bool) -> list[Any]:
        import pyarrow.fs as pafs

        selector = pafs.FileSelector(path, recursive=recursive, allow_not_found=True)
        with _telling(path, "not listed"):
            found = self.filesystem.get_file_info(selector)
        return [info for info in found if info.is_file]

    def _day(self, date: str, infos: dict[str, Any]) -> Day:
        numbers = [found[1] for name in infos if (found := _COMMIT.fullmatch(name))]
        commit = self._read_commit(date, max(numbers)) if numbers else Commit()
        newest = infos[f"_commit-{commit.number:08d}.json"].mtime_ns / 1e9 if numbers else 0.0
        files = {name: info.mtime_ns / 1e9 for name, info in infos.items() if is_data(name)}
        return Day(date, commit, files, newest)

    def _read_commit(self, date: str, number: str) -> Commit:
        path = self.path(date, f"_commit-{number}.json")
        try:
            data = orjson.loads(self.read(path))
            replaced = frozenset(data["replaced"])
            return Commit(int(number), tuple(data["live"]), replaced, data["reason"])
        except (ValueError, KeyError, TypeError) as problem:
            raise LakeError(f"{path}: this is no commit of a lake: {problem!r}") from problem

    def commit(self, before: Day, live: Iterable[str], gone: Iterable[str], reason: str) -> None:
        """Replace files of a day in one step: `gone` die, `live` are the day's other files now.

        Raises LakeError when another commit came in between (nothing is replaced then).
        """
        number = before.commit.number + 1
        name = f"_commit-{number:08d}.json"
        replaced = sorted(before.commit.replaced | set(gone))
        body = orjson.dumps({"live": list(live), "replaced": replaced, "reason": reason})
        current = self.day(before.date).commit.number
        if current != before.commit.number:
            raise LakeError(
                f"{self.path(before.date, name)}: somebody else changed this day; "
                "run it again, one at a time"
            )
        self.put(before.date, name, body)
        stale = [f"_commit-{old:08d}.json" for old in range(max(1, number - 3), number)]
        self.delete(before.date, stale[:-1])

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other compact, erase and retention runs away; local lakes only.

        Raises LakeError when one is running.
        """
        if not self.local:
            yield
            return
        path = Path(self.root) / "_lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LakeError(f"{self.root}: compact, erase or retention is running") from None
            yield
