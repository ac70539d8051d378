"""Reading the live side."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import FsgitopsError
from fsgitops.model.live import FileKind, Manifest, ManifestEntry, Record
from fsgitops.model.resource import Resource
from fsgitops.steps.read_live import read_live, read_manifest

PATH = "directory/default/1020.xml"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    conf = tmp_path / "conf"
    (conf / "directory/default").mkdir(parents=True)
    return conf


def kind_of(conf: Path, expected: str = "") -> FileKind:
    return read_live(conf, conf / ".fsgitops", {PATH: expected}).files[PATH].kind


def test_nothing_there_is_missing(conf: Path):
    assert kind_of(conf) is FileKind.MISSING


def test_a_plain_file_has_its_hash_and_content(conf: Path):
    (conf / PATH).write_bytes(b"x")
    found = read_live(conf, conf / ".fsgitops", {PATH: ""}).files[PATH]
    assert (found.kind, found.sha256, found.content) == (
        FileKind.REGULAR, hashlib.sha256(b"x").hexdigest(), b"x",
    )  # fmt: skip


def test_the_content_of_a_file_that_is_as_expected_is_not_kept(conf: Path):
    (conf / PATH).write_bytes(b"x")
    expected = {PATH: hashlib.sha256(b"x").hexdigest()}
    assert read_live(conf, conf / ".fsgitops", expected).files[PATH].content is None


def test_a_symbolic_link_is_seen_and_not_followed(conf: Path):
    (conf / PATH).symlink_to("/etc/passwd")
    found = read_live(conf, conf / ".fsgitops", {PATH: ""}).files[PATH]
    assert (found.kind, found.content) == (FileKind.SYMLINK, None)


def test_a_hard_link_is_seen(conf: Path):
    (conf / "other").write_bytes(b"x")
    os.link(conf / "other", conf / PATH)
    assert kind_of(conf) is FileKind.HARD_LINK


def test_a_directory_is_seen(conf: Path):
    (conf / PATH).mkdir()
    assert kind_of(conf) is FileKind.DIRECTORY


def test_a_pipe_is_seen_and_does_not_block(conf: Path):
    os.mkfifo(conf / PATH)
    assert kind_of(conf) is FileKind.OTHER


def test_a_file_without_end_is_seen_and_not_read(conf: Path):
    (conf / PATH).touch()
    os.truncate(conf / PATH, 1 << 40)
    assert kind_of(conf) is FileKind.OVERSIZED


def test_a_folder_that_leads_elsewhere_is_seen(conf: Path, tmp_path: Path):
    (tmp_path / "outside").mkdir()
    (conf / "directory/default").rmdir()
    (conf / "directory/default").symlink_to(tmp_path / "outside")
    assert kind_of(conf) is FileKind.OUTSIDE


def test_a_folder_that_leads_elsewhere_inside_is_fine(conf: Path):
    (conf / "real").mkdir()
    (conf / "directory/default").rmdir()
    (conf / "directory/default").symlink_to(conf / "real")
    assert kind_of(conf) is FileKind.MISSING


def test_files_that_are_not_ours_are_counted(conf: Path):
    for name in ("1000.xml", "1001.xml", "notes.txt"):
        (conf / "directory/default" / name).write_bytes(b"x")
    assert read_live(conf, conf / ".fsgitops", {PATH: ""}).unmanaged == 2


def test_a_conf_directory_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(FsgitopsError, match="no such directory"):
        read_live(tmp_path / "nowhere", tmp_path / "state", {})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"version": 2, "entries": {}}', '{"version": 1}',
     '{"version": 1, "entries": {"../x": {}}}', '{"version": 1, "entries": {"/x": {}}}',
     '{"version": 1, "entries": {"a": {"sha256": "", "resource": "x", "source": "", "commit": "",'
     ' "inputs": ""}}}'],
)  # fmt: skip
def test_a_manifest_that_is_not_one_is_told(tmp_path: Path, text: str):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FsgitopsError, match="not a manifest"):
        read_manifest(tmp_path)


names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,8}", fullmatch=True)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


records = st.builds(
    Record,
    resource=st.builds(
        Resource,
        st.sampled_from(("agent", "did", "dialplan")),
        st.from_regex(r"[A-Za-z0-9+][0-9.-]*", fullmatch=True),
    ),
    source=st.text(),
    commit=st.text(),
    inputs=st.text(),
    protect=st.booleans(),
    sha256=st.just(""),
    elements=st.just(()),
)
shared = st.builds(
    Record._replace, records, sha256=digests, elements=st.lists(st.text(), max_size=2).map(tuple)
)
together = st.tuples(records) | st.lists(shared, min_size=2, max_size=3).map(tuple)


@given(st.dictionaries(paths, st.builds(ManifestEntry, sha256=digests, records=together)))
def test_a_manifest_survives_being_written(entries):
    manifest = Manifest(entries)
    encoded = manifest.encode()
    assert Manifest.from_json(json.loads(encoded)) == manifest
    again = json.dumps(json.loads(encoded), sort_keys=True, separators=(",", ":"))
    assert encoded == again.encode()


@given(
    st.text()
    | st.lists(st.sampled_from(["..", ".", "", "a", "/", "\0", "~", "\\", " ", ".fsgitops"])).map(
        "/".join
    )
)
def test_no_path_of_a_manifest_can_leave_the_conf_directory(path):
    entry = {"sha256": "0" * 64, "resource": "agent:1", "source": "", "commit": "", "inputs": ""}
    try:
        manifest = Manifest.from_json({"version": 1, "entries": {path: entry}})
    except ValueError:
        return
    (kept,) = manifest.entries
    landed = os.path.normpath(f"/conf/{kept}")
    assert landed == f"/conf/{kept}"
    assert not any(part.startswith(".") for part in kept.split("/"))
    assert kept.isascii()
    assert kept.isprintable()


@pytest.mark.parametrize("name", ["agent:1 all", "agent:1\n2", "agent:", "agent:$(x)", "agent:;x"])
def test_no_resource_of_a_manifest_can_become_more_than_a_name_in_a_command(tmp_path, name):
    entry = {"sha256": "0" * 64, "resource": name, "source": "", "commit": "", "inputs": ""}
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "entries": {"a": entry}}))
    with pytest.raises(FsgitopsError, match="not a manifest"):
        read_manifest(tmp_path)
