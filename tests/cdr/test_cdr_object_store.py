from __future__ import annotations

import os
from collections import Counter

import pytest
from lakes import flush_all, make_row

moto_server = pytest.importorskip("moto.server", reason="moto is not installed")

from fsgitops.cdr.compact import compact_lake  # noqa: E402
from fsgitops.cdr.erase import erase_number  # noqa: E402
from fsgitops.cdr.flush import read_keys  # noqa: E402
from fsgitops.cdr.lake import open_lake  # noqa: E402
from fsgitops.cdr.query import Source, fetch  # noqa: E402
from fsgitops.cdr.report import Span, make_report  # noqa: E402
from fsgitops.cdr.spool import Spool  # noqa: E402


@pytest.fixture
def s3_url(monkeypatch):
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    import boto3

    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    client.create_bucket(Bucket="calls")
    yield f"s3://calls/pbx?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    server.stop()


def test_a_lake_in_an_object_store_is_the_same_lake(s3_url, tmp_path, templates) -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"] == "test"
    spool, lake = Spool(tmp_path / "spool"), open_lake(s3_url, create=True)
    for part in range(3):
        spool.add([make_row(templates, n) for n in range(1 + part * 7, 8 + part * 7)])
        flush_all(spool, lake)
    spool.add([make_row(templates, 22)])
    source = Source(s3_url, tmp_path / "spool")
    assert fetch(source, "SELECT count(*) n FROM cdr").to_pylist() == [{"n": 22}]
    flush_all(spool, lake)
    (done,) = compact_lake(lake, grace=0)
    assert (done.files_before, done.files_after, done.rows) == (4, 1, 22)
    assert erase_number(lake, tmp_path / "spool", "+12025550666", "r").rows > 0
    counts = Counter(key for day in lake.days() for _, key in read_keys(lake, day))
    assert len(counts) == 22
    assert set(counts.values()) == {1}
    assert make_report(source, Span(leg="all")).total.calls == 22
