from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from lakes import DAY_US, START_US, flush_all, make_row
from object_stores import go_past_proxies, gs_store, gs_url, s3_store

from fsgitops.cdr import lake as lake_module
from fsgitops.cdr import query
from fsgitops.cdr.compact import compact_lake, expire
from fsgitops.cdr.erase import erase_number
from fsgitops.cdr.flush import read_keys
from fsgitops.cdr.lake import Day, Lake, LakeError, bound_retries, open_lake
from fsgitops.cdr.query import Source, fetch
from fsgitops.cdr.report import Span, make_report
from fsgitops.cdr.spool import Spool
from fsgitops.cli.cdr import invoke
from fsgitops.errors import UsageError

HANG_SECONDS = 60
STORES = {"s3": s3_store, "gs": gs_store}


@pytest.fixture(params=sorted(STORES))
def store_url(request, monkeypatch):
    with STORES[request.param](monkeypatch) as url:
        yield url


def test_a_lake_in_an_object_store_is_the_same_lake(store_url, tmp_path, templates) -> None:
    spool, lake = Spool(tmp_path / "spool"), open_lake(store_url, create=True)
    for part in range(3):
        spool.add([make_row(templates, n) for n in range(1 + part * 7, 8 + part * 7)])
        flush_all(spool, lake)
    spool.add([make_row(templates, 22)])
    source = Source(store_url, tmp_path / "spool")
    assert fetch(source, "SELECT count(*) n FROM cdr").to_pylist() == [{"n": 22}]
    flush_all(spool, lake)
    (done,) = compact_lake(lake, grace=0)
    assert (done.files_before, done.files_after, done.rows) == (4, 1, 22)
    assert erase_number(lake, tmp_path / "spool", "+12025550666", "r").rows > 0
    counts = Counter(key for day in lake.days() for _, key in read_keys(lake, day))
    assert len(counts) == 22
    assert set(counts.values()) == {1}
    assert make_report(source, Span(leg="all")).total.calls == 22


def test_every_reading_command_reads_an_object_store(
    store_url, tmp_path, templates, capfdbinary
) -> None:
    spool, lake = Spool(tmp_path / "spool"), open_lake(store_url, create=True)
    spool.add([make_row(templates, number) for number in range(1, 8)])
    flush_all(spool, lake)
    spool.close()
    place = ["-C", str(tmp_path), "--lake", store_url, "--spool", "spool"]

    def ask(*words: str) -> bytes:
        capfdbinary.readouterr()
        assert invoke([*place, *words]) == 0, capfdbinary.readouterr().err
        return bytes(capfdbinary.readouterr().out)

    listed = ask("list", "--leg", "a", "--limit", "2", "--format", "json").splitlines()
    assert [json.loads(line)["leg"] for line in listed] == ["a", "a"]
    assert ask("query", "SELECT count(*) AS n FROM cdr", "--format", "csv").split() == [b"n", b"7"]
    assert json.loads(ask("report", "--leg", "all", "--format", "json"))["total"]["calls"] == 7
    (path,) = ask("files").decode().splitlines()
    assert path.startswith(f"{store_url.partition('://')[0]}://calls/pbx/cdr/date=2026-11-23/part-")
    assert ask("reconcile").splitlines()[-1].split()[-2:] == [b"7", b"0"]


def test_old_days_leave_an_object_store_whole(store_url, tmp_path, templates) -> None:
    spool, lake = Spool(tmp_path / "spool"), open_lake(store_url, create=True)
    for number in (1, 2):
        spool.add([make_row(templates, number, start_us=START_US + number * DAY_US)])
        flush_all(spool, lake)
    assert [day.date for day in lake.days()] == ["2026-11-24", "2026-11-25"]
    assert expire(lake, 1, today=date(2026, 11, 26)) == ["2026-11-24"]
    assert [day.date for day in open_lake(store_url).days()] == ["2026-11-25"]


IN_ONE_PROCESS = """\
import sys, tempfile
from pathlib import Path
sys.path[:0] = {paths!r}
from gcp_storage_emulator.server import create_server
from lakes import flush_all, make_row
from object_stores import gs_url
from replay_switch import read_events
from fsgitops.cdr.flush import read_keys
from fsgitops.cdr.lake import open_lake
from fsgitops.cdr.spool import Spool

server = create_server("127.0.0.1", 0, True, "calls")
server.start()
templates = read_events(Path({events!r}).read_bytes())
lake = open_lake(gs_url(server._api._httpd.server_port), create=True)
for turn in ("first", "second"):
    # A fresh spool knows nothing, and learns what the lake holds.
    spool = Spool(Path(tempfile.mkdtemp()) / turn)
    spool.add([make_row(templates, number) for number in range(1, 8)])
    done = flush_all(spool, lake)
print(done[0].already_held, len(list(read_keys(lake, lake.days()[0]))))
server.stop()
"""


def test_while_a_flush_waits_for_the_store_the_other_threads_go_on(captures, monkeypatch) -> None:
    """A server that shares the process answers only when the flush has let go of the interpreter.

    pyarrow keeps hold of it in some calls on Cloud Storage: a sidecar would hear no event then.
    """
    pytest.importorskip("gcp_storage_emulator", reason="gcp-storage-emulator is not installed")
    go_past_proxies(monkeypatch)
    here = Path(__file__).parent
    script = IN_ONE_PROCESS.format(
        paths=[str(here), str(here.parents[1])], events=str(captures / "inbound-calls.json.esl")
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert (done.stdout.split(), done.returncode) == (["7", "7"], 0), done.stderr[-2000:]


@pytest.mark.parametrize(
    ("url", "bounded"),
    [
        ("gs://b/p", "gs://b/p?retry_limit_seconds=30"),
        ("gs://b/p?scheme=http", "gs://b/p?scheme=http&retry_limit_seconds=30"),
        ("gcs://b", "gcs://b?retry_limit_seconds=30"),
        ("gs://b/p?retry_limit_seconds=5", "gs://b/p?retry_limit_seconds=5"),
        ("gs://b/p?", "gs://b/p?retry_limit_seconds=30"),
        ("gs://b/p?retry%5Flimit_seconds=5", "gs://b/p?retry%5Flimit_seconds=5"),
        (
            "gs://b/p?endpoint_override=x%3Fretry_limit_seconds=4",
            "gs://b/p?endpoint_override=x%3Fretry_limit_seconds=4&retry_limit_seconds=30",
        ),
        ("s3://b/p?region=eu-west-1", "s3://b/p?region=eu-west-1"),
    ],
)
def test_cloud_storage_is_not_tried_for_ever(url: str, bounded: str) -> None:
    assert bound_retries(url) == bounded


def test_a_store_that_is_not_there_is_told_before_long(monkeypatch) -> None:
    go_past_proxies(monkeypatch)
    monkeypatch.setattr(lake_module, "RETRY_SECONDS", 1)
    with pytest.raises(LakeError, match="not listed"):
        open_lake(gs_url(1)).days()


@pytest.mark.parametrize("url", ["s3://KEY:SECRET@b/p?nonsense=1", "s3://KEY:SECRET@b/p#x"])
def test_what_is_wrong_with_a_url_is_told_without_its_credentials(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_lake(url)
    assert "s3://b/p" in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_store_that_loses_a_file_is_no_wrong_query(
    store_url, tmp_path, templates, monkeypatch, capfd
) -> None:
    spool, lake = Spool(tmp_path / "spool"), open_lake(store_url, create=True)
    spool.add([make_row(templates, 1)])
    flush_all(spool, lake)
    spool.close()
    listed = query.live_files

    def lose(lake: Lake, days: list[Day]) -> list[str]:
        files = listed(lake, days)
        for path in files:
            with contextlib.suppress(FileNotFoundError):
                lake.filesystem.delete_file(path)
        return files

    monkeypatch.setattr(query, "live_files", lose)
    words = ["-C", str(tmp_path), "--lake", store_url, "--spool", "spool", "list"]
    assert invoke(words) == 0, "the second look does not find the file listed"
    spool = Spool(tmp_path / "spool")
    spool.add([make_row(templates, 2)])
    flush_all(spool, lake)
    spool.close()
    monkeypatch.setattr(query, "ATTEMPTS", 1)
    assert invoke(words) == 1
    assert "the lake cannot be read" in capfd.readouterr().err
