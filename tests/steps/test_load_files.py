"""Promises of steps/load about files: which are found, which are refused unread."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from fsgitops.findings import Position
from fsgitops.steps.load import MAX_FILE_BYTES, load_document, load_documents

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.model.document import Document


def test_a_file_of_50_mb_is_refused_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    tracemalloc.start()
    _, [finding] = load_document(tmp_path, "a.yaml")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert finding.rule == "file-size"
    assert "50.0 MB" in finding.message
    assert peak < 1024 * 1024


def test_a_file_of_just_the_largest_size_is_read(tmp_path: Path) -> None:
    text = b"a: b\n#"
    (tmp_path / "a.yaml").write_bytes(text.ljust(MAX_FILE_BYTES, b"x"))
    document, findings = load_document(tmp_path, "a.yaml")
    assert document is not None
    assert findings == []


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    document, [finding] = load_document(tmp_path, "none.yaml")
    assert document is None
    assert "no such file" in finding.message


def test_a_path_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("a: b\n")
    (tmp_path / "root").mkdir()
    _, [finding] = load_document(tmp_path / "root", "../out.yaml")
    assert finding.rule == "outside-root"


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "desired").mkdir()
    os.mkfifo(tmp_path / "desired" / "a.yaml")
    _, [finding] = load_documents(tmp_path, "desired")
    assert finding.rule == "file-kind"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: b\n")
    (tmp_path / "a.yaml").chmod(0)
    _, [finding] = load_document(tmp_path, "a.yaml")
    assert finding.rule == "unreadable-file"


def tree(tmp_path: Path, *paths: str) -> Path:
    for path in paths:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"x-name: {path}\n")
    return tmp_path


def paths_of(documents: list[Document]) -> list[str]:
    return [document.path for document in documents]


def test_yaml_files_are_found_at_any_depth_in_order(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/b.yml", "d/a/z/c.yaml", "d/a.yaml", "d/note.txt", "other.yaml")
    documents, findings = load_documents(root, "d")
    assert (paths_of(documents), findings) == (["d/a.yaml", "d/a/z/c.yaml", "d/b.yml"], [])


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/.a.yaml", "d/.git/b.yaml", "d/c.yaml")
    assert paths_of(load_documents(root, "d")[0]) == ["d/c.yaml"]


def test_a_single_file_may_be_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/a.yaml", "d/b.yaml")
    assert paths_of(load_documents(root, "d/a.yaml")[0]) == ["d/a.yaml"]


def test_a_missing_folder_is_a_finding(tmp_path: Path) -> None:
    documents, [finding] = load_documents(tmp_path, "desired")
    assert documents == []
    assert finding.position == Position("desired")


def test_a_folder_named_like_a_file_is_a_finding(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/x.yaml/a.yaml")
    documents, [finding] = load_documents(root, "d")
    assert (documents, finding.rule, finding.position.file) == ([], "file-kind", "d/x.yaml")


@pytest.mark.parametrize("link_is_folder", [False, True])
def test_a_link_out_of_the_tree_is_refused(tmp_path: Path, link_is_folder: bool) -> None:
    outside = tree(tmp_path / "out", "secret.yaml")
    root = tree(tmp_path / "root", "d/a.yaml")
    target = outside if link_is_folder else outside / "secret.yaml"
    (root / "d" / "link.yaml").symlink_to(target)
    documents, [finding] = load_documents(root, "d")
    assert paths_of(documents) == ["d/a.yaml"]
    assert (finding.rule, finding.position.file) == ("outside-root", "d/link.yaml")


def test_a_link_inside_the_root_is_followed(tmp_path: Path) -> None:
    root = tree(tmp_path, "shared/common.yaml", "d/a.yaml")
    (root / "d" / "link.yaml").symlink_to("../shared/common.yaml")
    assert paths_of(load_documents(root, "d")[0]) == ["d/a.yaml", "d/link.yaml"]


def test_a_file_that_a_link_leads_to_as_well_is_read_once(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/z/a.yaml")
    (root / "d" / "b.yaml").symlink_to("z/a.yaml")
    assert paths_of(load_documents(root, "d")[0]) == ["d/z/a.yaml"]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/sub/a.yaml")
    (root / "d" / "sub" / "up").symlink_to("..")
    (root / "d" / "self").symlink_to("self")
    assert paths_of(load_documents(root, "d")[0]) == ["d/sub/a.yaml"]


def test_a_link_to_nothing_is_a_finding(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/a.yaml")
    (root / "d" / "b.yaml").symlink_to("nowhere.yaml")
    _, [finding] = load_documents(root, "d")
    assert (finding.rule, finding.position.file) == ("unreadable-file", "d/b.yaml")


def test_a_file_name_with_a_line_break_is_refused_in_printable_words(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/a.yaml", "d/b\nc.yaml")
    documents, [finding] = load_documents(root, "d")
    assert paths_of(documents) == ["d/a.yaml"]
    assert (finding.rule, finding.position.file) == ("file-name", "d/b\\nc.yaml")


def test_a_malformed_file_stops_none_of_the_others(tmp_path: Path) -> None:
    root = tree(tmp_path, "d/a.yaml", "d/b.yaml", "d/c.yaml")
    (root / "d" / "a.yaml").write_text("a: [\n")
    (root / "d" / "b.yaml").write_text("a: *x\n")
    documents, findings = load_documents(root, "d")
    assert paths_of(documents) == ["d/c.yaml"]
    assert [finding.position.file for finding in findings] == ["d/a.yaml", "d/b.yaml"]
