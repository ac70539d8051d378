"""Object stores on loopback: S3 by moto, Cloud Storage by an emulator in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "calls"
_EMULATOR = """\
import sys
from gcp_storage_emulator.server import create_server
server = create_server("127.0.0.1", 0, True, "calls")
server.start()
print(server._api._httpd.server_port, flush=True)
sys.stdin.read()
server.stop()
"""


@contextmanager
def s3_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the URL of a lake in an empty bucket of an S3 server."""
    moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
    import boto3

    go_past_proxies(monkeypatch)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # What other tests of this process kept there is one and the same store.
    urlopen(Request(f"http://127.0.0.1:{port}/moto-api/reset", method="POST")).close()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    yield f"s3://{BUCKET}/pbx?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    server.stop()


@contextmanager
def gs_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the URL of a lake in an empty bucket of a Cloud Storage server."""
    pytest.importorskip("gcp_storage_emulator", reason="gcp-storage-emulator is not installed")
    go_past_proxies(monkeypatch)
    with subprocess.Popen(
        [sys.executable, "-c", _EMULATOR],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield gs_url(int(server.stdout.readline()))
        server.stdin.close()


def go_past_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no proxy stand between this process, or its children, and loopback."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def gs_url(port: int) -> str:
    """Return the URL of a lake at an emulator's port."""
    return f"gs://anonymous@{BUCKET}/pbx?scheme=http&endpoint_override=127.0.0.1:{port}"
